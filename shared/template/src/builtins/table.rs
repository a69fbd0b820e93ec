//! All built-ins, in the order of the documentation.

use super::{
    Arguments, Builtin, Run, choices, dates, escapes, groups, hashes, numbers, padding, search,
    sequences, sorting, strings, types,
};
use crate::ast::LoopFact;

/// Builds a row.
macro_rules! row {
    ($group:literal, $name:literal, $kind:ident, $arguments:expr, $run:path, $summary:literal) => {
        Builtin {
            name: $name,
            arguments: $arguments,
            run: Run::$kind($run),
            group: $group,
            summary: $summary,
        }
    };
}

pub(super) static BUILTINS: &[Builtin] = &[
    row!("texts", "length", Text, Arguments::None, strings::length, "UTF-16 units"),
    row!("texts", "upper_case", Text, Arguments::None, strings::upper_case, "in capitals"),
    row!("texts", "lower_case", Text, Arguments::None, strings::lower_case, "in small letters"),
    row!(
        "texts",
        "cap_first",
        Text,
        Arguments::None,
        strings::cap_first,
        "the first letter a capital"
    ),
    row!(
        "texts",
        "uncap_first",
        Text,
        Arguments::None,
        strings::uncap_first,
        "the first letter small"
    ),
    row!(
        "texts",
        "capitalize",
        Text,
        Arguments::None,
        strings::capitalize,
        "each word with a capital, the rest small"
    ),
    row!("texts", "trim", Text, Arguments::None, strings::trim, "without white space at both ends"),
    row!(
        "texts",
        "chop_linebreak",
        Text,
        Arguments::None,
        strings::chop_linebreak,
        "without one line break at the end"
    ),
    row!(
        "texts",
        "word_list",
        Text,
        Arguments::None,
        strings::word_list,
        "the words, as a sequence"
    ),
    row!(
        "texts",
        "substring",
        Text,
        Arguments::Some(1, 2),
        strings::substring,
        "from one place to another"
    ),
    row!(
        "texts",
        "contains",
        Text,
        Arguments::Some(1, 1),
        strings::contains,
        "whether it holds a text"
    ),
    row!(
        "texts",
        "starts_with",
        Text,
        Arguments::Some(1, 1),
        strings::starts_with,
        "whether it begins with a text"
    ),
    row!(
        "texts",
        "ends_with",
        Text,
        Arguments::Some(1, 1),
        strings::ends_with,
        "whether it ends with a text"
    ),
    row!(
        "texts",
        "index_of",
        Text,
        Arguments::Some(1, 2),
        strings::index_of,
        "the first place of a text, or -1"
    ),
    row!(
        "texts",
        "last_index_of",
        Text,
        Arguments::Some(1, 2),
        strings::last_index_of,
        "the last place of a text, or -1"
    ),
    row!(
        "texts",
        "remove_beginning",
        Text,
        Arguments::Some(1, 1),
        strings::remove_beginning,
        "without this beginning"
    ),
    row!(
        "texts",
        "remove_ending",
        Text,
        Arguments::Some(1, 1),
        strings::remove_ending,
        "without this end"
    ),
    row!(
        "texts",
        "ensure_starts_with",
        Text,
        Arguments::Some(1, 3),
        search::ensure_starts_with,
        "with this beginning"
    ),
    row!(
        "texts",
        "ensure_ends_with",
        Text,
        Arguments::Some(1, 1),
        strings::ensure_ends_with,
        "with this end"
    ),
    row!(
        "texts",
        "keep_before",
        Text,
        Arguments::Some(1, 2),
        search::keep_before,
        "what stands before a text"
    ),
    row!(
        "texts",
        "keep_before_last",
        Text,
        Arguments::Some(1, 2),
        search::keep_before_last,
        "what stands before its last place"
    ),
    row!(
        "texts",
        "keep_after",
        Text,
        Arguments::Some(1, 2),
        search::keep_after,
        "what stands after a text"
    ),
    row!(
        "texts",
        "keep_after_last",
        Text,
        Arguments::Some(1, 2),
        search::keep_after_last,
        "what stands after its last place"
    ),
    row!(
        "texts",
        "replace",
        Text,
        Arguments::Some(2, 3),
        search::replace,
        "each place of a text by another; flags `r`, `i`, `f`, `m`, `s`"
    ),
    row!(
        "texts",
        "split",
        Text,
        Arguments::Some(1, 2),
        search::split,
        "the parts between separators"
    ),
    row!(
        "texts",
        "matches",
        Text,
        Arguments::Some(1, 2),
        groups::matches,
        "whether a regular expression matches it all, and each match in it"
    ),
    row!("texts", "groups", Value, Arguments::None, groups::groups, "the groups of `?matches`"),
    row!(
        "texts",
        "left_pad",
        Text,
        Arguments::Some(1, 2),
        padding::left_pad,
        "filled on the left to a length"
    ),
    row!(
        "texts",
        "right_pad",
        Text,
        Arguments::Some(1, 2),
        padding::right_pad,
        "filled on the right to a length"
    ),
    row!(
        "texts",
        "truncate",
        Text,
        Arguments::Some(1, 3),
        padding::truncate,
        "cut to a length, at a word's end where that is near"
    ),
    row!(
        "texts",
        "truncate_w",
        Text,
        Arguments::Some(1, 3),
        padding::truncate_w,
        "cut at a word's end"
    ),
    row!("texts", "truncate_c", Text, Arguments::Some(1, 3), padding::truncate_c, "cut anywhere"),
    row!(
        "texts",
        "json_string",
        Text,
        Arguments::None,
        escapes::json_string,
        "escaped for a JSON string"
    ),
    row!(
        "texts",
        "js_string",
        Text,
        Arguments::None,
        escapes::js_string,
        "escaped for a JavaScript string"
    ),
    row!(
        "texts",
        "j_string",
        Text,
        Arguments::None,
        escapes::j_string,
        "escaped for a Java string"
    ),
    row!("texts", "html", Text, Arguments::None, escapes::html, "escaped for HTML"),
    row!("texts", "xhtml", Text, Arguments::None, escapes::html, "the same"),
    row!("texts", "xml", Text, Arguments::None, escapes::xml, "escaped for XML"),
    row!("texts", "rtf", Text, Arguments::None, escapes::rtf, "escaped for RTF"),
    row!(
        "texts",
        "url",
        Text,
        Arguments::Some(0, 1),
        escapes::url,
        "escaped for a part of a URL, in UTF-8"
    ),
    row!(
        "texts",
        "url_path",
        Text,
        Arguments::Some(0, 1),
        escapes::url_path,
        "the same, but for `/`"
    ),
    row!("texts", "number", Value, Arguments::None, types::number, "the number it spells"),
    row!("texts", "boolean", Value, Arguments::None, types::boolean, "the boolean it spells"),
    row!(
        "numbers",
        "c",
        Value,
        Arguments::None,
        types::c,
        "a number or boolean for computers: `1234.5`, `true`"
    ),
    row!(
        "numbers",
        "string",
        Call,
        Arguments::Format,
        types::string,
        "a number, date or boolean as a text, by a format"
    ),
    row!("numbers", "abs", Value, Arguments::None, numbers::abs, "without its sign"),
    row!(
        "numbers",
        "round",
        Value,
        Arguments::None,
        numbers::round,
        "the nearest whole number, halves up"
    ),
    row!("numbers", "floor", Value, Arguments::None, numbers::floor, "the whole number below"),
    row!("numbers", "ceiling", Value, Arguments::None, numbers::ceiling, "the whole number above"),
    row!("numbers", "int", Value, Arguments::None, numbers::int, "the whole part, within 32 bits"),
    row!(
        "numbers",
        "long",
        Value,
        Arguments::None,
        numbers::long,
        "the whole part, or the milliseconds of a date"
    ),
    row!("numbers", "double", Value, Arguments::None, numbers::double, "the nearest double"),
    row!("numbers", "is_nan", Value, Arguments::None, numbers::never, "false: there is none"),
    row!("numbers", "is_infinite", Value, Arguments::None, numbers::never, "false: there is none"),
    row!(
        "numbers",
        "number_to_date",
        Value,
        Arguments::None,
        numbers::to_date_only,
        "milliseconds as a date"
    ),
    row!(
        "numbers",
        "number_to_time",
        Value,
        Arguments::None,
        numbers::to_time,
        "milliseconds as a time"
    ),
    row!(
        "numbers",
        "number_to_datetime",
        Value,
        Arguments::None,
        numbers::to_datetime,
        "milliseconds as a date-time"
    ),
    row!("numbers", "lower_abc", Value, Arguments::None, numbers::lower_abc, "1 is a, 27 is aa"),
    row!("numbers", "upper_abc", Value, Arguments::None, numbers::upper_abc, "1 is A, 27 is AA"),
    row!(
        "dates",
        "date",
        Call,
        Arguments::Pattern,
        dates::date,
        "a text as a date, or the date of a date-time"
    ),
    row!(
        "dates",
        "time",
        Call,
        Arguments::Pattern,
        dates::time,
        "a text as a time, or the time of a date-time"
    ),
    row!("dates", "datetime", Call, Arguments::Pattern, dates::datetime, "a text as a date-time"),
    row!("dates", "iso_utc", Value, Arguments::None, dates::iso, "ISO 8601 in UTC, to seconds"),
    row!(
        "dates",
        "iso_utc_nz",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in UTC, to seconds, without the offset"
    ),
    row!(
        "dates",
        "iso_utc_ms",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in UTC, to milliseconds"
    ),
    row!(
        "dates",
        "iso_utc_ms_nz",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in UTC, to milliseconds, without the offset"
    ),
    row!("dates", "iso_utc_m", Value, Arguments::None, dates::iso, "ISO 8601 in UTC, to minutes"),
    row!(
        "dates",
        "iso_utc_m_nz",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in UTC, to minutes, without the offset"
    ),
    row!("dates", "iso_utc_h", Value, Arguments::None, dates::iso, "ISO 8601 in UTC, to hours"),
    row!(
        "dates",
        "iso_utc_h_nz",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in UTC, to hours, without the offset"
    ),
    row!(
        "dates",
        "iso_local",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in the zone of the settings, to seconds"
    ),
    row!(
        "dates",
        "iso_local_nz",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in the zone of the settings, to seconds, without the offset"
    ),
    row!(
        "dates",
        "iso_local_ms",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in the zone of the settings, to milliseconds"
    ),
    row!(
        "dates",
        "iso_local_ms_nz",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in the zone of the settings, to milliseconds, without the offset"
    ),
    row!(
        "dates",
        "iso_local_m",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in the zone of the settings, to minutes"
    ),
    row!(
        "dates",
        "iso_local_m_nz",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in the zone of the settings, to minutes, without the offset"
    ),
    row!(
        "dates",
        "iso_local_h",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in the zone of the settings, to hours"
    ),
    row!(
        "dates",
        "iso_local_h_nz",
        Value,
        Arguments::None,
        dates::iso,
        "ISO 8601 in the zone of the settings, to hours, without the offset"
    ),
    row!(
        "dates",
        "iso",
        Value,
        Arguments::Some(1, 1),
        dates::iso,
        "ISO 8601 in a zone, to seconds"
    ),
    row!(
        "dates",
        "iso_nz",
        Value,
        Arguments::Some(1, 1),
        dates::iso,
        "ISO 8601 in a zone, to seconds, without the offset"
    ),
    row!(
        "dates",
        "iso_ms",
        Value,
        Arguments::Some(1, 1),
        dates::iso,
        "ISO 8601 in a zone, to milliseconds"
    ),
    row!(
        "dates",
        "iso_ms_nz",
        Value,
        Arguments::Some(1, 1),
        dates::iso,
        "ISO 8601 in a zone, to milliseconds, without the offset"
    ),
    row!(
        "dates",
        "iso_m",
        Value,
        Arguments::Some(1, 1),
        dates::iso,
        "ISO 8601 in a zone, to minutes"
    ),
    row!(
        "dates",
        "iso_m_nz",
        Value,
        Arguments::Some(1, 1),
        dates::iso,
        "ISO 8601 in a zone, to minutes, without the offset"
    ),
    row!(
        "dates",
        "iso_h",
        Value,
        Arguments::Some(1, 1),
        dates::iso,
        "ISO 8601 in a zone, to hours"
    ),
    row!(
        "dates",
        "iso_h_nz",
        Value,
        Arguments::Some(1, 1),
        dates::iso,
        "ISO 8601 in a zone, to hours, without the offset"
    ),
    row!(
        "sequences",
        "size",
        Value,
        Arguments::None,
        sequences::size,
        "the number of items, of hashes too"
    ),
    row!("sequences", "first", Value, Arguments::None, sequences::first, "the first item"),
    row!("sequences", "last", Value, Arguments::None, sequences::last, "the last item"),
    row!("sequences", "reverse", Value, Arguments::None, sequences::reverse, "in the other order"),
    row!(
        "sequences",
        "join",
        Value,
        Arguments::Some(1, 3),
        sequences::join,
        "one text, with separators; what to print when empty; what to end with"
    ),
    row!("sequences", "sort", Value, Arguments::None, sorting::sort, "in order"),
    row!(
        "sequences",
        "sort_by",
        Value,
        Arguments::Some(1, 1),
        sorting::sort_by,
        "in order of a member, or of a path of members"
    ),
    row!("sequences", "min", Value, Arguments::None, sorting::min, "the least number or date"),
    row!("sequences", "max", Value, Arguments::None, sorting::max, "the greatest number or date"),
    row!(
        "sequences",
        "seq_contains",
        Value,
        Arguments::Some(1, 1),
        sequences::seq_contains,
        "whether an item equals"
    ),
    row!(
        "sequences",
        "seq_index_of",
        Value,
        Arguments::Some(1, 2),
        sequences::seq_index_of,
        "the first place of an item, or -1"
    ),
    row!(
        "sequences",
        "seq_last_index_of",
        Value,
        Arguments::Some(1, 2),
        sequences::seq_last_index_of,
        "the last place of an item, or -1"
    ),
    row!(
        "sequences",
        "chunk",
        Value,
        Arguments::Some(1, 2),
        sequences::chunk,
        "sequences of a length, filled up"
    ),
    Builtin {
        name: "map",
        arguments: Arguments::Lambda,
        run: Run::Lambda,
        group: "sequences",
        summary: "what a lambda makes of each item",
    },
    Builtin {
        name: "filter",
        arguments: Arguments::Lambda,
        run: Run::Lambda,
        group: "sequences",
        summary: "the items for which a lambda is true",
    },
    Builtin {
        name: "take_while",
        arguments: Arguments::Lambda,
        run: Run::Lambda,
        group: "sequences",
        summary: "the items up to the first for which it is false",
    },
    Builtin {
        name: "drop_while",
        arguments: Arguments::Lambda,
        run: Run::Lambda,
        group: "sequences",
        summary: "the items from the first for which it is false",
    },
    row!("hashes", "keys", Value, Arguments::None, hashes::keys, "the keys, in their order"),
    row!("hashes", "values", Value, Arguments::None, hashes::values, "the values, in their order"),
    row!(
        "any value",
        "then",
        Call,
        Arguments::Some(2, 2),
        choices::then,
        "the first argument for true, else the second"
    ),
    row!(
        "any value",
        "switch",
        Call,
        Arguments::Some(2, usize::MAX),
        choices::switch,
        "the result beside the equal case, else the last"
    ),
    row!(
        "any value",
        "default",
        Call,
        Arguments::Some(1, usize::MAX),
        choices::default,
        "the first that is not missing"
    ),
    row!("any value", "if_exists", Call, Arguments::None, choices::if_exists, "as `!`"),
    row!("any value", "exists", Call, Arguments::None, choices::exists, "as `??`"),
    row!(
        "any value",
        "has_content",
        Call,
        Arguments::None,
        choices::has_content,
        "whether it is there and not empty"
    ),
    row!(
        "any value",
        "is_string",
        Value,
        Arguments::None,
        types::is_string,
        "whether it is a text"
    ),
    row!(
        "any value",
        "is_number",
        Value,
        Arguments::None,
        types::is_number,
        "whether it is a number"
    ),
    row!(
        "any value",
        "is_boolean",
        Value,
        Arguments::None,
        types::is_boolean,
        "whether it is a boolean"
    ),
    row!(
        "any value",
        "is_sequence",
        Value,
        Arguments::None,
        types::is_sequence,
        "whether it is a sequence"
    ),
    row!(
        "any value",
        "is_indexable",
        Value,
        Arguments::None,
        types::is_sequence,
        "whether it is a sequence"
    ),
    row!(
        "any value",
        "is_enumerable",
        Value,
        Arguments::None,
        types::is_enumerable,
        "whether it is a sequence"
    ),
    row!(
        "any value",
        "is_collection",
        Value,
        Arguments::None,
        types::is_method,
        "false: there is none"
    ),
    row!("any value", "is_hash", Value, Arguments::None, types::is_hash, "whether it is a hash"),
    row!("any value", "is_hash_ex", Value, Arguments::None, types::is_hash, "whether it is a hash"),
    row!(
        "any value",
        "is_date",
        Value,
        Arguments::None,
        types::is_date_like,
        "whether it is a date, time or date-time"
    ),
    row!(
        "any value",
        "is_date_like",
        Value,
        Arguments::None,
        types::is_date_like,
        "whether it is a date, time or date-time"
    ),
    row!(
        "any value",
        "is_date_only",
        Value,
        Arguments::None,
        types::is_date_only,
        "whether it is a date"
    ),
    row!("any value", "is_time", Value, Arguments::None, types::is_time, "whether it is a time"),
    row!(
        "any value",
        "is_datetime",
        Value,
        Arguments::None,
        types::is_datetime,
        "whether it is a date-time"
    ),
    row!(
        "any value",
        "is_unknown_date_like",
        Value,
        Arguments::None,
        types::is_unknown_date_like,
        "false: there is none"
    ),
    row!("any value", "is_macro", Value, Arguments::None, types::is_macro, "whether it is a macro"),
    row!(
        "any value",
        "is_directive",
        Value,
        Arguments::None,
        types::is_macro,
        "whether it is a macro"
    ),
    row!(
        "any value",
        "is_transform",
        Value,
        Arguments::None,
        types::is_method,
        "false: there is none"
    ),
    row!(
        "any value",
        "is_method",
        Value,
        Arguments::None,
        types::is_method,
        "false: there is none"
    ),
    row!("any value", "is_node", Value, Arguments::None, types::is_node, "false: there is none"),
    row!(
        "any value",
        "is_markup_output",
        Value,
        Arguments::None,
        types::is_markup_output,
        "false: there is none"
    ),
];

/// What is known of a loop variable.
pub(crate) static LOOP_FACTS: &[(&str, LoopFact, &str)] = &[
    ("index", LoopFact::Index, "the place of the item, from 0"),
    ("counter", LoopFact::Counter, "the place of the item, from 1"),
    ("has_next", LoopFact::HasNext, "whether another item follows"),
    ("is_first", LoopFact::IsFirst, "whether it is the first item"),
    ("is_last", LoopFact::IsLast, "whether it is the last item"),
    ("is_odd_item", LoopFact::IsOdd, "whether the counter is odd"),
    ("is_even_item", LoopFact::IsEven, "whether the counter is even"),
    ("item_parity", LoopFact::Parity, "`odd` or `even`"),
    ("item_parity_cap", LoopFact::ParityCapital, "`Odd` or `Even`"),
    ("item_cycle", LoopFact::Cycle, "one argument after the other, again and again"),
];

/// What FreeMarker has and this has not, and why.
pub(super) static REFUSED: &[(&str, &str)] = &[
    ("eval", "text is never run as a template"),
    ("eval_json", "text is never read as data"),
    ("interpret", "text is never run as a template"),
    ("new", "it makes Java objects"),
    ("api", "it calls Java methods"),
    ("with_args", "it is for functions"),
    ("with_args_last", "it is for functions"),
    ("esc", "output formats are not supported; ?json_string and ?html escape"),
    ("no_esc", "output formats are not supported"),
    ("markup_string", "output formats are not supported"),
    ("truncate_m", "output formats are not supported; write ?truncate"),
    ("truncate_w_m", "output formats are not supported; write ?truncate_w"),
    ("truncate_c_m", "output formats are not supported; write ?truncate_c"),
    ("byte", "write ?int"),
    ("short", "write ?int"),
    ("float", "write ?double"),
    ("sequence", "sequences are sequences already"),
    ("namespace", "there is one namespace"),
    ("absolute_template_name", "a template is one text"),
    ("ancestors", "it is for XML"),
    ("children", "it is for XML"),
    ("parent", "it is for XML"),
    ("root", "it is for XML"),
    ("node_name", "it is for XML"),
    ("node_type", "it is for XML"),
    ("node_namespace", "it is for XML"),
    ("next_sibling", "it is for XML"),
    ("previous_sibling", "it is for XML"),
    ("date_if_unknown", "every date here knows what it is"),
    ("time_if_unknown", "every date here knows what it is"),
    ("datetime_if_unknown", "every date here knows what it is"),
    ("is_collection_ex", "write ?is_sequence"),
    ("web_safe", "write ?html"),
];
