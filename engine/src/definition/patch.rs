//! JSON Patch (RFC 6902) on documents that strangers write: it never panics, and neither a document nor a patch can make
//! it use more than a bounded multiple of the largest document.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::canonical::escape;

/// Deepest nesting of a document. Readers of JSON stop at 127.
pub const DEPTH_LIMIT: usize = 100;
/// Most operations of one patch.
pub const OPERATION_LIMIT: usize = 10_000;

/// How many times the size limit a patch may copy, shift and measure.
const WORK: usize = 16;
/// Most bytes between a value and the next in JSON: a comma, and a colon after a key.
const SEPARATOR: usize = 2;

/// One step of a patch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation {
    /// Puts a value where none is, replaces an object's field, or makes room in a list.
    Add {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// Takes a value away.
    Remove {
        /// Where.
        path: String,
    },
    /// Puts a value where another is.
    Replace {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// Takes a value away and puts it elsewhere.
    Move {
        /// Where it is.
        from: String,
        /// Where it goes.
        path: String,
    },
    /// Puts the same value elsewhere too.
    Copy {
        /// Where it is.
        from: String,
        /// Where it goes too.
        path: String,
    },
    /// Goes on only when this value is there.
    Test {
        /// Where.
        path: String,
        /// What must be there.
        value: Value,
    },
}

/// Why a patch was not applied; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// It is no patch.
    #[error("a patch is a list of operations as RFC 6902 has them: {0}")]
    Unreadable(String),
    /// It has too many operations.
    #[error("a patch has at most {OPERATION_LIMIT} operations")]
    TooLong,
    /// An operation cannot be done.
    #[error("operation {index}: {why}")]
    Failed {
        /// Which operation, from 0.
        index: usize,
        /// What stands in the way.
        why: String,
    },
    /// The document would not be an object any more.
    #[error("the document would not be an object any more")]
    NotAnObject,
    /// The document would be too large.
    #[error("the document would be over {0} bytes")]
    TooLarge(usize),
    /// It shifts or copies so much that it could be used against the server.
    #[error("the patch moves too much around; replace the whole document instead")]
    TooMuchWork,
    /// The document would be nested too deep.
    #[error("the document would be nested more than {DEPTH_LIMIT} deep")]
    TooDeep,
}

/// Reads a patch.
///
/// # Errors
/// When it is none.
pub fn read(patch: &Value) -> Result<Vec<Operation>, PatchError> {
    if patch.as_array().is_some_and(|operations| operations.len() > OPERATION_LIMIT) {
        return Err(PatchError::TooLong);
    }
    Vec::deserialize(patch).map_err(|error| PatchError::Unreadable(error.to_string()))
}

/// The document after all operations; the result is an object of at most `limit` bytes of JSON.
///
/// # Errors
/// The first thing that cannot be done.
pub fn apply(document: &Value, patch: &[Operation], limit: usize) -> Result<Value, PatchError> {
    let mut under_way = Patching { document: document.clone(), bound: 0, limit, work: limit.saturating_mul(WORK) };
    under_way.measure_all()?;
    for (index, operation) in patch.iter().enumerate() {
        under_way.apply(operation).map_err(|error| match error {
            Stop::Why(why) => PatchError::Failed { index, why },
            Stop::At(error) => error,
        })?;
    }
    check(&under_way.document, limit)?;
    Ok(under_way.document)
}

/// Whether a document can be kept: an object of at most `limit` bytes, not nested too deep.
///
/// # Errors
/// What it is too much of.
pub fn check(document: &Value, limit: usize) -> Result<(), PatchError> {
    if !document.is_object() {
        return Err(PatchError::NotAnObject);
    }
    size_at("", document, limit).map(drop)
}

enum Too {
    Large,
    Deep,
}

/// Takes the size of a value from `left`; stops as soon as it is known to be too much.
fn measure(value: &Value, depth: usize, left: &mut usize) -> Result<(), Too> {
    let mut take = |bytes: usize| {
        *left = left.checked_sub(bytes).ok_or(Too::Large)?;
        Ok(())
    };
    match value {
        Value::Null | Value::Bool(true) => take(4),
        Value::Bool(false) => take(5),
        Value::Number(number) => take(number.to_string().len()),
        Value::String(text) => take(text_len(text)),
        Value::Array(items) => {
            take(2 + items.len().saturating_sub(1))?;
            let depth = depth.checked_sub(1).ok_or(Too::Deep)?;
            items.iter().try_for_each(|item| measure(item, depth, left))
        }
        Value::Object(fields) => {
            take(2 + fields.len().saturating_sub(1))?;
            let depth = depth.checked_sub(1).ok_or(Too::Deep)?;
            fields.iter().try_for_each(|(key, field)| {
                *left = left.checked_sub(text_len(key) + 1).ok_or(Too::Large)?;
                measure(field, depth, left)
            })
        }
    }
}

/// The length of a text in JSON with its quotes.
fn text_len(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    2 + text.bytes().map(escaped).sum::<usize>()
}

/// A document under way.
struct Patching {
    document: Value,
    /// Its size is at most this.
    bound: usize,
    limit: usize,
    /// How much may still be copied, moved and measured.
    work: usize,
}

enum Stop {
    Why(String),
    At(PatchError),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Why(why)
    }
}

impl Patching {
    fn apply(&mut self, operation: &Operation) -> Result<(), Stop> {
        match operation {
            Operation::Add { path, value } => self.add(path, value.clone()),
            Operation::Remove { path } => self.remove(path).map(drop),
            Operation::Replace { path, value } => {
                self.grow(path, value)?;
                *find_mut(&mut self.document, path)? = value.clone();
                self.measure()
            }
            Operation::Move { from, path } => {
                if path.strip_prefix(from.as_str()).is_some_and(|rest| rest.starts_with('/')) {
                    return Err(Stop::Why(format!("`{from}` cannot be moved into itself")));
                }
                let value = self.remove(from)?;
                self.add(path, value)
            }
            Operation::Copy { from, path } => {
                let found = find(&self.document, from)?;
                // Measured before it is copied: a patch that doubles the document again and again ends here.
                let size = size_at(path, found, self.limit).map_err(Stop::At)?;
                charge(&mut self.work, size)?;
                let value = found.clone();
                self.add(path, value)
            }
            Operation::Test { path, value } if same(find(&self.document, path)?, value) => Ok(()),
            Operation::Test { path, .. } => Err(Stop::Why(format!("another value is at `{path}`"))),
        }
    }

    fn add(&mut self, path: &str, value: Value) -> Result<(), Stop> {
        self.grow(path, &value)?;
        if path.is_empty() {
            self.document = value;
            return self.measure();
        }
        match parent(&mut self.document, path)? {
            (Value::Object(fields), key) => {
                self.bound = self.bound.saturating_add(text_len(&key));
                fields.insert(key, value);
            }
            (Value::Array(items), key) if key == "-" => items.push(value),
            (Value::Array(items), key) => {
                let at = index(&key).filter(|at| *at <= items.len());
                let at = at.ok_or_else(|| format!("the list has no place `{path}`"))?;
                charge(&mut self.work, items.len() - at)?;
                items.insert(at, value);
            }
            _ => return Err(Stop::Why(format!("`{path}` is in no object and no list"))),
        }
        self.measure()
    }

    fn remove(&mut self, path: &str) -> Result<Value, Stop> {
        if path.is_empty() {
            return Ok(self.document.take());
        }
        let found = match parent(&mut self.document, path)? {
            (Value::Object(fields), key) => fields.remove(&key),
            (Value::Array(items), key) => match index(&key).filter(|at| *at < items.len()) {
                Some(at) => {
                    charge(&mut self.work, items.len() - at)?;
                    Some(items.remove(at))
                }
                None => None,
            },
            _ => None,
        };
        found.ok_or_else(|| Stop::Why(nothing_at(path)))
    }

    /// Counts in what is about to be put at a path.
    fn grow(&mut self, path: &str, value: &Value) -> Result<(), Stop> {
        let size = size_at(path, value, self.limit).map_err(Stop::At)?;
        charge(&mut self.work, size)?;
        self.bound = self.bound.saturating_add(size + SEPARATOR);
        Ok(())
    }

    /// Looks at the real size once the bound is over the limit.
    fn measure(&mut self) -> Result<(), Stop> {
        if self.bound <= self.limit {
            return Ok(());
        }
        charge(&mut self.work, self.limit / 4)?;
        self.measure_all().map_err(Stop::At)
    }

    fn measure_all(&mut self) -> Result<(), PatchError> {
        self.bound = size_at("", &self.document, self.limit)?;
        Ok(())
    }
}

fn charge(work: &mut usize, amount: usize) -> Result<(), Stop> {
    *work = work.checked_sub(amount).ok_or(Stop::At(PatchError::TooMuchWork))?;
    Ok(())
}

/// The size of a value that stands at a path.
fn size_at(path: &str, value: &Value, limit: usize) -> Result<usize, PatchError> {
    let above = path.bytes().filter(|byte| *byte == b'/').count();
    let depth = DEPTH_LIMIT.checked_sub(above).ok_or(PatchError::TooDeep)?;
    let mut left = limit;
    measure(value, depth, &mut left).map_err(|too| match too {
        Too::Large => PatchError::TooLarge(limit),
        Too::Deep => PatchError::TooDeep,
    })?;
    Ok(limit - left)
}

/// Equal as JSON: `1` and `1.0` are the same number.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.is_f64() != b.is_f64() && a.as_f64() == b.as_f64()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => left == right,
    }
}

fn nothing_at(path: &str) -> String {
    format!("nothing is at `{path}`")
}

fn find<'a>(document: &'a Value, path: &str) -> Result<&'a Value, String> {
    document.pointer(path).ok_or_else(|| nothing_at(path))
}

fn find_mut<'a>(document: &'a mut Value, path: &str) -> Result<&'a mut Value, String> {
    document.pointer_mut(path).ok_or_else(|| nothing_at(path))
}

/// The container that a path ends in, and the last segment as it is in the container.
fn parent<'a>(document: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let (above, last) = path.rsplit_once('/').ok_or_else(|| format!("`{path}` is not a JSON pointer"))?;
    Ok((find_mut(document, above)?, last.replace("~1", "/").replace("~0", "~")))
}

/// A place in a list: digits without a leading zero.
fn index(text: &str) -> Option<usize> {
    let canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    text.parse().ok().filter(|_| canonical)
}

/// A patch that makes `to` of `from`: objects field by field, everything else as a whole.
pub fn between(from: &Value, to: &Value) -> Vec<Operation> {
    let mut patch = Vec::new();
    compare(from, to, String::new(), &mut patch);
    patch
}

fn compare(from: &Value, to: &Value, path: String, patch: &mut Vec<Operation>) {
    match (from, to) {
        _ if from == to => {}
        (Value::Object(old), Value::Object(new)) => compare_fields(old, new, &path, patch),
        _ => patch.push(Operation::Replace { path, value: to.clone() }),
    }
}

fn compare_fields(old: &Map<String, Value>, new: &Map<String, Value>, path: &str, patch: &mut Vec<Operation>) {
    let at = |key: &String| format!("{path}/{}", escape(key));
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.push(Operation::Remove { path: at(key) });
    }
    for (key, value) in new {
        match old.get(key) {
            Some(before) => compare(before, value, at(key), patch),
            None => patch.push(Operation::Add { path: at(key), value: value.clone() }),
        }
    }
}

#[cfg(test)]
mod tests;
