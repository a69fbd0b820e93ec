//! Numbers as FreeMarker's default arithmetic has them: decimals, with a division of at least 12 fraction digits.

use std::{cmp::Ordering, sync::Arc};

use bigdecimal::{
    BigDecimal, RoundingMode,
    num_bigint::{BigInt, Sign},
};

use crate::{
    budget::MAX_DIGITS,
    error::{Failure, Pos},
};

/// FreeMarker's scale of quotients and of products.
const SCALE: i64 = 12;

/// A number. Whole numbers of 64 bits, which nearly all are, need no allocation.
#[derive(Debug, Clone)]
pub(crate) enum Number {
    Whole(i64),
    Decimal(Arc<BigDecimal>),
    /// What `?double` makes: it prints by its binary value.
    Double(f64),
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoNumber {
    DividedByZero,
    TooManyDigits,
    OutOfRange,
    NotANumber,
}

impl NoNumber {
    /// The failure of an operation at a place.
    pub(crate) fn at(self, pos: Pos) -> Failure {
        match self {
            Self::DividedByZero | Self::NotANumber => pos.bad(self.text()),
            Self::TooManyDigits => pos.over(self.text()),
            Self::OutOfRange => pos.unsupported(self.text()),
        }
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::DividedByZero => "division by zero".to_owned(),
            Self::TooManyDigits => format!("a number of more than {MAX_DIGITS} digits"),
            Self::OutOfRange => "a number is out of range".to_owned(),
            Self::NotANumber => "the text is not a number".to_owned(),
        }
    }
}

type Made = Result<Number, NoNumber>;

impl Number {
    /// Reads digits as JSON and FreeMarker's `?number` have them.
    pub(crate) fn parse(text: &str) -> Made {
        if text.len() <= 18
            && let Ok(whole) = text.parse::<i64>()
            && !text.starts_with('+')
        {
            return Ok(Self::Whole(whole));
        }
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent),
            None => (text, "0"),
        };
        let body = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let digits = body.bytes().filter(u8::is_ascii_digit).count();
        let dots = body.bytes().filter(|byte| *byte == b'.').count();
        if digits == 0 || dots > 1 || digits + dots != body.len() {
            return Err(NoNumber::NotANumber);
        }
        let power = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if power.is_empty() || !power.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoNumber::NotANumber);
        }
        let exponent: i64 = exponent.parse().map_err(|_| NoNumber::TooManyDigits)?;
        if digits > MAX_DIGITS || exponent.unsigned_abs() > MAX_DIGITS as u64 {
            return Err(NoNumber::TooManyDigits);
        }
        let value: BigDecimal = mantissa.parse().map_err(|_| NoNumber::NotANumber)?;
        let (digits, scale) = value.into_bigint_and_exponent();
        Self::decimal(BigDecimal::new(digits, scale - exponent))
    }

    /// A decimal within the bounds; a whole one becomes [`Self::Whole`] where its scale is zero.
    pub(crate) fn decimal(value: BigDecimal) -> Made {
        let (digits, scale) = value.as_bigint_and_scale();
        let bits = (MAX_DIGITS as u64) * 34 / 10;
        if digits.bits() > bits || scale.unsigned_abs() > 2 * MAX_DIGITS as u64 {
            return Err(NoNumber::TooManyDigits);
        }
        if scale == 0
            && let Ok(whole) = i64::try_from(digits.as_ref())
        {
            return Ok(Self::Whole(whole));
        }
        Ok(Self::Decimal(Arc::new(value)))
    }

    pub(crate) fn double(value: f64) -> Made {
        if value.is_finite() { Ok(Self::Double(value)) } else { Err(NoNumber::OutOfRange) }
    }

    /// The decimal value; a double by its shortest digits, as Java converts it.
    pub(crate) fn to_decimal(&self) -> BigDecimal {
        match self {
            Self::Whole(whole) => BigDecimal::from(*whole),
            Self::Decimal(value) => (**value).clone(),
            Self::Double(value) => shortest(*value),
        }
    }

    pub(crate) fn to_f64(&self) -> f64 {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "the nearest double is what is asked for"
            )]
            Self::Whole(whole) => *whole as f64,
            // Rust's parser rounds correctly, whatever the number of digits.
            Self::Decimal(value) => value.to_scientific_notation().parse().unwrap_or(f64::NAN),
            Self::Double(value) => *value,
        }
    }

    pub(crate) fn is_negative(&self) -> bool {
        match self {
            Self::Whole(whole) => *whole < 0,
            Self::Decimal(value) => value.sign() == Sign::Minus,
            Self::Double(value) => *value < 0.0 || (*value == 0.0 && value.is_sign_negative()),
        }
    }

    /// The whole part, cut towards zero.
    pub(crate) fn to_i64(&self) -> Result<i64, NoNumber> {
        match self {
            Self::Whole(whole) => Ok(*whole),
            other => {
                let cut = other.to_decimal().with_scale_round(0, RoundingMode::Down);
                i64::try_from(cut.as_bigint_and_scale().0.as_ref())
                    .map_err(|_| NoNumber::OutOfRange)
            }
        }
    }

    /// The whole part, cut towards zero, where it is an index.
    pub(crate) fn to_i32(&self) -> Result<i32, NoNumber> {
        i32::try_from(self.to_i64()?).map_err(|_| NoNumber::OutOfRange)
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        if let (Self::Whole(a), Self::Whole(b)) = (self, other) {
            return a.cmp(b);
        }
        self.to_decimal().cmp(&other.to_decimal())
    }

    pub(crate) fn add(&self, other: &Self) -> Made {
        if let (Self::Whole(a), Self::Whole(b)) = (self, other)
            && let Some(sum) = a.checked_add(*b)
        {
            return Ok(Self::Whole(sum));
        }
        Self::decimal(self.to_decimal() + other.to_decimal())
    }

    pub(crate) fn subtract(&self, other: &Self) -> Made {
        if let (Self::Whole(a), Self::Whole(b)) = (self, other)
            && let Some(difference) = a.checked_sub(*b)
        {
            return Ok(Self::Whole(difference));
        }
        Self::decimal(self.to_decimal() - other.to_decimal())
    }

    pub(crate) fn multiply(&self, other: &Self) -> Made {
        if let (Self::Whole(a), Self::Whole(b)) = (self, other)
            && let Some(product) = a.checked_mul(*b)
        {
            return Ok(Self::Whole(product));
        }
        Self::decimal(rounded(self.to_decimal() * other.to_decimal()))
    }

    pub(crate) fn divide(&self, other: &Self) -> Made {
        let (a, a_scale) = self.to_decimal().into_bigint_and_exponent();
        let (b, b_scale) = other.to_decimal().into_bigint_and_exponent();
        if b.sign() == Sign::NoSign {
            return Err(NoNumber::DividedByZero);
        }
        let scale = SCALE.max(a_scale).max(b_scale);
        // a·10^-as / (b·10^-bs) = q·10^-scale, so q = a·10^(scale - as + bs) / b.
        let shift = scale - a_scale + b_scale;
        let ten = BigInt::from(10);
        let power = u32::try_from(shift.unsigned_abs()).map_err(|_| NoNumber::TooManyDigits)?;
        let (top, bottom) =
            if shift >= 0 { (a * ten.pow(power), b) } else { (a, b * ten.pow(power)) };
        let quotient = &top / &bottom;
        let rest: BigInt = &top % &bottom;
        let up = rest.magnitude() * 2_u8 >= *bottom.magnitude();
        let away =
            if (top.sign() == Sign::Minus) == (bottom.sign() == Sign::Minus) { 1 } else { -1 };
        Self::decimal(BigDecimal::new(if up { quotient + away } else { quotient }, scale))
    }

    /// FreeMarker's `%`: of the whole parts.
    pub(crate) fn modulo(&self, other: &Self) -> Made {
        let (a, b) = (self.to_i64()?, other.to_i64()?);
        if b == 0 {
            return Err(NoNumber::DividedByZero);
        }
        Ok(Self::Whole(a.wrapping_rem(b)))
    }

    /// Unary minus. It rounds as a product does, and leaves a double a double.
    pub(crate) fn negate(&self) -> Made {
        match self {
            Self::Whole(whole) => whole
                .checked_neg()
                .map_or_else(|| Self::decimal(-BigDecimal::from(*whole)), |n| Ok(Self::Whole(n))),
            Self::Decimal(value) => Self::decimal(-rounded((**value).clone())),
            Self::Double(value) => Ok(Self::Double(-value)),
        }
    }

    pub(crate) fn absolute(&self) -> Made {
        match self {
            Self::Double(value) => Ok(Self::Double(value.abs())),
            Self::Decimal(value) => Self::decimal(value.abs()),
            other if other.is_negative() => other.negate(),
            Self::Whole(whole) => Ok(Self::Whole(*whole)),
        }
    }

    /// `?floor`, `?ceiling` and `?round` go by way of a double, as FreeMarker's do.
    pub(crate) fn to_whole(&self, how: Whole) -> Made {
        if let Self::Whole(whole) = self
            && whole.unsigned_abs() < 1 << 53
        {
            return Ok(self.clone());
        }
        let exact = exactly(self.to_f64()).ok_or(NoNumber::OutOfRange)?;
        Self::decimal(match how {
            Whole::Floor => exact.with_scale_round(0, RoundingMode::Floor),
            Whole::Ceiling => exact.with_scale_round(0, RoundingMode::Ceiling),
            Whole::Round => (exact + BigDecimal::new(BigInt::from(5), 1))
                .with_scale_round(0, RoundingMode::Floor),
        })
    }
}

/// Ways to a whole number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whole {
    Floor,
    Ceiling,
    Round,
}

/// At most 12 fraction digits.
fn rounded(value: BigDecimal) -> BigDecimal {
    if value.as_bigint_and_scale().1 > SCALE {
        value.with_scale_round(SCALE, RoundingMode::HalfUp)
    } else {
        value
    }
}

/// The decimal of a double's shortest digits.
fn shortest(value: f64) -> BigDecimal {
    format!("{value:?}").parse().unwrap_or_default()
}

/// The exact decimal value of a double; `None` when it is not finite.
pub(crate) fn exactly(value: f64) -> Option<BigDecimal> {
    use bigdecimal::FromPrimitive;
    BigDecimal::from_f64(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    fn shown(number: &Number) -> String {
        number.to_decimal().to_plain_string()
    }

    #[test]
    fn division_has_at_least_12_fraction_digits_and_rounds_half_up() {
        assert_eq!(shown(&number("1").divide(&number("3")).unwrap()), "0.333333333333");
        assert_eq!(shown(&number("-2").divide(&number("3")).unwrap()), "-0.666666666667");
        assert_eq!(
            shown(&number("1.0000000000001").divide(&number("2")).unwrap()),
            "0.5000000000001"
        );
        assert_eq!(number("1").divide(&number("0.0")).unwrap_err(), NoNumber::DividedByZero);
    }

    #[test]
    fn products_keep_12_fraction_digits() {
        assert_eq!(
            shown(&number("0.0000001").multiply(&number("0.0000015")).unwrap()),
            "0.000000000000"
        );
        assert_eq!(
            shown(&number("0.0000001").multiply(&number("0.0000150")).unwrap()),
            "0.000000000002"
        );
    }

    #[test]
    fn digits_are_bounded() {
        assert_eq!(Number::parse("1e999999999").unwrap_err(), NoNumber::TooManyDigits);
        assert_eq!(Number::parse(&"9".repeat(201)).unwrap_err(), NoNumber::TooManyDigits);
        let big = number(&"9".repeat(150));
        assert_eq!(big.multiply(&big).unwrap_err(), NoNumber::TooManyDigits);
    }

    #[test]
    fn modulo_is_of_whole_parts() {
        assert_eq!(number("-7.9").modulo(&number("3.9")).unwrap().to_i64(), Ok(-1));
        assert_eq!(number("1").modulo(&number("0.5")).unwrap_err(), NoNumber::DividedByZero);
    }

    #[test]
    fn an_exact_double_is_exact() {
        assert_eq!(
            exactly(2.675).unwrap().to_plain_string(),
            "2.67499999999999982236431605997495353221893310546875"
        );
    }
}
