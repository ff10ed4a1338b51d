//! How much a result may be.

use serde_json::Value;

use super::{Row, SqlError};

/// Rows when the author does not say.
pub(super) const USUAL_ROWS: usize = 1_000;
/// Most rows that an author may ask for.
pub(super) const MOST_ROWS: usize = 100_000;
/// Most bytes of a result, as JSON.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes that a server may send for it; other forms of the same data are longer, but not by much.
pub(super) const MOST_SENT: u64 = 4 * MOST_BYTES as u64;

/// How much a result may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: USUAL_ROWS, bytes: MOST_BYTES }
    }
}

/// Counts what arrives.
pub(super) struct Meter {
    limits: Limits,
    rows: usize,
    bytes: usize,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, rows: 0, bytes: 0 }
    }

    /// Counts another row.
    pub(super) fn row(&mut self) -> Result<(), SqlError> {
        self.rows += 1;
        if self.rows > self.limits.rows { Err(SqlError::TooManyRows(self.limits.rows)) } else { Ok(()) }
    }

    /// Counts a value and puts it into its row. Two columns of one name are an error: one would be lost.
    pub(super) fn put(&mut self, row: &mut Row, name: &str, value: Value) -> Result<(), SqlError> {
        self.bytes = self.bytes.saturating_add(name.len() + size(&value) + 4);
        if self.bytes > self.limits.bytes {
            return Err(SqlError::TooLarge(self.limits.bytes));
        }
        match row.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(SqlError::ColumnTwice(name.to_owned())),
        }
    }
}

/// About how many bytes a value has as JSON.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 12,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(fields) => fields.iter().map(|(name, field)| name.len() + 4 + size(field)).sum::<usize>() + 2,
    }
}
