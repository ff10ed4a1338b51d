//! YAML with the place of everything in it, so that whoever finds something wrong can say where.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use crate::exit::{Fault, Place};

/// A value as it stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A text, a number, true, false or null.
    Plain(Value),
    List(Vec<Tree>),
    /// Members in the order of the file.
    Map(Vec<(Key, Tree)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) place: Place,
}

impl Tree {
    /// The value alone.
    pub(super) fn value(&self) -> Value {
        match &self.kind {
            Kind::Plain(value) => value.clone(),
            Kind::List(items) => items.iter().map(Self::value).collect(),
            Kind::Map(members) => {
                let members: Map<String, Value> =
                    members.iter().map(|(key, value)| (key.name.clone(), value.value())).collect();
                members.into()
            }
        }
    }

    /// Its members, when it is a map.
    pub(super) fn members(&self) -> Option<&[(Key, Self)]> {
        match &self.kind {
            Kind::Map(members) => Some(members),
            Kind::Plain(_) | Kind::List(_) => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Plain(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// What it is, for people.
    pub(super) fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Plain(Value::String(_)) => "a text",
            Kind::Plain(Value::Number(_)) => "a number",
            Kind::Plain(Value::Bool(_)) => "true or false",
            Kind::Plain(_) => "nothing",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

/// The documents of a file, each with what cannot be read of it; lines that begin with `---` stand between them. What
/// is wrong in one keeps nobody from reading the others.
pub(super) fn documents(file: &str, text: &str) -> Vec<Result<Tree, Fault>> {
    let mut documents = Vec::new();
    for (line, part) in parts(text) {
        match serde_saphyr::from_multiple_with_options::<Spanned<Node>>(part, yaml()) {
            Ok(nodes) => documents.extend(nodes.into_iter().map(|node| Ok(located(node, line)))),
            Err(error) => {
                let error = error.without_snippet();
                let place = error.location().map(|at| Place { line: line + at.line(), column: at.column() });
                documents.push(Err(Fault { file: file.to_owned(), place, message: reason(error) }));
            }
        }
    }
    documents
}

/// YAML 1.2: `yes`, `on` and `off` are texts, as in every other file of today.
fn yaml() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true }
}

/// Documents as they stand, with the number of lines before each. Only comments and directives make none.
fn parts(text: &str) -> Vec<(u64, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut before, mut at) = (0, 0, 0);
    for (number, line) in (0_u64..).zip(text.split_inclusive('\n')) {
        let marker =
            line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if marker {
            parts.push((before, &text[start..at]));
            (start, before) = (at, number);
        }
        at += line.len();
    }
    parts.push((before, &text[start..]));
    let says_nothing = |line: &str| {
        let line = line.trim();
        line.is_empty() || line.starts_with(['#', '%']) || line == "---" || line == "..."
    };
    parts.retain(|(_, part)| !part.lines().all(says_nothing));
    parts
}

/// What the parser says, without the place, which is told in front of it.
fn reason(error: &serde_saphyr::Error) -> String {
    let said = error.to_string();
    let first = said.lines().next().unwrap_or_default();
    match first.split_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => first.to_owned(),
    }
}

fn located(node: Spanned<Node>, lines_before: u64) -> Tree {
    let place = |at: serde_saphyr::Location| Place { line: lines_before + at.line(), column: at.column() };
    let kind = match node.value {
        Node::Plain(value) => Kind::Plain(value),
        Node::List(items) => Kind::List(items.into_iter().map(|item| located(item, lines_before)).collect()),
        Node::Map(members) => Kind::Map(
            members
                .into_iter()
                .map(|(key, value)| {
                    (Key { place: place(key.referenced), name: key.value }, located(value, lines_before))
                })
                .collect(),
        ),
    };
    Tree { place: place(node.referenced), kind }
}

/// What the parser hands out.
enum Node {
    Plain(Value),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Plain(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Plain(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        Node::deserialize(from)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node, E> {
        Value::deserialize(value.into_deserializer()).map(Node::Plain)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Node, E> {
        Value::deserialize(value.into_deserializer()).map(Node::Plain)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Plain(text.into()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Node, E> {
        Ok(Node::Plain(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = from.next_entry()? {
            members.push(member);
        }
        Ok(Node::Map(members))
    }
}

/// Where the values of a tree stand, by JSON pointer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Places(BTreeMap<String, Place>);

impl Places {
    pub(super) fn of(tree: &Tree) -> Self {
        let mut places = Self::default();
        places.add(String::new(), tree.place, tree);
        places
    }

    fn add(&mut self, pointer: String, place: Place, tree: &Tree) {
        match &tree.kind {
            Kind::Plain(_) => {}
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add(format!("{pointer}/{index}"), item.place, item);
                }
            }
            Kind::Map(members) => {
                for (key, value) in members {
                    // People look for the name of what holds others, and for what is wrong itself otherwise.
                    let place = if matches!(value.kind, Kind::Plain(_)) { value.place } else { key.place };
                    let name = key.name.replace('~', "~0").replace('/', "~1");
                    self.add(format!("{pointer}/{name}"), place, value);
                }
            }
        }
        self.0.insert(pointer, place);
    }

    /// The place of what a pointer names, or of the nearest thing around it that is there.
    pub(super) fn find(&self, pointer: &str) -> Option<Place> {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.0.get(pointer) {
                return Some(*place);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

/// The place of a line and column inside a text that begins at `start`: exactly where the file shows that line as it
/// is, and the beginning of the text otherwise.
pub(super) fn within(source: &str, start: Place, text: &str, line: u64, column: u64) -> Place {
    let nth = |text: &str, line: u64| -> Option<Vec<char>> {
        let line = usize::try_from(line.checked_sub(1)?).ok()?;
        Some(text.lines().nth(line)?.chars().collect())
    };
    let exact = || -> Option<Place> {
        let wanted = nth(text, line)?;
        let wanted = &wanted[..usize::try_from(column).ok()?.saturating_sub(1).min(wanted.len())];
        let first = nth(source, start.line)?;
        let from = usize::try_from(start.column).ok()?.checked_sub(1)?;
        let opening = first.get(from).copied()?;
        // A block begins on the line after its `|` or `>`.
        let is_block = matches!(opening, '|' | '>');
        let at = start.line + line - u64::from(!is_block);
        let shown = nth(source, at)?;
        let skipped = match (is_block, line) {
            (false, 1) => from + usize::from(matches!(opening, '"' | '\'')),
            _ => shown.iter().take_while(|c| c.is_whitespace()).count(),
        };
        let is_shown = shown.get(skipped..)?.starts_with(wanted);
        is_shown.then(|| Place { line: at, column: (skipped + wanted.len() + 1) as u64 })
    };
    exact().unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# a comment\nnodes:\n  fetch:\n    type: http.request@1\n    config: { url: 'https://{{ input.host }}/', method: GET }\n    note: |\n      first\n      second {{ 1 + }}\nedges:\n  - { from: start, to: fetch }\n";

    fn places(text: &str) -> Places {
        Places::of(documents("a", text)[0].as_ref().unwrap())
    }

    /// Nine lists of nine times the list before: a billion texts, were they written out.
    #[test]
    fn an_alias_bomb_in_a_file_is_refused() {
        let mut bomb = "a0: &a0 lol\n".to_owned();
        for level in 1..10 {
            let before = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
        }
        let read = documents("a", &bomb);
        assert!(matches!(read.as_slice(), [Err(_)]), "a bomb was unfolded");
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(matches!(documents("a", &deep).as_slice(), [Err(_)]));
    }

    #[test]
    fn everything_has_its_place() {
        let places = places(FILE);
        for (pointer, line, column) in [
            ("/nodes", 2, 1),
            ("/nodes/fetch", 3, 3),
            ("/nodes/fetch/type", 4, 11),
            ("/nodes/fetch/config/url", 5, 20),
            ("/nodes/fetch/config/absent/deeper", 5, 5),
            ("/edges/0/to", 10, 24),
            ("/edges/0", 10, 5),
        ] {
            assert_eq!(places.find(pointer), Some(Place { line, column }), "{pointer}");
        }
    }

    #[test]
    fn a_column_inside_a_text_is_one_in_the_file() {
        let places = places(FILE);
        let url = places.find("/nodes/fetch/config/url").unwrap();
        assert_eq!(within(FILE, url, "https://{{ input.host }}/", 1, 12), Place { line: 5, column: 32 });
        let note = places.find("/nodes/fetch/note").unwrap();
        assert_eq!(within(FILE, note, "first\nsecond {{ 1 + }}\n", 2, 11), Place { line: 8, column: 17 });
        // What is written in another way than it reads is not counted into.
        let escaped = "a: \"\\u0041 {{ 1 + }}\"\n";
        let start = Place { line: 1, column: 4 };
        assert_eq!(within(escaped, start, "A {{ 1 + }}", 1, 6), start);
        for (line, column) in [(0, 0), (9, 9), (1, u64::MAX)] {
            within(FILE, url, "https://", line, column);
            within("", Place { line: 7, column: 7 }, "x", line, column);
        }
    }

    #[test]
    fn what_is_wrong_in_one_document_keeps_nobody_from_the_others() {
        let text = "%YAML 1.2\n---\na: 1\n--- # two\nb: [1\n---\n# nothing\n---\nc: 3\nc: 4\n---\nd: 4\n...\n";
        let found = documents("a", text);
        let lines: Vec<Option<u64>> = found
            .iter()
            .map(|found| found.as_ref().map_or_else(|fault| fault.place.map(|place| place.line), |_| None))
            .collect();
        assert_eq!(lines.len(), 4, "{found:?}");
        assert!(lines[1].is_some_and(|line| (4..=6).contains(&line)), "{found:?}");
        assert_eq!((lines[0], lines[2], lines[3]), (None, Some(10), None), "{found:?}");
        assert_eq!(found[3].as_ref().unwrap().value(), serde_json::json!({ "d": 4 }));
    }
}
