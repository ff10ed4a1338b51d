//! Bombs. Each ends by itself, at its limit, with a reason that can be told to people.

use std::time::{Duration, Instant};

use sandbox::{Failure, Job, MOST_LOG_BYTES, MOST_LOG_LINES, RunError};

use crate::place::{MEBIBYTE, failure, job, pool, report, value};

/// How much later than its limit a script may be told of, on a machine that does other things as well.
const LATE: Duration = Duration::from_millis(500);

/// Runs a bomb with a limit of one second.
async fn bomb(source: &str) -> Failure {
    let pool = pool();
    value(&pool, "return 1").await;
    let began = Instant::now();
    let failure = failure(&pool, Job { time: Duration::from_secs(1), ..job(source) }).await;
    let took = began.elapsed();
    assert!(took < Duration::from_millis(1_100) + LATE, "{took:?} for {source}");
    // The next script starts at once, in another child if need be.
    let began = Instant::now();
    assert_eq!(value(&pool, "return input.rows[0].price").await, 2);
    assert!(began.elapsed() < LATE, "{:?} after {source}", began.elapsed());
    failure
}

#[tokio::test]
async fn f1_a_loop_ends_at_its_time_limit_whatever_it_catches() {
    for source in [
        "while (true) {}",
        "for (;;) { try { for (;;); } catch {} finally { continue; } }",
        "const f = async () => { for (;;) await null; }; await f();",
        "const again = () => Promise.resolve().then(again); await again();",
        "queueMicrotask(function again() { queueMicrotask(again); }); await new Promise(() => {});",
        "return { toJSON() { for (;;); } };",
        "new Proxy({}, { get() { for (;;); } }).x",
        "function* endless() { for (;;) yield 1; } for (const x of endless());",
        "while (Date.now() < Date.now() + 1) {}",
        "[3, 2, 1].sort(() => { for (;;); })",
    ]
    .map(str::to_owned)
    {
        let failure = bomb(&source).await;
        // A chain of promises that wait for each other may use up its memory first, and then nothing settles it.
        let is_chain = source.contains("again") && matches!(failure, Failure::Memory | Failure::Forever);
        let is_told = failure == Failure::Time || is_chain;
        assert!(is_told, "{failure:?} of {source}");
    }
}

#[tokio::test]
async fn f1_a_catastrophic_pattern_ends_at_its_time_limit() {
    assert_eq!(bomb("return /^(a+)+$/.test('a'.repeat(40) + '!')").await, Failure::Time);
    assert_eq!(bomb("return 'a'.repeat(50000).replace(/(.*)*\\1x/g, '')").await, Failure::Time);
}

#[tokio::test]
async fn f1_what_the_engine_cannot_interrupt_is_killed() {
    // Calls in which the engine asks nobody. It asks once in ten thousand turns of a loop: no machine gets that far.
    let native = "const a = new Uint8Array(30e6); for (;;) a.sort();";
    let many = "return JSON.stringify(Array.from({ length: 9 }, () => 'é\\\\n'.repeat(4e6)))";
    for source in [native, many] {
        let failure = bomb(source).await;
        assert!(matches!(failure, Failure::Time | Failure::Memory | Failure::OutputTooLarge { .. }), "{failure:?}");
    }
}

#[tokio::test]
async fn f2_memory_without_end_ends_the_script_and_not_the_server() {
    for source in [
        "const all = []; for (;;) all.push(new Uint8Array(1e6));",
        "let text = 'x'; for (;;) text += text + 'y';",
        "const all = {}; for (let n = 0; ; n++) all['k' + n] = { n };",
        "let chain = null; for (;;) chain = { chain, more: [1, 2, 3] };",
        "const map = new Map(); for (;;) map.set({}, new Array(100).fill(0));",
        "return new Uint8Array(10e9)",
        "return new Array(2 ** 31).fill(0)",
        "return 'x'.repeat(2 ** 30).length",
        "let all = []; for (;;) { try { all.push(new ArrayBuffer(1e6)); } catch { all.push(all); } }",
    ] {
        let failure = bomb(source).await;
        let is_told = match &failure {
            Failure::Memory | Failure::Time => true,
            Failure::Thrown(thrown) => thrown.name == "RangeError" || thrown.name == "InternalError",
            _ => false,
        };
        assert!(is_told, "{failure:?} of {source}");
    }
}

#[tokio::test]
async fn f2_fifty_megabytes_of_json_end_within_the_memory_limit() {
    let pool = pool();
    for source in [
        "return JSON.parse('[' + '1,'.repeat(25e6) + '1]').length",
        "return JSON.parse('[' + '{\"a\":[1]},'.repeat(5e6) + '1]').length",
    ] {
        // Time enough for the memory to run out first, on any machine.
        let bomb = Job { time: Duration::from_secs(60), ..job(source) };
        assert_eq!(failure(&pool, bomb).await, Failure::Memory, "{source}");
    }
}

#[tokio::test]
async fn deep_recursion_is_an_error_that_a_script_can_catch() {
    let Failure::Thrown(thrown) = bomb("const dive = (n) => dive(n + 1) + 1; return dive(0)").await else {
        panic!("it ended otherwise")
    };
    assert_eq!((thrown.name.as_str(), thrown.message.as_str()), ("RangeError", "Maximum call stack size exceeded"));
    let pool = pool();
    let depth = value(&pool, "let n = 0; const dive = () => { n++; dive(); }; try { dive(); } catch {} return n").await;
    assert!(depth.as_u64().unwrap() > 1_000, "{depth}");
}

#[tokio::test]
async fn a_promise_that_nobody_settles_is_told_of_at_once() {
    assert_eq!(bomb("await new Promise(() => {}); return 1").await, Failure::Forever);
}

#[tokio::test]
async fn f8_a_million_lines_are_kept_as_far_as_they_fit_and_the_rest_is_counted() {
    let pool = pool();
    let report = report(&pool, job("for (let n = 0; n < 1e6; n++) console.log('line', n); return 'done'")).await;
    assert_eq!(report.result.as_deref(), Ok("\"done\""));
    assert_eq!((report.lines.len(), report.dropped), (MOST_LOG_LINES, 1_000_000 - MOST_LOG_LINES as u64));
    assert_eq!(report.lines[999].text, "line 999");
    let report = self::report(&pool, job("for (;;) console.warn('w'.repeat(9e3))")).await;
    assert_eq!(report.result, Err(Failure::Time));
    assert!(report.lines.iter().map(|line| line.text.len()).sum::<usize>() <= MOST_LOG_BYTES);
    assert!(report.dropped > 0);
}

#[tokio::test]
async fn f8_a_result_is_no_longer_than_it_may_be() {
    let pool = pool();
    let bytes = MEBIBYTE - 2;
    let fits = report(&pool, job(&format!("return 'x'.repeat({bytes})"))).await;
    assert_eq!(fits.result.map(|text| text.len() as u64), Ok(MEBIBYTE));
    let longer = failure(&pool, job(&format!("return 'x'.repeat({bytes} + 1)"))).await;
    assert_eq!(longer, Failure::OutputTooLarge { bytes: MEBIBYTE + 1 });
    let huge = Job { memory: 256 * MEBIBYTE, ..job("return 'x'.repeat(20e6)") };
    assert_eq!(failure(&pool, huge).await, Failure::OutputTooLarge { bytes: 20_000_002 });
}

#[tokio::test]
async fn a_source_that_is_too_long_is_not_even_sent() {
    let pool = pool();
    let long = "// ".to_owned() + &"x".repeat(sandbox::MOST_SOURCE_BYTES);
    assert!(matches!(pool.execute(1, job(&long)).await, Err(RunError::SourceTooLong { .. })));
    assert!(matches!(pool.check(&long), Err(RunError::SourceTooLong { .. })));
}

#[tokio::test]
async fn an_input_of_sixteen_megabytes_arrives_whole() {
    let pool = pool();
    let input = format!("\"{}\"", "é".repeat(8 * 1024 * 1024));
    let read = report(&pool, Job { input, memory: 256 * MEBIBYTE, ..job("return input.length") }).await;
    assert_eq!(read.result.as_deref(), Ok("8388608"));
}
