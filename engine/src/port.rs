//! Types of ports: a small algebra, so that "may these two be joined" is decidable. JSON Schema goes in and out.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

mod describe;
mod fit;
mod schema;

pub use self::fit::Fit;
pub use self::schema::Outside;

/// What passes through a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum PortType {
    /// Anything; also what is not known.
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
    /// A handle of a stored file, which only the server makes.
    File,
    /// An array.
    List {
        /// What each item is.
        items: Box<PortType>,
    },
    /// An object.
    Object {
        /// Its fields. One whose type takes null may be missing: it reads as null.
        fields: BTreeMap<String, PortType>,
        /// Whether there may be more.
        open: bool,
    },
    /// One of several. [`PortType::union`] makes it: neither empty nor of one, without `any` or another union inside.
    Union {
        /// The alternatives, sorted, each once.
        of: Vec<PortType>,
    },
}

impl PortType {
    /// A list of anything.
    pub fn list() -> Self {
        Self::list_of(Self::Any)
    }

    /// A list of these.
    pub fn list_of(items: Self) -> Self {
        Self::List { items: Box::new(items) }
    }

    /// An object of which nothing is known.
    pub fn object() -> Self {
        Self::Object { fields: BTreeMap::new(), open: true }
    }

    /// An object with these fields and no others.
    pub fn closed<'a>(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Object { fields: owned(fields), open: false }
    }

    /// An object with these fields and maybe others.
    pub fn open<'a>(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Object { fields: owned(fields), open: true }
    }

    /// This or null.
    #[must_use]
    pub fn or_null(self) -> Self {
        Self::union([self, Self::Null])
    }

    /// One of these. Alternatives that another covers are left out; of none at all nothing is known.
    pub fn union(alternatives: impl IntoIterator<Item = Self>) -> Self {
        let mut of = Vec::new();
        for alternative in alternatives {
            match alternative {
                Self::Any => return Self::Any,
                Self::Union { of: inner } => of.extend(inner),
                other => of.push(other),
            }
        }
        of.sort();
        of.dedup();
        if of.contains(&Self::Number) {
            of.retain(|alternative| *alternative != Self::Integer);
        }
        if of.len() > 1 {
            return Self::Union { of };
        }
        of.pop().unwrap_or(Self::Any)
    }

    /// The alternatives: those of a union, else itself.
    pub fn alternatives(&self) -> &[Self] {
        match self {
            Self::Union { of } => of,
            other => std::slice::from_ref(other),
        }
    }

    /// Whether null is among what it may be.
    pub fn takes_null(&self) -> bool {
        self.alternatives().iter().any(|alternative| matches!(alternative, Self::Any | Self::Null))
    }

    /// The same, known not to be null. Null alone stays: of what is left nothing would be known.
    #[must_use]
    pub fn without_null(self) -> Self {
        match self {
            Self::Union { of } => Self::union(of.into_iter().filter(|alternative| *alternative != Self::Null)),
            other => other,
        }
    }

    /// The narrowest type of a value. A list has the union of its items' types; a file's handle is plain data here.
    pub fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if is_integral(number) => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(items) => Self::list_of(Self::union(items.iter().map(Self::of_value))),
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, field)| (name.clone(), Self::of_value(field)));
                Self::Object { fields: fields.collect(), open: false }
            }
        }
    }

    /// Whether a value is of this type.
    pub fn contains(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any, _)
            | (Self::Null, Value::Null)
            | (Self::Boolean, Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::String, Value::String(_)) => true,
            (Self::Integer, Value::Number(number)) => is_integral(number),
            (Self::File, Value::Object(fields)) => fields.contains_key(FILE),
            (Self::List { items }, Value::Array(values)) => values.iter().all(|value| items.contains(value)),
            (Self::Object { fields, open }, Value::Object(values)) => {
                (*open || values.keys().all(|name| fields.contains_key(name)))
                    && fields.iter().all(|(name, field)| field.contains(values.get(name).unwrap_or(&Value::Null)))
            }
            (Self::Union { of }, value) => of.iter().any(|alternative| alternative.contains(value)),
            _ => false,
        }
    }

    /// How many types it is made of.
    pub fn weight(&self) -> u64 {
        match self {
            Self::List { items } => 1 + items.weight(),
            Self::Object { fields, .. } => 1 + fields.values().map(Self::weight).sum::<u64>(),
            Self::Union { of } => 1 + of.iter().map(Self::weight).sum::<u64>(),
            _ => 1,
        }
    }

    /// The same, with `any` for what lies deeper than it takes to be made of at most `most` types.
    #[must_use]
    pub fn bounded(self, most: u64) -> Self {
        if self.weight() <= most {
            return self;
        }
        let cuts = [8, 4, 2, 1].into_iter().map(|levels| self.cut(levels));
        let mut fitting = cuts.filter(|cut| cut.weight() <= most);
        fitting.next().unwrap_or(Self::Any)
    }

    fn cut(&self, levels: usize) -> Self {
        match self {
            Self::List { .. } | Self::Object { .. } | Self::Union { .. } if levels == 0 => Self::Any,
            Self::List { items } => Self::list_of(items.cut(levels - 1)),
            Self::Object { fields, open } => {
                let fields = fields.iter().map(|(name, field)| (name.clone(), field.cut(levels - 1)));
                Self::Object { fields: fields.collect(), open: *open }
            }
            Self::Union { of } => Self::union(of.iter().map(|alternative| alternative.cut(levels - 1))),
            other => other.clone(),
        }
    }

    /// What a file's handle is made of, as expressions read it.
    pub fn file_fields() -> BTreeMap<String, Self> {
        owned([
            (FILE, Self::String),
            ("name", Self::String),
            ("mediaType", Self::String),
            ("size", Self::Integer),
            ("sha256", Self::String),
        ])
    }
}

/// The key that marks a file's handle.
const FILE: &str = "$file";

fn owned<'a>(fields: impl IntoIterator<Item = (&'a str, PortType)>) -> BTreeMap<String, PortType> {
    fields.into_iter().map(|(name, field)| (name.to_owned(), field)).collect()
}

fn is_integral(number: &serde_json::Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
}
