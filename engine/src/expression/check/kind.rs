//! Types as sets of kinds: what an operator takes is told by kind alone.

use crate::port::PortType;

pub(super) const NULL: u8 = 1;
pub(super) const BOOLEAN: u8 = 2;
pub(super) const NUMBER: u8 = 4;
pub(super) const TEXT: u8 = 8;
pub(super) const LIST: u8 = 16;
pub(super) const OBJECT: u8 = 32;
pub(super) const ALL: u8 = 63;

/// The kinds that a value of this type may be of.
pub(super) fn kinds(r#type: &PortType) -> u8 {
    match r#type {
        PortType::Any => ALL,
        PortType::Null => NULL,
        PortType::Boolean => BOOLEAN,
        PortType::Integer | PortType::Number => NUMBER,
        PortType::String => TEXT,
        PortType::List { .. } => LIST,
        PortType::Object { .. } | PortType::File => OBJECT,
        PortType::Union { of } => of.iter().fold(0, |all, alternative| all | kinds(alternative)),
    }
}

/// Kinds in words: `a text or a list`.
pub(super) fn words(kinds: u8) -> String {
    let names = [
        (NULL, "null"),
        (BOOLEAN, "a boolean"),
        (NUMBER, "a number"),
        (TEXT, "a text"),
        (LIST, "a list"),
        (OBJECT, "an object"),
    ];
    // Where null is taken, it is as good as nothing; only what can be wanted is named.
    let wanted = names.into_iter().filter(|(kind, _)| kinds & kind != 0 && (*kind != NULL || kinds == NULL));
    wanted.map(|(_, name)| name).collect::<Vec<_>>().join(" or ")
}

/// A type in words, by kind: messages about operators need no more.
pub(super) fn name_of(r#type: &PortType) -> String {
    words(kinds(r#type))
}

/// What the items of the lists among a type's alternatives are.
pub(super) fn items(r#type: &PortType) -> PortType {
    PortType::union(r#type.alternatives().iter().filter_map(|alternative| match alternative {
        PortType::List { items } => Some(items.as_ref().clone()),
        PortType::Any => Some(PortType::Any),
        _ => None,
    }))
}

/// What a macro over this binds: the items of a list, the keys of an object.
pub(super) fn elements(r#type: &PortType) -> PortType {
    PortType::union(r#type.alternatives().iter().filter_map(|alternative| match alternative {
        PortType::List { items } => Some(items.as_ref().clone()),
        PortType::Object { .. } | PortType::File => Some(PortType::String),
        PortType::Any => Some(PortType::Any),
        _ => None,
    }))
}
