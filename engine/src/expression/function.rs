//! The functions. `f(a, b)` and `a.f(b)` are the same call. None knows the time, chance, files or the network.

mod convert;
mod encoding;
mod list;
mod math;
mod object;
mod pattern;
mod text;
mod time;

use std::sync::Arc;

use regex::Regex;

use super::budget::Budget;
use super::error::{ExpressionErrorCode, Fault};
use super::number::Num;
use super::value::Val;

pub(super) use self::list::{group_key, sort_by_keys};
pub(super) use self::pattern::Patterns;

/// What the editor and the guide say of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionDescription {
    /// How it is written in expressions, without arguments.
    pub name: &'static str,
    /// Its arguments; `?` marks those that may be left out, `…` any number more.
    pub arguments: &'static str,
    /// One sentence in English.
    pub summary: &'static str,
}

type Body = for<'a> fn(Arguments<'a>, &mut Budget) -> Result<Val<'a>, Fault>;

/// A function whose arguments are all evaluated before it runs.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    /// The second argument is a regular expression.
    pub(super) takes_pattern: bool,
    body: Body,
}

/// The arguments of one call.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    pub(super) name: &'static str,
    pub(super) values: Vec<Val<'a>>,
    /// The second argument, compiled, when the function takes a pattern there.
    pub(super) pattern: Option<Arc<Regex>>,
}

const fn function(name: &'static str, arguments: &'static str, body: Body, summary: &'static str) -> Function {
    Function { name, arguments, summary, takes_pattern: false, body }
}

const fn matcher(name: &'static str, arguments: &'static str, body: Body, summary: &'static str) -> Function {
    Function { name, arguments, summary, takes_pattern: true, body }
}

/// What the compiler turns into nodes of their own: their arguments are not all evaluated, or bind a name.
const SPECIAL: &[FunctionDescription] = &[
    special("has", "path.member", "Whether the object has the member, be it null; never an error."),
    special("all", "list, x, condition", "Whether the condition holds for every element x."),
    special("exists", "list, x, condition", "Whether the condition holds for some element x."),
    special("exists_one", "list, x, condition", "Whether the condition holds for exactly one element x."),
    special("existsOne", "list, x, condition", "The same as `exists_one`."),
    special("filter", "list, x, condition", "The elements x for which the condition holds."),
    special(
        "map",
        "list, x, condition?, value",
        "The value for each element x, or for each that the condition lets through.",
    ),
    special(
        "sortBy",
        "list, x, key",
        "The elements in the order of their keys: numbers or texts, null last; equal keys keep their order.",
    ),
    special("groupBy", "list, x, key", "An object of lists: the elements x under the text of their key."),
    special("coalesce", "value, …", "The first value that is not null; the others are not evaluated."),
    special("orValue", "value, default", "The value, or the default where the value is null."),
    special("or", "value, other", "The same as `orValue`."),
];

const fn special(name: &'static str, arguments: &'static str, summary: &'static str) -> FunctionDescription {
    FunctionDescription { name, arguments, summary }
}

const GROUPS: &[&[Function]] = &[
    convert::FUNCTIONS,
    text::FUNCTIONS,
    pattern::FUNCTIONS,
    math::FUNCTIONS,
    list::FUNCTIONS,
    object::FUNCTIONS,
    encoding::FUNCTIONS,
    time::FUNCTIONS,
];

/// Every function and macro of the language, in the order of the guide.
pub fn functions() -> impl Iterator<Item = FunctionDescription> {
    let described = |function: &Function| FunctionDescription {
        name: function.name,
        arguments: function.arguments,
        summary: function.summary,
    };
    SPECIAL.iter().copied().chain(GROUPS.iter().flat_map(|group| group.iter()).map(described))
}

impl Function {
    /// Fewest and most arguments, as its description says.
    fn arity(&self) -> (usize, usize) {
        if self.arguments.is_empty() {
            return (0, 0);
        }
        let parts = || self.arguments.split(", ");
        let fewest = parts().filter(|part| !part.ends_with('?') && *part != "…").count();
        let most = if parts().any(|part| part == "…") { usize::MAX } else { parts().count() };
        (fewest, most)
    }

    /// Refuses a call with too few or too many arguments.
    pub(super) fn check_count(&self, given: usize) -> Result<(), Fault> {
        let (fewest, most) = self.arity();
        if (fewest..=most).contains(&given) {
            return Ok(());
        }
        Err(Fault::argument(format!("it is {}({}), not with {given} arguments", self.name, self.arguments)))
    }

    pub(super) fn run<'a>(&self, arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
        (self.body)(arguments, budget)
    }
}

/// The function called `name`.
pub(super) fn find(name: &str) -> Result<&'static Function, Fault> {
    let found = GROUPS.iter().flat_map(|group| group.iter()).find(|function| function.name == name);
    found.ok_or_else(|| {
        let message = format!("there is no function `{name}`{}", suggestion(name));
        Fault::new(ExpressionErrorCode::UnknownFunction, message)
    })
}

/// What people who know another language may have meant, or the nearest name.
fn suggestion(name: &str) -> String {
    let known = match name {
        "toUpperCase" | "toUpper" | "uppercase" | "ucase" => "upper",
        "toLowerCase" | "toLower" | "lowercase" | "lcase" => "lower",
        "includes" => "contains",
        "length" | "len" | "count" => "size",
        "toString" | "str" | "String" | "text" => "string",
        "parseInt" | "toInt" | "Number" | "parseFloat" | "toNumber" | "float" => "number",
        "stringify" | "json" => "toJson",
        "parse" | "fromJson" | "JSON" => "parseJson",
        "encodeURIComponent" => "urlEncode",
        "decodeURIComponent" => "urlDecode",
        "unique" | "uniq" => "distinct",
        "concat" | "push" | "append" => return "; write a + b".to_owned(),
        "find" => return "; write list.filter(x, …).first()".to_owned(),
        "some" | "any" => "exists",
        "every" => "all",
        "default" | "ifEmpty" => "orValue",
        "substr" => "substring",
        "typeOf" | "typeof" => "type",
        "average" | "mean" => "avg",
        "now" | "today" | "Date" | "random" | "uuid" => {
            return "; expressions know neither time nor chance, so that a run can be repeated".to_owned();
        }
        "if" | "iif" => return "; write condition ? a : b".to_owned(),
        "map" | "filter" | "all" | "exists" | "exists_one" | "existsOne" | "sortBy" | "groupBy" => {
            return format!(" with these arguments; write list.{name}(x, …)");
        }
        "has" => return " with these arguments; write has(input.name)".to_owned(),
        _ => "",
    };
    match (known, nearest(name, functions().map(|function| function.name))) {
        ("", Some(near)) => format!("; is it `{near}`?"),
        ("", None) => String::new(),
        (known, _) => format!("; here it is `{known}`"),
    }
}

/// The one of these names that is at most two edits away, the nearest first.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // A name of three letters is two edits away from too many others.
    let most = if name.chars().count() > 3 { 2 } else { 1 };
    let near = names.map(|known| (distance(name, known), known)).min();
    near.filter(|(edits, _)| *edits <= most).map(|(_, near)| near)
}

/// Edits between two names, without regard to case; more than 2 for names of very different length.
fn distance(left: &str, right: &str) -> usize {
    if left.len().abs_diff(right.len()) > 2 {
        return 3;
    }
    let right: Vec<u8> = right.bytes().map(|byte| byte.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, left) in left.bytes().map(|byte| byte.to_ascii_lowercase()).enumerate() {
        let mut next = vec![i + 1];
        for (j, byte) in right.iter().enumerate() {
            let swapped = row.get(j).copied().unwrap_or(0) + usize::from(left != *byte);
            let removed = row.get(j + 1).copied().unwrap_or(0) + 1;
            let added = next.last().copied().unwrap_or(0) + 1;
            next.push(swapped.min(removed).min(added));
        }
        row = next;
    }
    row.last().copied().unwrap_or(3)
}

impl<'a> Arguments<'a> {
    /// Argument `index`, taken; null when it was left out.
    fn take(&mut self, index: usize) -> Val<'a> {
        self.values.get_mut(index).map_or(Val::NULL, |value| std::mem::replace(value, Val::NULL))
    }

    fn get(&self, index: usize) -> Option<&Val<'a>> {
        self.values.get(index)
    }

    /// Says which type was wanted and which came.
    fn unfit(&self, index: usize, wanted: &str) -> Fault {
        let value = self.get(index);
        let came = value.map_or("nothing", Val::type_name);
        let hint = if value.is_some_and(Val::is_null) {
            "; a missing member is null, and x.orValue(y) gives it a default"
        } else if wanted == "text" {
            "; write string(x)"
        } else {
            ""
        };
        let which = if index == 0 { String::new() } else { format!(" as argument {}", index + 1) };
        Fault::argument(format!("`{}` wants {wanted}{which}, not {came}{hint}", self.name))
    }

    fn text(&self, index: usize) -> Result<&str, Fault> {
        self.get(index).and_then(Val::as_text).ok_or_else(|| self.unfit(index, "text"))
    }

    fn text_or<'s>(&'s self, index: usize, default: &'s str) -> Result<&'s str, Fault> {
        if index < self.values.len() { self.text(index) } else { Ok(default) }
    }

    fn num(&self, index: usize) -> Result<Num, Fault> {
        self.get(index).and_then(Val::as_num).ok_or_else(|| self.unfit(index, "a number"))
    }

    fn integer(&self, index: usize) -> Result<i64, Fault> {
        self.num(index)?.as_integer().ok_or_else(|| self.unfit(index, "an integer"))
    }

    fn integer_or(&self, index: usize, default: i64) -> Result<i64, Fault> {
        if index < self.values.len() { self.integer(index) } else { Ok(default) }
    }

    fn elements(&mut self, index: usize, budget: &mut Budget) -> Result<Vec<Val<'a>>, Fault> {
        if !self.get(index).is_some_and(Val::is_list) {
            return Err(self.unfit(index, "a list"));
        }
        Ok(self.take(index).into_elements(budget)?.unwrap_or_default())
    }
}
