//! Regular expressions, of the kind that runs in time linear in the text.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::super::budget::Budget;
use super::super::error::{ExpressionErrorCode, Fault};
use super::super::value::Val;
use super::{Arguments, Function, matcher};

/// Bytes a compiled pattern may take.
const SIZE_LIMIT: usize = 256 * 1024;
/// Different patterns that the source of one expression may hold.
const MAX_PATTERNS: usize = 8;
/// Steps charged for compiling a pattern that was computed: as many fit a default budget as a source may hold.
const COMPILE_STEPS: u64 = 60_000;

pub(super) const FUNCTIONS: &[Function] = &[
    matcher(
        "matches",
        "text, pattern",
        matches,
        "Whether the regular expression is found in the text; anchor it with ^ and $.",
    ),
    matcher(
        "extract",
        "text, pattern",
        extract,
        "What the first group found, or the whole find without groups; null when nothing is found.",
    ),
    matcher("extractAll", "text, pattern", extract_all, "The same for every find, as a list."),
    matcher(
        "replaceRegex",
        "text, pattern, to",
        replace_regex,
        "With every find replaced; `$1` stands for the first group.",
    ),
];

/// A pattern of bounded size.
fn compile(source: &str) -> Result<Regex, Fault> {
    let built = RegexBuilder::new(source).size_limit(SIZE_LIMIT).dfa_size_limit(4 * SIZE_LIMIT).nest_limit(50).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => Fault::argument("the regular expression is too large"),
        _ => Fault::argument("this is no regular expression; lookaround and back-references are left out on purpose"),
    })
}

/// The patterns met so far. A large one takes milliseconds to compile, so each is compiled once.
#[derive(Debug, Default)]
pub(in super::super) struct Patterns(Vec<(String, Arc<Regex>)>);

impl Patterns {
    /// A pattern that stands in the source of an expression.
    pub(in super::super) fn of_source(&mut self, source: &str) -> Result<Arc<Regex>, Fault> {
        if self.known(source).is_none() && self.0.len() == MAX_PATTERNS {
            let message = format!("an expression has at most {MAX_PATTERNS} regular expressions");
            return Err(Fault::new(ExpressionErrorCode::TooLong, message));
        }
        self.compiled(source)
    }

    /// A pattern that was computed.
    pub(in super::super) fn of_value(&mut self, source: &str, budget: &mut Budget) -> Result<Arc<Regex>, Fault> {
        budget.reading(source.len())?;
        if self.known(source).is_none() {
            budget.steps(COMPILE_STEPS)?;
        }
        self.compiled(source)
    }

    fn known(&self, source: &str) -> Option<&Arc<Regex>> {
        self.0.iter().find(|(known, _)| known == source).map(|(_, pattern)| pattern)
    }

    fn compiled(&mut self, source: &str) -> Result<Arc<Regex>, Fault> {
        if let Some(known) = self.known(source) {
            return Ok(Arc::clone(known));
        }
        let pattern = Arc::new(compile(source)?);
        self.0.push((source.to_owned(), Arc::clone(&pattern)));
        Ok(pattern)
    }
}

/// The pattern of a call, and what one pass over text costs with it.
struct Finder {
    pattern: Arc<Regex>,
    weight: u64,
}

impl Finder {
    fn of(arguments: &Arguments<'_>) -> Result<Self, Fault> {
        let pattern = arguments.pattern.clone().ok_or_else(|| arguments.unfit(1, "text"))?;
        let weight = pattern.as_str().len() as u64 / 16 + 1;
        Ok(Self { pattern, weight })
    }

    fn charge(&self, len: usize, budget: &mut Budget) -> Result<(), Fault> {
        budget.steps((len as u64 / 16 + 1).saturating_mul(self.weight))
    }
}

fn matches<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    let finder = Finder::of(&arguments)?;
    finder.charge(text.len(), budget)?;
    Ok(Val::from(finder.pattern.is_match(text)))
}

fn extract<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    let finder = Finder::of(&arguments)?;
    finder.charge(text.len(), budget)?;
    match finder.pattern.captures(text).and_then(|found| found.get(1).or_else(|| found.get(0))) {
        Some(found) => Val::text(found.as_str().to_owned(), budget),
        None => Ok(Val::NULL),
    }
}

fn extract_all<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    let finder = Finder::of(&arguments)?;
    finder.charge(text.len(), budget)?;
    let mut all = Vec::new();
    for found in finder.pattern.captures_iter(text) {
        // Looking for the next find can read all that is left, again for each find.
        let end = found.get(0).map_or(0, |whole| whole.end());
        finder.charge(text.len() - end, budget)?;
        let part = found.get(1).or_else(|| found.get(0)).map_or("", |part| part.as_str());
        all.push(Val::text(part.to_owned(), budget)?);
    }
    Val::list(all, budget)
}

fn replace_regex<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    let to = arguments.text(2)?;
    let finder = Finder::of(&arguments)?;
    finder.charge(text.len(), budget)?;
    budget.bytes(text.len())?;
    let mut made = String::new();
    let mut done = 0;
    for found in finder.pattern.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        finder.charge(text.len() - whole.end(), budget)?;
        made.push_str(text.get(done..whole.start()).unwrap_or_default());
        let before = made.len();
        found.expand(to, &mut made);
        budget.bytes(made.len() - before)?;
        done = whole.end();
    }
    made.push_str(text.get(done..).unwrap_or_default());
    Ok(Val::Owned(Value::String(made)))
}
