//! What comparing with the real FreeMarker found, each as it renders it: `scripts/differential-template` made these.

use flagpost_template::{RenderErrorKind, Template};

const EVENT: &[u8] =
    br#"{"s":"abc","a":[1,2,null,"q"],"h":{"k":1,"z":null},"numbers":[3],"nul":null,"b":true}"#;

/// A template and what it renders to; absent for an error.
const FOUND: &[(&str, Option<&str>)] = &[
    // White space.
    ("x<#-- c \n-->\n\n", Some("x")),
    ("\t<#lt>\t${\"{}\"} ", Some("\t\t{} ")),
    ("a\n  ${1} <#t> \t <#t/>\n\n${2}  \n", Some("a\n1  \t \n2  \n")),
    ("\r\n<#noparse>\t${x}<#if></#noparse>  <#t>\t", Some("\r\n${x}<#if>  \t")),
    ("a <sep>t", None),
    // Leaving a block.
    (
        "<#list 1..3 as x><#switch x><#case 2><#continue><#default>d</#switch>${x}</#list>",
        Some("d12d3"),
    ),
    (
        "<#list 1..3 as x><#attempt>${x}<#if x==2><#break></#if><#recover>r</#attempt></#list>",
        Some("1"),
    ),
    ("<#list 1..3 as x><#assign y>${x}<#if x==2><#break></#if>z</#assign></#list>${y}", Some("1z")),
    (
        "<#macro m>a<#nested>b</#macro><#list 1..3 as x><@m><#if x==2><#break></#if>${x}</@m></#list>",
        Some("a1ba"),
    ),
    ("<#switch nope><#default>a</#switch>", Some("a")),
    ("<#switch nope><#case 1>a</#switch>", None),
    // Macros.
    ("<#macro m a=b b=2>${a}</#macro><@m/>", Some("2")),
    ("<#macro m a><#local b=a>${b}<#nested></#macro><#assign b=7><@m 1>${b}</@m>", Some("17")),
    ("<#macro m><#list 1..2 as i><#nested></#list></#macro><@m>${i!\"no\"}</@m>", Some("nono")),
    // Lambdas run as far as they must.
    ("${[1,2,3]?map(x->nope)?size}", Some("3")),
    ("${input.h?values?map(x -> [x])?first?size}", Some("1")),
    ("${(input.a?map(x->nope)?first)!\"m\"}", None),
    // Numbers.
    ("${-(0?double)} ${-2.5?round} ${(-2.5)?round} ${5 % 0.5}", None),
    ("${-(0?double)} ${-2.5?round} ${(-2.5)?round}", Some("-0 -3 -2")),
    ("${1?string('0d .##')}", Some("1d ")),
    // Texts.
    ("${'x${'}${\"${1\"}${input.s!!}[${nope!!}]", Some("x${${1abc[]")),
    ("[${''?split('')?size}]", Some("[0]")),
    ("${' true'?boolean?c}", None),
    ("${'ab'?replace('x', '$1', 'r')}", Some("ab")),
    ("${'ab'?replace('(a)', '$2', 'r')}", None),
    ("${'ab'?keep_after_last('x*', 'r')}", None),
    ("<#list {}><#items as it>${it}</#items></#list>", None),
    ("${(input.h + input.nul)?has_content?c}", None),
    ("${'a'?default(input.nope.deep)}", None),
];

#[test]
fn what_was_found_stays_found() {
    for (template, wanted) in FOUND {
        let got =
            Template::compile(template).ok().and_then(|compiled| compiled.render_json(EVENT).ok());
        assert_eq!(got.as_deref(), *wanted, "{template}");
    }
}

#[test]
fn an_attempt_hides_failures_but_not_what_is_unsupported_or_over_budget() {
    let render = |inner: &str| {
        let template = format!("<#attempt>{inner}<#recover>R</#attempt>");
        Template::compile(&template)
            .map(|compiled| compiled.render_json(EVENT))
            .map_err(|error| error.message)
    };
    assert_eq!(render("a${nope}"), Ok(Ok("R".to_owned())));
    assert_eq!(render("a${1/0}"), Ok(Ok("R".to_owned())));
    let kind = |inner: &str| render(inner).map(|result| result.map_err(|error| error.kind));
    assert_eq!(kind("${['é', 'e']?sort?first}"), Ok(Err(RenderErrorKind::Unsupported)));
    assert_eq!(kind("${'x'?left_pad(1000000000)}"), Ok(Err(RenderErrorKind::Budget)));
}

#[test]
fn errors_do_not_hold_the_event() {
    let event = br#"{"secret":"hunter2","n":["hunter2"]}"#;
    for template in [
        "${input.secret?number}",
        "<#stop input.secret>",
        "${input.secret + input.nope}",
        "${input.secret?date('yyyy')}",
        "${input[input.secret]}",
        "${input.secret?matches(input.secret + '(')?c}",
        "<#setting time_zone=input.secret>",
        "${input.n}",
    ] {
        let error = Template::compile(template)
            .map(|compiled| compiled.render_json(event))
            .unwrap()
            .unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
