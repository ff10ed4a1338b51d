//! Built-in node types, one file each, and the door through which a node sees the world.
//!
//! A built-in sees exactly what a third-party node sees: its [`Attempt`] and its [`NodeContext`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::catalog::{Catalog, EffectClass, Fault, NodeDescriptor, NodeTypeName, OUT, Shape};
use engine::error::ErrorInfo;
use engine::expression::Scope as ExpressionScope;
use engine::id::{RunId, WorkspaceId};
use engine::port::PortType;
use engine::scope::Scope;
use engine::time::Timestamp;
use serde_json::Value;

pub mod code;
mod config;
pub mod connection;
mod data;
mod deferred;
mod event;
pub mod file;
mod flow;
mod german;
mod http;
mod log;
mod mail;
pub mod outgoing;
pub mod page;
mod redis;
mod sql;
#[cfg(test)]
mod testing;
mod trigger;

/// What the config of a `trigger.webhook` says, for whoever takes its requests.
pub mod webhook {
    pub use crate::trigger::webhook::{
        Algorithm, AnswerMode, BodyMode, DeliveryId, Encoding, Hmac, Proof, WebhookSettings,
    };
}

/// Everything that one try of a node run is given. Expressions in `config` are already put in, save in fields whose
/// schema says `"x-deferred": true`; those arrive as written and the node evaluates them itself.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The run.
    pub run: RunId,
    /// The node's key.
    pub node: String,
    /// Which item.
    pub scope: Scope,
    /// Counts from 1.
    pub number: u32,
    /// The same for every attempt whose outcome is unknown; what an outside service is told to recognize a repeat by.
    pub idempotency_key: String,
    /// How long this attempt may take; the caller drops it after that.
    pub timeout: Duration,
    /// The config with its expressions put in.
    pub config: Value,
    /// What arrived at the input port; an object keyed by source node key on a `many` port.
    pub input: Arc<Value>,
    /// The trace that a call to another service is a part of; `None` outside of any.
    pub trace: Option<Propagated>,
}

/// What other services are told of a trace, as W3C Trace Context writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Propagated {
    /// The trace, and the attempt's span in it.
    pub traceparent: String,
    /// What services before us noted for themselves.
    pub tracestate: Option<String>,
}

/// A node's only door to the world.
#[async_trait]
pub trait NodeContext: Send + Sync {
    /// The time at which the attempt began; the same for every question within it.
    fn now(&self) -> Timestamp;

    /// The time at which the node run began; the same for each of its attempts, wherever it is made.
    fn began(&self) -> Timestamp;

    /// Whose run it is.
    fn workspace(&self) -> WorkspaceId;

    /// The names that expressions in deferred fields may use: `input`, `run`, `trigger`, `nodes`, `vars`, and inside
    /// a `for_each` also `item` and `index`.
    fn scope(&self) -> &dyn ExpressionScope;

    /// The one way out: HTTP under the installation's policy for outgoing calls.
    fn outgoing(&self) -> &outgoing::Outgoing;

    /// The connection that the node names, opened for this attempt; `None` when it names none.
    fn connection(&self) -> Option<&connection::Connection>;

    /// The files of the run.
    fn files(&self) -> Arc<dyn file::Files>;

    /// Writes a line of the attempt's log, which stays with the run; the server writes it to its own log as well. Lines
    /// beyond the first thousand, or beyond 64 KiB, are only counted.
    fn tell(&self, level: LogLevel, line: &str);

    /// Counts lines of the attempt's log that are lost already.
    fn tell_lost(&self, lines: u64);

    /// What code of the workspace may use at most, where that is less than what the server allows.
    ///
    /// # Errors
    /// When it cannot be read now.
    async fn code_ceiling(&self) -> Result<code::CodeCeiling, ErrorInfo>;
}

/// How much a line of a log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// For whoever looks for a fault.
    Debug,
    /// What is going on.
    Info,
    /// Something to look at.
    Warn,
    /// Something went wrong.
    Error,
}

impl LogLevel {
    /// As it is written: `debug`, `info`, `warn`, `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// How an attempt ended without an error.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeOutcome {
    /// It is done: `output` leaves by `port`.
    Done {
        /// One of the descriptor's outputs, or one that the config names.
        port: Cow<'static, str>,
        /// The value that leaves.
        output: Value,
    },
    /// It is done: what arrived leaves by `port`, unread.
    Passed {
        /// One of the descriptor's outputs, or one that the config names.
        port: Cow<'static, str>,
    },
    /// It waits; the run may leave memory meanwhile.
    Wait(Wait),
}

/// Done, by the usual port.
fn done(output: Value) -> NodeOutcome {
    NodeOutcome::Done { port: Cow::Borrowed(OUT), output }
}

/// Done: what arrived leaves by this port.
fn passed(port: &'static str) -> NodeOutcome {
    NodeOutcome::Passed { port: Cow::Borrowed(port) }
}

/// What a node run waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Wait {
    /// Until this time; then the input leaves by `out`.
    Until(Timestamp),
    /// Until a signal of this name (and key, when one is given); its payload leaves by `out`.
    Signal {
        /// The signal's name.
        name: String,
        /// Tells waits of the same name apart; empty when the name is enough.
        key: String,
        /// When it stops waiting; then the input leaves by `timeout`.
        until: Option<Timestamp>,
    },
}

/// A kind of node.
#[async_trait]
pub trait NodeType: Send + Sync {
    /// What it is.
    fn descriptor(&self) -> NodeDescriptor;

    /// What a repeat may do, judged by the config as written (expressions not yet put in).
    fn effect(&self, config: &Value) -> EffectClass;

    /// Whether it looks at [`Attempt::input`], judged by the config as written; where it does not, what arrives need not
    /// be read. Without it the input may be anything.
    fn reads_input(&self, _config: &Value) -> bool {
        true
    }

    /// What leaves a port of a node like this, where the type can tell more than its descriptor does. It has to be
    /// right: expressions are refused by it.
    fn output(&self, _port: &str, _shape: &Shape<'_>) -> Option<PortType> {
        None
    }

    /// What is wrong with a config beyond its schema; asked before publishing only.
    fn faults(&self, _config: &Value) -> Vec<Fault> {
        Vec::new()
    }

    /// Why nodes of this type cannot be executed in this process now; `None` when they can.
    fn unavailable(&self) -> Option<String> {
        None
    }

    /// Types of connections of which a node with this config needs one; empty when it needs none. `None` where the
    /// descriptor says all that there is to say.
    fn connections(&self, _config: &Value) -> Option<&'static [&'static str]> {
        None
    }

    /// The config of a node of an older major version, as this type would have it. Pure; `None` when it cannot tell.
    fn migrate(&self, _config: &Value, _from: u32) -> Option<Value> {
        None
    }

    /// Does it once.
    ///
    /// # Errors
    /// An [`ErrorInfo`] whose kind says whether trying again may help and whether the outside may have acted.
    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo>;
}

/// The node types of this process.
#[derive(Clone, Default)]
pub struct Registry {
    types: BTreeMap<NodeTypeName, (Arc<NodeDescriptor>, Arc<dyn NodeType>)>,
}

impl Registry {
    /// All built-in types. Code runs nowhere until [`code::Js`] is put in with a place to run.
    pub fn built_in() -> Self {
        Self::default()
            .with(file::convert::Convert)
            .with(file::read::Read)
            .with(file::write::Write)
            .with(code::Js::new(code::CodeRoom::closed("this process has no place to run code")))
            .with(data::aggregate::Aggregate)
            .with(data::dedupe::Dedupe)
            .with(data::filter::Filter)
            .with(data::set::Set)
            .with(data::sort::Sort)
            .with(data::text::Text)
            .with(event::publish::Publish)
            .with(flow::fail::Fail)
            .with(flow::if_else::If)
            .with(flow::merge::Merge)
            .with(flow::switch::Switch)
            .with(flow::wait::WaitFor)
            .with(http::graphql::Graphql)
            .with(http::request::Request)
            .with(http::respond::Respond)
            .with(log::write::Write)
            .with(mail::send::Send)
            .with(redis::command::Command)
            .with(sql::query::Query)
            .with(trigger::event::ErrorTrigger)
            .with(trigger::event::EventTrigger)
            .with(trigger::event::WorkflowTrigger)
            .with(trigger::manual::Manual)
            .with(trigger::schedule::ScheduleTrigger)
            .with(trigger::webhook::Webhook)
    }

    /// The same with one more type; a type of the same name and major version is replaced.
    #[must_use]
    pub fn with(mut self, node: impl NodeType + 'static) -> Self {
        let descriptor = Arc::new(node.descriptor());
        self.types.insert(descriptor.r#type.clone(), (descriptor, Arc::new(node)));
        self
    }

    /// The type of this name.
    pub fn get(&self, r#type: &NodeTypeName) -> Option<&Arc<dyn NodeType>> {
        self.types.get(r#type).map(|(_, node)| node)
    }

    /// Every descriptor, by name.
    pub fn descriptors(&self) -> impl Iterator<Item = &NodeDescriptor> {
        self.types.values().map(|(descriptor, _)| descriptor.as_ref())
    }
}

impl Catalog for Registry {
    fn descriptor(&self, r#type: &NodeTypeName) -> Option<&NodeDescriptor> {
        self.types.get(r#type).map(|(descriptor, _)| descriptor.as_ref())
    }

    fn effect(&self, r#type: &NodeTypeName, config: &Value) -> EffectClass {
        self.get(r#type).map_or(EffectClass::Effectful, |node| node.effect(config))
    }

    fn reads_input(&self, r#type: &NodeTypeName, config: &Value) -> bool {
        self.get(r#type).is_none_or(|node| node.reads_input(config))
    }

    fn output(&self, r#type: &NodeTypeName, port: &str, shape: &Shape<'_>) -> Option<PortType> {
        self.get(r#type)?.output(port, shape)
    }

    fn faults(&self, r#type: &NodeTypeName, config: &Value) -> Vec<Fault> {
        self.get(r#type).map(|node| node.faults(config)).unwrap_or_default()
    }

    fn connections(&self, r#type: &NodeTypeName, config: &Value) -> Option<&'static [&'static str]> {
        self.get(r#type)?.connections(config)
    }

    fn migrate(&self, r#type: &NodeTypeName, config: &Value, from: u32) -> Option<Value> {
        self.get(r#type).filter(|_| from < r#type.major)?.migrate(config, from)
    }
}

#[cfg(test)]
mod tests;
