//! What tells one delivery from another.

use std::collections::BTreeMap;

use engine::expression::{Budget, DEFAULT_BYTES, DEFAULT_STEPS, Scope};
use engine::id::BindingId;
use engine::value::Digest;
use nodes::webhook::{DeliveryId, Proof, WebhookSettings};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Incoming;
use super::proof::{Headers, Mark};

/// What senders call the id of a delivery; the first that is there counts.
const USUAL: [&str; 4] = ["idempotency-key", "x-delivery-id", "x-github-delivery", "webhook-id"];
/// Longest id in characters.
const LONGEST: usize = 255;
/// Credentials are for us, not for journals.
const WITHHELD: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

struct Request<'a>(&'a Value);

impl Scope for Request<'_> {
    fn root(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn node_output(&self, _: &str) -> Option<&Value> {
        None
    }
}

/// The id of a delivery; `None` when it has none.
pub(super) fn id(settings: &WebhookSettings, headers: &Headers, input: &Value) -> Result<Option<String>, String> {
    let in_body = |field: &str| input["body"].get(field).and_then(Value::as_str).map(str::to_owned);
    let header = |name: &str| headers.find(name).map(str::to_owned);
    let found = match (&settings.delivery, &settings.proof) {
        (DeliveryId::Header(name), _) => header(name),
        (DeliveryId::Expression(expression), _) => {
            let mut budget = Budget::new(DEFAULT_STEPS, DEFAULT_BYTES);
            match expression.evaluate(&Request(input), &mut budget) {
                Ok(Value::Null) => None,
                Ok(Value::String(text)) => Some(text),
                Ok(other @ (Value::Number(_) | Value::Bool(_))) => Some(other.to_string()),
                Ok(_) => return Err("the id of the delivery is a list or an object".to_owned()),
                Err(error) => return Err(format!("the id of the delivery cannot be found: {error}")),
            }
        }
        // What a signature covers counts, not what anybody may add.
        (DeliveryId::Usual, Proof::Standard) => header("webhook-id"),
        (DeliveryId::Usual, Proof::Github) => header("x-github-delivery"),
        (DeliveryId::Usual, Proof::Stripe) => in_body("id"),
        (DeliveryId::Usual, Proof::Slack) => in_body("event_id"),
        (DeliveryId::Usual, _) => USUAL.iter().find_map(|name| header(name)),
    };
    match found {
        Some(id) if id.is_empty() || id.chars().count() > LONGEST || id.chars().any(char::is_control) => {
            Err(format!("the id of the delivery must be 1 to {LONGEST} characters without line breaks"))
        }
        found => Ok(found),
    }
}

/// The key under which a delivery starts at most one run. One without an id whose time is signed goes by its signature.
pub(super) fn key(binding: BindingId, delivery: Option<&str>, mark: Option<&Mark>) -> Option<String> {
    let binding = binding.0.simple();
    match (delivery, mark) {
        (Some(id), _) => Some(format!("hook:{binding}:id:{id}")),
        (None, Some(mark)) if mark.signed_time => Some(format!("hook:{binding}:signature:{}", mark.digest)),
        (None, _) => None,
    }
}

/// What has to be the same for a delivery to be the same again: nothing but its id where the config says what that is,
/// and method, address, query and body otherwise; of a body that was kept as files, `same`. Senders repeat with other dates, trace ids and agents.
pub(super) fn asked(settings: &WebhookSettings, incoming: &Incoming, same: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    if matches!(settings.delivery, DeliveryId::Usual) {
        for part in [&incoming.method, &incoming.path, &incoming.raw_query] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(&incoming.raw_body);
        hash.update(same);
    }
    Digest(hash.finalize().into())
}

/// Headers as the run sees them, several of a name in one text, without credentials.
pub(super) fn texts(headers: &Headers, own: Option<&str>) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let is_withheld = |name: &str| WITHHELD.contains(&name) || own == Some(name);
    for (name, value) in headers.0.iter().filter(|(name, _)| !is_withheld(name)) {
        // Some senders put Latin-1 into headers; it is kept as well as it can be read.
        let value = String::from_utf8_lossy(value);
        texts
            .entry(name.clone())
            .and_modify(|text| {
                text.push_str(", ");
                text.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        Headers(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect())
    }

    fn found(config: Value, pairs: &[(&str, &str)], body: Value) -> Result<Option<String>, String> {
        let settings = WebhookSettings::read(&config).unwrap();
        id(&settings, &headers(pairs), &json!({"body": body}))
    }

    #[test]
    fn credentials_do_not_reach_the_run() {
        let sent = [("authorization", "Bearer x"), ("cookie", "a=b"), ("x-token", "t"), ("x-a", "1"), ("x-a", "2")];
        let seen = texts(&headers(&sent), Some("x-token"));
        assert_eq!(seen, BTreeMap::from([("x-a".to_owned(), "1, 2".to_owned())]));
    }

    #[test]
    fn an_id_is_found_where_the_sender_or_the_config_says() {
        let none = json!({"verify": "none"});
        let both = [("x-delivery-id", "d"), ("idempotency-key", "k")];
        assert_eq!(found(none.clone(), &both, json!(null)), Ok(Some("k".to_owned())));
        assert_eq!(found(none.clone(), &[], json!({"id": "x"})), Ok(None));
        let own = json!({"verify": "none", "delivery_header": "X-Id"});
        assert_eq!(found(own, &[("x-id", "7")], json!(null)), Ok(Some("7".to_owned())));
        let expression = json!({"delivery_id": "body.event.id"});
        assert_eq!(found(expression.clone(), &[], json!({"event": {"id": 7}})), Ok(Some("7".to_owned())));
        assert_eq!(found(expression.clone(), &[], json!({})), Ok(None));
        assert!(found(expression, &[], json!({"event": {"id": [7]}})).is_err());
        assert!(found(none, &[("idempotency-key", "")], json!(null)).is_err());
        let stripe = found(json!({"verify": "stripe"}), &both, json!({"id": "evt_1"}));
        assert_eq!(stripe, Ok(Some("evt_1".to_owned())), "what the signature covers counts");
    }
}
