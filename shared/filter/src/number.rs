//! JSON numbers compared by value.

use std::cmp::Ordering;

/// A JSON number. Integers, however written (`1`, `1.0`, `1e0`), are exact from -2⁶³ to 2⁶⁴-1:
/// milliseconds and ids of more than 2⁵³ do not run into each other. What has a fraction, or lies
/// beyond that, is the nearest `f64`.
///
/// EventBridge compares up to 5e9 with six decimals only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// A whole number of less than 2¹⁰⁰.
    Whole(i128),
    /// A number with a fraction, or one beyond that.
    Decimal(f64),
}

/// Whole decimals below this are kept as whole numbers.
const WHOLE: f64 = 1_267_650_600_228_229_401_496_703_205_376.0;

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Whole(value.into())
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::Whole(value.into())
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        if value.fract() == 0.0 && value.abs() < WHOLE {
            Self::Whole(whole(value))
        } else {
            Self::Decimal(value)
        }
    }
}

impl Number {
    /// The number of a pattern; nothing if it is none that JSON can write.
    pub(crate) fn of(number: &serde_json::Number) -> Option<Self> {
        if let Some(value) = number.as_i64() {
            return Some(value.into());
        }
        number.as_u64().map(Self::from).or_else(|| number.as_f64().map(Self::from))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Whole(left), Self::Whole(right)) => Some(left.cmp(&right)),
            (Self::Decimal(left), Self::Decimal(right)) => left.partial_cmp(&right),
            (Self::Whole(left), Self::Decimal(right)) => Some(beside(left, right)),
            (Self::Decimal(left), Self::Whole(right)) => Some(beside(right, left).reverse()),
        }
    }
}

/// How a whole number lies to a decimal, which never equals one.
fn beside(number: i128, decimal: f64) -> Ordering {
    if decimal.abs() >= WHOLE {
        return if decimal > 0.0 { Ordering::Less } else { Ordering::Greater };
    }
    if number <= whole(decimal.floor()) { Ordering::Less } else { Ordering::Greater }
}

#[expect(clippy::cast_possible_truncation, reason = "the callers give whole numbers below 2^100")]
fn whole(value: f64) -> i128 {
    value as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::of(&serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn the_same_number_is_equal_however_written() {
        for text in ["1", "1.0", "1e0", "0.1e1", "10e-1", "100.00E-2"] {
            assert_eq!(number(text), number("1"), "{text}");
        }
        assert_eq!(number("0"), number("-0.0"));
        assert_eq!(number("301.8"), number("3.018e2"));
        assert_eq!(number("1e18"), number("1000000000000000000"));
        assert_ne!(number("1"), number("1.0000001"));
    }

    #[test]
    fn integers_beyond_the_doubles_differ() {
        assert_ne!(number("9007199254740993"), number("9007199254740992"));
        assert!(number("9007199254740993") > number("9007199254740992.0"));
        assert!(number("18446744073709551615") > number("18446744073709551614"));
        assert!(number("-9223372036854775808") < number("-9223372036854775807"));
    }

    #[test]
    fn a_decimal_lies_between_its_neighbours() {
        assert!(number("2") < number("2.5") && number("2.5") < number("3"));
        assert!(number("-3") < number("-2.5") && number("-2.5") < number("-2"));
        assert!(number("2.5") > number("2") && number("2.25") < number("2.5"));
        assert!(number("1e300") > number("18446744073709551615") && number("-1e300") < number("0"));
        assert!(number("0") > number("-1e300"));
    }
}
