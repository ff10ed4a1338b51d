//! The tree that is evaluated.

use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

use super::function::Function;

/// A node and the column of its word in the source (0 when unknown).
#[derive(Debug)]
pub(super) struct Node {
    pub(super) column: u32,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Literal(Value),
    /// A name and literal members behind it, read without copying what is on the way.
    Path(Path),
    /// `operand.step` behind anything but a path.
    Select(Box<Node>, Step),
    /// `operand[index]` with a computed index.
    Index {
        operand: Box<Node>,
        index: Box<Node>,
        lenient: bool,
    },
    /// `has(operand.member)`
    Has(Box<Node>, String),
    /// `has(nodes.key)`
    HasNode(String),
    /// Elements; one marked optional is left out when null.
    List(Vec<(Node, bool)>),
    /// Keys and values; an entry marked optional is left out when its value is null.
    Object(Vec<(Node, Node, bool)>),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Conditional(Box<[Node; 3]>),
    Binary(Operator, Box<[Node; 2]>),
    /// The first that is not null: `coalesce`, `orValue`, `or`.
    Coalesce(Vec<Node>),
    Call {
        function: &'static Function,
        arguments: Vec<Node>,
        pattern: Option<Arc<Regex>>,
    },
    Loop(Box<Loop>),
}

impl Node {
    /// What is evaluated before anything else of this node.
    pub(super) fn first_operand(&self) -> Option<&Node> {
        match &self.kind {
            Kind::Select(operand, _) | Kind::Has(operand, _) | Kind::Not(operand) | Kind::Negate(operand) => {
                Some(operand)
            }
            Kind::Index { operand, .. } => Some(operand),
            Kind::And(operands) | Kind::Or(operands) | Kind::Binary(_, operands) => operands.first(),
            Kind::Conditional(parts) => parts.first(),
            Kind::Coalesce(parts) => parts.first(),
            Kind::Call { arguments, .. } => arguments.first(),
            Kind::Loop(each) => Some(&each.over),
            Kind::Literal(_) | Kind::Path(_) | Kind::HasNode(_) | Kind::List(_) | Kind::Object(_) => None,
        }
    }
}

/// A path from a name.
#[derive(Debug)]
pub(super) struct Path {
    /// The column of its first name.
    pub(super) column: u32,
    pub(super) base: Base,
    pub(super) steps: Vec<Step>,
}

/// Where a path begins.
#[derive(Debug)]
pub(super) enum Base {
    Root(String),
    /// A name bound by a macro: its place on the stack of such names.
    Local(usize),
    /// `nodes.<key>.output`
    Output(String),
}

/// One step of a path.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) to: Place,
    /// `?.`: null also where the value could not have such a member.
    pub(super) lenient: bool,
    /// The column of its dot or bracket.
    pub(super) column: u32,
}

/// What a step goes to.
#[derive(Debug)]
pub(super) enum Place {
    Member(String),
    Element(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// A macro over the elements of a list or the keys of an object. The element is bound to the next local place.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) over: Node,
    pub(super) kind: LoopKind,
}

#[derive(Debug)]
pub(super) enum LoopKind {
    All(Node),
    Exists(Node),
    ExistsOne(Node),
    /// Keeps what passes `when`, and makes `make` of it, or leaves it as it is.
    Map {
        when: Option<Node>,
        make: Option<Node>,
    },
    SortBy(Node),
    GroupBy(Node),
}
