//! Bounds that hold before a document is validated: validation itself can be made expensive.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Variables};

pub use cost::Prices;

use super::error::Code;

mod cost;

/// Deepest selection.
pub const DEPTH: usize = 12;
/// Deepest selection of the schema itself. The introspection query of common clients is that deep.
pub const INTROSPECTION_DEPTH: usize = 15;
/// How often the lists of [`LISTS`] may lie in each other: each level multiplies the answer.
const NESTED_LISTS: usize = 2;
/// Lists of the schema that lead to types again.
const LISTS: &[&str] = &["fields", "inputFields", "interfaces", "possibleTypes"];
/// Most fields with another name than their own.
pub const ALIASES: usize = 30;
/// Most directives.
pub const DIRECTIVES: usize = 50;
/// Most fields of the operation itself.
pub const ROOT_FIELDS: usize = 20;
/// Most lexical tokens of a document.
pub const TOKENS: usize = 5_000;
/// Most cost, as [`cost`] tells it.
pub const COST: u64 = 1_000;
/// Most fields of an answer: a field counts 1, a connection its page size times what is selected of each item.
pub const FIELDS: usize = 10_000;
/// Most bytes of a query's variables. Those of mutations carry documents and data, and are bounded by the body.
pub const VARIABLES: usize = 256 * 1024;
/// Most selections once fragments are put in; a few nested fragments could stand for billions.
const SELECTIONS: usize = 10_000;

/// Why a document is refused before validation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The published code.
    pub code: Code,
    /// What is too much, and the bound.
    pub message: String,
}

impl Refused {
    fn cost(message: String) -> Self {
        Self { code: Code::CostLimitExceeded, message }
    }

    fn unresolved(message: &str) -> Self {
        Self { code: Code::OperationResolutionFailure, message: message.to_owned() }
    }
}

/// Parses a document and picks its operation, within the bounds.
///
/// # Errors
/// The first bound that is passed, the parser's complaint, or that the operation cannot be told.
pub fn admit(query: &str, operation: Option<&str>) -> Result<(ExecutableDocument, OperationType), Refused> {
    if tokens(query) > TOKENS {
        return Err(Refused::cost(format!("the document has more than {TOKENS} tokens")));
    }
    let document = async_graphql::parser::parse_query(query)
        .map_err(|error| Refused { code: Code::GraphqlParseFailed, message: error.to_string() })?;
    let chosen = choose(&document, operation)?;
    if chosen.selection_set.node.items.len() > ROOT_FIELDS {
        return Err(Refused::cost(format!("the operation has more than {ROOT_FIELDS} root fields")));
    }
    let mut walk = Walk {
        document: &document,
        aliases: 0,
        selections: 0,
        directives: chosen.directives.len(),
        path: Vec::new(),
        lists: None,
    };
    walk.selection_set(&chosen.selection_set.node, 1)?;
    let kind = chosen.ty;
    Ok((document, kind))
}

/// What the operation is called, when it has a name.
pub fn name<'a>(document: &'a ExecutableDocument, wanted: Option<&'a str>) -> Option<&'a str> {
    wanted.or_else(|| match &document.operations {
        DocumentOperations::Multiple(operations) => operations.keys().next().map(Name::as_str),
        DocumentOperations::Single(_) => None,
    })
}

/// Refuses what costs too much, or brings too many variables; otherwise what it may cost.
///
/// # Errors
/// The bound that is passed.
pub fn afford(
    document: &ExecutableDocument,
    operation: Option<&str>,
    variables: &Variables,
    prices: &Prices,
) -> Result<u64, Refused> {
    let chosen = choose(document, operation)?;
    if chosen.ty != OperationType::Mutation {
        let bytes = serde_json::to_vec(variables).map_or(usize::MAX, |bytes| bytes.len());
        if bytes > VARIABLES {
            return Err(Refused::cost(format!("the variables of a query have more than {VARIABLES} bytes")));
        }
    }
    match prices.cost(document, chosen, variables) {
        cost if cost > COST => {
            let hint = "ask for smaller pages or fewer objects of each item";
            Err(Refused::cost(format!("the operation costs up to {cost}, more than {COST}; {hint}")))
        }
        cost => Ok(cost),
    }
}

/// The first variable that must have a value and has none.
pub fn missing_variable(
    document: &ExecutableDocument,
    operation: Option<&str>,
    variables: &Variables,
) -> Option<String> {
    let chosen = choose(document, operation).ok()?;
    chosen
        .variable_definitions
        .iter()
        .filter(|definition| !definition.node.var_type.node.nullable && definition.node.default_value.is_none())
        .map(|definition| &definition.node.name.node)
        .find(|name| variables.get(*name).is_none_or(|value| *value == async_graphql::Value::Null))
        .map(|name| format!("the variable `${name}` needs a value"))
}

fn choose<'a>(document: &'a ExecutableDocument, wanted: Option<&str>) -> Result<&'a OperationDefinition, Refused> {
    match (&document.operations, wanted) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Single(_), Some(_)) => {
            Err(Refused::unresolved("the document has no operation of that name"))
        }
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name)
            .map(|operation| &operation.node)
            .ok_or_else(|| Refused::unresolved("the document has no operation of that name")),
        (DocumentOperations::Multiple(operations), None) => match operations.values().next() {
            Some(operation) if operations.len() == 1 => Ok(&operation.node),
            _ => Err(Refused::unresolved("the document has several operations; say which in `operationName`")),
        },
    }
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    aliases: usize,
    directives: usize,
    selections: usize,
    /// Fragments that are open; one that comes again is a cycle, which validation names.
    path: Vec<&'a Name>,
    /// Inside `__schema` or `__type`: how many of its lists are open.
    lists: Option<usize>,
}

impl<'a> Walk<'a> {
    fn selection_set(&mut self, set: &'a SelectionSet, depth: usize) -> Result<(), Refused> {
        let bound = if self.lists.is_some() { INTROSPECTION_DEPTH } else { DEPTH };
        if depth > bound && !set.items.is_empty() {
            let message = format!("the selection is more than {bound} deep");
            return Err(Refused { code: Code::DepthLimitExceeded, message });
        }
        set.items.iter().try_for_each(|selection| self.selection(selection, depth))
    }

    fn selection(&mut self, selection: &'a Positioned<Selection>, depth: usize) -> Result<(), Refused> {
        self.selections += 1;
        self.directives += selection.node.directives().len();
        match &selection.node {
            Selection::Field(field) => {
                self.aliases += usize::from(field.node.alias.is_some());
                self.check()?;
                let around = self.lists;
                self.lists = self.open_lists(&field.node.name.node)?;
                let walked = self.selection_set(&field.node.selection_set.node, depth + 1);
                self.lists = around;
                walked
            }
            Selection::InlineFragment(fragment) => {
                self.check()?;
                self.selection_set(&fragment.node.selection_set.node, depth)
            }
            Selection::FragmentSpread(spread) => {
                self.check()?;
                let name = &spread.node.fragment_name.node;
                let Some(fragment) = self.document.fragments.get(name).filter(|_| !self.path.contains(&name)) else {
                    return Ok(());
                };
                self.path.push(name);
                self.selection_set(&fragment.node.selection_set.node, depth)?;
                self.path.pop();
                Ok(())
            }
        }
    }

    /// How many lists of the schema are open inside this field.
    fn open_lists(&self, field: &str) -> Result<Option<usize>, Refused> {
        let lists = match (self.lists, field) {
            (None, "__schema" | "__type") => Some(0),
            (Some(open), field) if LISTS.contains(&field) => Some(open + 1),
            (lists, _) => lists,
        };
        if lists.is_some_and(|open| open > NESTED_LISTS) {
            let message = format!("the schema's lists lie in each other more than {NESTED_LISTS} times");
            return Err(Refused { code: Code::DepthLimitExceeded, message });
        }
        Ok(lists)
    }

    fn check(&self) -> Result<(), Refused> {
        if self.aliases > ALIASES {
            return Err(Refused::cost(format!("the operation has more than {ALIASES} aliases")));
        }
        if self.directives > DIRECTIVES {
            return Err(Refused::cost(format!("the operation has more than {DIRECTIVES} directives")));
        }
        if self.selections > SELECTIONS {
            return Err(Refused::cost(format!("the operation has more than {SELECTIONS} selections")));
        }
        Ok(())
    }
}

/// Counts lexical tokens without keeping any: names, numbers, strings and punctuation.
fn tokens(query: &str) -> usize {
    let bytes = query.as_bytes();
    let (mut at, mut count) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => at + 1,
            b'#' => end_of(bytes, at, |byte| byte != b'\n'),
            b'"' => {
                count += 1;
                end_of_string(bytes, at)
            }
            byte if is_word(*byte) => {
                count += 1;
                end_of(bytes, at, is_word)
            }
            _ => {
                count += 1;
                at + 1
            }
        };
    }
    count
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.') || byte >= 0x80
}

fn end_of(bytes: &[u8], from: usize, goes_on: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(from).position(|byte| !goes_on(*byte)).map_or(bytes.len(), |length| from + length)
}

fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let block = rest.starts_with(b"\"\"\"");
    let mut at = from + if block { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        match byte {
            b'\\' if block && rest.starts_with(b"\\\"\"\"") => at += 4,
            b'\\' if !block => at += 2,
            b'"' if !block => return at + 1,
            b'"' if rest.starts_with(b"\"\"\"") => return at + 3,
            b'\n' if !block => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests;
