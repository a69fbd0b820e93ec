//! `#setting` and `#ftl`.

use super::Parser;
use crate::{
    ast::{ElementKind, ExprKind, Setting},
    error::Compiled,
    lexer::Token,
};

/// The settings of `#setting`, and their values.
pub const SETTINGS: &[(&str, &str)] = &[
    ("number_format", "`number`, `computer`, `percent`, `currency`, or a pattern such as `0.00`"),
    ("boolean_format", "`c`, or two texts with a comma between, such as `yes,no`"),
    (
        "date_format",
        "`iso`, `xs` with their options, `short` to `full`, or a pattern such as `yyyy-MM-dd`",
    ),
    ("time_format", "the same"),
    ("datetime_format", "the same"),
    ("time_zone", "`UTC`, `GMT`, or an offset such as `GMT+02:00`"),
    ("locale", "`en_US` only"),
    ("url_escaping_charset", "`UTF-8` only"),
];

impl Parser<'_> {
    pub(super) fn setting(&mut self) -> Compiled<ElementKind> {
        self.open_with_expression("setting")?;
        let (name, pos) = self.expect_id("the name of a setting")?;
        let setting = match name.as_str() {
            "number_format" => Setting::NumberFormat,
            "boolean_format" => Setting::BooleanFormat,
            "date_format" => Setting::DateFormat,
            "time_format" => Setting::TimeFormat,
            "datetime_format" => Setting::DatetimeFormat,
            "time_zone" => Setting::TimeZone,
            "locale" => Setting::Locale,
            "url_escaping_charset" => Setting::UrlEscapingCharset,
            _ => {
                let known: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
                return Err(pos.refuse(format!(
                    "the setting {name} is not supported; these are: {}",
                    known.join(", ")
                )));
            }
        };
        self.expect_op("=")?;
        let value = self.expression()?;
        if let ExprKind::Text(text) = &value.kind {
            let supported = match setting {
                Setting::Locale => &**text == "en_US",
                Setting::UrlEscapingCharset => text.eq_ignore_ascii_case("UTF-8"),
                Setting::TimeZone => crate::date::offset(text).is_some(),
                _ => true,
            };
            if !supported {
                let allowed = SETTINGS
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map_or("", |(_, allowed)| *allowed);
                return Err(value
                    .pos
                    .refuse(format!("{name} \"{text}\" is not supported; allowed is {allowed}")));
            }
        }
        self.loose_tag_end()?;
        Ok(ElementKind::Setting(setting, value))
    }

    /// `<#ftl …>` at the beginning.
    pub(super) fn header(&mut self) -> Compiled<()> {
        let rest = self.lexer.rest();
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let Some(after) = trimmed.strip_prefix("<#ftl") else { return Ok(()) };
        if !after.starts_with([' ', '\t', '\n', '\r', '>', '/']) {
            return Ok(());
        }
        self.lexer.skip(rest.len() - after.len());
        loop {
            if matches!(self.peek()?, Token::TagEnd | Token::EmptyTagEnd) {
                self.next()?;
                break;
            }
            let (name, pos) = self.expect_id("`>` or a setting")?;
            self.expect_op("=")?;
            let value = self.expression()?;
            match (name.as_str(), &value.kind) {
                ("strip_whitespace", ExprKind::Bool(strip)) => self.strip = *strip,
                ("encoding", ExprKind::Text(_)) => {}
                ("output_format", ExprKind::Text(format))
                    if matches!(&**format, "JSON" | "plainText" | "undefined" | "JavaScript") => {}
                ("output_format", _) => {
                    return Err(value.pos.refuse(
                        "output formats that escape are not supported; write ?json_string, ?html or #escape",
                    ));
                }
                _ => return Err(pos.refuse(format!("#ftl {name}=… is not supported"))),
            }
        }
        self.peeked = None;
        let rest = self.lexer.rest();
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let after = rest.get(blank..).unwrap_or_default();
        for end in ["\r\n", "\n", "\r"] {
            if after.starts_with(end) {
                self.lexer.skip(blank + end.len());
                break;
            }
        }
        Ok(())
    }
}
