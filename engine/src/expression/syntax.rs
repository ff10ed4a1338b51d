//! From source to the syntax tree of `cel`.

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::parser::{ParseErrors, Parser};

use super::error::{ExpressionError, Fault};
use super::lexer::{Token, column_of};
use super::precheck;

/// A parsed source, with the place of each node.
pub(super) struct Parsed {
    pub(super) expression: IdedExpr,
    places: SourceInfo,
    /// Column of each byte; empty where they are the same, in ASCII.
    columns: Vec<u32>,
}

impl Parsed {
    /// Column of a node: of its operator, of its dot, of the bracket of a call. 0 when unknown.
    pub(super) fn column(&self, id: u64) -> u32 {
        let Some((start, _)) = self.places.offset_for(id) else { return 0 };
        let known = usize::try_from(start).ok().and_then(|start| self.columns.get(start));
        known.copied().unwrap_or_else(|| start.saturating_add(1))
    }
}

/// The parser counts bytes within its tree.
fn columns(source: &str) -> Vec<u32> {
    if source.is_ascii() {
        return Vec::new();
    }
    let mut column = 0;
    let counted = source.bytes().map(|byte| {
        // Bytes that continue a character are 10xxxxxx.
        column += u32::from(byte & 0xC0 != 0x80);
        column
    });
    counted.collect()
}

/// Parses `source` after checking that the parser can take it.
pub(super) fn parse(source: &str) -> Result<Parsed, ExpressionError> {
    let tokens = precheck::check(source).map_err(|(fault, byte)| fault.at(column_of(source, byte)).into_error())?;
    // Recovering after the first fault only makes up follow-up faults, so there is none.
    let parser = Parser::new().enable_optional_syntax(true).enable_ident_escape_syntax(true).error_recovery_limit(0);
    match parser.parse_with_source_info(&optional_as_cel(source, &tokens)) {
        Ok((expression, places)) => Ok(Parsed { expression, places, columns: columns(source) }),
        Err(errors) => Err(first_fault(source, &tokens, &errors)),
    }
}

/// `a?.b` and `a?.[b]`, as most people write them, become `a.?b` and `a[?b]`, as CEL has them, of the same length.
fn optional_as_cel(source: &str, tokens: &[Token]) -> String {
    let mut text = String::with_capacity(source.len());
    let mut done = 0;
    for token in tokens {
        let replacement = match source.get(token.start..token.end) {
            Some("?.") => ".?",
            Some("?.[") => "[? ",
            _ => continue,
        };
        text.push_str(source.get(done..token.start).unwrap_or_default());
        text.push_str(replacement);
        done = token.end;
    }
    text.push_str(source.get(done..).unwrap_or_default());
    text
}

/// Byte of a place that the parser gives as line and column in characters, both from 1.
fn byte_at(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let begin = source.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
    let rest = source.get(begin..).unwrap_or_default();
    begin + rest.char_indices().nth(column - 1).map_or(rest.len(), |(at, _)| at)
}

fn first_fault(source: &str, tokens: &[Token], errors: &ParseErrors) -> ExpressionError {
    let gave_up = |message: &str| message.contains("recovery attempt limit");
    let telling = errors.errors.iter().find(|error| !gave_up(&error.msg));
    let Some(error) = telling.or(errors.errors.first()) else {
        return Fault::syntax("this is not an expression").into_error();
    };
    let byte = byte_at(source, error.pos);
    let column = column_of(source, byte);
    if !gave_up(&error.msg) && !error.msg.starts_with("Syntax error") {
        return Fault::syntax(reworded(&error.msg)).at(column).into_error();
    }
    let message = match tokens.iter().find(|token| token.end > byte) {
        Some(token) => {
            let word: String = source.get(token.start..token.end).unwrap_or_default().chars().take(40).collect();
            format!("`{word}` does not fit here{}", hint(&word))
        }
        None => "the expression ends too early".to_owned(),
    };
    Fault::syntax(message).at(column).into_error()
}

/// What people who know another language often mean.
fn hint(word: &str) -> &'static str {
    match word {
        "and" => "; write &&",
        "or" => "; write ||",
        "not" | "!" => "; write !(…)",
        "if" | "else" => "; write condition ? a : b",
        "-" => "; put a negative operand in brackets",
        _ => "",
    }
}

/// The parser's own faults that are not about grammar, in our words.
fn reworded(message: &str) -> String {
    match message {
        "invalid int literal" => "this integer does not fit 64 bits".to_owned(),
        "invalid argument to has() macro" => {
            "has() takes a path that ends in a member, such as has(input.name)".to_owned()
        }
        "argument must be a simple name" => "the first argument is the name for an element, such as x".to_owned(),
        other => match other.strip_prefix("reserved identifier: ") {
            Some(word) => format!("`{word}` is a reserved word{}", hint(word)),
            None => other.to_owned(),
        },
    }
}
