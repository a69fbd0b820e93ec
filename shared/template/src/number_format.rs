//! How numbers print: Java's `DecimalFormat` for `en_US`, as far as its patterns go without exponents.

use bigdecimal::{BigDecimal, RoundingMode};

use crate::{
    ast::Digits,
    error::RenderErrorKind,
    number::{Number, exactly},
};

/// The most digits a pattern may ask for.
const MAX_PATTERN: usize = 200;

/// Why a pattern has no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoFormat {
    pub(crate) text: String,
}

impl NoFormat {
    /// What is only not supported must not look like FreeMarker's own failure.
    pub(crate) fn kind(&self) -> RenderErrorKind {
        if self.text.contains("not supported") {
            RenderErrorKind::Unsupported
        } else {
            RenderErrorKind::Argument
        }
    }
}

fn no_format(why: &str) -> NoFormat {
    NoFormat { text: format!("the number format is not possible: {why}") }
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format {
    prefix: String,
    suffix: String,
    negative_prefix: String,
    negative_suffix: String,
    least_whole: usize,
    least_fraction: usize,
    most_fraction: usize,
    /// Digits between commas; 0 for none.
    group: usize,
    /// Powers of ten: 2 for per cent, 3 for per mille.
    shift: i64,
    /// A point even without fraction digits.
    always_point: bool,
}

impl Format {
    fn plain(least_fraction: usize, most_fraction: usize) -> Self {
        Self {
            prefix: String::new(),
            suffix: String::new(),
            negative_prefix: "-".to_owned(),
            negative_suffix: String::new(),
            least_whole: 1,
            least_fraction,
            most_fraction,
            group: 0,
            shift: 0,
            always_point: false,
        }
    }

    /// FreeMarker's default: `#,##0.###`.
    pub(crate) fn number() -> Self {
        Self { group: 3, ..Self::plain(0, 3) }
    }

    /// `?c`: for computers.
    pub(crate) fn computer() -> Self {
        Self::plain(0, 16)
    }

    /// A pattern or a name.
    pub(crate) fn parse(pattern: &str) -> Result<Self, NoFormat> {
        match pattern {
            "number" | "" => Ok(Self::number()),
            "computer" => Ok(Self::computer()),
            // A name since FreeMarker 2.3.32, and a pattern that prints a letter before.
            "c" => Err(no_format("`c` is not supported; write `computer`")),
            "percent" => Ok(Self {
                group: 3,
                shift: 2,
                suffix: "%".to_owned(),
                negative_suffix: "%".to_owned(),
                ..Self::plain(0, 0)
            }),
            "currency" => Ok(Self {
                group: 3,
                prefix: "$".to_owned(),
                negative_prefix: "-$".to_owned(),
                ..Self::plain(2, 2)
            }),
            _ if pattern.starts_with('@') => Err(no_format("custom formats are not supported")),
            _ => Pattern::parse(pattern),
        }
    }

    /// The number as this prints it.
    pub(crate) fn format(&self, number: &Number) -> String {
        if let Number::Whole(whole) = number
            && self.shift == 0
        {
            return self.assemble(*whole < 0, &whole.unsigned_abs().to_string(), "");
        }
        let negative = number.is_negative();
        let rounded = self.round(number);
        let (digits, scale) = rounded.as_bigint_and_scale();
        let digits = digits.magnitude().to_string();
        let scale = usize::try_from(scale).unwrap_or(0);
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        self.assemble(negative, whole.trim_start_matches('0'), fraction.trim_end_matches('0'))
    }

    fn round(&self, number: &Number) -> BigDecimal {
        let most = i64::try_from(self.most_fraction).unwrap_or(i64::MAX);
        let shift = |value: BigDecimal| {
            let (digits, scale) = value.into_bigint_and_exponent();
            BigDecimal::new(digits, scale - self.shift)
        };
        let value = shift(number.to_decimal());
        let rounded = value.with_scale_round(most, RoundingMode::HalfEven);
        let Number::Double(double) = number else { return rounded };
        // A double's shortest digits may be a tie where the double itself is not: then the double decides.
        let up = value.with_scale_round(most, RoundingMode::HalfUp);
        let down = value.with_scale_round(most, RoundingMode::HalfDown);
        if up == down {
            return rounded;
        }
        match exactly(*double) {
            Some(exact) => shift(exact).with_scale_round(most, RoundingMode::HalfEven),
            None => rounded,
        }
    }

    fn assemble(&self, negative: bool, whole: &str, fraction: &str) -> String {
        let whole = if whole == "0" { "" } else { whole };
        let mut out = String::with_capacity(whole.len() * 2 + fraction.len() + 16);
        out.push_str(if negative { &self.negative_prefix } else { &self.prefix });
        let mut width = whole.len().max(self.least_whole);
        let fraction_width = fraction.len().max(self.least_fraction);
        if width == 0 && fraction_width == 0 {
            width = 1;
        }
        for at in 0..width {
            let left = width - at;
            out.push(match (at + whole.len()).checked_sub(width) {
                Some(digit) => whole.as_bytes().get(digit).copied().map_or('0', char::from),
                None => '0',
            });
            if self.group > 0 && left > 1 && (left - 1) % self.group == 0 {
                out.push(',');
            }
        }
        if fraction_width > 0 || self.always_point {
            out.push('.');
        }
        out.push_str(fraction);
        for _ in fraction.len()..self.least_fraction {
            out.push('0');
        }
        out.push_str(if negative { &self.negative_suffix } else { &self.suffix });
        out
    }
}

/// `#{x; m2M4}`: no grouping, and half-even rounding as everywhere.
pub(crate) fn fixed(number: &Number, digits: Option<Digits>) -> String {
    let digits = digits.unwrap_or(Digits { least: 0, most: 50 });
    Format::plain(digits.least, digits.most).format(number)
}

/// A pattern while it is read.
#[derive(Default)]
struct Pattern {
    prefix: String,
    suffix: String,
    /// `#` before the first `0`, `0`, and `#` after them.
    left: usize,
    zeros: usize,
    right: usize,
    point: Option<usize>,
    /// Digits since the last comma.
    group: Option<usize>,
    shift: i64,
}

impl Pattern {
    fn parse(text: &str) -> Result<Format, NoFormat> {
        let refuse = |why: &str| Err(no_format(why));
        if text.contains(";;") {
            return refuse("options after ;; are not supported");
        }
        let (first, rest) = Self::part(text, true)?;
        let mut second = None;
        if let Some(rest) = rest
            && !rest.is_empty()
        {
            let (negative, _) = Self::part(rest, false)?;
            second = Some(negative);
        }
        let Self { prefix, suffix, mut left, mut zeros, mut right, point, group, shift } = first;
        if zeros == 0
            && left > 0
            && let Some(point) = point
        {
            let whole = point.max(1);
            right = left.saturating_sub(whole);
            left = whole - 1;
            zeros = 1;
        }
        let total = left + zeros + right;
        if point.is_some_and(|point| point < left || point > left + zeros)
            || (point.is_none() && right > 0)
        {
            return refuse("# and 0 stand in the wrong order");
        }
        if group == Some(0) {
            return refuse("nothing follows the comma");
        }
        if total > MAX_PATTERN {
            return refuse("it has too many digits");
        }
        let whole = point.unwrap_or(total);
        let (negative_prefix, negative_suffix) = match second {
            Some(second) if second.prefix != prefix || second.suffix != suffix => {
                (second.prefix, second.suffix)
            }
            _ => (format!("-{prefix}"), suffix.clone()),
        };
        Ok(Format {
            prefix,
            suffix,
            negative_prefix,
            negative_suffix,
            least_whole: whole - left.min(whole),
            least_fraction: point.map_or(0, |point| left + zeros - point),
            most_fraction: point.map_or(0, |point| total - point),
            group: group.unwrap_or(0),
            shift,
            always_point: point == Some(total),
        })
    }

    /// Reads up to `;` or the end; what follows it.
    fn part(text: &str, positive: bool) -> Result<(Self, Option<&str>), NoFormat> {
        let refuse = |why: &str| Err(no_format(why));
        let mut made = Self::default();
        // 0 before the digits, 1 among them, 2 after.
        let mut phase = 0;
        let mut quoted = false;
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            if quoted || character == '\'' {
                let literal = if character == '\'' {
                    if characters.next_if(|(_, next)| *next == '\'').is_some() {
                        '\''
                    } else {
                        quoted = !quoted;
                        if phase == 1 {
                            phase = 2;
                        }
                        continue;
                    }
                } else {
                    character
                };
                if phase == 1 {
                    phase = 2;
                }
                if phase == 0 {
                    made.prefix.push(literal);
                } else {
                    made.suffix.push(literal);
                }
                continue;
            }
            match character {
                '#' | '0' | ',' | '.' => {
                    // Java goes on with the digits even after a text, and does not read those of negative numbers.
                    phase = 1;
                    if positive {
                        made.digit(character)?;
                    }
                }
                ';' if phase == 0 || !positive => return refuse("`;` stands in the wrong place"),
                ';' => return Ok((made, text.get(at + 1..))),
                'E' if phase == 1 => return refuse("exponents are not supported"),
                '¤' => return refuse("currency signs are not supported; write `currency`"),
                _ => {
                    if phase == 1 {
                        phase = 2;
                    }
                    match character {
                        '%' if made.shift == 0 => made.shift = 2,
                        '‰' if made.shift == 0 => made.shift = 3,
                        '%' | '‰' => return refuse("it has two of % and ‰"),
                        _ => {}
                    }
                    if phase == 0 {
                        made.prefix.push(character);
                    } else {
                        made.suffix.push(character);
                    }
                }
            }
        }
        if quoted {
            return refuse("a quote is not closed");
        }
        Ok((made, None))
    }

    fn digit(&mut self, character: char) -> Result<(), NoFormat> {
        match character {
            '#' if self.zeros > 0 => self.right += 1,
            '#' => self.left += 1,
            '0' if self.right > 0 => return Err(no_format("0 follows #")),
            '0' => self.zeros += 1,
            ',' => {
                self.group = Some(0);
                return Ok(());
            }
            _ if self.point.is_some() => return Err(no_format("it has two points")),
            _ => {
                self.point = Some(self.left + self.zeros + self.right);
                return Ok(());
            }
        }
        if self.point.is_none()
            && let Some(group) = &mut self.group
        {
            *group += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
