//! Types in words, for messages and for people.

use std::fmt;

use super::PortType;

/// Fields that a description names before it says how many more there are.
const MOST_FIELDS: usize = 6;
/// Levels of lists, objects and alternatives that a description opens.
const MOST_LEVELS: usize = 3;

impl fmt::Display for PortType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(self, f, 0)
    }
}

fn describe(r#type: &PortType, f: &mut fmt::Formatter<'_>, level: usize) -> fmt::Result {
    match r#type {
        PortType::Any => f.write_str("anything"),
        PortType::Null => f.write_str("null"),
        PortType::Boolean => f.write_str("boolean"),
        PortType::Integer => f.write_str("integer"),
        PortType::Number => f.write_str("number"),
        PortType::String => f.write_str("text"),
        PortType::File => f.write_str("file"),
        PortType::List { items } if **items == PortType::Any || level >= MOST_LEVELS => f.write_str("list"),
        PortType::List { items } => {
            f.write_str("list of ")?;
            let several = matches!(**items, PortType::Union { .. });
            if several {
                f.write_str("(")?
            };
            describe(items, f, level + 1)?;
            if several { f.write_str(")") } else { Ok(()) }
        }
        PortType::Object { fields, .. } if fields.is_empty() || level >= MOST_LEVELS => f.write_str("object"),
        PortType::Object { fields, open } => {
            f.write_str("object {")?;
            for (index, (name, field)) in fields.iter().take(MOST_FIELDS).enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                let name: String = name.chars().take(40).collect();
                write!(f, "{comma}{name}: ")?;
                describe(field, f, level + 1)?;
            }
            if *open || fields.len() > MOST_FIELDS { f.write_str(", …}") } else { f.write_str("}") }
        }
        PortType::Union { of } => {
            for (index, alternative) in of.iter().take(MOST_FIELDS).enumerate() {
                if index > 0 {
                    f.write_str(" or ")?;
                }
                describe(alternative, f, level + 1)?;
            }
            if of.len() > MOST_FIELDS { f.write_str(" or …") } else { Ok(()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_reads_as_words() {
        let row = PortType::open([("id", PortType::Integer), ("name", PortType::String.or_null())]);
        assert_eq!(PortType::list_of(row).to_string(), "list of object {id: integer, name: null or text, …}");
        assert_eq!(PortType::list_of(PortType::Integer.or_null()).to_string(), "list of (null or integer)");
        assert_eq!(PortType::list().to_string(), "list");
    }

    #[test]
    fn a_deep_type_stays_short() {
        let deep = (0..50).fold(PortType::String, |inner, _| PortType::list_of(inner));
        assert_eq!(deep.to_string(), "list of list of list of list");
    }
}
