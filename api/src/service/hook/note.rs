//! What is written down of deliveries that start nothing.

use engine::id::TriggerEventId;
use engine::time::Timestamp;
use serde_json::{Value, json};

use super::pace::Counted;
use super::{Hook, HookError, Incoming};
use crate::app::App;
use crate::store;

/// Refusals of one webhook that are written down in a minute; anybody on the internet can cause them.
const MOST_NOTED: u32 = 20;
/// Bytes of a body that are kept when its sender is believed, and of each header that is.
const KEPT: usize = 1_024;
/// Headers that are kept.
const HEADERS: [&str; 4] = ["content-type", "user-agent", "webhook-id", "x-github-delivery"];

/// A delivery that started nothing.
pub(crate) struct Note<'a> {
    pub(crate) id: TriggerEventId,
    pub(crate) hook: &'a Hook,
    pub(crate) reason: String,
    pub(crate) request: Value,
    pub(crate) at: Timestamp,
}

/// The reason of an event, as a code and a sentence; `None` for what is no refusal.
fn reason(error: &HookError) -> Option<(&'static str, String)> {
    let code = match error {
        HookError::Absent | HookError::Gone | HookError::NotStarted(_) => return None,
        HookError::Paused { .. } => "PAUSED",
        HookError::Method { .. } => "METHOD_NOT_ALLOWED",
        HookError::Refused(refusal) => refusal.code(),
        HookError::TooMany { .. } => "RATE_LIMITED",
        HookError::TooLarge { .. } => "PAYLOAD_TOO_LARGE",
        HookError::Unreadable(_) => "BODY_UNREADABLE",
        HookError::Service(error) => error.code(),
    };
    Some((code, error.to_string()))
}

/// Writes down why a delivery started nothing, unless too many were written down within the last minute. Failing to is
/// no reason to answer the sender otherwise.
pub(super) async fn refused(app: &App, hook: &Hook, incoming: &Incoming, error: &HookError) {
    let Some((code, text)) = reason(error) else { return };
    metrics::counter!(crate::telemetry::figure::REFUSALS, "reason" => code).increment(1);
    let at = app.runtime.now();
    if app.pace.take(hook.binding, Counted::Noted, MOST_NOTED, at).is_err() {
        return;
    }
    let is_believed = !matches!(error, HookError::Refused(_) | HookError::Method { .. });
    let id = TriggerEventId(app.runtime.clock().new_id());
    let note = Note { id, hook, reason: format!("{code}: {text}"), request: request(incoming, is_believed), at };
    if let Err(error) = store::hook::note(app.runtime.database(), &note).await {
        tracing::warn!(error = %error, trigger.id = %hook.binding, "a refused delivery could not be written down");
    }
}

/// What is kept of a request. Of a sender that is not believed, nothing of the body but its length.
fn request(incoming: &Incoming, is_believed: bool) -> Value {
    let headers: serde_json::Map<String, Value> = HEADERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), beginning(incoming.headers.find(name)?.as_bytes()).into())))
        .collect();
    let mut kept = json!({"method": incoming.method, "headers": headers, "bytes": incoming.raw_body.len()});
    if is_believed {
        kept["body"] = beginning(&incoming.raw_body).into();
    }
    kept
}

/// The first bytes as text, without what no database keeps.
fn beginning(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(KEPT)]).replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::super::{Headers, Refusal};
    use super::*;

    #[test]
    fn nothing_of_the_body_of_an_unbelieved_sender_is_kept() {
        let incoming = Incoming {
            method: "POST".to_owned(),
            path: String::new(),
            raw_query: String::new(),
            query: Default::default(),
            headers: Headers(vec![("user-agent".to_owned(), vec![b'x'; 5_000]), ("x".to_owned(), b"y".to_vec())]),
            raw_body: bytes::Bytes::from_static(b"a\0b"),
            shown_path: String::new(),
        };
        let kept = request(&incoming, false);
        assert_eq!((kept.get("body"), &kept["bytes"]), (None, &json!(3)));
        assert_eq!(kept["headers"]["user-agent"].as_str().map(str::len), Some(KEPT));
        assert_eq!(kept["headers"].get("x"), None);
        assert_eq!(request(&incoming, true)["body"], "a\u{fffd}b");
        assert_eq!(reason(&Refusal::TooOld.into()).map(|(code, _)| code), Some("TIMESTAMP_OLD"));
        assert!(reason(&HookError::Gone).is_none());
    }
}
