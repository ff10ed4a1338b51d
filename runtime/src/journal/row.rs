//! Between the engine's types and columns.

use engine::catalog::EffectClass;
use engine::drive::batch::{Claim, Record, RunFlush};
use engine::error::ErrorInfo;
use engine::run::event::ReusedFrom;
use engine::value::{Digest, INLINE_LIMIT, ValueKind, ValueRef};
use entity::word;

use super::{JournalError, NewRun};
use crate::runtime::{Mode, TriggerKind};

/// A number of the engine in a column. What does not fit is a defect elsewhere; the row's checks refuse the rest.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// As [`number`], for small columns.
pub(super) fn small(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

pub(super) fn digest(bytes: &[u8], table: &'static str, column: &'static str) -> Result<Digest, JournalError> {
    bytes.try_into().map(Digest).map_err(|_| JournalError::Unreadable { table, column })
}

pub(super) fn kind(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Null => word::ValueKind::Null,
        ValueKind::Boolean => word::ValueKind::Boolean,
        ValueKind::Number => word::ValueKind::Number,
        ValueKind::String => word::ValueKind::String,
        ValueKind::List => word::ValueKind::List,
        ValueKind::Object => word::ValueKind::Object,
    }
    .as_str()
}

pub(super) fn effect(class: EffectClass) -> &'static str {
    match class {
        EffectClass::Pure => word::Effect::Pure,
        EffectClass::Idempotent => word::Effect::Idempotent,
        EffectClass::Effectful => word::Effect::Effectful,
    }
    .as_str()
}

pub(super) fn trigger(kind: TriggerKind) -> &'static str {
    word::TriggerKind::from(kind).as_str()
}

pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => word::RunMode::Live,
        Mode::Test => word::RunMode::Test,
    }
    .as_str()
}

pub(super) fn read_mode(mode: word::RunMode) -> Mode {
    match mode {
        word::RunMode::Live => Mode::Live,
        word::RunMode::Test => Mode::Test,
    }
}

/// Where a node run's result comes from, as its column keeps it.
pub(super) fn reused_from(from: ReusedFrom) -> String {
    match from {
        ReusedFrom::Pin => "PIN".to_owned(),
        ReusedFrom::Run(run) => run.simple().to_string(),
    }
}

pub(super) fn claim(claim: word::RunClaim) -> Claim {
    match claim {
        word::RunClaim::Ready => Claim::Ready,
        word::RunClaim::Owned => Claim::Owned,
        word::RunClaim::Dormant => Claim::Dormant,
        word::RunClaim::Parked => Claim::Parked,
        word::RunClaim::Done => Claim::Done,
    }
}

/// The bytes that a row keeps of a value: none of a blob's.
pub(super) fn inline(value: &ValueRef) -> Option<&[u8]> {
    value.inline.as_deref().filter(|bytes| bytes.len() <= INLINE_LIMIT)
}

/// An error as its column keeps it. Made of texts and numbers, it always serializes.
pub(super) fn error(error: &ErrorInfo) -> String {
    serde_json::to_string(error).unwrap_or_default()
}

/// The labels as their column keeps them.
pub(super) fn labels(run: &NewRun) -> String {
    serde_json::to_string(&run.labels).unwrap_or_default()
}

pub(super) fn record(row: entity::journal::Model) -> Result<Record, JournalError> {
    let seq =
        |value: i64, column| u64::try_from(value).map_err(|_| JournalError::Unreadable { table: "journal", column });
    Ok(Record {
        first_seq: seq(row.first_seq, "first_seq")?,
        last_seq: seq(row.last_seq, "last_seq")?,
        body: row.body,
        digest: digest(&row.digest, "journal", "digest")?,
        prev: digest(&row.prev, "journal", "prev")?,
    })
}

/// About how many bytes a run's part of a batch sends to the database.
pub(super) fn weight(flush: &RunFlush) -> usize {
    let records: usize = flush.records.iter().map(|record| record.body.len()).sum();
    let outputs: usize =
        flush.node_runs.iter().filter_map(|row| row.output.as_ref().and_then(inline)).map(<[u8]>::len).sum();
    records + outputs + 512 * flush.node_runs.len() + 1_024
}

/// Most rows of one statement that names each.
const MOST_ROWS: usize = 64;

/// Rows in groups of 64, 32, 16 … 1: so few different statements that each stays prepared.
pub(super) fn groups<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        if rows.is_empty() {
            return None;
        }
        let largest = if rows.len() >= MOST_ROWS { MOST_ROWS } else { 1 << rows.len().ilog2() };
        let (group, rest) = rows.split_at(largest);
        rows = rest;
        Some(group)
    })
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn rows_go_in_few_sizes_and_none_is_lost() {
        let rows: Vec<usize> = (0..203).collect();
        let sizes: Vec<usize> = groups(&rows).map(<[usize]>::len).collect();
        assert_eq!(sizes, [64, 64, 64, 8, 2, 1]);
        assert_eq!(groups(&rows).flatten().copied().collect::<Vec<_>>(), rows);
    }
}
