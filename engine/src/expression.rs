//! FlowForge CEL: what people write between `{{` and `}}`.
//!
//! The `cel` crate parses; what it read becomes a small tree of our own, and that tree is evaluated over JSON values
//! under a [`Budget`]. Stock evaluation has no budget, no stable order of object keys, separate kinds of numbers, and
//! lets `||` swallow errors. `docs/guides/expressions.md` is the language as its users know it.

mod budget;
mod check;
mod compile;
mod error;
mod evaluate;
mod extent;
mod function;
mod lexer;
mod number;
mod operator;
mod precheck;
mod syntax;
mod template;
mod tree;
mod value;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::budget::{Budget, DEFAULT_BYTES, DEFAULT_STEPS};
pub use self::check::{
    CheckedExpression, CheckedTemplate, Completion, CompletionKind, Finding, NodeOutput, Types, check, complete,
};
pub use self::error::{ExpressionError, ExpressionErrorCode};
pub use self::extent::{Extent, Part};
pub use self::function::{FunctionDescription, functions};
pub use self::precheck::{MAX_DEPTH, MAX_NESTING, MAX_TOKENS, SOURCE_LIMIT};
pub use self::template::Template;
use self::tree::Node;

/// The names an expression may use.
pub trait Scope: Send + Sync {
    /// The value of a first name (`input`, `run`, `trigger`, `vars`, `item`, `index`, …); `run` is `{input: …}`.
    /// `None` makes the expression fail with `EXPRESSION_UNKNOWN_NAME`. Never asked for `nodes`.
    fn root(&self, name: &str) -> Option<&Value>;

    /// What `nodes.<key>.output` stands for, without building an object of all nodes. `None` reads as null: a node
    /// that was skipped has no output.
    fn node_output(&self, key: &str) -> Option<&Value>;
}

/// The scope of one item of a list: the names of `base`, with `item` and `index` on top.
pub struct ItemScope<'a> {
    /// Where all other names come from.
    pub base: &'a dyn Scope,
    /// The item.
    pub item: &'a Value,
    /// Its place in the list, from 0.
    pub index: Value,
}

impl Scope for ItemScope<'_> {
    fn root(&self, name: &str) -> Option<&Value> {
        match name {
            "item" => Some(self.item),
            "index" => Some(&self.index),
            _ => self.base.root(name),
        }
    }

    fn node_output(&self, key: &str) -> Option<&Value> {
        self.base.node_output(key)
    }
}

/// What an expression reads, as far as its text tells; a branch not taken counts too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// First names, such as `input` or `vars`, and how much is read of them; `nodes` when any node is named. Names bound
    /// by a macro are absent.
    pub roots: BTreeMap<String, Extent>,
    /// The keys in `nodes.<key>` and `nodes["<key>"]`, and how much is read of the node's output.
    pub nodes: BTreeMap<String, Extent>,
}

impl References {
    /// Reads what the other one reads, too.
    pub(crate) fn absorb(&mut self, other: &Self) {
        for (all, more) in [(&mut self.roots, &other.roots), (&mut self.nodes, &other.nodes)] {
            for (name, extent) in more {
                all.entry(name.clone()).or_default().absorb(extent);
            }
        }
    }

    /// How much is read of the value of a first name; nothing when it is not named.
    pub fn of(&self, root: &str) -> Extent {
        self.roots.get(root).cloned().unwrap_or_default()
    }
}

/// An expression without its braces, checked and ready to be evaluated any number of times.
#[derive(Debug)]
pub struct Expression {
    tree: Node,
    references: References,
}

impl Expression {
    /// Reads at most [`SOURCE_LIMIT`] bytes of source. Names are not looked up; see [`Expression::references`].
    ///
    /// # Errors
    /// With the column (in characters, from 1, line breaks counted as one) of the first fault.
    pub fn compile(source: &str) -> Result<Self, ExpressionError> {
        let mut references = References::default();
        let tree = compile::compile(source, &mut references)?;
        extent::note(&tree, &mut references);
        Ok(Self { tree, references })
    }

    /// The value under `scope`. Takes what it uses off `budget`, so that one budget can bound many expressions.
    ///
    /// # Errors
    /// When an operand has the wrong type, a name is unknown, a number leaves the finite doubles, or the budget is
    /// used up; a used-up budget stays used up. No message holds data.
    pub fn evaluate(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Value, ExpressionError> {
        evaluate::evaluate(&self.tree, scope, budget)
    }

    /// What the expression reads.
    pub fn references(&self) -> &References {
        &self.references
    }

    /// The value, when the expression is one literal.
    fn literal(&self) -> Option<&Value> {
        match &self.tree.kind {
            tree::Kind::Literal(value) => Some(value),
            _ => None,
        }
    }
}
