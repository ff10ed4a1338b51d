//! Types of ports, small enough that "may these two be joined" is decidable.

use std::collections::BTreeMap;

use serde::Serialize;

/// What passes through a port.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum PortType {
    /// Anything.
    Any,
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number without fraction.
    Integer,
    /// Any number.
    Number,
    /// Text.
    String,
    /// An array.
    List {
        /// What each item is.
        items: Box<PortType>,
    },
    /// An object.
    Object {
        /// Fields that are always there.
        fields: BTreeMap<String, PortType>,
        /// Whether there may be more.
        open: bool,
    },
}

impl PortType {
    /// A list of anything.
    pub fn list() -> Self {
        Self::List { items: Box::new(Self::Any) }
    }

    /// An object of which nothing is known.
    pub fn object() -> Self {
        Self::Object { fields: BTreeMap::new(), open: true }
    }

    /// Whether a value of this type may arrive where `target` is expected. `any` on either side is taken on trust.
    pub fn fits(&self, target: &Self) -> bool {
        match (self, target) {
            (Self::Any, _) | (_, Self::Any) | (Self::Integer, Self::Number) => true,
            (Self::List { items }, Self::List { items: wanted }) => items.fits(wanted),
            (Self::Object { fields, open }, Self::Object { fields: wanted, open: wanted_open }) => {
                wanted.iter().all(|(name, wanted)| fields.get(name).map_or(*open, |field| field.fits(wanted)))
                    && (*wanted_open || (!open && fields.keys().all(|name| wanted.contains_key(name))))
            }
            (left, right) => left == right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_may_arrive_where_a_number_is_expected_but_not_the_other_way() {
        assert!(PortType::Integer.fits(&PortType::Number));
        assert!(!PortType::Number.fits(&PortType::Integer));
    }

    #[test]
    fn a_list_fits_when_its_items_do() {
        let integers = PortType::List { items: Box::new(PortType::Integer) };
        let texts = PortType::List { items: Box::new(PortType::String) };
        assert!(integers.fits(&PortType::list()));
        assert!(!integers.fits(&texts));
        assert!(!PortType::object().fits(&PortType::list()));
    }
}
