//! What others say to a run: rows of its inbox, and the facts that its owner makes of them.

use bytes::Bytes;
use engine::graph::Graph;
use engine::run::event::{Event, NodeRunRef, Resolution, SignalName};
use engine::value::{Digest, ValueKind, ValueRef};
use serde::{Deserialize, Serialize};

/// A message as it stands in `run_inbox.body`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Message {
    /// For a node that waits for it.
    Signal {
        /// The signal's name.
        name: String,
        /// Tells waits of the same name apart.
        key: String,
        /// What it carries.
        payload: Carried,
    },
    /// Stop.
    Cancel {
        /// Why, for people.
        reason: String,
        /// Do not wait for effects in flight.
        force: bool,
        /// Who.
        by: String,
    },
    /// How an UNCERTAIN node run ended.
    Resolve {
        /// Node key.
        node: String,
        /// Which item, as text.
        scope: String,
        /// What the person says.
        says: Says,
        /// Who.
        by: String,
    },
}

/// What a person says about an UNCERTAIN node run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Says {
    /// Do it again with the same key.
    Retry,
    /// It happened, with this result.
    Succeed {
        /// What leaves by `out`.
        output: Carried,
    },
    /// It failed.
    Fail,
}

/// A value in a message: its reference, and its JSON when it is small.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Carried {
    digest: Digest,
    len: u64,
    kind: ValueKind,
    json: Option<String>,
}

impl From<&ValueRef> for Carried {
    fn from(value: &ValueRef) -> Self {
        // Inline bytes are JSON, and JSON is UTF-8.
        let json = value.inline.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Self { digest: value.digest, len: value.len, kind: value.kind, json }
    }
}

impl From<Carried> for ValueRef {
    fn from(carried: Carried) -> Self {
        Self { digest: carried.digest, len: carried.len, kind: carried.kind, inline: carried.json.map(Bytes::from) }
    }
}

impl Message {
    /// The word in `run_inbox.kind`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Signal { .. } => "signal",
            Self::Cancel { .. } => "cancel",
            Self::Resolve { .. } => "resolve",
        }
    }

    /// The fact for the run's journal. `None` when it names a node run that its definition does not have.
    pub(crate) fn fact(self, graph: &Graph) -> Option<Event> {
        match self {
            Self::Signal { name, key, payload } => {
                let payload = ValueRef::from(payload);
                let kept = payload.inline.clone();
                Some(Event::SignalReceived { signal: SignalName { name, key }, payload, kept })
            }
            Self::Cancel { reason, force, by } => Some(Event::CancelRequested { by, reason, force }),
            Self::Resolve { node, scope, says, by } => {
                let at = NodeRunRef { node: graph.find(&node)?, scope: scope.parse().ok()? };
                let resolution = match says {
                    Says::Retry => Resolution::Retry,
                    Says::Succeed { output } => Resolution::Succeed { output: output.into() },
                    Says::Fail => Resolution::Fail,
                };
                Some(Event::UncertainResolved { at, resolution, by })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_back_what_it_wrote() {
        let (payload, _) = ValueRef::of(b"salt", &serde_json::json!({"paid": true}));
        let message = Message::Signal { name: "payment".into(), key: String::new(), payload: Carried::from(&payload) };
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
    }
}
