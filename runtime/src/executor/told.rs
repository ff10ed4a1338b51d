//! What an attempt writes for people to read: kept with the run, shown in the server's own log.

use std::sync::{Mutex, PoisonError};

use engine::id::RunId;
use nodes::LogLevel;
use serde_json::{Value, json};

/// Most lines that are kept of one attempt.
const MOST_LINES: usize = 1_000;
/// Most bytes that are kept of one attempt's lines.
const MOST_BYTES: usize = 64 * 1024;
/// Most lines of one attempt that the server's own log takes.
const MOST_SHOWN: usize = 100;
/// Most characters that the server's own log takes of one.
const LONGEST_SHOWN: usize = 2_000;

/// The lines of one attempt. It outlives what writes into it, so that an attempt that runs out of time keeps its lines.
pub(super) struct Told<'a> {
    run: RunId,
    node: &'a str,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    kept: Vec<(LogLevel, String)>,
    bytes: usize,
    dropped: u64,
}

/// What is kept of an attempt's lines.
#[derive(Debug, PartialEq)]
pub(super) struct Kept {
    /// A list of `{level, message}`.
    pub(super) lines: Value,
    pub(super) count: u32,
    pub(super) dropped: u64,
}

impl<'a> Told<'a> {
    pub(super) fn new(run: RunId, node: &'a str) -> Self {
        Self { run, node, lines: Mutex::default() }
    }

    /// Takes a line in which nothing has to be hidden.
    pub(super) fn line(&self, level: LogLevel, text: &str) {
        let shown = {
            let mut lines = self.lock();
            let place = lines.kept.len() as u64 + lines.dropped;
            lines.take(level, text);
            place < MOST_SHOWN as u64
        };
        if shown {
            self.show(level, text);
        }
    }

    /// Counts lines that nobody has any more.
    pub(super) fn lost(&self, lines: u64) {
        let mut all = self.lock();
        all.dropped = all.dropped.saturating_add(lines);
    }

    /// Changes every line, to take out what must not stay in it.
    pub(super) fn clean(&self, with: impl Fn(&str) -> String) {
        let mut lines = self.lock();
        for (_, text) in &mut lines.kept {
            *text = with(text);
        }
    }

    /// All that is kept; `None` when nothing was written.
    pub(super) fn kept(&self) -> Option<Kept> {
        let lines = std::mem::take(&mut *self.lock());
        let unseen = (lines.kept.len().saturating_sub(MOST_SHOWN) as u64).saturating_add(lines.dropped);
        if unseen > 0 {
            let (run, node) = (self.run, self.node);
            tracing::info!(run.id = %run, node.key = node, "log of {node}: up to {unseen} more lines are not shown");
        }
        if lines.kept.is_empty() && lines.dropped == 0 {
            return None;
        }
        let list = lines.kept.iter().map(|(level, text)| json!({ "level": level.as_str(), "message": text }));
        let count = u32::try_from(lines.kept.len()).unwrap_or(u32::MAX);
        Some(Kept { lines: list.collect(), count, dropped: lines.dropped })
    }

    /// Escaped, so that no text from outside makes a second line that looks like one of ours.
    fn show(&self, level: LogLevel, text: &str) {
        let shown: String = text.chars().take(LONGEST_SHOWN).collect();
        let (run, node) = (self.run, self.node);
        match level {
            LogLevel::Debug => tracing::debug!(run.id = %run, node.key = node, "log of {node}: {shown:?}"),
            LogLevel::Info => tracing::info!(run.id = %run, node.key = node, "log of {node}: {shown:?}"),
            LogLevel::Warn => tracing::warn!(run.id = %run, node.key = node, "log of {node}: {shown:?}"),
            LogLevel::Error => tracing::error!(run.id = %run, node.key = node, "log of {node}: {shown:?}"),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lines> {
        // Lines are whole or not there; a panic of a node leaves them so.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn take(&mut self, level: LogLevel, text: &str) {
        if self.kept.len() >= MOST_LINES || self.bytes.saturating_add(text.len()) > MOST_BYTES {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.bytes += text.len();
        self.kept.push((level, text.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told<'static> {
        Told::new("run_01920000000070008000000000000001".parse().unwrap(), "code")
    }

    #[test]
    fn who_writes_nothing_has_no_log() {
        assert_eq!(told().kept(), None);
    }

    #[test]
    fn lines_are_kept_in_order_with_their_levels() {
        let told = told();
        told.line(LogLevel::Info, "one");
        told.line(LogLevel::Error, "two\nlines");
        let lines = json!([{"level": "info", "message": "one"}, {"level": "error", "message": "two\nlines"}]);
        assert_eq!(told.kept(), Some(Kept { lines, count: 2, dropped: 0 }));
    }

    #[test]
    fn beyond_a_thousand_lines_or_64_kib_they_are_counted() {
        let many = told();
        (0..1_003).for_each(|n| many.line(LogLevel::Debug, &n.to_string()));
        many.lost(4);
        let kept = many.kept().unwrap();
        assert_eq!((kept.count, kept.dropped, kept.lines[999]["message"].as_str()), (1_000, 7, Some("999")));
        let long = told();
        (0..3).for_each(|_| long.line(LogLevel::Warn, &"x".repeat(30_000)));
        long.line(LogLevel::Warn, "a short one still fits");
        let kept = long.kept().unwrap();
        assert_eq!((kept.count, kept.dropped), (3, 1));
    }

    #[test]
    fn what_is_taken_out_of_a_line_is_not_kept() {
        let told = told();
        told.line(LogLevel::Info, "token abc");
        told.clean(|text| text.replace("abc", "[redacted]"));
        assert_eq!(told.kept().unwrap().lines, json!([{"level": "info", "message": "token [redacted]"}]));
    }
}
