//! What functions take and give, by type. A test runs every one of them against its line here.

use super::kind::{ALL, BOOLEAN, LIST, NULL, NUMBER, OBJECT, TEXT, items, kinds};
use crate::port::PortType;

/// What a function takes and gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    /// Kinds by argument; the last holds for all further ones.
    takes: &'static [u8],
    gives: Gives,
}

#[derive(Debug, Clone, Copy)]
enum Gives {
    Boolean,
    Integer,
    Number,
    Text,
    Texts,
    Integers,
    Any,
    Object,
    List,
    Entries,
    TextOrNull,
    NumberOrNull,
    /// What the first argument is.
    Same,
    /// An item of the first argument, or null.
    Item,
    /// A list of lists like the first argument.
    Chunks,
    /// The least or greatest of a list or of the arguments.
    Extreme,
}

const fn of_kinds(takes: &'static [u8], gives: Gives) -> Signature {
    Signature { takes, gives }
}

impl Signature {
    /// The kinds that the argument at this place may be of.
    pub(super) fn takes(&self, index: usize) -> u8 {
        self.takes.get(index).or(self.takes.last()).copied().unwrap_or(ALL)
    }

    pub(super) fn gives(&self, arguments: &[PortType]) -> PortType {
        let first = || arguments.first().cloned().unwrap_or(PortType::Any);
        match self.gives {
            Gives::Boolean => PortType::Boolean,
            Gives::Integer => PortType::Integer,
            Gives::Number => PortType::Number,
            Gives::Text => PortType::String,
            Gives::Texts => PortType::list_of(PortType::String),
            Gives::Integers => PortType::list_of(PortType::Integer),
            Gives::Any => PortType::Any,
            Gives::Object => PortType::object(),
            Gives::List => PortType::list(),
            Gives::Entries => {
                let entry = PortType::closed([("key", PortType::String), ("value", PortType::Any)]);
                PortType::list_of(entry)
            }
            Gives::TextOrNull => PortType::String.or_null(),
            Gives::NumberOrNull => PortType::Number.or_null(),
            Gives::Same => {
                let takes = self.takes(0);
                let fitting: Vec<PortType> = first()
                    .alternatives()
                    .iter()
                    .filter(|alternative| kinds(alternative) & takes != 0)
                    .cloned()
                    .collect();
                PortType::union(fitting)
            }
            Gives::Item => items(&first()).or_null(),
            Gives::Chunks => PortType::list_of(PortType::list_of(items(&first()))),
            Gives::Extreme => PortType::union([PortType::Number, PortType::String, PortType::Null]),
        }
    }
}

const TEXT_OR_LIST: u8 = TEXT | LIST;
const SCALAR: u8 = NUMBER | TEXT | BOOLEAN;

/// The signature of a function; one that is not listed takes and gives anything.
pub(super) fn of(name: &str) -> Signature {
    match name {
        "size" => of_kinds(&[TEXT | LIST | OBJECT], Gives::Integer),
        "isEmpty" => of_kinds(&[ALL], Gives::Boolean),
        "bool" => of_kinds(&[SCALAR], Gives::Boolean),
        "urlEncode" => of_kinds(&[TEXT | NUMBER], Gives::Text),
        "type" | "string" | "toJson" => of_kinds(&[ALL], Gives::Text),
        "number" | "double" => of_kinds(&[SCALAR], Gives::Number),
        "int" => of_kinds(&[SCALAR], Gives::Integer),
        "contains" => of_kinds(&[TEXT_OR_LIST, ALL], Gives::Boolean),
        "startsWith" | "endsWith" => of_kinds(&[TEXT], Gives::Boolean),
        "lower" | "upper" | "lowerAscii" | "upperAscii" | "trim" | "base64Encode" | "base64Decode" | "urlDecode" => {
            of_kinds(&[TEXT], Gives::Text)
        }
        "split" => of_kinds(&[TEXT, TEXT, NUMBER], Gives::Texts),
        "join" => of_kinds(&[LIST, TEXT], Gives::Text),
        "replace" => of_kinds(&[TEXT, TEXT, TEXT, NUMBER], Gives::Text),
        "substring" | "charAt" | "repeat" => of_kinds(&[TEXT, NUMBER], Gives::Text),
        "indexOf" => of_kinds(&[TEXT_OR_LIST, ALL, NUMBER], Gives::Integer),
        "lastIndexOf" => of_kinds(&[TEXT_OR_LIST, ALL], Gives::Integer),
        "padStart" | "padEnd" => of_kinds(&[TEXT | NUMBER, NUMBER, TEXT], Gives::Text),
        "matches" => of_kinds(&[TEXT], Gives::Boolean),
        "extract" => of_kinds(&[TEXT], Gives::TextOrNull),
        "extractAll" => of_kinds(&[TEXT], Gives::List),
        "replaceRegex" => of_kinds(&[TEXT], Gives::Text),
        "abs" | "round" | "intDiv" => of_kinds(&[NUMBER], Gives::Number),
        "ceil" | "floor" => of_kinds(&[NUMBER], Gives::Integer),
        "sum" => of_kinds(&[LIST], Gives::Number),
        "avg" => of_kinds(&[LIST], Gives::NumberOrNull),
        "min" | "max" => of_kinds(&[NUMBER | TEXT | LIST | NULL], Gives::Extreme),
        "formatNumber" => of_kinds(&[NUMBER, NUMBER, TEXT], Gives::Text),
        "first" | "last" => of_kinds(&[LIST], Gives::Item),
        "slice" => of_kinds(&[LIST, NUMBER], Gives::Same),
        "sort" | "distinct" => of_kinds(&[LIST], Gives::Same),
        "reverse" => of_kinds(&[TEXT_OR_LIST], Gives::Same),
        "flatten" => of_kinds(&[LIST, NUMBER], Gives::List),
        "chunk" => of_kinds(&[LIST, NUMBER], Gives::Chunks),
        "range" => of_kinds(&[NUMBER], Gives::Integers),
        "keys" => of_kinds(&[OBJECT], Gives::Texts),
        "values" => of_kinds(&[OBJECT], Gives::List),
        "entries" => of_kinds(&[OBJECT], Gives::Entries),
        "fromEntries" => of_kinds(&[LIST], Gives::Object),
        "merge" => of_kinds(&[OBJECT | NULL], Gives::Object),
        "pick" | "omit" => of_kinds(&[OBJECT, LIST], Gives::Object),
        "parseJson" => of_kinds(&[TEXT], Gives::Any),
        "timestamp" => of_kinds(&[TEXT], Gives::Text),
        "duration" => of_kinds(&[TEXT], Gives::Number),
        "addDuration" => of_kinds(&[TEXT, TEXT | NUMBER], Gives::Text),
        "secondsBetween" | "epochSeconds" => of_kinds(&[TEXT], Gives::Number),
        "fromEpoch" => of_kinds(&[NUMBER], Gives::Text),
        "formatDate" => of_kinds(&[TEXT], Gives::Text),
        "weekday" => of_kinds(&[TEXT], Gives::Integer),
        _ => of_kinds(&[ALL], Gives::Any),
    }
}

#[cfg(test)]
mod tests;
