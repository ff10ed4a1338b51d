//! Steps into types.

use std::collections::BTreeMap;

use super::kind::{LIST, NULL, NUMBER, OBJECT, TEXT, kinds, name_of};
use super::{Checker, Code};
use crate::expression::function::nearest;
use crate::expression::tree::{Node, Place, Step};
use crate::port::PortType;

/// Members that a message names.
const MOST_NAMED: usize = 8;

/// A step that needs no copy: a member that an object has.
pub(super) fn plain<'t>(r#type: &'t PortType, step: &Step) -> Option<&'t PortType> {
    match (r#type, &step.to) {
        (PortType::Object { fields, .. }, Place::Member(name)) => fields.get(name),
        _ => None,
    }
}

/// What a step makes of one alternative.
enum Found {
    Type(PortType),
    /// An open object that does not name the member.
    Undeclared,
    /// A closed object without the member.
    Missing,
    /// A value that has no members or places at all.
    Wrong,
}

fn find(alternative: &PortType, to: &Place) -> Found {
    match (alternative, to) {
        (PortType::Any, _) => Found::Type(PortType::Any),
        (PortType::Null, _) => Found::Type(PortType::Null),
        (PortType::Object { fields, open }, Place::Member(name)) => match fields.get(name) {
            Some(field) => Found::Type(field.clone()),
            None if *open && fields.is_empty() => Found::Type(PortType::Any),
            None if *open => Found::Undeclared,
            None => Found::Missing,
        },
        (PortType::File, Place::Member(name)) => match PortType::file_fields().remove(name) {
            Some(field) => Found::Type(field),
            None => Found::Missing,
        },
        (PortType::List { items }, Place::Element(_)) => Found::Type(items.as_ref().clone().or_null()),
        _ => Found::Wrong,
    }
}

impl Checker<'_> {
    /// What a step from a type leads to. With `forgiving`, a member that nobody named is no surprise.
    pub(super) fn step(&mut self, r#type: &PortType, step: &Step, forgiving: bool) -> PortType {
        let found: Vec<Found> = r#type.alternatives().iter().map(|alternative| find(alternative, &step.to)).collect();
        let is_certain = |what: fn(&Found) -> bool| {
            // Null has every member; beside it the others decide.
            let mut others = found.iter().filter(|found| !matches!(found, Found::Type(PortType::Null))).peekable();
            others.peek().is_some() && others.all(what)
        };
        let may_be_null = kinds(r#type) & NULL != 0;
        if is_certain(|found| matches!(found, Found::Wrong)) && !may_be_null && !step.lenient {
            return self.mismatch(step.column, wrong(r#type, &step.to));
        }
        if is_certain(|found| matches!(found, Found::Missing)) {
            self.missing(r#type, step);
            return PortType::Any;
        }
        let undeclared = found.iter().any(|found| matches!(found, Found::Undeclared));
        let declared = found.iter().any(|found| matches!(found, Found::Type(known) if *known != PortType::Null));
        if undeclared && !declared && !forgiving && !step.lenient {
            self.undeclared(r#type, step);
        }
        PortType::union(found.into_iter().map(|found| match found {
            Found::Type(known) => known,
            Found::Undeclared => PortType::Any,
            Found::Missing | Found::Wrong => PortType::Null,
        }))
    }

    fn missing(&mut self, r#type: &PortType, step: &Step) {
        let Place::Member(name) = &step.to else { return };
        let names = names(r#type);
        let hint = near(name, &names).or_else(|| {
            let known: Vec<String> = names.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
            (!known.is_empty()).then(|| format!("it has {}", known.join(", ")))
        });
        let message = format!("there is no member `{name}` here");
        self.report(Code::MemberUnknown, step.column, message, hint);
    }

    fn undeclared(&mut self, r#type: &PortType, step: &Step) {
        let Place::Member(name) = &step.to else { return };
        let message = format!("the schema names no member `{name}` here");
        self.report(Code::MemberUndeclared, step.column, message, near(name, &names(r#type)));
    }

    /// `operand[index]` with a computed index.
    pub(super) fn index(&mut self, operand: &PortType, index: &Node, lenient: bool, column: u32) -> PortType {
        let index = self.infer(index);
        let (of, at) = (kinds(operand), kinds(&index));
        if lenient || of & NULL != 0 {
            return PortType::Any;
        }
        let finds = (of & LIST != 0 && at & NUMBER != 0) || (of & OBJECT != 0 && at & TEXT != 0);
        if !finds {
            return self.mismatch(column, format!("{} is no place in {}", name_of(&index), name_of(operand)));
        }
        if of == LIST && at == NUMBER {
            return super::kind::items(operand).or_null();
        }
        PortType::Any
    }
}

fn wrong(r#type: &PortType, to: &Place) -> String {
    match to {
        Place::Member(name) => {
            let hint = if matches!(name.as_str(), "length" | "size" | "count") { "; write size(x)" } else { "" };
            format!("{} has no member `{name}`{hint}", name_of(r#type))
        }
        Place::Element(_) if kinds(r#type) == TEXT => "text has no places; write text.charAt(i)".to_owned(),
        Place::Element(_) => format!("only a list has places, not {}; keys are text", name_of(r#type)),
    }
}

/// The members that the objects among the alternatives name.
fn names(r#type: &PortType) -> Vec<String> {
    let mut names = BTreeMap::new();
    for alternative in r#type.alternatives() {
        match alternative {
            PortType::Object { fields, .. } => names.extend(fields.keys().map(|name| (name.clone(), ()))),
            PortType::File => names.extend(PortType::file_fields().into_keys().map(|name| (name, ()))),
            _ => {}
        }
    }
    names.into_keys().collect()
}

fn near(name: &str, names: &[String]) -> Option<String> {
    nearest(name, names.iter().map(String::as_str)).map(|near| format!("is it `{near}`?"))
}
