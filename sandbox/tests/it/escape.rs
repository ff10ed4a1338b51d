//! Every script in `escapes/` tries to reach something; none does, and nobody after it notices.

use std::fmt::Write as _;
use std::time::Duration;

use sandbox::{Failure, Job, Pool, Report};

use crate::place::{job, pool, value};

struct Escape {
    name: String,
    source: String,
    /// How it is to end; with null where it does not say.
    expects: Option<String>,
}

fn escapes() -> Vec<Escape> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/escapes");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut escapes: Vec<Escape> = files
        .map(|file| {
            let source = std::fs::read_to_string(&file).unwrap();
            assert!(source.starts_with("// "), "{} does not say what it tries", file.display());
            let expects = source.lines().find_map(|line| line.strip_prefix("// expects: ")).map(str::to_owned);
            Escape { name: file.file_stem().unwrap().to_string_lossy().into_owned(), source, expects }
        })
        .collect();
    escapes.sort_by(|one, other| one.name.cmp(&other.name));
    escapes
}

/// What an earlier run leaves behind, in every place that a script can reach.
const VICTIM: &str = "
globalThis.victim = 'canary-of-another-run';
Object.prototype.victim = 'canary-of-another-run';
Array.prototype.victim = Promise.prototype.victim = Function.prototype.victim = 'canary-of-another-run';
JSON.victim = Math.victim = console.victim = 'canary-of-another-run';
Object.defineProperty(Symbol.for('victim').constructor.prototype, 'canary', { value: 'canary-of-another-run' });
globalThis.kept = Array.from({ length: 2000 }, (_, n) => 'canary-of-another-run-' + n);
return input.secret;";

fn ends_as_expected(escape: &Escape, report: &Report) -> bool {
    match escape.expects.as_deref() {
        None => report.result.as_deref() == Ok("null"),
        Some("any") => true,
        Some("thrown") => matches!(report.result, Err(Failure::Thrown(_))),
        Some("syntax") => matches!(report.result, Err(Failure::Syntax(_))),
        Some("time") => matches!(report.result, Err(Failure::Time)),
        Some("refused") => matches!(
            report.result,
            Err(Failure::OutputTooLarge { .. } | Failure::OutputInvalid { .. } | Failure::Memory)
        ),
        Some(other) => panic!("{} expects {other}, which this test does not know", escape.name),
    }
}

/// What is wrong with how a script ended; empty when nothing is.
async fn faults(pool: &Pool, escape: &Escape) -> String {
    let mut faults = String::new();
    let victim = Job { input: r#"{"secret":"canary-of-another-run"}"#.to_owned(), ..job(VICTIM) };
    pool.execute(7, victim).await.unwrap();
    let attack = Job { time: Duration::from_secs(4), ..job(&escape.source) };
    match pool.execute(7, attack).await {
        Err(error) => writeln!(faults, "{}: {error}", escape.name).unwrap(),
        Ok(report) => {
            if !ends_as_expected(escape, &report) {
                writeln!(faults, "{}: {:?}", escape.name, report.result).unwrap();
            }
            let told = format!("{report:?}");
            for trace in ["canary-of-another-run", "PATH=", "root:x:0", "/proc/"] {
                if told.contains(trace) {
                    writeln!(faults, "{}: `{trace}` in its report", escape.name).unwrap();
                }
            }
        }
    }
    // Whoever comes next in the same child finds the world as it was.
    let next = job("const clean = []; for (const key in {}) clean.push(key); for (const key in []) clean.push(key);
        return [clean, typeof canary, typeof victim, JSON.stringify({ a: [1] }), [1].map((n) => n + 1), Date.now(), 'abc'.slice(1)];");
    let expected = r#"[[],"undefined","undefined","{\"a\":[1]}",[2],1767225600000,"bc"]"#;
    let next = pool.execute(7, next).await.unwrap();
    if next.result.as_deref() != Ok(expected) {
        writeln!(faults, "{}: the next run saw {:?}", escape.name, next.result).unwrap();
    }
    faults
}

#[tokio::test]
async fn e7_f3_f4_f5_f7_f8_f9_no_script_of_the_corpus_reaches_anything() {
    let escapes = escapes();
    assert!(escapes.len() >= 60, "the corpus has {} scripts", escapes.len());
    let pool = pool();
    let mut faults_found = String::new();
    for escape in &escapes {
        faults_found += &faults(&pool, escape).await;
    }
    assert_eq!(faults_found, "");
    assert_eq!(value(&pool, "return input.name").await, "Ada", "the parent lives");
}

#[tokio::test]
async fn the_corpus_is_checked_before_publishing_without_being_run() {
    let pool = pool();
    for escape in escapes() {
        let fault = pool.check(&escape.source).unwrap();
        let breaks_out = escape.name.starts_with("break_out_of") || escape.name == "import_after_break_out";
        let expected = escape.expects.as_deref() == Some("syntax") || breaks_out;
        assert_eq!(fault.is_some(), expected, "{}: {fault:?}", escape.name);
    }
}

#[tokio::test]
async fn f9_a_child_never_serves_two_tenants() {
    let pool = pool();
    let mut seen: Vec<(u128, u32)> = Vec::new();
    for turn in 0..12 {
        let tenant = turn % 3;
        let before = pool.resting();
        pool.execute(tenant, job("globalThis.left = input; return 1")).await.unwrap();
        let used = pool.resting().into_iter().filter(|pid| !before.contains(pid) || before.len() == 1);
        seen.extend(used.map(|pid| (tenant, pid)));
        let report = pool.execute(tenant + 100, job("return typeof left")).await.unwrap();
        assert_eq!(report.result.as_deref(), Ok("\"undefined\""));
    }
    assert!(!seen.is_empty());
}
