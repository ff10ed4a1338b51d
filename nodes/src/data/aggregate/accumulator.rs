//! What remains of the values seen so far.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use engine::error::ErrorInfo;
use serde_json::{Number, Value};

use crate::config::kind;
use crate::data::order::{OwnedKey, compare, integer};

/// How values become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    First,
    Last,
    List,
}

impl Op {
    /// As people write them.
    pub(super) const NAMES: [&'static str; 9] =
        ["count", "count_distinct", "sum", "avg", "min", "max", "first", "last", "list"];

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count,
            "count_distinct" => Self::CountDistinct,
            "sum" => Self::Sum,
            "avg" => Self::Avg,
            "min" => Self::Min,
            "max" => Self::Max,
            "first" => Self::First,
            "last" => Self::Last,
            "list" => Self::List,
            _ => return None,
        })
    }
}

/// A value that an operation does not take.
#[derive(Debug, PartialEq)]
pub(super) struct Unfit(String);

impl Unfit {
    pub(super) fn at(self, column: &str, index: usize) -> ErrorInfo {
        ErrorInfo::permanent("AGGREGATE_TYPE", format!("config.values.{column} at item {index}: {}", self.0))
    }

    pub(super) fn at_end(self, column: &str) -> ErrorInfo {
        ErrorInfo::permanent("AGGREGATE_TYPE", format!("config.values.{column}: {}", self.0))
    }
}

/// The running state of one operation over one group.
#[derive(Debug)]
pub(super) enum Accumulator {
    Count(u64),
    Distinct(BTreeSet<OwnedKey>),
    Sum(Total),
    Avg(Total),
    /// The best so far, and which side of a comparison replaces it.
    Extreme(Option<Value>, Ordering),
    First(Option<Value>),
    Last(Option<Value>),
    List(Vec<Value>),
}

impl Accumulator {
    pub(super) fn new(op: Op) -> Self {
        match op {
            Op::Count => Self::Count(0),
            Op::CountDistinct => Self::Distinct(BTreeSet::new()),
            Op::Sum => Self::Sum(Total::default()),
            Op::Avg => Self::Avg(Total::default()),
            Op::Min => Self::Extreme(None, Ordering::Less),
            Op::Max => Self::Extreme(None, Ordering::Greater),
            Op::First => Self::First(None),
            Op::Last => Self::Last(None),
            Op::List => Self::List(Vec::new()),
        }
    }

    /// Takes in one value; null is none.
    pub(super) fn add(&mut self, value: Value) -> Result<(), Unfit> {
        if value.is_null() {
            return Ok(());
        }
        match self {
            Self::Count(count) => *count += 1,
            Self::Distinct(seen) => drop(seen.insert(OwnedKey(value))),
            Self::Sum(total) | Self::Avg(total) => match &value {
                Value::Number(number) => total.add(number),
                other => return Err(Unfit(format!("{} cannot be summed; expected a number or null", kind(other)))),
            },
            Self::Extreme(best, wanted) => match (&value, best.as_ref()) {
                (Value::Number(_) | Value::String(_), None) => *best = Some(value),
                (Value::Number(_), Some(old @ Value::Number(_))) | (Value::String(_), Some(old @ Value::String(_))) => {
                    if compare(&value, old) == *wanted {
                        *best = Some(value);
                    }
                }
                (other, old) => {
                    let beside = old.map_or(String::new(), |old| format!(" with {}", kind(old)));
                    let came = kind(other);
                    return Err(Unfit(format!(
                        "{came} cannot be compared{beside}; expected only numbers or only texts"
                    )));
                }
            },
            Self::First(first) => drop(first.get_or_insert(value)),
            Self::Last(last) => *last = Some(value),
            Self::List(list) => list.push(value),
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Value, Unfit> {
        match self {
            Self::Count(count) => Ok(Value::from(count)),
            Self::Distinct(seen) => Ok(Value::from(seen.len())),
            Self::Sum(total) => total.sum(),
            Self::Avg(total) => total.avg(),
            Self::Extreme(value, _) | Self::First(value) | Self::Last(value) => Ok(value.unwrap_or(Value::Null)),
            Self::List(list) => Ok(Value::Array(list)),
        }
    }
}

/// A sum that is exact over integers. 2^63 numbers of 64 bits fit 128 bits, so the integers cannot overflow; doubles
/// are added with compensation (Neumaier), so that ten times 0.1 is 1.
#[derive(Debug, Default)]
pub(super) struct Total {
    n: u64,
    integers: i128,
    floats: f64,
    lost: f64,
}

impl Total {
    fn add(&mut self, number: &Number) {
        self.n += 1;
        match integer(number) {
            Some(integer) => self.integers += integer,
            None => self.add_float(number.as_f64().unwrap_or(0.0)),
        }
    }

    fn add_float(&mut self, float: f64) {
        let sum = self.floats + float;
        self.lost +=
            if self.floats.abs() >= float.abs() { (self.floats - sum) + float } else { (float - sum) + self.floats };
        self.floats = sum;
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is wanted")]
    fn as_f64(&self) -> f64 {
        if self.floats.is_finite() { self.integers as f64 + (self.floats + self.lost) } else { self.floats }
    }

    fn sum(self) -> Result<Value, Unfit> {
        if self.n == 0 {
            return Ok(Value::Null);
        }
        if self.floats == 0.0 && self.lost == 0.0 {
            let whole = i64::try_from(self.integers).map(Value::from);
            if let Ok(whole) = whole.or_else(|_| u64::try_from(self.integers).map(Value::from)) {
                return Ok(whole);
            }
        }
        number(self.as_f64())
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is wanted")]
    fn avg(self) -> Result<Value, Unfit> {
        if self.n == 0 { Ok(Value::Null) } else { number(self.as_f64() / self.n as f64) }
    }
}

/// As expressions give numbers: a double without fraction up to 2^53 is an integer.
fn number(float: f64) -> Result<Value, Unfit> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if float.fract() == 0.0 && float.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "without fraction and in range")]
        return Ok(Value::from(float as i64));
    }
    Number::from_f64(float).map(Value::Number).ok_or_else(|| Unfit("the sum is too large for a number".to_owned()))
}
