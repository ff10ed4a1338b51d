//! One total order over JSON values, so that grouping, sorting and joining agree.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// A value by the order null < false < true < numbers < texts < lists < objects. Numbers compare by what they are worth
/// (1 equals 1.0), texts by code points, lists item by item, objects entry by entry in key order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a>(pub(crate) &'a Value);

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key<'_> {}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.0, other.0)
    }
}

/// The same for a value that nobody else holds.
#[derive(Debug, Clone)]
pub(crate) struct OwnedKey(pub(crate) Value);

impl PartialEq for OwnedKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for OwnedKey {}

impl PartialOrd for OwnedKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OwnedKey {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

/// Recursion is as deep as the values, which their readers limit to 128.
pub(crate) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => compare_numbers(left, right),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => left.iter().map(Key).cmp(right.iter().map(Key)),
        (Value::Object(left), Value::Object(right)) => {
            let left = left.iter().map(|(key, value)| (key, Key(value)));
            left.cmp(right.iter().map(|(key, value)| (key, Key(value))))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

/// The integer that a number is exactly; also a double without fraction, within what 64 bits hold.
pub(crate) fn integer(number: &Number) -> Option<i128> {
    /// 2^64; between its negative and itself, the cast below is exact.
    const END: f64 = 18_446_744_073_709_551_616.0;
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    whole.or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < END)?;
        #[expect(clippy::cast_possible_truncation, reason = "without fraction and in range")]
        Some(float as i128)
    })
}

/// Exact also between an integer and a double.
fn compare_numbers(left: &Number, right: &Number) -> Ordering {
    let float = |number: &Number| number.as_f64().unwrap_or(0.0);
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (None, None) => float(left).total_cmp(&float(right)),
        (Some(left), None) => compare_mixed(left, float(right)),
        (None, Some(right)) => compare_mixed(right, float(left)).reverse(),
    }
}

/// `float` has a fraction or lies outside of 64 bits, so the two are never equal.
fn compare_mixed(integer: i128, float: f64) -> Ordering {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which keeps the order")]
    let floor = float.floor() as i128;
    if integer <= floor { Ordering::Less } else { Ordering::Greater }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_have_a_fixed_order_and_numbers_their_worth() {
        let sorted = [
            json!(null),
            json!(false),
            json!(true),
            json!(-1e300),
            json!(-1.5),
            json!(-1),
            json!(0),
            json!(0.5),
            json!(1),
            json!(9_007_199_254_740_993_u64),
            json!(u64::MAX),
            json!(1e300),
            json!(""),
            json!("a"),
            json!("b"),
            json!([]),
            json!([1]),
            json!([1, 2]),
            json!({}),
            json!({"a": 1}),
            json!({"a": 2}),
            json!({"b": 0}),
        ];
        for (i, left) in sorted.iter().enumerate() {
            for (j, right) in sorted.iter().enumerate() {
                assert_eq!(compare(left, right), i.cmp(&j), "{left} {right}");
            }
        }
    }

    #[test]
    fn one_and_one_point_zero_are_equal_but_neighbors_beyond_two_to_the_53_are_not() {
        assert_eq!(compare(&json!(1), &json!(1.0)), Ordering::Equal);
        assert_eq!(compare(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992.0)), Ordering::Greater);
    }
}
