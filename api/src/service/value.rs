//! Reading run data.

use engine::value::ValueRef;
use serde_json::Value;

use super::ServiceError;
use crate::app::App;
use crate::auth::{Permission, Viewer};

/// Largest value that is answered as JSON.
pub const JSON_LIMIT: u64 = 64 * 1024;
/// Largest preview.
pub const PREVIEW_LIMIT: usize = 64 * 1024;

/// A value as JSON.
///
/// # Errors
/// `ValueTooLarge` over [`JSON_LIMIT`].
pub async fn json(app: &App, viewer: &Viewer, value: &ValueRef) -> Result<Value, ServiceError> {
    viewer.require(Permission::Read)?;
    if value.len > JSON_LIMIT {
        return Err(ServiceError::ValueTooLarge { bytes: value.len, limit: JSON_LIMIT });
    }
    let bytes = app.runtime.value_bytes(viewer.workspace, value).await?;
    serde_json::from_slice(&bytes).map_err(ServiceError::internal)
}

/// The first `limit` bytes of a value's canonical JSON, cut between characters.
///
/// # Errors
/// When they may not, or the value cannot be read.
pub async fn preview(app: &App, viewer: &Viewer, value: &ValueRef, limit: usize) -> Result<String, ServiceError> {
    viewer.require(Permission::Read)?;
    let bytes = app.runtime.value_bytes(viewer.workspace, value).await?;
    Ok(beginning(&bytes, limit))
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
