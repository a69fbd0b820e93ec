//! Texts that are cut within a character that takes two places in UTF-16, as FreeMarker 2.3.31 cuts and Java then encodes
//! them.
#![cfg(test)]

use flagpost_template::{RenderErrorKind, Template};

const EVENT: &[u8] =
    r#"{"s":"😀x","t":"ab😀cd😀","d":"..😀 😀. x😀y","n":"\ufdd0😀","m":"\ufdd0"}"#.as_bytes();

/// What is printed, `?` being the half.
const PRINTED: &[(&str, &str)] = &[
    ("${input.t?substring(0, 3)}", "ab?"),
    ("${input.t[0..<3]}", "ab?"),
    ("${input.t[0..*3]}", "ab?"),
    ("${input.t[2]}", "?"),
    ("${input.t[2..2]}c", "?c"),
    ("${input.t[0..*30]}", "ab😀cd😀"),
    ("${input.s?truncate(1)}", "[...]"),
    ("${input.t?truncate(3)}", "[...]"),
    ("${input.t?truncate(8)}", "ab😀cd😀"),
    ("${input.t?truncate_c(7, '')}", "ab😀cd?"),
    ("${input.t?truncate_c(3, '')}", "ab?"),
    ("${input.t?truncate_c(4, '…')}", "ab?…"),
    ("${input.t?truncate_c(5, '…')}", "ab😀…"),
    ("${input.t?truncate_w(3, '')}", ""),
    ("${input.d?truncate(6, '..')}", "..?.."),
    ("<#assign x = input.t[0..<3]>${x} ${x + '!'} ${'!' + x} ${\"<${x}>\"}", "ab? ab?! !ab? <ab?>"),
    ("${('<' + input.s[0..<1] + '>\"')?json_string}", "<?>\\\""),
    ("${('<' + input.s[0..<1] + '!')?js_string} ${('<' + input.s[0]) ?html}", "<?! &lt;?"),
    ("<#escape x as x?json_string>${input.t[0..<3]}</#escape>", "ab?"),
    ("<#compress> ${input.t[0..<3]}  </#compress>", "ab?"),
    ("<#attempt>${input.t[0..<3]}<#recover>no</#attempt>", "ab?"),
    (
        "${(input.t[0..<3])!'x'} ${input.t[0..<3]?has_content?c} ${true?then(input.t[2], '')}",
        "ab? true ?",
    ),
    ("<#macro m a>${a}</#macro><@m input.t[2]/>", "?"),
];

/// What would tell half of a character from a question mark, and is refused even where it is attempted.
const REFUSED: &[&str] = &[
    "${input.t[3]}",
    "${input.t[3..]}",
    "${input.t?substring(3, 4)}",
    "${(input.t[0..<3] == 'ab?')?c}",
    "${(input.t[2] != 1)?c}",
    "${input.t[2]?length}",
    "${input.t[2]?url}",
    "${input.t[2]?upper_case}",
    "${input.t[2]?is_string?c}",
    "${input.t[2]?string}",
    "${input.t[0..<3][0]}",
    "${'x'?replace('x', input.t[2])}",
    "${'ab'?contains(input.t[2])?c}",
    "${[input.t[2]]?size}",
    "${{'a': input.t[2]}?size}",
    "${{'a': 1}[input.t[2]]!'none'}",
    "${['?']?seq_contains(input.t[2])?c}",
    "${input.t[2]?switch('?', 1, 2)}",
    "<#switch input.t[2]><#case '?'>1<#default>2</#switch>",
    "<#assign x>${input.t[2]}</#assign>${x}",
    "${(1..2)?map(i -> input.t[2])?reverse?size}",
    "${input.n[0..<2]}",
    "${input.m + input.t[2]}",
    "${'1'?left_pad(3, input.t[2])}",
    "<#setting boolean_format=input.t[2]>",
];

fn render(template: &str) -> Result<String, flagpost_template::RenderError> {
    Template::compile(template).unwrap().render_json(EVENT)
}

#[test]
fn the_half_is_printed_as_java_encodes_it() {
    for (template, printed) in PRINTED {
        assert_eq!(render(template).as_deref(), Ok(*printed), "{template}");
    }
}

#[test]
fn what_would_look_at_the_half_is_refused() {
    for template in REFUSED {
        for whole in
            [(*template).to_owned(), format!("<#attempt>{template}<#recover>no</#attempt>")]
        {
            let error = render(&whole).unwrap_err();
            assert_eq!(error.kind, RenderErrorKind::Unsupported, "{whole}: {error}");
        }
    }
}
