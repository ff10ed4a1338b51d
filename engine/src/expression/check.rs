//! What an expression gives and what is wrong with it, told from the types of its names alone.
//!
//! Only what is certain is an error: an expression is refused when every value that its names may have makes it fail.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::error::ExpressionError;
use super::evaluate::name_hint;
use super::function::nearest;
use super::template::Template;
use super::tree::{Base, Kind, Loop, LoopKind, Node, Operator, Path};
use super::{Expression, References};
use crate::definition::problem::ProblemCode as Code;
use crate::port::PortType;

mod complete;
mod kind;
mod member;
mod signature;

pub use self::complete::{Completion, CompletionKind, complete};
use self::kind::{BOOLEAN, LIST, NUMBER, OBJECT, TEXT, kinds, name_of};

/// How much of types may be looked at and copied for one [`Types`]; past that everything is `any`.
const FUEL: u64 = 2_000_000;

/// What is known of the names that expressions may use at one place.
#[derive(Debug, Clone)]
pub struct Types {
    /// First names, such as `input` and `run`; not `nodes`.
    pub roots: BTreeMap<String, PortType>,
    /// What `nodes.<key>` stands for. A key that is absent names no node.
    pub nodes: BTreeMap<String, NodeOutput>,
    fuel: Cell<u64>,
}

/// What is known of a node at the place of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeOutput {
    /// It comes before, and this is what it gives.
    Before(PortType),
    /// It is there, but does not come before.
    NotBefore,
}

impl Types {
    /// These names.
    pub fn new(roots: BTreeMap<String, PortType>, nodes: BTreeMap<String, NodeOutput>) -> Self {
        Self { roots, nodes, fuel: Cell::new(FUEL) }
    }

    /// A copy of a type, as long as there is fuel.
    fn copy(&self, r#type: &PortType) -> PortType {
        match self.fuel.get().checked_sub(r#type.weight()) {
            Some(left) => {
                self.fuel.set(left);
                r#type.clone()
            }
            None => PortType::Any,
        }
    }
}

/// Something wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its code; severity follows from it.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do next; the code's own hint when absent.
    pub hint: Option<String>,
    /// Where: in characters from 1, a line break counting as one. In a template: within the string at `path`.
    pub column: Option<u32>,
    /// In a template: JSON pointer to the string.
    pub path: String,
}

impl Finding {
    /// The same inside a template: `path` is the string's place, `offset` the characters before the expression.
    pub(super) fn within(mut self, path: &str, offset: usize) -> Self {
        path.clone_into(&mut self.path);
        self.column = self.column.map(|column| column.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)));
        self
    }
}

impl From<ExpressionError> for Finding {
    fn from(error: ExpressionError) -> Self {
        Self {
            code: Code::ExpressionInvalid,
            message: error.message,
            hint: None,
            column: error.column,
            path: error.path,
        }
    }
}

/// What an expression gives, and what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedExpression {
    /// What it gives; `any` where nothing is known.
    pub r#type: PortType,
    /// What is wrong with it, in the order of the source.
    pub problems: Vec<Finding>,
    /// What it reads.
    pub references: References,
}

/// Checks an expression without its braces.
pub fn check(source: &str, types: &Types) -> CheckedExpression {
    match Expression::compile(source) {
        Ok(expression) => expression.check(types),
        Err(error) => {
            CheckedExpression { r#type: PortType::Any, problems: vec![error.into()], references: References::default() }
        }
    }
}

impl Expression {
    /// What it gives under these types, and what is wrong with it.
    pub fn check(&self, types: &Types) -> CheckedExpression {
        let mut checker = Checker { types, locals: Vec::new(), found: Vec::new() };
        let r#type = checker.infer(&self.tree);
        let mut problems = checker.found;
        problems.sort_by_key(|finding| finding.column);
        problems.dedup();
        CheckedExpression { r#type, problems, references: self.references.clone() }
    }
}

/// A template's type, the type of each string in it that is one expression, and all findings.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedTemplate {
    /// What the whole gives.
    pub r#type: PortType,
    /// JSON pointers of strings with expressions, and what they give.
    pub places: Vec<(String, PortType)>,
    /// What is wrong, with the JSON pointers of the strings.
    pub problems: Vec<Finding>,
}

impl Template {
    /// What it gives under these types, and what is wrong with its expressions.
    pub fn check(&self, types: &Types) -> CheckedTemplate {
        let mut checked = CheckedTemplate { r#type: PortType::Any, places: Vec::new(), problems: Vec::new() };
        checked.r#type = self.infer(types, &mut checked.places, &mut checked.problems);
        checked
    }
}

struct Checker<'a> {
    types: &'a Types,
    /// What the macros around have bound, innermost last.
    locals: Vec<PortType>,
    found: Vec<Finding>,
}

impl Checker<'_> {
    fn report(&mut self, code: Code, column: u32, message: String, hint: Option<String>) {
        let column = (column > 0).then_some(column);
        self.found.push(Finding { code, message, hint, column, path: String::new() });
    }

    fn mismatch(&mut self, column: u32, message: String) -> PortType {
        self.report(Code::ExpressionTypeMismatch, column, message, None);
        PortType::Any
    }

    /// The type of a node. A row of operators or members is walked, as in evaluation, so that only brackets recurse.
    fn infer(&mut self, node: &Node) -> PortType {
        let mut row = Vec::new();
        let mut innermost = node;
        while let Some(operand) = innermost.first_operand() {
            row.push(innermost);
            innermost = operand;
        }
        // Who gives a default, or asks whether it is there, has thought of a member that is missing.
        let forgiving = row.last().is_some_and(|outer| match &outer.kind {
            Kind::Coalesce(_) | Kind::Has(..) => true,
            Kind::Binary(Operator::Equal | Operator::NotEqual, operands) => {
                matches!(&operands[1].kind, Kind::Literal(value) if value.is_null())
            }
            _ => false,
        });
        let mut r#type = self.first(innermost, forgiving);
        while let Some(outer) = row.pop() {
            r#type = self.rest(outer, r#type);
        }
        r#type
    }

    fn first(&mut self, node: &Node, forgiving: bool) -> PortType {
        match &node.kind {
            Kind::Literal(value) => PortType::of_value(value),
            Kind::Path(path) => self.path(path, forgiving),
            Kind::HasNode(key) => {
                self.node_output(key, node.column);
                PortType::Boolean
            }
            Kind::List(elements) => {
                let elements: Vec<PortType> = elements
                    .iter()
                    .map(|(element, optional)| {
                        let r#type = self.infer(element);
                        if *optional { r#type.without_null() } else { r#type }
                    })
                    .collect();
                PortType::list_of(PortType::union(elements))
            }
            Kind::Object(entries) => self.object(entries),
            Kind::Call { function, .. } => signature::of(function.name).gives(&[]),
            _ => PortType::Any,
        }
    }

    fn rest(&mut self, node: &Node, first: PortType) -> PortType {
        match &node.kind {
            Kind::Select(_, step) => self.step(&first, step, false),
            Kind::Index { index, lenient, .. } => self.index(&first, index, *lenient, node.column),
            Kind::Has(..) => PortType::Boolean,
            Kind::Not(operand) => {
                self.condition(&first, operand);
                PortType::Boolean
            }
            Kind::Negate(_) if kinds(&first) & NUMBER == 0 => {
                self.mismatch(node.column, format!("only a number has a negative, not {}", name_of(&first)))
            }
            Kind::Negate(_) => numeric(&[&first]),
            Kind::And(operands) | Kind::Or(operands) => {
                self.condition(&first, &operands[0]);
                let second = self.infer(&operands[1]);
                self.condition(&second, &operands[1]);
                PortType::Boolean
            }
            Kind::Conditional(parts) => {
                self.condition(&first, &parts[0]);
                let (yes, no) = (self.infer(&parts[1]), self.infer(&parts[2]));
                PortType::union([yes, no])
            }
            Kind::Binary(operator, operands) => {
                let right = self.infer(&operands[1]);
                self.binary(*operator, &first, &right, node.column)
            }
            Kind::Coalesce(parts) => self.coalesce(first, parts),
            Kind::Call { function, arguments, .. } => {
                let mut types = vec![first];
                types.extend(arguments.iter().skip(1).map(|argument| self.infer(argument)).collect::<Vec<_>>());
                self.call(function.name, &types, node.column)
            }
            Kind::Loop(each) => self.each(&first, each, node.column),
            Kind::Literal(_) | Kind::Path(_) | Kind::HasNode(_) | Kind::List(_) | Kind::Object(_) => first,
        }
    }

    fn condition(&mut self, r#type: &PortType, node: &Node) {
        if kinds(r#type) & BOOLEAN == 0 {
            let message = format!("a condition is true or false, not {}", name_of(r#type));
            self.report(Code::ExpressionTypeMismatch, node.column, message, Some("compare it with something".into()));
        }
    }

    fn object(&mut self, entries: &[(Node, Node, bool)]) -> PortType {
        let mut fields = BTreeMap::new();
        let mut open = false;
        for (key, value, optional) in entries {
            let key_type = self.infer(key);
            if kinds(&key_type) & TEXT == 0 {
                let message = format!("a key is text, not {}; put a name in quotes", name_of(&key_type));
                self.mismatch(key.column, message);
            }
            let value = self.infer(value);
            let value = if *optional { value.or_null() } else { value };
            match &key.kind {
                Kind::Literal(serde_json::Value::String(name)) => drop(fields.insert(name.clone(), value)),
                _ => open = true,
            }
        }
        if open {
            // A computed key may be any of the others.
            fields.clear();
        }
        PortType::Object { fields, open }
    }

    fn path(&mut self, path: &Path, forgiving: bool) -> PortType {
        let mut r#type = match &path.base {
            Base::Root(name) => match self.types.roots.get(name) {
                Some(known) => return self.walk(known, path, forgiving),
                None => self.unknown(name, path.column),
            },
            Base::Output(key) => match self.types.nodes.get(key) {
                Some(NodeOutput::Before(known)) => return self.walk(known, path, forgiving),
                _ => self.node_output(key, path.column),
            },
            Base::Local(place) => self.locals.get(*place).cloned().unwrap_or(PortType::Any),
        };
        for step in &path.steps {
            r#type = self.step(&r#type, step, forgiving);
        }
        r#type
    }

    /// Follows a path into what is known, copying only where it ends.
    fn walk(&mut self, known: &PortType, path: &Path, forgiving: bool) -> PortType {
        let mut steps = path.steps.iter();
        let mut place = known;
        while let Some(below) = steps.as_slice().first().and_then(|step| member::plain(place, step)) {
            steps.next();
            place = below;
        }
        let mut r#type = self.types.copy(place);
        for step in steps {
            r#type = self.step(&r#type, step, forgiving);
        }
        r#type
    }

    fn unknown(&mut self, name: &str, column: u32) -> PortType {
        if name == "secrets" {
            let message = "a secret cannot be used here".to_owned();
            self.report(Code::SecretNotAllowedHere, column, message, None);
            return PortType::Any;
        }
        let hint = match name_hint(name) {
            "" => nearest(name, self.types.roots.keys().map(String::as_str)).map(|near| format!("is it `{near}`?")),
            hint => Some(hint.trim_start_matches("; ").to_owned()),
        };
        self.report(Code::ExpressionUnknownName, column, format!("there is no `{name}` here"), hint);
        PortType::Any
    }

    /// The output of a node, or what is wrong with asking for it.
    fn node_output(&mut self, key: &str, column: u32) -> PortType {
        match self.types.nodes.get(key) {
            Some(NodeOutput::Before(r#type)) => self.types.copy(r#type),
            Some(NodeOutput::NotBefore) => {
                let message = format!("`{key}` does not come before this node");
                let hint = format!("join `{key}` to this node, directly or through others");
                self.report(Code::ReferenceNotUpstream, column, message, Some(hint));
                PortType::Any
            }
            None => {
                let near = nearest(key, self.types.nodes.keys().map(String::as_str));
                let hint = near.map(|near| format!("is it `{near}`?"));
                self.report(Code::ReferenceUnknown, column, format!("there is no node `{key}`"), hint);
                PortType::Any
            }
        }
    }

    fn coalesce(&mut self, first: PortType, parts: &[Node]) -> PortType {
        let mut alternatives = Vec::new();
        let mut current = first;
        for part in parts.iter().skip(1) {
            let next = self.infer(part);
            if !current.takes_null() {
                // Never reached; its faults are reported all the same.
                continue;
            }
            if current != PortType::Null {
                alternatives.push(current.without_null());
            }
            current = next;
        }
        alternatives.push(current);
        PortType::union(alternatives)
    }

    fn binary(&mut self, operator: Operator, left: &PortType, right: &PortType, column: u32) -> PortType {
        let (l, r) = (kinds(left), kinds(right));
        let cannot = |verb: &str| format!("{} and {} cannot be {verb}", name_of(left), name_of(right));
        match operator {
            Operator::Add => self.sum(left, right, column),
            Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
                if l & NUMBER == 0 || r & NUMBER == 0 {
                    let verb = match operator {
                        Operator::Subtract => "subtracted",
                        Operator::Multiply => "multiplied",
                        _ => "divided",
                    };
                    return self.mismatch(column, cannot(verb));
                }
                if operator == Operator::Divide { PortType::Number } else { numeric(&[left, right]) }
            }
            Operator::Equal | Operator::NotEqual => PortType::Boolean,
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                if l & r & (NUMBER | TEXT | BOOLEAN) == 0 {
                    self.mismatch(column, cannot("compared"));
                }
                PortType::Boolean
            }
            Operator::In => {
                if r & (LIST | OBJECT) == 0 {
                    let hint = if r == TEXT { "; write text.contains(part)" } else { "" };
                    self.mismatch(
                        column,
                        format!("`in` looks into a list or an object, not into {}{hint}", name_of(right)),
                    );
                } else if r == OBJECT && l & TEXT == 0 {
                    self.mismatch(column, format!("`in` looks for a text among keys, not for {}", name_of(left)));
                }
                PortType::Boolean
            }
        }
    }

    /// Numbers add up, lists are joined, and text takes anything.
    fn sum(&mut self, left: &PortType, right: &PortType, column: u32) -> PortType {
        let (l, r) = (kinds(left), kinds(right));
        let mut gives = Vec::new();
        if l & r & NUMBER != 0 {
            gives.push(numeric(&[left, right]));
        }
        if (l | r) & TEXT != 0 {
            gives.push(PortType::String);
        }
        if l & r & LIST != 0 {
            gives.push(PortType::list_of(PortType::union([kind::items(left), kind::items(right)])));
        }
        if gives.is_empty() {
            let hint = if l & r & OBJECT != 0 { "; write merge(a, b)" } else { "" };
            let message = format!("{} and {} cannot be added{hint}", name_of(left), name_of(right));
            return self.mismatch(column, message);
        }
        PortType::union(gives)
    }

    fn call(&mut self, name: &'static str, arguments: &[PortType], column: u32) -> PortType {
        let signature = signature::of(name);
        for (index, argument) in arguments.iter().enumerate() {
            let takes = signature.takes(index);
            if kinds(argument) & takes == 0 {
                let which = if index == 0 { String::new() } else { format!(" as argument {}", index + 1) };
                let message = format!("`{name}` wants {}{which}, not {}", kind::words(takes), name_of(argument));
                return self.mismatch(column, message);
            }
        }
        signature.gives(arguments)
    }

    fn each(&mut self, over: &PortType, each: &Loop, column: u32) -> PortType {
        if kinds(over) & (LIST | OBJECT) == 0 {
            self.mismatch(column, format!("only a list or an object has elements, not {}", name_of(over)));
        }
        let element = kind::elements(over);
        match &each.kind {
            LoopKind::All(body) | LoopKind::Exists(body) | LoopKind::ExistsOne(body) => {
                self.bound(&element, body, true);
                PortType::Boolean
            }
            LoopKind::Map { when, make } => {
                if let Some(when) = when {
                    self.bound(&element, when, true);
                }
                PortType::list_of(match make {
                    Some(make) => self.bound(&element, make, false),
                    None => element,
                })
            }
            LoopKind::SortBy(key) => {
                self.bound(&element, key, false);
                PortType::list_of(element)
            }
            LoopKind::GroupBy(key) => {
                self.bound(&element, key, false);
                PortType::object()
            }
        }
    }

    /// The type of `body`, in which the next name is of this type.
    fn bound(&mut self, element: &PortType, body: &Node, is_condition: bool) -> PortType {
        let element = self.types.copy(element);
        self.locals.push(element);
        let r#type = self.infer(body);
        self.locals.pop();
        if is_condition {
            self.condition(&r#type, body);
        }
        r#type
    }
}

/// What sums and products of these are: whole when all of them are.
fn numeric(operands: &[&PortType]) -> PortType {
    let whole = |r#type: &&PortType| {
        r#type.alternatives().iter().all(|alternative| !matches!(alternative, PortType::Number | PortType::Any))
    };
    if operands.iter().all(whole) { PortType::Integer } else { PortType::Number }
}
