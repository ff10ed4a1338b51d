//! The same job has the same report; and what scripts can and cannot do.

use sandbox::{Failure, Frame, Job, LineLevel, SyntaxFault};
use serde_json::json;

use crate::place::{MEBIBYTE, failure, job, pool, report, value};

const DRAWS: &str = "console.log(Math.random(), crypto.randomUUID());
return [Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))], Date.now(), new Date(), Date(), performance.now()];";

#[tokio::test]
async fn the_same_job_has_the_same_report_in_another_child_and_another_pool() {
    let (one, other) = (pool(), pool());
    let first = report(&one, job(DRAWS)).await;
    assert_eq!(first, report(&one, job(DRAWS)).await);
    assert_eq!(first, other.execute(9, job(DRAWS)).await.unwrap());
    let seeded = report(&one, Job { seed: [1, 2, 3, 5], ..job(DRAWS) }).await;
    assert_ne!(first.result, seeded.result);
    let later = report(&one, Job { now: 0, ..job("return new Date().toISOString()") }).await;
    assert_eq!(later.result.as_deref(), Ok("\"1970-01-01T00:00:00.000Z\""));
}

#[tokio::test]
async fn randomness_looks_like_it() {
    let drawn = value(
        &pool(),
        "
        const buckets = new Array(10).fill(0);
        for (let n = 0; n < 10000; n++) buckets[Math.floor(Math.random() * 10)]++;
        return { buckets, ids: new Set(Array.from({ length: 1000 }, () => crypto.randomUUID())).size };",
    )
    .await;
    assert!(drawn["buckets"].as_array().unwrap().iter().all(|n| (850..1150).contains(&n.as_u64().unwrap())), "{drawn}");
    assert_eq!(drawn["ids"], 1000);
}

/// A later version of the server gives the same when a node is executed again.
#[tokio::test]
async fn a_seed_gives_what_its_algorithm_says() {
    let source = "
        let [a, b, c, d] = [1, 2, 3, 4];
        const draw = () => {
            const t = (((a + b) | 0) + d) | 0;
            d = (d + 1) | 0;
            a = b ^ (b >>> 9);
            b = (c + (c << 3)) | 0;
            c = (c << 21) | (c >>> 11);
            c = (c + t) | 0;
            return t >>> 0;
        };
        for (let round = 0; round < 15; round++) draw();
        const fraction = ((draw() >>> 5) * 67108864 + (draw() >>> 6)) / 9007199254740992;
        const hex = (value, digits) => value.toString(16).padStart(8, '0').slice(-digits);
        const id = hex(draw(), 8) + '-' + hex(draw(), 4) + '-4' + hex(draw(), 3) + '-' +
            hex(0x8000 | (draw() & 0x3fff), 4) + '-' + hex(draw(), 8) + hex(draw(), 4);
        const list = Int16Array.from({ length: 3 }, draw);
        return [[Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Int16Array(3))], [fraction, id, list]];";
    let drawn = value(&pool(), source).await;
    assert_eq!(drawn[0], drawn[1]);
}

#[tokio::test]
async fn random_values_fill_what_holds_whole_numbers() {
    let pool = pool();
    for kind in ["Int8", "Uint8", "Uint8Clamped", "Int16", "Uint16", "Int32", "Uint32"] {
        let source = format!(
            "const list = new {kind}Array(64); return crypto.getRandomValues(list) === list && list.some((n) => n !== 0)"
        );
        assert_eq!(value(&pool, &source).await, true, "{kind}");
    }
    for (list, name) in [
        ("new Float64Array(1)", "TypeError"),
        ("[1, 2]", "TypeError"),
        ("7", "TypeError"),
        ("new Proxy(new Uint8Array(1), {})", "TypeError"),
        ("new Uint8Array(65537)", "RangeError"),
        ("new Uint32Array(16385)", "RangeError"),
    ] {
        let source = format!("return crypto.getRandomValues({list})");
        let Failure::Thrown(thrown) = failure(&pool, job(&source)).await else { panic!("{list} ended otherwise") };
        assert_eq!(thrown.name, name, "{list}");
        assert!(thrown.message.contains("crypto.getRandomValues"), "{thrown:?}");
    }
}

#[tokio::test]
async fn what_a_script_returns_is_its_result() {
    let pool = pool();
    for (source, expected) in [
        ("return { name: input.name.toUpperCase(), n: input.rows.length }", json!({"name": "ADA", "n": 1})),
        ("return await Promise.all([1, Promise.resolve(2)])", json!([1, 2])),
        ("const x = 1", json!(null)),
        ("", json!(null)),
        ("return undefined", json!(null)),
        ("return () => 1", json!(null)),
        (
            "return [NaN, -0, 1e300, undefined, new Date(0), new Map([[1, 2]])]",
            json!([null, 0, 1e300, null, "1970-01-01T00:00:00.000Z", {}]),
        ),
        ("return 'ü \\u2028 \"' + '𝄞'.length", json!("ü \u{2028} \"2")),
        ("'use strict'; return typeof this", json!("undefined")),
        ("for await (const x of (async function* () { yield 1; })()) return x", json!(1)),
        ("// a comment at the end", json!(null)),
        ("return (new Date(2026, 0, 1)).toString()", json!("Thu Jan 01 2026 00:00:00 GMT+0000")),
        ("return Object.groupBy([1, 2, 3], (n) => n % 2 ? 'odd' : 'even')", json!({"odd": [1, 3], "even": [2]})),
        ("return new (class extends Date { year() { return this.getUTCFullYear(); } })().year()", json!(2026)),
        (
            "return [new Date() instanceof Date, Date.length, Date.name, typeof Date()]",
            json!([true, 7, "Date", "string"]),
        ),
    ] {
        assert_eq!(value(&pool, source).await, expected, "{source}");
    }
}

#[tokio::test]
async fn what_is_thrown_is_told_with_places_in_the_script() {
    let pool = pool();
    let source = "const inner = (value) => value.missing.deeper;\nfunction outer() {\n  return inner(input);\n}\nreturn outer();";
    let Failure::Thrown(thrown) = failure(&pool, job(source)).await else { panic!("it ended otherwise") };
    assert_eq!(thrown.name, "TypeError");
    assert!(thrown.message.contains("undefined"), "{thrown:?}");
    let place = |function: &str, line| (function.to_owned(), line);
    let frames: Vec<_> = thrown.frames.iter().map(|Frame { function, line, .. }| place(function, *line)).collect();
    assert_eq!(frames, [place("inner", 1), place("outer", 3), place("", 5)]);
    assert!(thrown.frames[0].column > 20 && thrown.frames[0].column < 46, "{thrown:?}");

    for (source, name, message, code) in [
        ("throw new RangeError('too many')", "RangeError", "too many", None),
        (
            "throw Object.assign(new Error('no order'), { code: 'ORDER_MISSING' })",
            "Error",
            "no order",
            Some("ORDER_MISSING"),
        ),
        ("throw { code: 'A', message: 'plain' }", "", "plain", Some("A")),
        ("throw 'only text'", "", "only text", None),
        ("throw { a: 1 }", "", "{\"a\":1}", None),
        ("throw undefined", "", "undefined", None),
        ("await Promise.reject(new Error('rejected'))", "Error", "rejected", None),
        ("throw Object.assign(new Error('e'), { code: 7 })", "Error", "e", None),
        ("throw Object.assign(new Error('e'), { code: 'x'.repeat(65) })", "Error", "e", None),
    ] {
        let Failure::Thrown(thrown) = failure(&pool, job(source)).await else { panic!("{source} ended otherwise") };
        assert_eq!((thrown.name.as_str(), thrown.message.as_str(), thrown.code.as_deref()), (name, message, code));
    }
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_told_with_its_place() {
    let pool = pool();
    for (source, line, column) in [
        ("const a = ;", 1, 11),
        ("let ok = 1;\nlet a = (1 +;\n", 2, 13),
        ("return {", 1, 9),
        ("if (true) {\n  return 1;\n", 2, 12),
        ("const a = 1; const a = 2;", 1, 20),
        ("await = 1", 1, 1),
    ] {
        let SyntaxFault { message, line: at, column: near } = pool.check(source).unwrap().unwrap();
        assert!(!message.is_empty());
        assert_eq!(at, line, "{source}: {message}");
        assert!(near.abs_diff(column) <= 8, "{source}: {message} at column {near}");
        assert!(matches!(failure(&pool, job(source)).await, Failure::Syntax(_)), "{source}");
    }
    assert_eq!(pool.check("const x = await Promise.resolve(1);\nreturn x // done").unwrap(), None);
    // To be read is not to be run.
    assert_eq!(pool.check("for (;;);").unwrap(), None);
    assert!(pool.check("}); for (;;); (async function () {").unwrap().is_some());
}

#[tokio::test]
async fn the_console_writes_lines_with_their_levels() {
    let source = "
        console.log('text', 1, true, null, undefined, 10n, Symbol('s'), [1, { a: 'b' }]);
        console.debug(() => 1); console.info(new TypeError('bad')); console.warn(); console.error({ get x() { throw 1; } });
        const loop = {}; loop.loop = loop; console.log(loop, [loop]);
        console.log({ toJSON() { console.warn('inner'); return 1; } }, { toJSON() {} });
        console.log(Object.assign(new Error('a'), { name: { toString() { throw 1; } } }), Symbol(), '\\ud800', [1, '\\ud800']);
        throw new Error('after the lines')";
    let report = report(&pool(), job(source)).await;
    assert!(matches!(report.result, Err(Failure::Thrown(_))));
    let lines: Vec<_> = report.lines.iter().map(|line| (line.level, line.text.as_str())).collect();
    assert_eq!(
        lines,
        [
            (LineLevel::Info, "text 1 true null undefined 10n Symbol(s) [1,{\"a\":\"b\"}]"),
            (LineLevel::Debug, "[function]"),
            (LineLevel::Info, "TypeError: bad"),
            (LineLevel::Warn, ""),
            (LineLevel::Error, "[an object that cannot be shown]"),
            (LineLevel::Info, "[an object that cannot be shown] [a list that cannot be shown]"),
            (LineLevel::Warn, "inner"),
            (LineLevel::Info, "1 undefined"),
            (LineLevel::Info, "[an object that cannot be shown] Symbol() \u{FFFD} [1,\"\\ud800\"]"),
        ]
    );
}

/// What a line does not hold is not copied, so that a text may take up nearly all the memory that there is.
#[tokio::test]
async fn long_texts_are_cut_where_they_are() {
    let pool = pool();
    for (values, count, end) in [
        ("'é'.repeat(20e6), 'more'", 8192, "éé"),
        ("new Error('é'.repeat(14e6))", 8192, "éé"),
        ("Symbol('é'.repeat(9000))", 8192, "éé"),
        ("['é'.repeat(9000)]", 8192, "éé"),
        ("'𝄞'.repeat(5000)", 4096, "𝄞"),
        ("'x' + '𝄞'.repeat(5000)", 4097, "𝄞\u{FFFD}"),
        ("'a'.repeat(8190), 'b', 'c'", 8192, "a b"),
    ] {
        let job = Job { memory: 32 * MEBIBYTE, ..job(&format!("console.log({values})")) };
        let lines = report(&pool, job).await.lines;
        let text = &lines.first().unwrap().text;
        assert!(text.chars().count() == count && text.ends_with(end), "{values} {count}: {text}");
    }
}

#[tokio::test]
async fn an_input_that_is_no_json_is_told_of() {
    let broken = Job { input: "{\"a\":".to_owned(), ..job("return 1") };
    assert_eq!(failure(&pool(), broken).await, Failure::InputInvalid);
}
