//! From the syntax tree of `cel` to ours: names are bound, functions looked up, macros recognized, references noted.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, ListExpr, LiteralValue, SelectExpr,
    operators,
};
use serde_json::{Number, Value};

use super::References;
use super::error::{ExpressionError, ExpressionErrorCode, Fault};
use super::function::{self, Patterns};
use super::number::Num;
use super::syntax::{self, Parsed};
use super::tree::{Base, Kind, Loop, LoopKind, Node, Operator, Path, Place, Step};

const NODES_HINT: &str = "write nodes.<key>.output with a literal key; it is how the order of nodes is checked";

/// Compiles `source` and adds what it reads to `references`.
pub(super) fn compile(source: &str, references: &mut References) -> Result<Node, ExpressionError> {
    let parsed = syntax::parse(source)?;
    let mut compiler = Compiler { parsed: &parsed, locals: Vec::new(), patterns: Patterns::default(), references };
    compiler.node(&parsed.expression).map_err(Fault::into_error)
}

struct Compiler<'p> {
    parsed: &'p Parsed,
    /// Names bound by the macros around; a name's index is its place on the evaluator's stack.
    locals: Vec<String>,
    patterns: Patterns,
    references: &'p mut References,
}

/// What an expression in front of a member can be.
enum Front {
    /// The name `nodes`, and its column.
    Nodes(u32),
    /// `nodes.<key>`, waiting for `.output`, with the column of `nodes`.
    Record(String, u32),
    Other(Node),
}

/// The operand that comes first. A row of operators or members nests on this side, so this side is walked, not
/// recursed into.
fn first_operand(expression: &IdedExpr) -> Option<&IdedExpr> {
    match &expression.expr {
        Expr::Select(select) => Some(&select.operand),
        Expr::Comprehension(fold) => Some(&fold.iter_range),
        Expr::Call(call) => match call.target.as_deref() {
            Some(target) if is_optional(target) => None,
            Some(target) => Some(target),
            None => call.args.first(),
        },
        Expr::Ident(_) | Expr::Literal(_) | Expr::List(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => None,
    }
}

fn is_optional(target: &IdedExpr) -> bool {
    matches!(&target.expr, Expr::Ident(name) if name == "optional")
}

impl Compiler<'_> {
    fn node(&mut self, expression: &IdedExpr) -> Result<Node, Fault> {
        let front = self.front(expression)?;
        self.finished(front, expression)
    }

    /// `nodes` and `nodes.<key>` are no values.
    fn finished(&self, front: Front, expression: &IdedExpr) -> Result<Node, Fault> {
        match front {
            Front::Other(node) => Ok(node),
            Front::Nodes(_) | Front::Record(..) => {
                Err(Fault::new(ExpressionErrorCode::UnknownName, NODES_HINT).at(self.parsed.column(expression.id)))
            }
        }
    }

    fn front(&mut self, expression: &IdedExpr) -> Result<Front, Fault> {
        let mut row = vec![expression];
        let mut innermost = expression;
        while let Some(operand) = first_operand(innermost) {
            row.push(operand);
            innermost = operand;
        }
        let mut done: Option<(Front, &IdedExpr)> = None;
        while let Some(next) = row.pop() {
            let column = self.parsed.column(next.id);
            done = Some((self.built(next, done, column).map_err(|fault| fault.at(column))?, next));
        }
        done.map(|(front, _)| front).ok_or_else(|| Fault::syntax("this is not an expression"))
    }

    /// `expression`, whose first operand is `first`.
    fn built(&mut self, expression: &IdedExpr, first: Option<(Front, &IdedExpr)>, column: u32) -> Result<Front, Fault> {
        let kind = match (&expression.expr, first) {
            (Expr::Ident(name), _) => return self.name(name, column),
            (Expr::Select(select), Some((operand, _))) if select.test => self.has(operand, select)?,
            (Expr::Select(select), Some((operand, _))) => return self.member(operand, &select.field, false, column),
            (Expr::Call(call), first) => {
                // The place of `a.f(b)` is its bracket; its name says more.
                let before = if call.target.is_some() { u32::try_from(call.func_name.len()).unwrap_or(0) } else { 0 };
                let column = column.saturating_sub(before);
                return self.call(call, first, column).map_err(|fault| fault.at(column));
            }
            (Expr::Comprehension(fold), Some((over, of))) => {
                let over = self.finished(over, of)?;
                self.comprehension(fold, over)?
            }
            (Expr::Literal(literal), _) => Kind::Literal(constant(literal)?),
            (Expr::List(list), _) => self.list(list)?,
            (Expr::Map(map), _) => self.object(&map.entries)?,
            (Expr::Struct(_), _) => return Err(Fault::syntax("there are no typed messages here")),
            (Expr::Unspecified | Expr::Select(_) | Expr::Comprehension(_), _) => {
                return Err(Fault::syntax("this is not an expression"));
            }
        };
        Ok(Front::Other(Node { column, kind }))
    }

    fn name(&mut self, name: &str, column: u32) -> Result<Front, Fault> {
        let base = if let Some(place) = self.locals.iter().rposition(|local| local == name) {
            Base::Local(place)
        } else if name.starts_with('.') {
            return Err(Fault::syntax("a name cannot begin with a dot"));
        } else {
            self.references.roots.entry(name.to_owned()).or_default();
            if name == "nodes" {
                return Ok(Front::Nodes(column));
            }
            Base::Root(name.to_owned())
        };
        Ok(Front::Other(Node { column, kind: Kind::Path(Path { column, base, steps: Vec::new() }) }))
    }

    fn member(&mut self, operand: Front, field: &str, lenient: bool, column: u32) -> Result<Front, Fault> {
        match operand {
            Front::Nodes(column) => {
                self.references.nodes.entry(field.to_owned()).or_default();
                Ok(Front::Record(field.to_owned(), column))
            }
            Front::Record(key, start) if field == "output" => {
                let path = Path { column: start, base: Base::Output(key), steps: Vec::new() };
                Ok(Front::Other(Node { column, kind: Kind::Path(path) }))
            }
            Front::Record(key, _) => {
                let message = format!("a node has no `{field}` here; write nodes.{key}.output");
                Err(Fault::new(ExpressionErrorCode::UnknownName, message))
            }
            Front::Other(node) => {
                let step = Step { to: Place::Member(field.to_owned()), lenient, column };
                Ok(Front::Other(extended(node, step, column)))
            }
        }
    }

    fn has(&mut self, operand: Front, select: &SelectExpr) -> Result<Kind, Fault> {
        match operand {
            Front::Nodes(_) => {
                self.references.nodes.entry(select.field.clone()).or_default();
                Ok(Kind::HasNode(select.field.clone()))
            }
            Front::Record(key, _) if select.field == "output" => Ok(Kind::HasNode(key)),
            Front::Record(..) => Err(Fault::new(ExpressionErrorCode::UnknownName, NODES_HINT)),
            Front::Other(node) => Ok(Kind::Has(Box::new(node), select.field.clone())),
        }
    }

    fn index(
        &mut self,
        (operand, of): (Front, &IdedExpr),
        index: &IdedExpr,
        lenient: bool,
        column: u32,
    ) -> Result<Front, Fault> {
        if let Expr::Literal(LiteralValue::String(key)) = &index.expr {
            return self.member(operand, key.inner(), lenient, column);
        }
        let node = self.finished(operand, of)?;
        if let Expr::Literal(LiteralValue::Int(element)) = &index.expr {
            let step = Step { to: Place::Element(*element.inner()), lenient, column };
            return Ok(Front::Other(extended(node, step, column)));
        }
        let index = Box::new(self.node(index)?);
        Ok(Front::Other(Node { column, kind: Kind::Index { operand: Box::new(node), index, lenient } }))
    }

    fn list(&mut self, list: &ListExpr) -> Result<Kind, Fault> {
        let mut elements = Vec::with_capacity(list.elements.len());
        for (index, element) in list.elements.iter().enumerate() {
            elements.push((self.node(element)?, list.optional_indices.contains(&index)));
        }
        Ok(Kind::List(elements))
    }

    fn object(&mut self, entries: &[IdedEntryExpr]) -> Result<Kind, Fault> {
        let mut object = Vec::with_capacity(entries.len());
        for entry in entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(Fault::syntax("there are no typed messages here"));
            };
            object.push((self.node(&entry.key)?, self.node(&entry.value)?, entry.optional));
        }
        Ok(Kind::Object(object))
    }

    /// Operators come as calls too. `f(a, b)` and `a.f(b)` are the same call.
    fn call(&mut self, call: &CallExpr, first: Option<(Front, &IdedExpr)>, column: u32) -> Result<Front, Fault> {
        let name = call.func_name.as_str();
        let is_method = call.target.is_some();
        let Some((first, of)) = first else {
            let kind = match (name, call.args.as_slice()) {
                ("of", [value]) if is_method => Kind::Coalesce(vec![self.node(value)?]),
                ("none", []) if is_method => Kind::Literal(Value::Null),
                _ => self.function(name, None, &[])?,
            };
            return Ok(Front::Other(Node { column, kind }));
        };
        let rest = if is_method { call.args.as_slice() } else { call.args.get(1..).unwrap_or_default() };
        match (name, rest) {
            (operators::OPT_SELECT, [IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }]) => {
                return self.member(first, field.inner(), true, column);
            }
            (operators::INDEX, [index]) => return self.index((first, of), index, false, column),
            (operators::OPT_INDEX, [index]) => return self.index((first, of), index, true, column),
            _ => {}
        }
        let first = self.finished(first, of)?;
        let kind = match (name, rest) {
            (operators::LOGICAL_NOT, []) => Kind::Not(Box::new(first)),
            (operators::NEGATE, []) => Kind::Negate(Box::new(first)),
            (operators::LOGICAL_AND, [second]) => Kind::And(Box::new([first, self.node(second)?])),
            (operators::LOGICAL_OR, [second]) => Kind::Or(Box::new([first, self.node(second)?])),
            (operators::CONDITIONAL, [yes, no]) => {
                Kind::Conditional(Box::new([first, self.node(yes)?, self.node(no)?]))
            }
            ("sortBy" | "groupBy", [element, key]) if is_method => {
                let Expr::Ident(element) = &element.expr else {
                    return Err(Fault::syntax("the first argument is the name for an element, such as x"));
                };
                let key = self.bound(element, key)?;
                let kind = if name == "sortBy" { LoopKind::SortBy(key) } else { LoopKind::GroupBy(key) };
                Kind::Loop(Box::new(Loop { over: first, kind }))
            }
            (name, rest) => match (operator(name), rest) {
                (Some(operator), [second]) => Kind::Binary(operator, Box::new([first, self.node(second)?])),
                _ => self.function(name, Some(first), rest)?,
            },
        };
        Ok(Front::Other(Node { column, kind }))
    }

    fn function(&mut self, name: &str, first: Option<Node>, rest: &[IdedExpr]) -> Result<Kind, Fault> {
        let given = rest.len() + usize::from(first.is_some());
        let function = match lazy_arity(name) {
            Some((fewest, most)) if (fewest..=most).contains(&given) => None,
            Some(_) => return Err(Fault::argument(format!("`{name}` does not take {given} arguments"))),
            None => {
                let function = function::find(name)?;
                function.check_count(given)?;
                Some(function)
            }
        };
        let mut arguments = Vec::with_capacity(given);
        arguments.extend(first);
        for argument in rest {
            arguments.push(self.node(argument)?);
        }
        let Some(function) = function else { return Ok(Kind::Coalesce(arguments)) };
        // A pattern that stands in the source is compiled, and refused, once.
        let pattern = match arguments.get(1) {
            Some(Node { column, kind: Kind::Literal(Value::String(source)) }) if function.takes_pattern => {
                Some(self.patterns.of_source(source).map_err(|fault| fault.at(*column))?)
            }
            _ => None,
        };
        Ok(Kind::Call { function, arguments, pattern })
    }

    /// `body`, in which `name` is the next local.
    fn bound(&mut self, name: &str, body: &IdedExpr) -> Result<Node, Fault> {
        if name.starts_with('.') {
            return Err(Fault::syntax("a name cannot begin with a dot"));
        }
        self.locals.push(name.to_owned());
        let node = self.node(body);
        self.locals.pop();
        node
    }

    /// The parser has already expanded the standard macros into folds; this reads them back. A fold's accumulator is
    /// called `@result`, which no source can name.
    fn comprehension(&mut self, fold: &ComprehensionExpr, over: Node) -> Result<Kind, Fault> {
        let unknown = || Fault::syntax("this macro is unknown");
        let element = fold.iter_var.as_str();
        let Expr::Call(step) = &fold.loop_step.expr else { return Err(unknown()) };
        let kind = match (&fold.accu_init.expr, step.func_name.as_str(), step.args.as_slice()) {
            (Expr::Literal(LiteralValue::Boolean(_)), operators::LOGICAL_AND, [_, body]) => {
                LoopKind::All(self.bound(element, body)?)
            }
            (Expr::Literal(LiteralValue::Boolean(_)), operators::LOGICAL_OR, [_, body]) => {
                LoopKind::Exists(self.bound(element, body)?)
            }
            (Expr::Literal(LiteralValue::Int(_)), operators::CONDITIONAL, [body, _, _]) => {
                LoopKind::ExistsOne(self.bound(element, body)?)
            }
            (Expr::List(_), operators::CONDITIONAL, [when, append, _]) => {
                let Expr::Call(append) = &append.expr else { return Err(unknown()) };
                let when = Some(self.bound(element, when)?);
                LoopKind::Map { when, make: self.appended(element, append)? }
            }
            (Expr::List(_), operators::ADD, _) => LoopKind::Map { when: None, make: self.appended(element, step)? },
            _ => return Err(unknown()),
        };
        Ok(Kind::Loop(Box::new(Loop { over, kind })))
    }

    /// What `@result + [made]` appends; `None` for the element itself.
    fn appended(&mut self, element: &str, append: &CallExpr) -> Result<Option<Node>, Fault> {
        let made = match append.args.as_slice() {
            [_, IdedExpr { expr: Expr::List(list), .. }] => list.elements.first(),
            _ => None,
        };
        match made {
            Some(IdedExpr { expr: Expr::Ident(name), .. }) if name == element => Ok(None),
            Some(made) => self.bound(element, made).map(Some),
            None => Err(Fault::syntax("this macro is unknown")),
        }
    }
}

/// A path grows; anything else is wrapped.
fn extended(mut node: Node, step: Step, column: u32) -> Node {
    match &mut node.kind {
        Kind::Path(path) => {
            path.steps.push(step);
            Node { column, kind: node.kind }
        }
        _ => Node { column, kind: Kind::Select(Box::new(node), step) },
    }
}

fn constant(literal: &LiteralValue) -> Result<Value, Fault> {
    Ok(match literal {
        LiteralValue::Null => Value::Null,
        LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
        LiteralValue::Int(value) => Value::from(*value.inner()),
        LiteralValue::UInt(value) => Value::Number(Number::from(*value.inner())),
        LiteralValue::Double(value) => Num::Float(*value.inner()).into_value()?,
        LiteralValue::String(value) => Value::from(value.inner()),
        LiteralValue::Bytes(_) => return Err(Fault::syntax("there are no byte strings here")),
    })
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        operators::ADD => Operator::Add,
        operators::SUBSTRACT => Operator::Subtract,
        operators::MULTIPLY => Operator::Multiply,
        operators::DIVIDE => Operator::Divide,
        operators::MODULO => Operator::Modulo,
        operators::EQUALS => Operator::Equal,
        operators::NOT_EQUALS => Operator::NotEqual,
        operators::LESS => Operator::Less,
        operators::LESS_EQUALS => Operator::LessOrEqual,
        operators::GREATER => Operator::Greater,
        operators::GREATER_EQUALS => Operator::GreaterOrEqual,
        operators::IN => Operator::In,
        _ => return None,
    })
}

/// Functions whose later arguments are evaluated only when needed, with how many they take.
fn lazy_arity(name: &str) -> Option<(usize, usize)> {
    match name {
        "coalesce" => Some((1, usize::MAX)),
        "orValue" | "or" => Some((2, 2)),
        _ => None,
    }
}
