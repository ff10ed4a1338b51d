//! Expressions that a node evaluates itself, once per item.

use engine::error::ErrorInfo;
use engine::expression::{Budget, DEFAULT_BYTES, DEFAULT_STEPS, ItemScope, Scope, Template};
use serde_json::Value;

use crate::NodeContext;

/// Steps that each item adds to the budget of an attempt; an ordinary condition takes about twenty.
const STEPS_PER_ITEM: u64 = 1_000;
/// Bytes that each item adds.
const BYTES_PER_ITEM: u64 = 8 * 1024;
/// Items between two chances for other work on this thread.
const ITEMS_PER_TURN: usize = 500;

/// A field whose schema says `"x-deferred": true`, read once per attempt.
pub(crate) struct Deferred {
    field: String,
    template: Template,
}

impl Deferred {
    /// Reads the expressions in `value`, which stands in the config at `field`.
    pub(crate) fn compile(field: &str, value: &Value) -> Result<Self, ErrorInfo> {
        let template = Template::compile(value)
            .map_err(|error| ErrorInfo::permanent(error.code.as_str(), format!("config.{field}: {error}")))?;
        Ok(Self { field: field.to_owned(), template })
    }
}

/// The items of one attempt under one budget that grows with their number.
pub(crate) struct Evaluation<'a> {
    scope: &'a dyn Scope,
    budget: Budget,
}

impl<'a> Evaluation<'a> {
    /// For this many items.
    pub(crate) fn new(context: &'a dyn NodeContext, n_items: usize) -> Self {
        let n_items = n_items as u64;
        let steps = DEFAULT_STEPS.saturating_add(n_items.saturating_mul(STEPS_PER_ITEM));
        let bytes = DEFAULT_BYTES.saturating_add(n_items.saturating_mul(BYTES_PER_ITEM));
        Self { scope: context.scope(), budget: Budget::new(steps, bytes) }
    }

    /// The field's value for one item. An error names the field and the index.
    pub(crate) fn of(&mut self, deferred: &Deferred, item: &Value, index: usize) -> Result<Value, ErrorInfo> {
        let scope = ItemScope { base: self.scope, item, index: Value::from(index) };
        deferred.template.render(&scope, &mut self.budget).map_err(|error| {
            let message = format!("config.{} at item {index}: {error}", deferred.field);
            ErrorInfo::permanent(error.code.as_str(), message)
        })
    }
}

/// Lets other work on this thread go on now and then, and a node that is out of time be dropped.
pub(crate) async fn breathe(index: usize) {
    if index % ITEMS_PER_TURN == ITEMS_PER_TURN - 1 {
        tokio::task::yield_now().await;
    }
}
