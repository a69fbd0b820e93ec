//! Source text, read character by character with its place, and the tokens inside `${…}` and tags.

use crate::error::{Compiled, Pos};

/// A token of the expression language.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Id(String),
    /// The text of a literal, and whether it may hold interpolations.
    Text(String, bool),
    Number(String),
    True,
    False,
    In,
    As,
    Using,
    /// Any operator or bracket, as written; `&lt;` and `lt` are `<`, and so on.
    Op(&'static str),
    /// `>` outside brackets: the end of a tag.
    TagEnd,
    /// `/>`
    EmptyTagEnd,
    /// `!` and then white space, between the named arguments of a macro call.
    LastBang,
    End,
}

/// Longest first.
const OPERATORS: [&str; 43] = [
    "&amp;&amp;",
    "&lt;=",
    "&gt;=",
    "&lt;",
    "&gt;",
    "-&gt;",
    "...",
    "..<",
    "..!",
    "..*",
    "..",
    "??",
    "==",
    "!=",
    "+=",
    "-=",
    "*=",
    "/=",
    "%=",
    "++",
    "--",
    "->",
    "**",
    "&&",
    "||",
    "<=",
    ".",
    "?",
    "=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "!",
    ",",
    ";",
    ":",
    "[",
    "]",
    "<",
];

fn meaning(written: &'static str) -> &'static str {
    match written {
        "&amp;&amp;" | "&" => "&&",
        "|" => "||",
        "&lt;=" => "<=",
        "&gt;=" => ">=",
        "&lt;" => "<",
        "&gt;" => ">",
        "-&gt;" => "->",
        "..!" => "..<",
        other => other,
    }
}

/// Where a reader stands.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'s> {
    source: &'s str,
    at: usize,
    pos: Pos,
    /// Set for the text of a string literal: all its places are the literal's.
    fixed: bool,
    /// Open round brackets: within them `>` is an operator.
    pub(crate) brackets: usize,
    /// Between the named arguments of a macro call.
    pub(crate) naming: bool,
}

impl<'s> Lexer<'s> {
    pub(crate) fn new(source: &'s str, fixed: Option<Pos>) -> Self {
        Self {
            source,
            at: 0,
            pos: fixed.unwrap_or(Pos::START),
            fixed: fixed.is_some(),
            brackets: 0,
            naming: false,
        }
    }

    pub(crate) fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// The character just before.
    pub(crate) fn before(&self) -> Option<char> {
        self.source.get(..self.at).and_then(|text| text.chars().next_back())
    }

    pub(crate) fn pos(&self) -> Pos {
        self.pos
    }

    /// Goes on by bytes of [`Self::rest`], which must end at a character; the place of the last character.
    pub(crate) fn skip(&mut self, bytes: usize) -> Pos {
        let taken = self.rest().get(..bytes).unwrap_or_default();
        self.at += taken.len();
        if self.fixed {
            return self.pos;
        }
        let mut last = self.pos;
        let mut characters = taken.chars().peekable();
        while let Some(character) = characters.next() {
            last = self.pos;
            if character == '\n' || (character == '\r' && !self.at_line_feed(&mut characters)) {
                self.pos = Pos { line: self.pos.line + 1, column: 1 };
            } else {
                self.pos.column += 1;
            }
        }
        last
    }

    fn at_line_feed(&self, characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> bool {
        match characters.peek() {
            Some(next) => *next == '\n',
            None => self.rest().starts_with('\n'),
        }
    }

    fn space(&mut self) -> Compiled<()> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            self.skip(blank);
            let rest = self.rest();
            if !(rest.starts_with("<#--") || rest.starts_with("<!--")) {
                return Ok(());
            }
            let Some(end) = rest.find("-->") else {
                return Err(self.pos.refuse("the comment has no end"));
            };
            self.skip(end + 3);
        }
    }

    /// The next token and its place.
    pub(crate) fn token(&mut self) -> Compiled<(Token, Pos)> {
        self.space()?;
        let pos = self.pos;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok((Token::End, pos)) };
        let token = match first {
            '"' | '\'' => self.literal(first)?,
            'r' if rest.starts_with("r\"") || rest.starts_with("r'") => self.raw()?,
            '0'..='9' => self.number(),
            '\\' => self.escaped()?,
            _ if starts_name(first) => self.name(),
            _ => self.operator(first, pos)?,
        };
        Ok((token, pos))
    }

    fn operator(&mut self, first: char, pos: Pos) -> Compiled<Token> {
        let rest = self.rest();
        match first {
            '>' if self.brackets == 0 => {
                self.skip(1);
                return Ok(Token::TagEnd);
            }
            '>' => {
                let operator = if rest.starts_with(">=") { ">=" } else { ">" };
                self.skip(operator.len());
                return Ok(Token::Op(operator));
            }
            '/' if self.brackets == 0 && rest.starts_with("/>") => {
                self.skip(2);
                return Ok(Token::EmptyTagEnd);
            }
            '!' if self.naming
                && rest
                    .get(1..)
                    .is_some_and(|after| after.starts_with([' ', '\t', '\n', '\r'])) =>
            {
                self.skip(1);
                return Ok(Token::LastBang);
            }
            '(' => self.brackets += 1,
            ')' => self.brackets = self.brackets.saturating_sub(1),
            '{' | '}' => {}
            _ => {
                let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator))
                else {
                    return Err(pos.refuse(match first {
                        '$' | '#' if rest.get(1..).is_some_and(|after| after.starts_with('{')) => {
                            "`${` does not belong inside an expression; write its name alone"
                                .to_owned()
                        }
                        _ => format!("`{first}` does not belong here"),
                    }));
                };
                self.skip(operator.len());
                return Ok(Token::Op(meaning(operator)));
            }
        }
        self.skip(1);
        Ok(Token::Op(match first {
            '(' => "(",
            ')' => ")",
            '{' => "{",
            _ => "}",
        }))
    }

    fn number(&mut self) -> Token {
        let rest = self.rest();
        let whole = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = rest.get(whole..).unwrap_or_default();
        let fraction = match after.strip_prefix('.') {
            Some(after) => {
                after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len()
            }
            None => 0,
        };
        let length = if fraction > 0 { whole + 1 + fraction } else { whole };
        let text = rest.get(..length).unwrap_or_default().to_owned();
        self.skip(length);
        Token::Number(text)
    }

    fn escaped(&mut self) -> Compiled<Token> {
        let rest = self.rest().get(1..).unwrap_or_default();
        if rest.starts_with(['-', '.', ':']) {
            return Ok(self.name());
        }
        for (word, operator) in
            [("lte", "<="), ("lt", "<"), ("gte", ">="), ("gt", ">"), ("and", "&&")]
        {
            if rest.strip_prefix(word).is_some_and(|after| !after.starts_with(continues_name)) {
                self.skip(1 + word.len());
                return Ok(Token::Op(operator));
            }
        }
        Err(self.pos.refuse("`\\` does not belong here"))
    }

    fn name(&mut self) -> Token {
        let mut name = String::new();
        let mut length = 0;
        let mut characters = self.rest().chars().peekable();
        while let Some(character) = characters.next() {
            if character == '\\' {
                match characters.next_if(|next| matches!(next, '-' | '.' | ':')) {
                    Some(next) => {
                        name.push(next);
                        length += 2;
                        continue;
                    }
                    None => break,
                }
            }
            if !continues_name(character) {
                break;
            }
            name.push(character);
            length += character.len_utf8();
        }
        let plain = name.len() == length;
        self.skip(length);
        match name.as_str() {
            "true" if plain => Token::True,
            "false" if plain => Token::False,
            "in" if plain => Token::In,
            "as" if plain => Token::As,
            "using" if plain => Token::Using,
            "lt" if plain => Token::Op("<"),
            "lte" if plain => Token::Op("<="),
            "gt" if plain => Token::Op(">"),
            "gte" if plain => Token::Op(">="),
            _ => Token::Id(name),
        }
    }

    fn raw(&mut self) -> Compiled<Token> {
        let rest = self.rest();
        let quote = if rest.starts_with("r\"") { '"' } else { '\'' };
        let body = rest.get(2..).unwrap_or_default();
        let Some(end) = body.find(quote) else {
            return Err(self.pos.refuse("the text has no closing quote"));
        };
        let text = body.get(..end).unwrap_or_default().to_owned();
        self.skip(end + 3);
        Ok(Token::Text(text, false))
    }

    fn literal(&mut self, quote: char) -> Compiled<Token> {
        let pos = self.pos;
        let rest = self.rest();
        let body = rest.get(1..).unwrap_or_default();
        let mut text = String::new();
        let mut characters = body.char_indices();
        while let Some((at, character)) = characters.next() {
            if character == quote {
                let written = body.get(..at).unwrap_or_default();
                // FreeMarker does not look into literals of up to three characters.
                let interpolated = (written.contains("${") || written.contains("#{"))
                    && text.encode_utf16().count() > 3;
                self.skip(at + 2);
                return Ok(Token::Text(text, interpolated));
            }
            if character != '\\' {
                text.push(character);
                continue;
            }
            let Some((_, escape)) = characters.next() else { break };
            text.push(match escape {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'f' => '\u{c}',
                'b' => '\u{8}',
                'g' => '>',
                'l' => '<',
                'a' => '&',
                '\\' | '\'' | '"' | '{' | '=' => escape,
                'x' => {
                    let after = characters.as_str();
                    let digits = after.bytes().take(4).take_while(u8::is_ascii_hexdigit).count();
                    let code = after.get(..digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                    let Some(decoded) = code.and_then(char::from_u32) else {
                        return Err(pos.refuse("`\\x` in a text must be followed by a character's hexadecimal number"));
                    };
                    for _ in 0..digits {
                        characters.next();
                    }
                    decoded
                }
                _ => {
                    return Err(pos.refuse(format!(
                        "`\\{escape}` is not an escape; these are: \\n \\t \\r \\f \\b \\g \\l \\a \\{{ \\= \\\\ \\' \\\" \\x"
                    )));
                }
            });
        }
        Err(pos.refuse("the text has no closing quote"))
    }
}

fn starts_name(character: char) -> bool {
    matches!(character, '$' | '@'..='Z' | '_' | 'a'..='z')
        || (!character.is_ascii()
            && character.is_alphabetic()
            && matches!(
                u32::from(character),
                0xAA | 0xB5 | 0xBA | 0xC0..=0xD6 | 0xD8..=0xF6 | 0xF8..=0x1FFF
                    | 0x3040..=0x318F
                    | 0x3400..=0x4DB5
                    | 0x4E00..=0xA48C
                    | 0xAC00..=0xD7A3
            ))
}

pub(crate) fn continues_name(character: char) -> bool {
    character.is_ascii_digit() || starts_name(character)
}
