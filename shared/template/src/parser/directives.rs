//! The directives.

use super::{
    Parser,
    tags::{Mark, written},
};
use crate::{
    ast::{Branch, ElementKind, Scope, Switch},
    error::{Compiled, Pos},
};

/// The directives, how each is written, and what it does.
pub const DIRECTIVES: &[(&str, &str, &str)] = &[
    ("if", "<#if a>…<#elseif b>…<#else>…</#if>", "the first branch whose condition is true"),
    ("list", "<#list items as x>…<#else>…</#list>", "once for each item; `as k, v` for hashes"),
    (
        "items",
        "<#list items>…<#items as x>…</#items>…</#list>",
        "the repeated part of a list without `as`",
    ),
    ("sep", "<#sep>…</#sep>", "in a list: between items only"),
    ("break", "<#break>", "ends the list, or the switch"),
    ("continue", "<#continue>", "goes on with the next item"),
    (
        "assign",
        "<#assign x = 1 y += 2 z++>, <#assign x>…</#assign>",
        "sets variables, or captures output",
    ),
    ("global", "<#global x = 1>", "as assign, behind it in order of look-up"),
    ("local", "<#local x = 1>", "as assign, within a macro"),
    (
        "switch",
        "<#switch x><#case 1>…<#break><#default>…</#switch>",
        "from the first equal case on, up to #break",
    ),
    ("setting", "<#setting number_format=\"computer\">", "changes how values are printed"),
    (
        "escape",
        "<#escape x as x?json_string>…</#escape>",
        "puts each interpolation into an expression",
    ),
    ("noescape", "<#noescape>…</#noescape>", "interpolations outside the innermost #escape"),
    (
        "compress",
        "<#compress>…</#compress>",
        "each run of white space becomes one space or line break",
    ),
    ("attempt", "<#attempt>…<#recover>…</#attempt>", "what to print instead when something fails"),
    (
        "macro",
        "<#macro name a b=1>…</#macro>, <@name a=2/>",
        "a part with parameters; not recursive",
    ),
    ("nested", "<#nested>", "in a macro: what stands between <@name> and </@name>"),
    ("return", "<#return>", "ends the macro"),
    ("stop", "<#stop \"why\">", "the event fails"),
    ("noparse", "<#noparse>…</#noparse>", "text that is printed as it is"),
    (
        "t",
        "<#t>, <#lt>, <#rt>, <#nt>",
        "white space of this line: strip both sides, left, right, none",
    ),
    ("flush", "<#flush>", "nothing; kept for templates from elsewhere"),
    ("ftl", "<#ftl strip_whitespace=false>", "at the very beginning: settings of the template"),
];

/// What FreeMarker has and this does not, and why.
const REFUSED: &[(&str, &str)] = &[
    ("include", "a template is one text"),
    ("import", "a template is one text"),
    ("function", "write a #macro, or #assign"),
    ("transform", "it runs Java code"),
    ("visit", "it is for XML"),
    ("recurse", "it is for XML"),
    ("fallback", "it is for XML"),
    ("call", "write <@name/>"),
    ("foreach", "write <#list items as x>"),
    ("comment", "write <#-- … -->"),
    ("outputformat", "write ?json_string, ?html or #escape"),
    ("autoesc", "write ?json_string, ?html or #escape"),
    ("noautoesc", "write ?json_string, ?html or #escape"),
];

impl Parser<'_> {
    /// A directive, whose `<#name` stands here.
    pub(super) fn directive(&mut self, name: &str, begin: Pos) -> Compiled<ElementKind> {
        match name {
            "if" => self.condition(begin),
            "list" => self.list(begin),
            "items" => self.items(begin),
            "sep" => self.sep(),
            "break" => self.exit(name, begin, ElementKind::Break),
            "continue" => self.exit(name, begin, ElementKind::Continue),
            "assign" => self.assign(name, Scope::Template, begin),
            "global" => self.assign(name, Scope::Global, begin),
            "local" => self.assign(name, Scope::Local, begin),
            "switch" => self.switch(begin),
            "setting" => self.setting(),
            "escape" => self.escape(begin),
            "noescape" => self.no_escape(begin),
            "compress" => {
                self.open_alone(name, false)?;
                let block = self.block()?;
                self.close(name, begin)?;
                Ok(ElementKind::Compress(block))
            }
            "attempt" => self.attempt(begin),
            "macro" => self.definition(begin),
            "nested" | "return" => {
                if !self.in_macro {
                    return Err(begin.refuse(format!("#{name} stands outside a macro")));
                }
                if self.open_alone(name, true).is_err() {
                    return Err(begin.refuse(format!("#{name} with a value is not supported")));
                }
                Ok(if name == "nested" { ElementKind::Nested } else { ElementKind::Return })
            }
            "stop" => self.stop(),
            "noparse" => self.no_parse(begin),
            "t" => self.trim(name, true, true),
            "lt" => self.trim(name, true, false),
            "rt" => self.trim(name, false, true),
            "nt" => self.trim(name, false, false),
            "flush" => {
                self.open_alone(name, true)?;
                Ok(ElementKind::Flush)
            }
            "ftl" => Err(begin.refuse("#ftl must stand at the very beginning")),
            _ => Err(refuse(name, begin)),
        }
    }

    fn exit(&mut self, name: &str, begin: Pos, kind: ElementKind) -> Compiled<ElementKind> {
        let inside = if name == "break" {
            self.breakable > 0
        } else {
            self.loops.iter().any(|context| !context.names.is_empty())
        };
        if !inside {
            return Err(begin.refuse(format!("#{name} stands outside a list")));
        }
        self.open_alone(name, true)?;
        Ok(kind)
    }

    fn trim(&mut self, name: &str, left: bool, right: bool) -> Compiled<ElementKind> {
        self.open_alone(name, true)?;
        Ok(ElementKind::Trim { left, right })
    }

    /// A branch's block; it ends where its last part does, or where its tag did.
    pub(super) fn branch(
        &mut self,
        condition: Option<crate::ast::Expr>,
        begin: Pos,
    ) -> Compiled<Branch> {
        let tag = self.last();
        let body = self.block()?;
        let end = body.last().map_or(tag, |element| element.end);
        Ok(Branch { condition, body, begin, end })
    }

    fn condition(&mut self, begin: Pos) -> Compiled<ElementKind> {
        self.open_with_expression("if")?;
        let condition = self.expression()?;
        self.tag_end()?;
        let mut branches = vec![self.branch(Some(condition), begin)?];
        loop {
            let at = self.lexer.pos();
            match self.mark() {
                Mark::Open(name) if name == "elseif" => {
                    self.open_with_expression("elseif")?;
                    let condition = self.expression()?;
                    self.loose_tag_end()?;
                    branches.push(self.branch(Some(condition), at)?);
                }
                Mark::Open(name) if name == "else" => {
                    self.open_alone("else", true)?;
                    branches.push(self.branch(None, at)?);
                    break;
                }
                _ => break,
            }
        }
        self.close("if", begin)?;
        Ok(ElementKind::If(branches))
    }

    fn attempt(&mut self, begin: Pos) -> Compiled<ElementKind> {
        self.open_alone("attempt", false)?;
        let block = self.block()?;
        let at = self.lexer.pos();
        match self.mark() {
            Mark::Open(name) if name == "recover" => self.open_alone("recover", false)?,
            _ => return Err(begin.refuse("#attempt has no <#recover>")),
        }
        let recover = self.branch(None, at)?;
        if self.mark() == Mark::Close("recover".to_owned()) {
            self.close("recover", begin)?;
        } else {
            self.close("attempt", begin)?;
        }
        Ok(ElementKind::Attempt(block, recover))
    }

    fn stop(&mut self) -> Compiled<ElementKind> {
        if self.open_alone_quietly("stop") {
            return Ok(ElementKind::Stop(None));
        }
        self.open_with_expression("stop")?;
        let why = self.expression()?;
        self.loose_tag_end()?;
        Ok(ElementKind::Stop(Some(why)))
    }

    fn open_alone_quietly(&mut self, name: &str) -> bool {
        let before = self.lexer.clone();
        let alone = self.open_alone(name, true).is_ok();
        if !alone {
            self.lexer = before;
        }
        alone
    }

    fn no_parse(&mut self, begin: Pos) -> Compiled<ElementKind> {
        self.open_alone("noparse", false)?;
        let mut text = String::new();
        loop {
            let Some(part) = self.unparsed("</#noparse") else {
                return Err(begin.refuse("#noparse has no </#noparse>"));
            };
            text.push_str(&part);
            let rest = self.lexer.rest();
            let after = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            if after.starts_with('>') {
                self.end = self.lexer.skip(rest.len() - after.len() + 1);
                return Ok(ElementKind::Text(text));
            }
            text.push_str("</#noparse");
        }
    }

    fn switch(&mut self, begin: Pos) -> Compiled<ElementKind> {
        self.open_with_expression("switch")?;
        let subject = self.expression()?;
        self.tag_end()?;
        self.breakable += 1;
        let cases = self.cases();
        self.breakable -= 1;
        let cases = cases?;
        self.close("switch", begin)?;
        Ok(ElementKind::Switch(Box::new(Switch { subject, cases })))
    }

    fn cases(&mut self) -> Compiled<Vec<Branch>> {
        let mut cases: Vec<Branch> = Vec::new();
        loop {
            let at = self.lexer.pos();
            if let Some(text) = self.text() {
                if text.contains(|c| !matches!(c, ' ' | '\t' | '\n' | '\r')) {
                    return Err(at.refuse("only <#case …> and <#default> may follow <#switch …>"));
                }
                continue;
            }
            match self.mark() {
                Mark::Comment if cases.is_empty() => {
                    self.lexer.skip("<#--".len());
                    if self.unparsed("-->").is_none() {
                        return Err(at.refuse("the comment has no end"));
                    }
                }
                Mark::Open(name) if name == "case" => {
                    self.open_with_expression("case")?;
                    let condition = self.expression()?;
                    self.tag_end()?;
                    cases.push(self.branch(Some(condition), at)?);
                }
                Mark::Open(name) if name == "default" => {
                    self.open_alone("default", false)?;
                    if cases.iter().any(|case| case.condition.is_none()) {
                        return Err(at.refuse("a #switch has one <#default> at most"));
                    }
                    cases.push(self.branch(None, at)?);
                }
                Mark::Close(name) if name == "switch" => return Ok(cases),
                mark => {
                    return Err(
                        at.refuse(format!("{} does not belong here in a #switch", written(&mark)))
                    );
                }
            }
        }
    }
}

fn refuse(name: &str, pos: Pos) -> Box<crate::error::CompileError> {
    if let Some((_, instead)) = REFUSED.iter().find(|(known, _)| *known == name) {
        pos.refuse(format!("#{name} is not supported; {instead}"))
    } else {
        let known: Vec<&str> = DIRECTIVES.iter().map(|(name, ..)| *name).collect();
        pos.refuse(format!("#{name} is not a directive; these are: {}", known.join(", ")))
    }
}
