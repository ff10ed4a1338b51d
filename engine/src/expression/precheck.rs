//! What is refused before the parser runs. The parser recurses; these limits keep its stack under 1 MiB and its time
//! far under 100 ms, also in a build without optimization.

use super::error::{ExpressionErrorCode, Fault};
use super::lexer::{Lexer, Misread, Token, TokenKind};

/// Longest source in bytes.
pub const SOURCE_LIMIT: usize = 16 * 1024;
/// Most tokens in a source; a name, a number, a text or an operator is one.
pub const MAX_TOKENS: usize = 4_096;
/// Deepest nesting of brackets and conditionals.
pub const MAX_NESTING: usize = 48;
/// Deepest tree that operators and members in a row may make, brackets included.
pub const MAX_DEPTH: usize = 300;

/// What stands between two brackets, so far.
#[derive(Default)]
struct Level {
    open: Option<(char, usize)>,
    conditionals: usize,
    operators: usize,
    /// Members, calls and indexes in a row, and the longest such row.
    row: usize,
    longest_row: usize,
    /// The deepest bracket in this part, and the deepest part of all.
    inner: usize,
    deepest: usize,
}

impl Level {
    fn end_operand(&mut self) {
        self.longest_row = self.longest_row.max(self.row);
        self.row = 0;
    }

    /// A comma, `&&` or `||`: the parts beside it do not add up.
    fn end_part(&mut self) {
        self.end_operand();
        let depth = self.conditionals + self.operators + self.longest_row + self.inner;
        self.deepest = self.deepest.max(depth);
        self.operators = 0;
        self.longest_row = 0;
        self.inner = 0;
    }
}

/// The tokens of `source`.
pub(super) fn check(source: &str) -> Result<Vec<Token>, Misread> {
    if source.len() > SOURCE_LIMIT {
        let message = format!("an expression has at most {SOURCE_LIMIT} bytes; move the work into a `code.js` node");
        return Err((Fault::new(ExpressionErrorCode::TooLong, message), 0));
    }
    let mut tokens = Vec::new();
    let mut lexer = Lexer::new(source, 0);
    let mut levels = vec![Level::default()];
    let mut nesting = 0;
    loop {
        lexer.skip_blanks(false);
        let Some(token) = lexer.token()? else { break };
        if tokens.len() == MAX_TOKENS {
            let message = format!("an expression has at most {MAX_TOKENS} words and operators");
            return Err((Fault::new(ExpressionErrorCode::TooLong, message), token.start));
        }
        count(source, token, tokens.last(), &mut levels, &mut nesting)?;
        tokens.push(token);
    }
    let mut root = levels.pop().unwrap_or_default();
    if let Some((bracket, at)) = root.open {
        return Err((Fault::syntax(format!("this `{bracket}` is never closed")), at));
    }
    root.end_part();
    if root.deepest > MAX_DEPTH {
        let message = format!("more than {MAX_DEPTH} operators or members in a row; use join, coalesce or a list");
        return Err((Fault::new(ExpressionErrorCode::TooDeep, message), 0));
    }
    if tokens.is_empty() {
        return Err((Fault::syntax("the expression is empty"), 0));
    }
    Ok(tokens)
}

fn ends_operand(source: &str, token: &Token) -> bool {
    match token.kind {
        TokenKind::Symbol => matches!(source.get(token.start..token.end), Some(")" | "]" | "}")),
        TokenKind::Name => source.get(token.start..token.end) != Some("in"),
        TokenKind::QuotedName | TokenKind::Number | TokenKind::Text => true,
    }
}

fn count(
    source: &str,
    token: Token,
    before: Option<&Token>,
    levels: &mut Vec<Level>,
    nesting: &mut usize,
) -> Result<(), Misread> {
    let word = source.get(token.start..token.end).unwrap_or_default();
    let after_operand = before.is_some_and(|before| ends_operand(source, before));
    let Some(level) = levels.last_mut() else { return Ok(()) };
    match word {
        "in" if token.kind == TokenKind::Name => {
            level.end_operand();
            level.operators += 1;
        }
        _ if token.kind != TokenKind::Symbol => {}
        "(" | "[" | "{" | "?.[" => {
            if word == "{" && after_operand {
                let hint = "a `{` cannot follow a value; an operator is missing";
                return Err((Fault::syntax(hint), token.start));
            }
            level.row += 1;
            *nesting += 1;
            let bracket = if word == "?.[" { '[' } else { word.chars().next().unwrap_or('(') };
            levels.push(Level { open: Some((bracket, token.start)), ..Level::default() });
        }
        ")" | "]" | "}" => close(word, token, levels, nesting)?,
        "?" if after_operand => {
            level.end_part();
            level.conditionals += 1;
            *nesting += 1;
        }
        ":" => level.end_part(),
        "," => {
            level.end_part();
            *nesting -= level.conditionals;
            level.conditionals = 0;
        }
        "&&" | "||" => level.end_part(),
        "." | "?." => level.row += 1,
        "?" => {}
        _ => {
            level.end_operand();
            level.operators += 1;
        }
    }
    if *nesting > MAX_NESTING {
        let message = format!("brackets and conditionals are nested more than {MAX_NESTING} deep");
        return Err((Fault::new(ExpressionErrorCode::TooDeep, message), token.start));
    }
    Ok(())
}

fn close(word: &str, token: Token, levels: &mut Vec<Level>, nesting: &mut usize) -> Result<(), Misread> {
    let unopened = || (Fault::syntax(format!("this `{word}` closes nothing")), token.start);
    let mut closed = levels.pop().ok_or_else(unopened)?;
    let fits = matches!((closed.open, word), (Some(('(', _)), ")") | (Some(('[', _)), "]") | (Some(('{', _)), "}"));
    if !fits {
        return Err(match closed.open {
            Some((bracket, _)) => (Fault::syntax(format!("a `{bracket}` is open and `{word}` comes")), token.start),
            None => unopened(),
        });
    }
    closed.end_part();
    *nesting -= 1 + closed.conditionals;
    if let Some(outer) = levels.last_mut() {
        outer.inner = outer.inner.max(1 + closed.deepest);
    }
    Ok(())
}
