//! Evaluation of the tree. It recurses as deep as brackets nest, which `precheck` bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use serde_json::{Map, Value};
use smallvec::SmallVec;

use super::budget::Budget;
use super::error::{ExpressionError, ExpressionErrorCode, Fault};
use super::function::{Arguments, Function, Patterns, group_key, sort_by_keys};
use super::tree::{Base, Kind, LoopKind, Node, Path, Place, Step};
use super::value::{CELL, Val, View, charge, check_made, hand_on};
use super::{Scope, operator};

/// The value of `node` under `scope`.
pub(super) fn evaluate(node: &Node, scope: &dyn Scope, budget: &mut Budget) -> Result<Value, ExpressionError> {
    let mut evaluator = Evaluator { scope, budget, locals: Vec::new(), patterns: Patterns::default() };
    evaluator.value(node).map_err(Fault::into_error)
}

struct Evaluator<'a, 'b> {
    scope: &'a dyn Scope,
    budget: &'b mut Budget,
    /// What the macros around have bound, innermost last.
    locals: Vec<Val<'a>>,
    patterns: Patterns,
}

impl<'a> Evaluator<'a, '_> {
    fn value(&mut self, node: &'a Node) -> Result<Value, Fault> {
        self.budget.steps(0)?;
        if let Kind::Path(path) = &node.kind
            && let Val::Ref(value) = self.path(path).map_err(|fault| fault.at(node.column))?
        {
            hand_on(value, self.budget).map_err(|fault| fault.at(node.column))?;
            return Ok(value.clone());
        }
        let value = self.eval(node)?.into_value(self.budget).map_err(|fault| fault.at(node.column))?;
        check_made(&value, self.budget)?;
        Ok(value)
    }

    /// A row of operators or members nests in first operands; it is walked, so that only brackets deepen the stack.
    fn eval(&mut self, node: &'a Node) -> Result<Val<'a>, Fault> {
        let mut row: SmallVec<[&'a Node; 8]> = SmallVec::new();
        let mut innermost = node;
        while let Some(operand) = innermost.first_operand() {
            row.push(innermost);
            innermost = operand;
        }
        self.budget.items(row.len() + 1)?;
        let mut value = self.first(innermost).map_err(|fault| fault.at(innermost.column))?;
        while let Some(outer) = row.pop() {
            value = self.rest(outer, value).map_err(|fault| fault.at(outer.column))?;
        }
        Ok(value)
    }

    /// The value of a node without a first operand.
    fn first(&mut self, node: &'a Node) -> Result<Val<'a>, Fault> {
        match &node.kind {
            Kind::Literal(value) => Ok(Val::Ref(value)),
            Kind::Path(path) => self.path(path),
            Kind::HasNode(key) => Ok(Val::from(self.scope.node_output(key).is_some())),
            Kind::List(elements) => self.list(elements),
            Kind::Object(entries) => self.object(entries),
            Kind::Call { function, pattern, .. } => self.called(function, Vec::new(), pattern.as_ref()),
            _ => Ok(Val::NULL),
        }
    }

    /// The value of `node`, whose first operand is `first`.
    fn rest(&mut self, node: &'a Node, first: Val<'a>) -> Result<Val<'a>, Fault> {
        match &node.kind {
            Kind::Select(_, step) => select(first, step, self.budget),
            Kind::Index { index, lenient, .. } => self.index(first, index, *lenient),
            Kind::Has(_, member) => {
                Ok(Val::from(matches!(first.view(), View::Object(object) if object.contains_key(member))))
            }
            Kind::Not(operand) => truth(&first, operand).map(|value| Val::from(!value)),
            Kind::Negate(_) => negated(&first),
            Kind::And(operands) => {
                let [left, right] = operands.as_ref();
                Ok(Val::from(truth(&first, left)? && self.truth(right)?))
            }
            Kind::Or(operands) => {
                let [left, right] = operands.as_ref();
                Ok(Val::from(truth(&first, left)? || self.truth(right)?))
            }
            Kind::Conditional(parts) => {
                let [condition, yes, no] = parts.as_ref();
                if truth(&first, condition)? { self.eval(yes) } else { self.eval(no) }
            }
            Kind::Binary(operator, operands) => {
                let [_, right] = operands.as_ref();
                let right = self.eval(right)?;
                operator::apply(*operator, first, right, self.budget)
            }
            Kind::Coalesce(parts) => self.coalesce(first, parts),
            Kind::Call { function, arguments, pattern } => {
                let mut values = Vec::with_capacity(arguments.len());
                values.push(first);
                for argument in arguments.iter().skip(1) {
                    values.push(self.eval(argument)?);
                }
                self.called(function, values, pattern.as_ref())
            }
            Kind::Loop(each) => self.each(first, &each.kind),
            Kind::Literal(_) | Kind::Path(_) | Kind::HasNode(_) | Kind::List(_) | Kind::Object(_) => Ok(first),
        }
    }

    fn called(
        &mut self,
        function: &Function,
        values: Vec<Val<'a>>,
        pattern: Option<&Arc<Regex>>,
    ) -> Result<Val<'a>, Fault> {
        let pattern = match (pattern, values.get(1).and_then(Val::as_text)) {
            (Some(pattern), _) => Some(Arc::clone(pattern)),
            (None, Some(source)) if function.takes_pattern => Some(self.patterns.of_value(source, self.budget)?),
            _ => None,
        };
        function.run(Arguments { name: function.name, values, pattern }, self.budget)
    }

    fn truth(&mut self, node: &'a Node) -> Result<bool, Fault> {
        let value = self.eval(node)?;
        truth(&value, node)
    }

    fn coalesce(&mut self, first: Val<'a>, parts: &'a [Node]) -> Result<Val<'a>, Fault> {
        let mut value = first;
        for part in parts.iter().skip(1) {
            if !value.is_null() {
                break;
            }
            value = self.eval(part)?;
        }
        Ok(value)
    }

    fn path(&mut self, path: &'a Path) -> Result<Val<'a>, Fault> {
        self.budget.items(path.steps.len())?;
        let start = match &path.base {
            Base::Root(name) => self.scope.root(name).ok_or_else(|| {
                Fault::new(ExpressionErrorCode::UnknownName, format!("there is no `{name}` here{}", name_hint(name)))
            })?,
            Base::Output(key) => match self.scope.node_output(key) {
                Some(output) => output,
                None => return Ok(Val::NULL),
            },
            Base::Local(place) => return self.local(*place, &path.steps),
        };
        let end = path.steps.iter().try_fold(start, |value, step| step_in(value, step));
        match end {
            Ok(value) => Ok(Val::Ref(value)),
            Err(Missed::Null) => Ok(Val::NULL),
            Err(Missed::Fault(fault)) => Err(fault),
        }
    }

    /// A local is read in place; only what the path ends at is copied.
    fn local(&mut self, place: usize, steps: &'a [Step]) -> Result<Val<'a>, Fault> {
        let Some(local) = self.locals.get(place) else {
            return Err(Fault::syntax("a name is not bound here"));
        };
        match (local, steps) {
            (Val::Ref(value), _) => match steps.iter().try_fold(*value, |value, step| step_in(value, step)) {
                Ok(value) => Ok(Val::Ref(value)),
                Err(Missed::Null) => Ok(Val::NULL),
                Err(Missed::Fault(fault)) => Err(fault),
            },
            (Val::Owned(value), _) => match steps.iter().try_fold(value, |value, step| step_in(value, step)) {
                Ok(value) => {
                    charge(value, self.budget, 0)?;
                    Ok(Val::Owned(value.clone()))
                }
                Err(Missed::Null) => Ok(Val::NULL),
                Err(Missed::Fault(fault)) => Err(fault),
            },
            (Val::List(_), []) => local.copied(self.budget),
            (Val::List(elements), [first, rest @ ..]) => {
                let element = match &first.to {
                    Place::Element(index) => usize::try_from(*index).ok().and_then(|index| elements.get(index)),
                    Place::Member(_) if first.lenient => None,
                    Place::Member(name) => return Err(no_member("list", name)),
                };
                let Some(element) = element else { return Ok(Val::NULL) };
                let mut value = element.copied(self.budget)?;
                for step in rest {
                    value = select(value, step, self.budget)?;
                }
                Ok(value)
            }
        }
    }

    fn index(&mut self, value: Val<'a>, at: &'a Node, lenient: bool) -> Result<Val<'a>, Fault> {
        let column = at.column;
        let index = self.eval(at)?;
        let to = if let Some(name) = index.as_text() {
            self.budget.bytes(name.len())?;
            Place::Member(name.to_owned())
        } else if let Some(number) = index.as_num() {
            match number.as_integer() {
                Some(integer) => Place::Element(integer),
                None => return Err(Fault::mistyped("the place in a list is an integer")),
            }
        } else if lenient || value.is_null() {
            return Ok(Val::NULL);
        } else {
            return Err(Fault::mistyped(format!("a {} is no place in a {}", index.type_name(), value.type_name())));
        };
        select(value, &Step { to, lenient, column }, self.budget)
    }

    fn list(&mut self, elements: &'a [(Node, bool)]) -> Result<Val<'a>, Fault> {
        let mut values = Vec::with_capacity(elements.len());
        for (element, optional) in elements {
            let value = self.eval(element)?;
            if !(*optional && value.is_null()) {
                values.push(value);
            }
        }
        Val::list(values, self.budget)
    }

    fn object(&mut self, entries: &'a [(Node, Node, bool)]) -> Result<Val<'a>, Fault> {
        let mut object = Map::new();
        for (key, value, optional) in entries {
            let name = self.eval(key)?;
            let Some(name) = name.as_text() else {
                let message =
                    format!("a key is text, not {}; put a name in quotes, as in {{\"a\": 1}}", name.type_name());
                return Err(Fault::mistyped(message).at(key.column));
            };
            let name = name.to_owned();
            self.budget.bytes(name.len() + CELL)?;
            let value = self.eval(value)?;
            if *optional && value.is_null() {
                continue;
            }
            let value = value.into_value(self.budget)?;
            if object.insert(name, value).is_some() {
                return Err(Fault::argument("a key stands twice in the object").at(key.column));
            }
        }
        Ok(Val::Owned(Value::Object(object)))
    }

    fn each(&mut self, over: Val<'a>, kind: &'a LoopKind) -> Result<Val<'a>, Fault> {
        let elements = self.elements(over)?;
        match kind {
            LoopKind::All(body) => {
                for element in elements {
                    if !self.with(element, |this| this.truth(body))?.0 {
                        return Ok(Val::from(false));
                    }
                }
                Ok(Val::from(true))
            }
            LoopKind::Exists(body) => {
                for element in elements {
                    if self.with(element, |this| this.truth(body))?.0 {
                        return Ok(Val::from(true));
                    }
                }
                Ok(Val::from(false))
            }
            LoopKind::ExistsOne(body) => {
                let mut found = 0;
                for element in elements {
                    found += u64::from(self.with(element, |this| this.truth(body))?.0);
                }
                Ok(Val::from(found == 1))
            }
            LoopKind::Map { when, make } => self.mapped(elements, when.as_ref(), make.as_ref()),
            LoopKind::SortBy(key) => {
                let mut keyed = Vec::with_capacity(elements.len());
                for element in elements {
                    keyed.push(self.with(element, |this| this.eval(key))?);
                }
                Val::list(sort_by_keys(keyed, self.budget)?, self.budget)
            }
            LoopKind::GroupBy(key) => self.grouped(elements, key),
        }
    }

    /// The elements of a list, or the keys of an object.
    fn elements(&mut self, over: Val<'a>) -> Result<Vec<Val<'a>>, Fault> {
        if let View::Object(object) = over.view() {
            self.budget.items(object.len())?;
            let mut keys = Vec::with_capacity(object.len());
            for key in object.keys() {
                keys.push(Val::text(key.clone(), self.budget)?);
            }
            return Ok(keys);
        }
        let type_name = over.type_name();
        over.into_elements(self.budget)?.ok_or_else(|| {
            let hint =
                if type_name == "null" { "; a missing member is null, and x.orValue([]) makes it empty" } else { "" };
            Fault::mistyped(format!("only a list or an object has elements, not {type_name}{hint}"))
        })
    }

    /// Runs `body` with `element` bound to the next name, and hands both back.
    fn with<T>(
        &mut self,
        element: Val<'a>,
        body: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<(T, Val<'a>), Fault> {
        self.budget.steps(1)?;
        self.locals.push(element);
        let made = body(self);
        let element = self.locals.pop().unwrap_or(Val::NULL);
        Ok((made?, element))
    }

    fn mapped(
        &mut self,
        elements: Vec<Val<'a>>,
        when: Option<&'a Node>,
        make: Option<&'a Node>,
    ) -> Result<Val<'a>, Fault> {
        let mut made = Vec::new();
        for element in elements {
            let (value, element) = self.with(element, |this| {
                let wanted = when.map_or(Ok(true), |when| this.truth(when))?;
                if wanted { make.map(|make| this.eval(make)).transpose().map(Some) } else { Ok(None) }
            })?;
            match value {
                None => {}
                Some(None) => made.push(element),
                Some(Some(value)) => made.push(value),
            }
        }
        Val::list(made, self.budget)
    }

    fn grouped(&mut self, elements: Vec<Val<'a>>, key: &'a Node) -> Result<Val<'a>, Fault> {
        let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for element in elements {
            let (group, element) = self.with(element, |this| this.eval(key))?;
            let name = group_key(&group, self.budget).map_err(|fault| fault.at(key.column))?;
            let value = element.into_value(self.budget)?;
            groups.entry(name).or_default().push(value);
        }
        let object = groups.into_iter().map(|(name, values)| (name, Value::Array(values))).collect();
        Ok(Val::Owned(Value::Object(object)))
    }
}

fn truth(value: &Val<'_>, node: &Node) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| {
        let hint = if value.is_null() { "; compare with null, or give a default with x.orValue(false)" } else { "" };
        Fault::mistyped(format!("a condition is true or false, not {}{hint}", value.type_name())).at(node.column)
    })
}

fn negated<'a>(value: &Val<'_>) -> Result<Val<'a>, Fault> {
    match value.as_num() {
        Some(number) => number.negated().map(Val::Owned),
        None => Err(Fault::mistyped(format!("only a number has a negative, not {}", value.type_name()))),
    }
}

/// Why a path has no end.
enum Missed {
    Null,
    Fault(Fault),
}

fn step_in<'v>(value: &'v Value, step: &Step) -> Result<&'v Value, Missed> {
    let found = match (value, &step.to) {
        (Value::Object(object), Place::Member(name)) => object.get(name),
        (Value::Array(elements), Place::Element(index)) => {
            usize::try_from(*index).ok().and_then(|index| elements.get(index))
        }
        (Value::Null, _) => None,
        _ if step.lenient => None,
        (other, to) => return Err(Missed::Fault(wrong_step(Val::Ref(other).type_name(), to))),
    };
    found.ok_or(Missed::Null)
}

/// One step into a value that nobody else needs: its part is moved out, not copied.
fn select<'a>(value: Val<'a>, step: &Step, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    budget.steps(1)?;
    let found = match (value, &step.to) {
        (Val::Ref(value), _) => match step_in(value, step) {
            Ok(value) => Some(Val::Ref(value)),
            Err(Missed::Null) => None,
            Err(Missed::Fault(fault)) => return Err(fault),
        },
        (Val::Owned(Value::Object(mut object)), Place::Member(name)) => object.remove(name).map(Val::Owned),
        (Val::Owned(Value::Array(mut elements)), Place::Element(index)) => {
            let index = usize::try_from(*index).ok().filter(|index| *index < elements.len());
            index.map(|index| Val::Owned(elements.swap_remove(index)))
        }
        (Val::List(mut elements), Place::Element(index)) => {
            let index = usize::try_from(*index).ok().filter(|index| *index < elements.len());
            index.map(|index| elements.swap_remove(index))
        }
        (Val::Owned(Value::Null), _) => None,
        _ if step.lenient => None,
        (other, to) => return Err(wrong_step(other.type_name(), to)),
    };
    Ok(found.unwrap_or(Val::NULL))
}

fn wrong_step(type_name: &str, to: &Place) -> Fault {
    match to {
        Place::Member(name) => no_member(type_name, name),
        Place::Element(_) if type_name == "string" => Fault::mistyped("text has no places; write text.charAt(i)"),
        Place::Element(_) => Fault::mistyped(format!("only a list has places, not {type_name}; keys are text")),
    }
}

fn no_member(type_name: &str, name: &str) -> Fault {
    let hint = if matches!(name, "length" | "size" | "count") { "; write size(x)" } else { "" };
    Fault::mistyped(format!("a {type_name} has no member `{name}`{hint}"))
}

pub(super) fn name_hint(name: &str) -> &'static str {
    match name {
        "secrets" => "; secrets live in connections and in fields made for them",
        "env" => "; settings of a project are `vars`",
        "json" | "data" | "body" | "payload" | "$json" => "; what reached this node is `input`",
        "item" | "index" => "; it exists where a node runs once per item",
        "undefined" | "None" | "nil" => "; write null",
        "True" => "; write true",
        "False" => "; write false",
        _ => "",
    }
}
