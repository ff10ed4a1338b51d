//! Finds a text however it was written: as it is, percent-encoded, as JSON inside JSON, or with HTML's entities, each
//! character in a way of its own. Programs differ in what they escape, so no list of spellings would be whole.

use std::ops::Range;

use zeroize::Zeroizing;

/// A cut text may end in the beginning of a secret; a beginning of fewer characters than this says nothing.
const LEAST_START: usize = 4;
/// The longest way to write one character, cut off before its end.
const LONGEST_WAY: usize = 14;

/// A text to look for.
pub(super) struct Written(Zeroizing<String>);

/// What was found at one place.
enum Found {
    /// The whole text, up to here.
    Whole(usize),
    /// Its beginning, and then the searched text ends.
    Start,
    Nothing,
}

impl Written {
    pub(super) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Where it stands in `text`, from left to right. With `is_cut`, a beginning of it at the end of `text` counts too.
    pub(super) fn find_all(&self, text: &str, is_cut: bool) -> Vec<Range<usize>> {
        let Some(first) = self.0.chars().next() else { return Vec::new() };
        let mut first_byte = [0; 4];
        let first_byte = first.encode_utf8(&mut first_byte).as_bytes().first().copied();
        let bytes = text.as_bytes();
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(byte) = bytes.get(at) {
            let may_begin = Some(*byte) == first_byte || matches!(byte, b'%' | b'\\' | b'&' | b'+');
            match if may_begin { self.at(bytes, at) } else { Found::Nothing } {
                Found::Whole(end) => {
                    found.push(at..end);
                    at = end;
                }
                Found::Start if is_cut => {
                    found.push(at..bytes.len());
                    break;
                }
                Found::Start | Found::Nothing => at += 1,
            }
        }
        found
    }

    /// Follows every way at once, so that no text takes long.
    fn at(&self, text: &[u8], start: usize) -> Found {
        let (mut reached, mut next) = (vec![start], Vec::new());
        for (matched, c) in self.0.chars().enumerate() {
            next.clear();
            reached.iter().for_each(|at| ways(text, *at, c, &mut next));
            next.sort_unstable();
            next.dedup();
            if next.is_empty() {
                let ends = reached.iter().any(|at| is_cut_way(text.get(*at..).unwrap_or_default()));
                return if ends && matched >= LEAST_START { Found::Start } else { Found::Nothing };
            }
            std::mem::swap(&mut reached, &mut next);
        }
        reached.last().map_or(Found::Nothing, |end| Found::Whole(*end))
    }
}

/// Whether this end of a text could be a way to write a character that was cut off, or is no character at all.
fn is_cut_way(rest: &[u8]) -> bool {
    rest.is_empty()
        || (rest.len() <= LONGEST_WAY && rest.first().is_some_and(|byte| matches!(byte, b'%' | b'\\' | b'&')))
}

/// The places after `c`, in each way that it may be written at `at`.
fn ways(text: &[u8], at: usize, c: char, next: &mut Vec<usize>) {
    let mut utf8 = [0; 4];
    let utf8 = c.encode_utf8(&mut utf8).as_bytes();
    let Some(rest) = text.get(at..) else { return };
    if rest.starts_with(utf8) {
        next.push(at + utf8.len());
    }
    match rest.first() {
        Some(b'+') if c == ' ' => next.push(at + 1),
        Some(b'%') => next.extend(percent(rest, utf8).map(|len| at + len)),
        Some(b'\\') => json(rest, c, |len| next.push(at + len)),
        Some(b'&') => next.extend(entity(rest, c).map(|len| at + len)),
        _ => {}
    }
}

fn hex(digits: Option<&[u8]>) -> Option<u32> {
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// `%C3%A4`, in either case.
fn percent(rest: &[u8], utf8: &[u8]) -> Option<usize> {
    let encodes = |(at, byte): (usize, &u8)| {
        rest.get(at * 3) == Some(&b'%') && hex(rest.get(at * 3 + 1..at * 3 + 3)) == Some(u32::from(*byte))
    };
    utf8.iter().enumerate().all(encodes).then_some(utf8.len() * 3)
}

/// `\"`, `\/`, `\\` and `\u00e4`, and the same once more inside JSON.
fn json(rest: &[u8], c: char, mut found: impl FnMut(usize)) {
    let run = rest.iter().take(5).take_while(|byte| **byte == b'\\').count();
    if c == '\\' {
        [2, 4].into_iter().filter(|len| *len <= run).for_each(&mut found);
    }
    // How many stand before the character says how often it was put into JSON; a longer run belongs to what is before.
    if !(1..=3).contains(&run) {
        return;
    }
    let (_, after) = rest.split_at(run);
    let escape = match c {
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        other => other,
    };
    let is_escaped = c != escape || c.is_ascii_punctuation();
    if is_escaped && after.first().is_some_and(|byte| char::from(*byte) == escape) {
        found(run + 1);
    }
    let mut units = [0; 2];
    let mut len = 0;
    for unit in c.encode_utf16(&mut units) {
        let Some(part) = rest.get(len..) else { return };
        let is_escaped = part.iter().take(run).all(|byte| *byte == b'\\') && part.get(run) == Some(&b'u');
        if !is_escaped || hex(part.get(run + 1..run + 5)) != Some(u32::from(*unit)) {
            return;
        }
        len += run + 5;
    }
    found(len);
}

/// `&amp;`, `&#38;` and `&#x26;`.
fn entity(rest: &[u8], c: char) -> Option<usize> {
    let end = rest.iter().take(LONGEST_WAY).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(rest.get(1..end)?).ok()?;
    let code = match name.strip_prefix('#') {
        None => return (named(name) == Some(c)).then_some(end + 1),
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => number.parse().ok(),
        },
    };
    (code == Some(u32::from(c))).then_some(end + 1)
}

fn named(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}
