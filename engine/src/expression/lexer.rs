//! The words of an expression, read before the parser sees them.
//!
//! It accepts a subset of what the lexer of `cel` accepts, and cuts it the same way: what the depth check counted is
//! what the parser will meet. It also knows where in a template an expression ends.

use super::error::Fault;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or a word such as `in` or `true`.
    Name,
    /// A name in backticks.
    QuotedName,
    Number,
    Text,
    /// Operators, brackets, `?.`, and `?.[`.
    Symbol,
}

/// A token and its place in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Reads tokens one by one.
pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

/// A fault and the byte where it is.
pub(super) type Misread = (Fault, usize);

/// Column of a byte: characters before it, plus one.
pub(super) fn column_of(source: &str, byte: usize) -> u32 {
    let before = source.char_indices().take_while(|(at, _)| *at < byte).count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

impl<'s> Lexer<'s> {
    /// A reader of `source` that begins at byte `at`.
    pub(super) fn new(source: &'s str, at: usize) -> Self {
        Self { source, at }
    }

    /// Where the next token or blank begins.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.source.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Steps over blanks and comments. A comment ends at its line's end, or before `}}` when `in_template`.
    pub(super) fn skip_blanks(&mut self, in_template: bool) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\r' | b'\n' | 0x0C => self.at += 1,
                b'/' if self.peek(1) == b'/' => {
                    let rest = self.rest();
                    let line_end = rest.find('\n').unwrap_or(rest.len());
                    let close = if in_template { rest.find("}}").unwrap_or(rest.len()) } else { rest.len() };
                    self.at += line_end.min(close);
                    if close < line_end {
                        return;
                    }
                }
                _ => return,
            }
        }
    }

    /// The next token; `None` at the end. Blanks must have been skipped.
    pub(super) fn token(&mut self) -> Result<Option<Token>, Misread> {
        let start = self.at;
        let kind = match self.peek(0) {
            0 if self.rest().is_empty() => return Ok(None),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => self.name()?,
            b'0'..=b'9' => self.number()?,
            b'.' if self.peek(1).is_ascii_digit() => self.number()?,
            b'"' | b'\'' => self.text(false)?,
            b'`' => self.quoted_name()?,
            _ => self.symbol()?,
        };
        Ok(Some(Token { kind, start, end: self.at }))
    }

    fn skip_while(&mut self, fits: impl Fn(u8) -> bool) {
        while fits(self.peek(0)) {
            self.at += 1;
        }
    }

    fn name(&mut self) -> Result<TokenKind, Misread> {
        let start = self.at;
        self.skip_while(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        if !matches!(self.peek(0), b'"' | b'\'') {
            return Ok(TokenKind::Name);
        }
        match self.source.get(start..self.at) {
            Some("r" | "R") => self.text(true),
            Some("b" | "B" | "br" | "bR" | "Br" | "BR") => {
                Err((Fault::syntax("there are no byte strings here; write plain text"), start))
            }
            _ => Err((Fault::syntax("an operator is missing before this text"), self.at)),
        }
    }

    fn number(&mut self) -> Result<TokenKind, Misread> {
        let start = self.at;
        if self.peek(0) == b'0' && self.peek(1) == b'x' && self.peek(2).is_ascii_hexdigit() {
            self.at += 2;
            self.skip_while(|byte| byte.is_ascii_hexdigit());
        } else {
            self.skip_while(|byte| byte.is_ascii_digit());
            if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
                self.at += 1;
                self.skip_while(|byte| byte.is_ascii_digit());
            }
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if matches!(self.peek(0), b'e' | b'E') && self.peek(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.skip_while(|byte| byte.is_ascii_digit());
            }
        }
        if matches!(self.peek(0), b'u' | b'U')
            && self.source.get(start..self.at).is_some_and(|digits| !digits.contains(['.', 'e', 'E']))
        {
            self.at += 1;
        }
        if self.peek(0) == b'_' || self.peek(0).is_ascii_alphanumeric() {
            return Err((Fault::syntax("a number is followed by a letter; a name cannot begin with a digit"), start));
        }
        Ok(TokenKind::Number)
    }

    fn text(&mut self, raw: bool) -> Result<TokenKind, Misread> {
        let start = self.at;
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        self.at += if triple { 3 } else { 1 };
        loop {
            let byte = self.peek(0);
            if byte == quote && (!triple || (self.peek(1) == quote && self.peek(2) == quote)) {
                self.at += if triple { 3 } else { 1 };
                return Ok(TokenKind::Text);
            }
            if self.at >= self.source.len() || (!triple && matches!(byte, b'\n' | b'\r')) {
                return Err((Fault::syntax("a text begins here and its closing quote is missing"), start));
            }
            if byte == b'\\' && !raw {
                self.escape()?;
            } else {
                self.at += 1;
            }
        }
    }

    fn escape(&mut self) -> Result<(), Misread> {
        let start = self.at;
        let (digits, digit_fits): (usize, fn(&u8) -> bool) = match self.peek(1) {
            b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'"' | b'\'' | b'\\' | b'?' | b'`' => (0, |_| true),
            b'x' | b'X' => (2, u8::is_ascii_hexdigit),
            b'u' => (4, u8::is_ascii_hexdigit),
            b'U' => (8, u8::is_ascii_hexdigit),
            b'0'..=b'3' => (2, |byte| (b'0'..=b'7').contains(byte)),
            _ => {
                let hint =
                    r"this escape is unknown; double the backslash, or put `r` before the quote for text as it is";
                return Err((Fault::syntax(hint), start));
            }
        };
        self.at += 2;
        if !(0..digits).all(|ahead| digit_fits(&self.peek(ahead))) {
            return Err((Fault::syntax("this escape wants more digits"), start));
        }
        self.at += digits;
        Ok(())
    }

    fn quoted_name(&mut self) -> Result<TokenKind, Misread> {
        let start = self.at;
        self.at += 1;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b' ');
        self.skip_while(fits);
        if self.peek(0) != b'`' || self.at == start + 1 {
            let hint = "a name in backticks holds letters, digits, `_ . - /` and blanks; write [\"…\"] for any other";
            return Err((Fault::syntax(hint), start));
        }
        self.at += 1;
        Ok(TokenKind::QuotedName)
    }

    fn symbol(&mut self) -> Result<TokenKind, Misread> {
        let rest = self.rest();
        let refusals = [
            ("===", "write == for equal"),
            ("!==", "write != for not equal"),
            ("??", "write x.orValue(y) or coalesce(x, y) for a default"),
            ("=>", "there are no functions to write here; use list.map(x, …) or list.filter(x, …)"),
            ("${", "expressions stand between {{ and }}, names stand alone"),
        ];
        if let Some((_, hint)) = refusals.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
            return Err((Fault::syntax(*hint), self.at));
        }
        let begins_name = |byte: u8| byte == b'_' || byte == b'`' || byte.is_ascii_alphabetic();
        let length = match (self.peek(0), self.peek(1), self.peek(2)) {
            (b'?', b'.', b'[') => 3,
            (b'?', b'.', next) if begins_name(next) => 2,
            (b'=' | b'!' | b'<' | b'>', b'=', _) | (b'&', b'&', _) | (b'|', b'|', _) => 2,
            (b'=', ..) => return Err((Fault::syntax("nothing can be assigned here; write == to compare"), self.at)),
            (b'&', ..) => return Err((Fault::syntax("write && for and"), self.at)),
            (b'|', ..) => return Err((Fault::syntax("write || for or; there are no pipes, write x.f()"), self.at)),
            (b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'.' | b',' | b'?' | b':', ..) => 1,
            (b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'!', ..) => 1,
            _ => {
                let hint = "this character has no meaning here; a name with it is written input[\"…\"]";
                return Err((Fault::syntax(hint), self.at));
            }
        };
        self.at += length;
        Ok(TokenKind::Symbol)
    }
}
