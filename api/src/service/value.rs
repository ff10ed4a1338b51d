//! Reading run data.

use std::sync::Arc;

use engine::value::ValueKind;
use serde_json::Value;

use super::ServiceError;
use super::page::PageRequest;
use super::veil::Seen;
use crate::app::App;
use crate::auth::{Permission, Viewer};

pub mod download;

/// Largest value that is answered as JSON.
pub const JSON_LIMIT: u64 = 64 * 1024;
/// Largest preview.
pub const PREVIEW_LIMIT: usize = 64 * 1024;

/// A value as JSON.
///
/// # Errors
/// `ValueTooLarge` over [`JSON_LIMIT`].
pub async fn json(app: &App, viewer: &Viewer, seen: &Seen<'_>) -> Result<Value, ServiceError> {
    viewer.require(Permission::Read)?;
    let value = seen.value;
    if value.len > JSON_LIMIT {
        return Err(ServiceError::ValueTooLarge { bytes: value.len, limit: JSON_LIMIT });
    }
    Ok(Arc::unwrap_or_clone(whole(app, viewer, seen).await?.0))
}

/// The first `limit` bytes of a value's canonical JSON, cut between characters.
///
/// # Errors
/// When they may not, or the value cannot be read.
pub async fn preview(app: &App, viewer: &Viewer, seen: &Seen<'_>, limit: usize) -> Result<String, ServiceError> {
    viewer.require(Permission::Read)?;
    if seen.veil.is_some() {
        let (value, _) = whole(app, viewer, seen).await?;
        return Ok(beginning(&written(&value)?, limit));
    }
    let bytes = app.runtime.value_bytes(viewer.workspace, seen.value).await?;
    Ok(beginning(&bytes, limit))
}

/// Whether something of it is hidden from the viewer.
///
/// # Errors
/// When they may not read, or the value cannot be read.
pub async fn is_redacted(app: &App, viewer: &Viewer, seen: &Seen<'_>) -> Result<bool, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(seen.veil.is_some() && whole(app, viewer, seen).await?.1)
}

/// The value as the viewer may see it, and whether something is hidden.
async fn whole(app: &App, viewer: &Viewer, seen: &Seen<'_>) -> Result<(Arc<Value>, bool), ServiceError> {
    let mut value = app.runtime.value(viewer.workspace, seen.value).await?;
    let hidden = seen.veil.is_some_and(|veil| veil.hide(seen.is_input, Arc::make_mut(&mut value)));
    Ok((value, hidden))
}

/// A value as it is kept when nothing of it is hidden.
fn written(value: &Value) -> Result<Vec<u8>, ServiceError> {
    serde_json::to_vec(value).map_err(ServiceError::internal)
}

/// One part of a list or an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its index or its name.
    pub name: String,
    /// Itself.
    pub value: Value,
}

/// Some parts of a list or an object, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// The JSON kind of what they are parts of.
    pub kind: ValueKind,
    /// How many there are in all; none of a text or a number.
    pub total: usize,
    /// The index of the first one.
    pub from: usize,
    /// They.
    pub parts: Vec<Part>,
}

const PARTS: &str = "value-parts";

/// Parts of the list or object at a JSON pointer of a value of any size: items in their order, fields by name.
///
/// # Errors
/// When there is nothing at the path, or the cursor is of another list.
pub async fn parts(
    app: &App,
    viewer: &Viewer,
    seen: &Seen<'_>,
    path: &str,
    page: &PageRequest,
) -> Result<Parts, ServiceError> {
    viewer.require(Permission::Read)?;
    let (whole, _) = whole(app, viewer, seen).await?;
    let absent = || ServiceError::invalid("path", format!("there is nothing at `{path}`"));
    let found = whole.pointer(path).ok_or_else(absent)?;
    let window = page.window(&viewer.cursors, PARTS, |text| text.parse::<usize>().ok())?;
    let from = window.after.map_or(0, |last| last.saturating_add(1));
    let first = page.first as usize;
    let part = |name: String, value: &Value| Part { name, value: value.clone() };
    let (total, parts) = match found {
        Value::Array(items) => {
            let parts = items.iter().enumerate().skip(from).take(first);
            (items.len(), parts.map(|(index, item)| part(index.to_string(), item)).collect())
        }
        Value::Object(fields) => {
            let parts = fields.iter().skip(from).take(first);
            (fields.len(), parts.map(|(name, field)| part(name.clone(), field)).collect())
        }
        _ => (0, Vec::new()),
    };
    Ok(Parts { kind: ValueKind::of(found), total, from, parts })
}

/// Where to go on after the part at this index.
pub fn part_cursor(viewer: &Viewer, index: usize) -> String {
    viewer.cursors.cursor(PARTS, &index.to_string())
}

/// The first `limit` bytes of a part's JSON, cut between characters, and how many there are.
pub fn preview_of(part: &Part, limit: usize) -> (String, usize) {
    let text = part.value.to_string();
    (beginning(text.as_bytes(), limit), text.len())
}

fn beginning(bytes: &[u8], limit: usize) -> String {
    let cut = bytes.get(..limit).unwrap_or(bytes);
    // A character has at most four bytes, so at most three are lost at the cut.
    let end = (cut.len().saturating_sub(3)..=cut.len())
        .rev()
        .find(|end| cut.get(..*end).is_some_and(|part| std::str::from_utf8(part).is_ok()));
    String::from_utf8_lossy(cut.get(..end.unwrap_or(cut.len())).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_never_cuts_a_character() {
        let text = "\"aä€😀\"";
        for limit in 0..=text.len() + 1 {
            let shown = beginning(text.as_bytes(), limit);
            assert!(text.starts_with(&shown) && shown.len() <= limit && limit.min(text.len()) - shown.len() < 4);
        }
        assert_eq!(beginning(text.as_bytes(), 100), text);
    }
}
