//! What could be written at a place of an expression that is not finished yet.

use super::kind::{elements, kinds};
use super::{NodeOutput, Types, check, signature};
use crate::expression::function::functions;
use crate::expression::lexer::{Lexer, Token, TokenKind};
use crate::port::PortType;

/// Most proposals for one place.
const MOST: usize = 200;
/// Calls around a place that are looked into for the names that they bind.
const MOST_MACROS: usize = 8;
/// Methods that bind their first argument to the elements of what stands before them.
const MACROS: &[&str] = &["map", "filter", "all", "exists", "exists_one", "existsOne", "sortBy", "groupBy"];

/// What a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CompletionKind {
    /// A first name.
    Name,
    /// The key of a node.
    Node,
    /// A member of an object.
    Member,
    /// A function or macro.
    Function,
}

/// Something that could be written at the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What it is.
    pub kind: CompletionKind,
    /// What is shown.
    pub label: String,
    /// What takes the place of the word begun there.
    pub insert: String,
    /// A type in words, or a function's arguments.
    pub detail: String,
    /// What it is for, where that is known.
    pub summary: String,
}

/// Proposals after the first `offset` characters of `source`, an expression without its braces: names, members of what
/// stands before a dot, and functions that take it. Nothing inside a text, and nothing after what cannot be read.
pub fn complete(source: &str, offset: usize, types: &Types) -> Vec<Completion> {
    let prefix: String = source.chars().take(offset).collect();
    let Some(tokens) = tokens(&prefix) else { return Vec::new() };
    let mut place = Place { source: &prefix, types: types.clone() };
    place.bind(&tokens);
    let begun = tokens.last().filter(|token| token.kind == TokenKind::Name && token.end == prefix.len());
    let word = begun.map_or("", |token| place.text(token));
    let before = if begun.is_some() { tokens.len() - 1 } else { tokens.len() };
    let dot = before.checked_sub(1).filter(|at| tokens.get(*at).is_some_and(|token| place.is_dot(token)));
    let mut found = match dot {
        Some(dot) => place.members(tokens.get(..dot).unwrap_or_default()),
        None => place.names(),
    };
    let begins = |completion: &Completion| completion.label.to_lowercase().starts_with(&word.to_lowercase());
    found.retain(|completion| begins(completion) && completion.label != word);
    found.sort_by(|left, right| (left.kind, &left.label).cmp(&(right.kind, &right.label)));
    found.truncate(MOST);
    found
}

/// The tokens, unless a text or a character at the end cannot be read.
fn tokens(source: &str) -> Option<Vec<Token>> {
    let mut lexer = Lexer::new(source, 0);
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks(false);
        match lexer.token() {
            Ok(Some(token)) => tokens.push(token),
            Ok(None) => return Some(tokens),
            // `?.` is cut as such only before a name, which is what is about to be written.
            Err(_) => return None,
        }
        if tokens.len() > crate::expression::MAX_TOKENS {
            return None;
        }
    }
}

struct Place<'s> {
    source: &'s str,
    types: Types,
}

impl Place<'_> {
    fn text(&self, token: &Token) -> &str {
        self.source.get(token.start..token.end).unwrap_or_default()
    }

    fn is(&self, token: Option<&Token>, word: &str) -> bool {
        token.is_some_and(|token| self.text(token) == word)
    }

    fn is_dot(&self, token: &Token) -> bool {
        matches!(self.text(token), "." | "?.")
    }

    /// Adds the names that the macros around the end of the tokens have bound, outermost first.
    fn bind(&mut self, tokens: &[Token]) {
        let mut open = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match self.text(token) {
                "(" | "[" | "{" | "?.[" if token.kind == TokenKind::Symbol => open.push(at),
                ")" | "]" | "}" if token.kind == TokenKind::Symbol => drop(open.pop()),
                _ => {}
            }
        }
        for at in open.into_iter().take(MOST_MACROS) {
            let is_macro = at >= 2
                && tokens.get(at - 1).is_some_and(|name| MACROS.contains(&self.text(name)))
                && tokens.get(at - 2).is_some_and(|dot| self.is_dot(dot));
            let (Some(name), true) = (tokens.get(at + 1), is_macro && self.is(tokens.get(at + 2), ",")) else {
                continue;
            };
            let name = self.text(name).to_owned();
            let over = self.operand(tokens.get(..at - 2).unwrap_or_default());
            let element = over.map_or(PortType::Any, |over| elements(&self.types_of(&over)));
            self.types.roots.insert(name, element);
        }
    }

    /// The source of the operand at the end of the tokens: names, members, calls and indexes in a row.
    fn operand(&self, tokens: &[Token]) -> Option<String> {
        let end = tokens.last()?.end;
        let mut at = tokens.len();
        loop {
            at = at.checked_sub(1)?;
            let token = tokens.get(at)?;
            match (token.kind, self.text(token)) {
                (TokenKind::Symbol, ")" | "]") => {
                    at = self.opening(tokens, at)?;
                    // A bracket may be a call or an index of what stands before it, or a value of its own.
                    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
                    let goes_on = before.is_some_and(|before| {
                        before.kind != TokenKind::Symbol || matches!(self.text(before), ")" | "]")
                    });
                    if goes_on {
                        continue;
                    }
                }
                (TokenKind::Name | TokenKind::QuotedName | TokenKind::Text, _) => {}
                _ => return None,
            }
            let before = at.checked_sub(1).and_then(|before| tokens.get(before));
            if before.is_some_and(|before| self.is_dot(before)) {
                at -= 1;
                continue;
            }
            let start = tokens.get(at)?.start;
            return self.source.get(start..end).map(str::to_owned);
        }
    }

    /// The place of the bracket that the one at `close` closes.
    fn opening(&self, tokens: &[Token], close: usize) -> Option<usize> {
        let mut level = 0_usize;
        for at in (0..=close).rev() {
            let token = tokens.get(at)?;
            if token.kind != TokenKind::Symbol {
                continue;
            }
            match self.text(token) {
                ")" | "]" | "}" => level += 1,
                "(" | "[" | "{" | "?.[" => {
                    level = level.checked_sub(1)?;
                    if level == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn types_of(&self, source: &str) -> PortType {
        check(source, &self.types).r#type
    }

    fn names(&self) -> Vec<Completion> {
        let roots = self.types.roots.iter().map(|(name, r#type)| Completion {
            kind: CompletionKind::Name,
            label: name.clone(),
            insert: name.clone(),
            detail: r#type.to_string(),
            summary: String::new(),
        });
        let nodes = (!self.types.nodes.is_empty()).then(|| Completion {
            kind: CompletionKind::Name,
            label: "nodes".to_owned(),
            insert: "nodes".to_owned(),
            detail: "outputs of nodes before this one".to_owned(),
            summary: String::new(),
        });
        roots.chain(nodes).chain(calls(None)).collect()
    }

    /// What may follow the dot after these tokens.
    fn members(&self, tokens: &[Token]) -> Vec<Completion> {
        let names: Vec<&str> = tokens.iter().rev().take(4).map(|token| self.text(token)).collect();
        match names.as_slice() {
            ["nodes"] => return self.nodes(),
            ["nodes", before, ..] if !matches!(*before, "." | "?.") => return self.nodes(),
            [key, ".", "nodes", rest @ ..] if !matches!(rest.first(), Some(&("." | "?."))) => {
                let Some(NodeOutput::Before(output)) = self.types.nodes.get(*key) else { return Vec::new() };
                return vec![Completion {
                    kind: CompletionKind::Member,
                    label: "output".to_owned(),
                    insert: "output".to_owned(),
                    detail: output.to_string(),
                    summary: String::new(),
                }];
            }
            _ => {}
        }
        let Some(operand) = self.operand(tokens) else { return Vec::new() };
        let r#type = self.types_of(&operand);
        let mut found = Vec::new();
        for alternative in r#type.alternatives() {
            match alternative {
                PortType::Object { fields, .. } => found.extend(fields.iter().filter_map(member)),
                PortType::File => found.extend(PortType::file_fields().iter().filter_map(member)),
                _ => {}
            }
        }
        found.sort_by(|left, right| left.label.cmp(&right.label));
        found.dedup_by(|left, right| left.label == right.label);
        found.extend(calls(Some(&r#type)));
        found
    }

    fn nodes(&self) -> Vec<Completion> {
        let before = self.types.nodes.iter().filter_map(|(key, output)| match output {
            NodeOutput::Before(output) => Some((key, output)),
            NodeOutput::NotBefore => None,
        });
        before
            .map(|(key, output)| Completion {
                kind: CompletionKind::Node,
                label: key.clone(),
                insert: format!("{key}.output"),
                detail: output.to_string(),
                summary: String::new(),
            })
            .collect()
    }
}

/// A field, unless no member name could stand for it.
fn member((name, r#type): (&String, &PortType)) -> Option<Completion> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let quotable = |c: char| plain(c) || matches!(c, '.' | '-' | '/' | ' ');
    let is_name = name.chars().all(plain) && name.starts_with(|c: char| !c.is_ascii_digit());
    let insert = match name {
        name if is_name => name.clone(),
        name if !name.is_empty() && name.chars().all(quotable) => format!("`{name}`"),
        _ => return None,
    };
    Some(Completion {
        kind: CompletionKind::Member,
        label: name.clone(),
        insert,
        detail: r#type.to_string(),
        summary: String::new(),
    })
}

/// The functions; with a type, those that take it as their first argument, written as methods of it.
fn calls(of: Option<&PortType>) -> impl Iterator<Item = Completion> {
    let kinds = of.map(kinds);
    functions().filter_map(move |function| {
        let is_macro = MACROS.contains(&function.name);
        let arguments = match kinds {
            Some(kinds) => {
                let takes = if is_macro { super::LIST | super::OBJECT } else { signature::of(function.name).takes(0) };
                let fits = kinds & takes != 0 && function.name != "has" && !function.arguments.is_empty();
                let (_, rest) = function.arguments.split_once(", ").unwrap_or((function.arguments, ""));
                fits.then_some(rest)?
            }
            None if is_macro => return None,
            None => function.arguments,
        };
        Some(Completion {
            kind: CompletionKind::Function,
            label: function.name.to_owned(),
            insert: format!("{}(", function.name),
            detail: format!("({arguments})"),
            summary: function.summary.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests;
