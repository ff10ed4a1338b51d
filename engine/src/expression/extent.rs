//! How much of a value is read, so that of a large one no more needs to be taken into memory.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::tree::{Base, Kind, LoopKind, Node, Path, Place};
use super::{References, tree};

/// How much of a value is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Extent {
    /// All of it, or nobody can tell.
    Whole,
    /// These parts; with none of them only whether it is there, and its kind.
    Parts(BTreeMap<Part, Extent>),
}

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The member of an object.
    Member(String),
    /// The element of a list, from 0.
    Element(usize),
}

impl Default for Extent {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl Extent {
    /// No part of it.
    pub const NOTHING: Self = Self::Parts(BTreeMap::new());

    /// Whether all of it is read.
    pub fn is_whole(&self) -> bool {
        *self == Self::Whole
    }

    /// Whether no part of it is read.
    pub fn is_nothing(&self) -> bool {
        *self == Self::NOTHING
    }

    /// What is read of a member.
    pub fn of_member(&self, name: &str) -> Self {
        match self {
            Self::Whole => Self::Whole,
            Self::Parts(parts) => parts.get(&Part::Member(name.to_owned())).cloned().unwrap_or_default(),
        }
    }

    /// Of a list no more than this of some of its elements.
    pub fn of_elements(&self, places: std::ops::Range<usize>) -> Self {
        Self::Parts(places.map(|place| (Part::Element(place), self.clone())).collect())
    }

    /// Reads what the other one reads, too.
    pub fn absorb(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Whole, _) => {}
            (_, Self::Whole) => *self = Self::Whole,
            (Self::Parts(parts), Self::Parts(more)) => {
                for (part, extent) in more {
                    parts.entry(part.clone()).or_default().absorb(extent);
                }
            }
        }
    }

    /// Reads all that is at the end of a path, too.
    fn add(&mut self, path: impl IntoIterator<Item = Part>) {
        let mut at = self;
        for part in path {
            match at {
                Self::Whole => return,
                Self::Parts(parts) => at = parts.entry(part).or_default(),
            }
        }
        *at = Self::Whole;
    }

    /// The value that `json` holds, as far as it is read: an object has only the members that are, an element that is
    /// not is null. An expression that reads no more than this extent cannot tell it from the whole.
    ///
    /// # Errors
    /// When `json` is not JSON.
    pub fn read(&self, json: &[u8]) -> Result<Value, serde_json::Error> {
        let mut source = serde_json::Deserializer::from_slice(json);
        let value = self.deserialize(&mut source)?;
        source.end()?;
        Ok(value)
    }
}

/// Puts how much an expression reads of what it names into `references`, which has the names.
pub(super) fn note(node: &Node, references: &mut References) {
    Notes { references }.node(node);
}

struct Notes<'r> {
    references: &'r mut References,
}

impl Notes<'_> {
    /// Walks rows of operators as the evaluator does: only brackets deepen the stack.
    fn node(&mut self, node: &Node) {
        let mut next = Some(node);
        while let Some(node) = next {
            self.parts(node);
            next = node.first_operand();
        }
    }

    /// Everything in a node but its first operand.
    fn parts(&mut self, node: &Node) {
        match &node.kind {
            Kind::Path(path) => self.path(path),
            Kind::Index { index, .. } => self.node(index),
            Kind::List(elements) => elements.iter().for_each(|(element, _)| self.node(element)),
            Kind::Object(entries) => entries.iter().for_each(|(key, value, _)| {
                self.node(key);
                self.node(value);
            }),
            Kind::And(operands) | Kind::Or(operands) | Kind::Binary(_, operands) => self.rest(operands.iter()),
            Kind::Conditional(parts) => self.rest(parts.iter()),
            Kind::Coalesce(parts) => self.rest(parts.iter()),
            Kind::Call { arguments, .. } => self.rest(arguments.iter()),
            Kind::Loop(each) => self.each(&each.kind),
            Kind::Literal(_) | Kind::HasNode(_) | Kind::Select(..) | Kind::Has(..) | Kind::Not(_) | Kind::Negate(_) => {
            }
        }
    }

    fn rest<'n>(&mut self, operands: impl Iterator<Item = &'n Node>) {
        operands.skip(1).for_each(|operand| self.node(operand));
    }

    fn each(&mut self, kind: &LoopKind) {
        match kind {
            LoopKind::All(body)
            | LoopKind::Exists(body)
            | LoopKind::ExistsOne(body)
            | LoopKind::SortBy(body)
            | LoopKind::GroupBy(body) => self.node(body),
            LoopKind::Map { when, make } => when.iter().chain(make).for_each(|body| self.node(body)),
        }
    }

    fn path(&mut self, path: &Path) {
        let extent = match &path.base {
            Base::Root(name) => self.references.roots.entry(name.clone()).or_default(),
            Base::Output(key) => self.references.nodes.entry(key.clone()).or_default(),
            // What a macro goes through is read whole.
            Base::Local(_) => return,
        };
        // An element before the first is no element: what it is taken of is read, to find that out.
        let steps = path.steps.iter().map_while(|tree::Step { to, .. }| match to {
            Place::Member(name) => Some(Part::Member(name.clone())),
            Place::Element(index) => usize::try_from(*index).ok().map(Part::Element),
        });
        extent.add(steps);
    }
}

impl<'de> DeserializeSeed<'de> for &Extent {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        match self {
            Extent::Whole => serde::Deserialize::deserialize(source),
            Extent::Parts(parts) => source.deserialize_any(Parts(parts)),
        }
    }
}

struct Parts<'e>(&'e BTreeMap<Part, Extent>);

impl<'de> Visitor<'de> for Parts<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    /// Nothing inside a text is read; that it is one is all there is to know.
    fn visit_str<E>(self, _: &str) -> Result<Value, E> {
        Ok(Value::String(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        loop {
            let element = match self.0.get(&Part::Element(elements.len())) {
                Some(extent) => source.next_element_seed(extent)?,
                None => source.next_element::<IgnoredAny>()?.map(|_| Value::Null),
            };
            match element {
                Some(element) => elements.push(element),
                None => return Ok(Value::Array(elements)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = source.next_key::<String>()? {
            let part = Part::Member(name);
            let Some(extent) = self.0.get(&part) else {
                source.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = source.next_value_seed(extent)?;
            match part {
                Part::Member(name) => members.insert(name, value),
                Part::Element(_) => return Err(A::Error::custom("a member has a name")),
            };
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::expression::Expression;

    fn extents(source: &str) -> (Vec<String>, Vec<String>) {
        let expression = Expression::compile(source).unwrap();
        let told = |all: &BTreeMap<String, Extent>| {
            all.iter().flat_map(|(name, extent)| lines(name, extent)).collect::<Vec<_>>()
        };
        (told(&expression.references().roots), told(&expression.references().nodes))
    }

    fn lines(at: &str, extent: &Extent) -> Vec<String> {
        match extent {
            Extent::Whole => vec![at.to_owned()],
            Extent::Parts(parts) if parts.is_empty() => vec![format!("({at})")],
            Extent::Parts(parts) => parts
                .iter()
                .flat_map(|(part, extent)| match part {
                    Part::Member(name) => lines(&format!("{at}.{name}"), extent),
                    Part::Element(index) => lines(&format!("{at}[{index}]"), extent),
                })
                .collect(),
        }
    }

    #[test]
    fn of_a_path_its_end_is_read_and_nothing_beside_it() {
        let roots = |source: &str| extents(source).0.join(" ");
        assert_eq!(roots("input.a.b + input.c[2].d"), "input.a.b input.c[2].d");
        assert_eq!(roots("input.a.b + input.a"), "input.a", "all of it includes the part");
        assert_eq!(roots("input['a b'].c > 1 ? vars.x : trigger.body.id"), "input.a b.c trigger.body.id vars.x");
        assert_eq!(roots("!input.off && -input.n < 3 || has(input.a.b)"), "input.a input.n input.off");
        assert_eq!(roots("[input.a, {'k': input.b, input.c: 1}]"), "input.a input.b input.c");
        assert_eq!(roots("coalesce(input.a, input.b.c, 0)"), "input.a input.b.c");
    }

    #[test]
    fn what_is_computed_with_is_read_whole() {
        let roots = |source: &str| extents(source).0.join(" ");
        assert_eq!(roots("size(input)"), "input");
        assert_eq!(roots("input[vars.key]"), "input vars.key");
        assert_eq!(roots("input.list.map(x, x.a + item.b)"), "input.list item.b");
        assert_eq!(roots("input.list.filter(x, x.a).map(x, x.b)[0].c"), "input.list");
        assert_eq!(roots("input.list[-1].a"), "input.list", "there is no element before the first");
        assert_eq!(roots("input.list.sortBy(x, x.a == vars.first)"), "input.list vars.first");
    }

    #[test]
    fn outputs_of_nodes_are_told_apart() {
        let (roots, nodes) = extents("has(nodes.a) ? nodes.b.output.id : nodes.c.output");
        assert_eq!(roots, ["(nodes)"]);
        assert_eq!(nodes, ["(a)", "b.id", "c"]);
    }

    #[test]
    fn what_is_not_read_is_left_out_and_keeps_its_place() {
        let expression = Expression::compile("input.rows[1].name + input.title + input.none.x").unwrap();
        let json = json!({"rows": [{"name": "a"}, {"name": "b", "n": 1}, [1, 2]], "title": "t", "more": {"x": [1]}});
        let read = expression.references().roots["input"].read(json.to_string().as_bytes()).unwrap();
        assert_eq!(read, json!({"rows": [null, {"name": "b"}, null], "title": "t"}));
    }

    #[test]
    fn kinds_stay_as_they_are() {
        for value in [json!(null), json!(true), json!(-3), json!(7u64), json!(1.5)] {
            assert_eq!(Extent::NOTHING.read(value.to_string().as_bytes()).unwrap(), value);
        }
        assert_eq!(Extent::NOTHING.read(b"\"a long text\"").unwrap(), json!(""));
        assert_eq!(Extent::NOTHING.read(b"[1, [2]]").unwrap(), json!([null, null]));
        assert_eq!(Extent::NOTHING.read(b"{\"a\": 1}").unwrap(), json!({}));
        for broken in ["", "{", "[1", "{\"a\" 1}", "1 2", "nul"] {
            assert!(Extent::NOTHING.read(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
