//! One execution: from a node's attempt to a job for the sandbox, and from its report to the node's outcome.

use std::fmt::Write as _;
use std::time::Duration;

use engine::error::ErrorInfo;
use sandbox::{Failure, Job, LineLevel, LogLine, Report, RunError, Thrown};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{CodeLimits, LEAST_MEMORY, LEAST_TIME};
use crate::config::Config;
use crate::{Attempt, LogLevel, NodeContext};

/// Most places that a message tells.
const MOST_PLACES: usize = 5;
const MEBIBYTE: u64 = 1024 * 1024;

/// The job of an attempt.
pub(super) fn of(context: &dyn NodeContext, attempt: &Attempt, limits: &CodeLimits) -> Result<Job, ErrorInfo> {
    let config = Config::of(attempt)?;
    let input = config.raw("input").unwrap_or(&attempt.input);
    let input = serde_json::to_string(input).unwrap_or_default();
    if input.len() as u64 > limits.most_input {
        let message = format!(
            "the input has {} bytes as JSON; code takes at most {}. Hand on less of it by config.input",
            input.len(),
            limits.most_input
        );
        return Err(ErrorInfo::permanent("CODE_INPUT_TOO_LARGE", message));
    }
    let time = config.duration("time_limit")?;
    if let Some(time) = time.filter(|time| !(LEAST_TIME..=limits.most_time).contains(time)) {
        let message =
            format!("config.time_limit is {time:?}; this workspace allows {LEAST_TIME:?} to {:?}", limits.most_time);
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    }
    let memory = config.integer("memory_limit", LEAST_MEMORY / MEBIBYTE, limits.most_memory / MEBIBYTE)?;
    Ok(Job {
        source: config.required_text("code")?.to_owned(),
        input,
        now: context.began().0.div_euclid(1_000),
        seed: seed(attempt),
        time: time.unwrap_or(limits.time),
        memory: memory.map_or(limits.memory, |mebibytes| mebibytes.saturating_mul(MEBIBYTE)),
        output: limits.most_output,
    })
}

/// The same for every attempt of a node run, another for every other.
fn seed(attempt: &Attempt) -> [u32; 4] {
    let what = format!("{}/{}/{}", attempt.run, attempt.node, attempt.scope);
    let digest = Sha256::digest(what.as_bytes());
    let mut words =
        digest.chunks_exact(4).map(|bytes| bytes.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)));
    std::array::from_fn(|_| words.next().unwrap_or_default())
}

/// Hands console lines on to the attempt's log.
pub(super) fn tell(context: &dyn NodeContext, report: &Report) {
    for LogLine { level, text } in &report.lines {
        context.tell(log_level(*level), text);
    }
    context.tell_lost(report.dropped);
}

fn log_level(level: LineLevel) -> LogLevel {
    match level {
        LineLevel::Debug => LogLevel::Debug,
        LineLevel::Info => LogLevel::Info,
        LineLevel::Warn => LogLevel::Warn,
        LineLevel::Error => LogLevel::Error,
    }
}

/// Console lines as a value.
pub(super) fn lines(report: &Report) -> Value {
    let line = |LogLine { level, text }: &LogLine| json!({ "level": log_level(*level).as_str(), "message": text });
    report.lines.iter().map(line).collect()
}

/// A result as a value.
pub(super) fn parse(text: &str) -> Result<Value, ErrorInfo> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!(
            "the code returned something that cannot be kept as JSON: {error}. Texts must be Unicode, and lists and objects \
             nested no deeper than 128"
        );
        ErrorInfo::permanent("CODE_OUTPUT_INVALID", message)
    })
}

/// The error of an execution without a result.
pub(super) fn failure(failure: Failure, job: &JobLimits) -> ErrorInfo {
    let permanent = |code: &str, message: String| ErrorInfo::permanent(code, message);
    match failure {
        Failure::Syntax(fault) => permanent(
            "CODE_SYNTAX",
            format!("the code cannot be read at line {}, column {}: {}", fault.line, fault.column, fault.message),
        ),
        Failure::Thrown(thrown) => permanent(&code_of(&thrown), message_of(&thrown)),
        Failure::Time => {
            permanent("CODE_TIME_LIMIT", format!("the code ran longer than its time limit of {:?}", job.time))
        }
        Failure::Memory => permanent(
            "CODE_MEMORY_LIMIT",
            format!("the code used more than its memory limit of {} MiB", job.memory / MEBIBYTE),
        ),
        Failure::Forever => permanent(
            "CODE_NEVER_ENDS",
            "the code waits for a promise that nothing settles; there are no timers and no network in code".to_owned(),
        ),
        Failure::OutputTooLarge { bytes } => permanent(
            "CODE_OUTPUT_TOO_LARGE",
            format!("the code returned {bytes} bytes of JSON; at most {} are kept", job.output),
        ),
        Failure::OutputInvalid { message } => {
            permanent("CODE_OUTPUT_INVALID", format!("the code returned something that is not JSON: {message}"))
        }
        Failure::InputInvalid => permanent(
            "CODE_INPUT_INVALID",
            "the input cannot be read by code; it is nested too deeply or too large for the memory limit".to_owned(),
        ),
    }
}

/// The error of an execution that did not come to its end.
pub(super) fn broken(error: &RunError) -> ErrorInfo {
    match error {
        RunError::Unavailable(_) => ErrorInfo::transient("SANDBOX_UNAVAILABLE", error.to_string()),
        // The same code would end the next process as well.
        RunError::Died(_) | RunError::Malformed(_) => ErrorInfo::permanent("CODE_KILLED", error.to_string()),
        RunError::SourceTooLong { .. } => ErrorInfo::permanent("CONFIG_INVALID", format!("config.code: {error}")),
    }
}

/// What of a job its errors tell.
pub(super) struct JobLimits {
    time: Duration,
    memory: u64,
    output: u64,
}

impl From<&Job> for JobLimits {
    fn from(job: &Job) -> Self {
        Self { time: job.time, memory: job.memory, output: job.output }
    }
}

/// The error's own code where it has one of the form that `flow.fail` takes.
fn code_of(thrown: &Thrown) -> String {
    let fits = |code: &&String| {
        code.starts_with(|first: char| first.is_ascii_uppercase())
            && code.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    thrown.code.as_ref().filter(fits).cloned().unwrap_or_else(|| "CODE_THREW".to_owned())
}

fn message_of(thrown: &Thrown) -> String {
    let mut message = match (thrown.name.as_str(), thrown.message.as_str()) {
        ("", "") => "the code threw something without a message".to_owned(),
        ("" | "Error", said) => said.to_owned(),
        (name, "") => name.to_owned(),
        (name, said) => format!("{name}: {said}"),
    };
    for (n, frame) in thrown.frames.iter().take(MOST_PLACES).enumerate() {
        let joint = if n == 0 { ", at" } else { ", called from" };
        // Writing to a text cannot fail.
        let _ = write!(message, "{joint} line {}, column {}", frame.line, frame.column);
        if !frame.function.is_empty() {
            let _ = write!(message, " in {}", frame.function);
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use sandbox::{Frame, SyntaxFault};

    use super::*;
    use crate::testing::{NOW, attempt, room};

    fn frame(function: &str, line: u32, column: u32) -> Frame {
        Frame { function: function.to_owned(), line, column }
    }

    const JOB: JobLimits = JobLimits { time: Duration::from_secs(2), memory: 8 * MEBIBYTE, output: 100 };

    #[test]
    fn a_job_is_what_the_config_says_within_the_limits() {
        let limits = CodeLimits::default();
        let config = json!({"code": "return 1", "input": {"a": 1}, "time_limit": "500ms", "memory_limit": 32});
        let attempt = attempt(config, json!({"other": 2}));
        let job = of(&room(&attempt), &attempt, &limits).unwrap();
        assert_eq!((job.source.as_str(), job.input.as_str()), ("return 1", r#"{"a":1}"#));
        assert_eq!((job.time, job.memory), (Duration::from_millis(500), 32 * MEBIBYTE));
        assert_eq!(job.now, NOW.0 / 1_000);

        let plain = self::attempt(json!({"code": "", "input": null}), json!([1]));
        assert_eq!(of(&room(&plain), &plain, &limits).unwrap().input, "null", "an input that is null is null");
        let plain = self::attempt(json!({"code": ""}), json!([1]));
        let job = of(&room(&plain), &plain, &limits).unwrap();
        assert_eq!((job.input.as_str(), job.time, job.memory), ("[1]", limits.time, limits.memory));
    }

    #[test]
    fn what_is_over_a_limit_is_refused_with_the_limit() {
        let ceiling = super::super::CodeCeiling { time: Some(Duration::from_secs(1)), memory: Some(16 * MEBIBYTE) };
        let limits = CodeLimits { most_input: 20, ..CodeLimits::default().under(ceiling) };
        assert_eq!((limits.time, limits.memory), (Duration::from_secs(1), 16 * MEBIBYTE), "defaults bow to a ceiling");
        for (config, input, code, says) in [
            (json!({"code": "", "time_limit": "2s"}), json!(1), "CONFIG_INVALID", "10ms to 1s"),
            (json!({"code": "", "time_limit": "1ms"}), json!(1), "CONFIG_INVALID", "10ms to 1s"),
            (json!({"code": "", "memory_limit": 17}), json!(1), "CONFIG_INVALID", "from 4 to 16"),
            (json!({"code": ""}), json!("x".repeat(20)), "CODE_INPUT_TOO_LARGE", "at most 20"),
            (json!({}), json!(1), "CONFIG_INVALID", "config.code"),
        ] {
            let attempt = attempt(config, input);
            let error = of(&room(&attempt), &attempt, &limits).unwrap_err();
            assert_eq!(error.code, code);
            assert!(error.message.contains(says), "{error}");
        }
    }

    #[test]
    fn the_seed_is_the_same_for_every_attempt_of_a_node_run_and_no_other() {
        let first = attempt(json!({}), json!(1));
        let again = Attempt { number: 2, idempotency_key: "another".to_owned(), ..first.clone() };
        assert_eq!(seed(&first), seed(&again));
        for other in [
            Attempt { node: "b".to_owned(), ..first.clone() },
            Attempt { scope: engine::scope::Scope::item(1), ..first.clone() },
            Attempt { run: "run_01920000000070008000000000000002".parse().unwrap(), ..first.clone() },
        ] {
            assert_ne!(seed(&first), seed(&other));
        }
    }

    #[test]
    fn errors_of_code_are_errors_of_the_node_with_places_in_the_code() {
        let thrown = Thrown {
            name: "TypeError".to_owned(),
            message: "no such thing".to_owned(),
            code: Some("ORDER_EMPTY".to_owned()),
            frames: vec![frame("inner", 3, 7), frame("", 9, 1)],
        };
        let error = failure(Failure::Thrown(thrown.clone()), &JOB);
        assert_eq!(error.code, "ORDER_EMPTY");
        assert_eq!(
            error.message,
            "TypeError: no such thing, at line 3, column 7 in inner, called from line 9, column 1"
        );
        for code in ["lower", "9A", "A-B", ""] {
            let thrown = Thrown { code: Some(code.to_owned()), ..thrown.clone() };
            assert_eq!(failure(Failure::Thrown(thrown), &JOB).code, "CODE_THREW", "{code}");
        }
        let fault = SyntaxFault { message: "unexpected token".to_owned(), line: 2, column: 5 };
        let error = failure(Failure::Syntax(fault), &JOB);
        assert_eq!(error.message, "the code cannot be read at line 2, column 5: unexpected token");
        for (end, code, says) in [
            (Failure::Time, "CODE_TIME_LIMIT", "2s"),
            (Failure::Memory, "CODE_MEMORY_LIMIT", "8 MiB"),
            (Failure::Forever, "CODE_NEVER_ENDS", "timers"),
            (Failure::OutputTooLarge { bytes: 101 }, "CODE_OUTPUT_TOO_LARGE", "at most 100"),
            (Failure::OutputInvalid { message: "circular".to_owned() }, "CODE_OUTPUT_INVALID", "circular"),
            (Failure::InputInvalid, "CODE_INPUT_INVALID", "input"),
        ] {
            let error = failure(end, &JOB);
            assert_eq!(error.code, code);
            assert!(error.message.contains(says), "{error}");
        }
    }

    #[test]
    fn a_result_that_is_no_text_of_unicode_or_nested_too_deeply_is_told_of() {
        assert_eq!(parse(r#"{"a":[1]}"#).unwrap(), json!({"a": [1]}));
        for text in [r#""\ud800""#.to_owned(), "[".repeat(200) + &"]".repeat(200)] {
            assert_eq!(parse(&text).unwrap_err().code, "CODE_OUTPUT_INVALID");
        }
    }
}
