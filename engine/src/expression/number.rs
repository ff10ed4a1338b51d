//! One kind of number: exact 64-bit integers where they fit, doubles elsewhere.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::error::{ExpressionErrorCode, Fault};

/// Doubles up to this hold every integer, so an integral one is given back as an integer.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// 2^63: doubles from here on are no 64-bit integers.
const INTEGER_END: f64 = 9_223_372_036_854_775_808.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Num {
    Int(i64),
    /// Finite.
    Float(f64),
}

impl Num {
    /// Integers past the signed 64 bits become doubles.
    pub(super) fn of(number: &Number) -> Self {
        match number.as_i64() {
            Some(integer) => Self::Int(integer),
            None => Self::Float(number.as_f64().unwrap_or(0.0)),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is wanted")]
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Int(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    /// The integer that this is exactly.
    #[expect(clippy::cast_possible_truncation, reason = "checked to be integral and in range")]
    pub(super) fn as_integer(self) -> Option<i64> {
        match self {
            Self::Int(integer) => Some(integer),
            Self::Float(float) if float.fract() == 0.0 && (-INTEGER_END..INTEGER_END).contains(&float) => {
                Some(float as i64)
            }
            Self::Float(_) => None,
        }
    }

    /// As JSON: an integral double up to 2^53 becomes an integer, what is not finite an error.
    #[expect(clippy::cast_possible_truncation, reason = "checked to be integral and in range")]
    pub(super) fn into_value(self) -> Result<Value, Fault> {
        match self {
            Self::Int(integer) => Ok(Value::from(integer)),
            Self::Float(float) if float.fract() == 0.0 && float.abs() <= EXACT => Ok(Value::from(float as i64)),
            Self::Float(float) => Number::from_f64(float)
                .map(Value::Number)
                .ok_or_else(|| Fault::new(ExpressionErrorCode::Overflow, "the number is too large, or is none")),
        }
    }

    /// Exact, also between an integer and a double.
    #[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => left.cmp(&right),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
            (Self::Float(_), Self::Int(_)) => other.compare(self).reverse(),
            (Self::Int(_), Self::Float(right)) if right >= INTEGER_END => Ordering::Less,
            (Self::Int(_), Self::Float(right)) if right < -INTEGER_END => Ordering::Greater,
            (Self::Int(left), Self::Float(right)) => {
                let fraction = 0.0_f64.partial_cmp(&right.fract()).unwrap_or(Ordering::Equal);
                left.cmp(&(right.trunc() as i64)).then(fraction)
            }
        }
    }

    pub(super) fn plus(self, other: Self) -> Result<Value, Fault> {
        self.exactly(other, i64::checked_add, |left, right| left + right)
    }

    pub(super) fn minus(self, other: Self) -> Result<Value, Fault> {
        self.exactly(other, i64::checked_sub, |left, right| left - right)
    }

    pub(super) fn times(self, other: Self) -> Result<Value, Fault> {
        self.exactly(other, i64::checked_mul, |left, right| left * right)
    }

    /// True division: an integer where it comes out even.
    pub(super) fn divided_by(self, other: Self) -> Result<Value, Fault> {
        let even =
            |left: i64, right: i64| (left.checked_rem(right) == Some(0)).then(|| left.checked_div(right)).flatten();
        self.not_by_zero(other)?.exactly(other, even, |left, right| left / right)
    }

    /// The rest has the sign of the dividend.
    pub(super) fn modulo(self, other: Self) -> Result<Value, Fault> {
        self.not_by_zero(other)?.exactly(other, i64::checked_rem, |left, right| left % right)
    }

    /// The quotient cut toward zero.
    pub(super) fn int_divided_by(self, other: Self) -> Result<Value, Fault> {
        self.not_by_zero(other)?.exactly(other, i64::checked_div, |left, right| (left / right).trunc())
    }

    pub(super) fn negated(self) -> Result<Value, Fault> {
        Self::Int(0).minus(self)
    }

    fn not_by_zero(self, divisor: Self) -> Result<Self, Fault> {
        if divisor.as_f64() == 0.0 {
            return Err(Fault::new(ExpressionErrorCode::DivisionByZero, "division by zero"));
        }
        Ok(self)
    }

    /// On integers while the result is one, else on doubles.
    fn exactly(
        self,
        other: Self,
        integers: impl Fn(i64, i64) -> Option<i64>,
        doubles: impl Fn(f64, f64) -> f64,
    ) -> Result<Value, Fault> {
        if let (Some(left), Some(right)) = (self.as_integer(), other.as_integer())
            && let Some(exact) = integers(left, right)
        {
            return Ok(Value::from(exact));
        }
        Self::Float(doubles(self.as_f64(), other.as_f64())).into_value()
    }
}

/// The number as text, the way canonical JSON writes it; integers exactly.
pub(super) fn to_text(number: &Number) -> String {
    match number.as_f64() {
        Some(_) if number.is_i64() || number.is_u64() => number.to_string(),
        Some(0.0) => "0".to_owned(),
        _ => serde_json_canonicalizer::to_string(number).unwrap_or_else(|_| number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_doubles_compare_exactly() {
        let big = 9_007_199_254_740_993;
        assert_eq!(Num::Int(big).compare(Num::Float(EXACT)), Ordering::Greater);
        assert_eq!(Num::Float(EXACT).compare(Num::Int(big)), Ordering::Less);
        assert_eq!(Num::Int(1).compare(Num::Float(1.5)), Ordering::Less);
        assert_eq!(Num::Int(-1).compare(Num::Float(-1.5)), Ordering::Greater);
        assert_eq!(Num::Int(i64::MAX).compare(Num::Float(INTEGER_END)), Ordering::Less);
        assert_eq!(Num::Int(i64::MIN).compare(Num::Float(-INTEGER_END)), Ordering::Equal);
    }

    #[test]
    fn the_smallest_integer_divided_by_minus_one_is_a_double() {
        let quotient = Num::Int(i64::MIN).divided_by(Num::Int(-1)).unwrap();
        assert_eq!(quotient, Value::from(INTEGER_END));
        assert_eq!(Num::Int(i64::MIN).modulo(Num::Int(-1)).unwrap(), Value::from(0));
    }
}
