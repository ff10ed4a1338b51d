//! The workflow document: what people write, what is hashed, what a version freezes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::retry::RetryPolicy;

pub mod canonical;
pub mod diff;
pub mod patch;
pub mod problem;
pub(crate) mod read;

/// Largest document, in bytes of its canonical form.
pub const DOCUMENT_LIMIT: usize = 4 * 1024 * 1024;

/// A workflow document as written. Whether it can run is for [`crate::graph::Graph::check`] to say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What a run's input must look like, as JSON Schema; anything goes without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Value>,
    /// The boxes, by their keys.
    #[serde(default)]
    pub nodes: BTreeMap<String, Node>,
    /// What joins them.
    #[serde(default)]
    pub edges: Vec<Edge>,
    /// The run's result, with expressions. Without it: the output of the last node, or an object of the last nodes'
    /// outputs by key when several end the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// What holds for the whole run.
    #[serde(default, skip_serializing_if = "Settings::is_default")]
    pub settings: Settings,
}

/// One box.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// What it is an instance of: `group.name@MAJOR`.
    pub r#type: String,
    /// What people call it; the key when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The type's settings; strings may hold `{{ … }}`.
    #[serde(default, skip_serializing_if = "is_empty_object")]
    pub config: Value,
    /// The name of the connection that the node uses; only for types that take one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// When it may start.
    #[serde(default, skip_serializing_if = "Join::is_default")]
    pub join: Join,
    /// Once per item instead of once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<ForEach>,
    /// When a failed attempt is followed by another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// How long one attempt may take, such as `30s`; 5 minutes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// How long the node may take with all its attempts and waits; no limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// What to do when nobody knows whether an effect happened.
    #[serde(default, skip_serializing_if = "OnUncertain::is_default")]
    pub on_uncertain: OnUncertain,
    /// Leaves the node out without taking it away: it hands its input on by its first output, does nothing, and whatever
    /// else it says is not looked at.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disabled: bool,
}

/// `from` and `to` are `node` or `node.port`; the ports default to `out` and `in`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Where it leaves.
    pub from: String,
    /// Where it arrives.
    pub to: String,
}

/// When a node with several incoming edges may start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// When every incoming edge is settled and at least one was taken.
    #[default]
    All,
    /// When the first incoming edge is taken; later ones are ignored.
    Any,
}

impl Join {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Runs a node once per item; `output[i]` belongs to `items[i]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForEach {
    /// An expression that gives a list of at most 10,000 items.
    pub items: Value,
    /// How many items are under way at once, 1 to 1,000.
    #[serde(default = "ForEach::default_concurrency")]
    pub concurrency: u32,
    /// What a failed item does.
    #[serde(default)]
    pub on_item_error: OnItemError,
}

impl ForEach {
    /// Most items of one `for_each`.
    pub const MOST_ITEMS: u32 = 10_000;
    /// Most items under way at once.
    pub const MOST_CONCURRENT: u32 = 1_000;

    fn default_concurrency() -> u32 {
        10
    }
}

/// What a failed item does to its `for_each`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnItemError {
    /// The node fails; no further item starts.
    #[default]
    Fail,
    /// The item's place in the output holds `{"error": {…}}`.
    Collect,
    /// The item's place in the output holds `null`.
    Skip,
}

/// What to do with an effectful node whose outcome nobody knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUncertain {
    /// Wait for a person to say how it ended.
    #[default]
    Park,
    /// Do it again with the same idempotency key: the author knows that twice is harmless.
    Retry,
    /// Fail the node.
    Fail,
}

impl OnUncertain {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A retry policy as written; what is absent has the defaults of [`RetryPolicy`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Attempts in all, 1 to 100.
    pub attempts: u32,
    /// Delay after the first failure, such as `500ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<String>,
    /// What each further delay is multiplied by, 1 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coefficient: Option<f64>,
    /// The longest delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<String>,
    /// Share of each delay that is drawn, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<f64>,
    /// Retry only errors of these codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
}

/// What holds for the whole run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How long a run may take, such as `1h`; no limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// A business key that runs get when they start, with expressions over what they are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Labels that runs get when they start, by name, with expressions over what they are given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Settings {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_false(value: &bool) -> bool {
    !value
}

fn is_empty_object(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

impl Edge {
    /// Node key and port of the source.
    pub fn source(&self) -> (&str, &str) {
        self.from.split_once('.').unwrap_or((&self.from, crate::catalog::OUT))
    }

    /// Node key and port of the target.
    pub fn target(&self) -> (&str, &str) {
        self.to.split_once('.').unwrap_or((&self.to, crate::catalog::IN))
    }
}

/// What [`Node`] says about time and repetition, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Patience {
    /// When a failed attempt is followed by another.
    pub retry: RetryPolicy,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long the node may take in all.
    pub deadline: Option<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { retry: RetryPolicy::default(), timeout: Duration::from_secs(300), deadline: None }
    }
}

impl Definition {
    /// Reads a document.
    ///
    /// # Errors
    /// The first problem that keeps it from being one; [`crate::graph::examine`] has all of them.
    pub fn from_json(document: &Value) -> Result<Self, problem::Problem> {
        let read = read::read(document);
        match (read.definition, read.problems.into_iter().next()) {
            (Some(definition), None) => Ok(definition),
            (_, Some(problem)) => Err(problem),
            (None, None) => Ok(Self::default()),
        }
    }
}
