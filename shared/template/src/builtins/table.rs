//! All built-ins, in the order of the documentation.

use super::{
    Arguments::{Format, Lambda, None, Pattern, Some},
    Builtin,
    Run::{self, Call, Text, Value},
    choices, dates, escapes, groups, hashes, numbers, padding, search, sequences, sorting, strings,
    types,
};
use crate::ast::LoopFact;

/// The most arguments there can be.
const MANY: usize = usize::MAX;

/// Rows of a name, the arguments, how it runs, and what it does.
macro_rules! builtins {
    ($($group:literal { $($name:literal $arguments:expr => $run:expr; $summary:literal)+ })+) => {
        &[$($(Builtin { name: $name, arguments: $arguments, run: $run, group: $group, summary: $summary },)+)+]
    };
}

pub(super) static BUILTINS: &[Builtin] = builtins! {
    "texts" {
        "length" None => Text(strings::length); "UTF-16 units"
        "upper_case" None => Text(strings::upper_case); "in capitals"
        "lower_case" None => Text(strings::lower_case); "in small letters"
        "cap_first" None => Text(strings::cap_first); "the first letter a capital"
        "uncap_first" None => Text(strings::uncap_first); "the first letter small"
        "capitalize" None => Text(strings::capitalize); "each word with a capital, the rest small"
        "trim" None => Text(strings::trim); "without white space at both ends"
        "chop_linebreak" None => Text(strings::chop_linebreak); "without one line break at the end"
        "word_list" None => Text(strings::word_list); "the words, as a sequence"
        "substring" Some(1, 2) => Text(strings::substring); "from one place to another"
        "contains" Some(1, 1) => Text(strings::contains); "whether it holds a text"
        "starts_with" Some(1, 1) => Text(strings::starts_with); "whether it begins with a text"
        "ends_with" Some(1, 1) => Text(strings::ends_with); "whether it ends with a text"
        "index_of" Some(1, 2) => Text(strings::index_of); "the first place of a text, or -1"
        "last_index_of" Some(1, 2) => Text(strings::last_index_of); "the last place of a text, or -1"
        "remove_beginning" Some(1, 1) => Text(strings::remove_beginning); "without this beginning"
        "remove_ending" Some(1, 1) => Text(strings::remove_ending); "without this end"
        "ensure_starts_with" Some(1, 3) => Text(search::ensure_starts_with); "with this beginning"
        "ensure_ends_with" Some(1, 1) => Text(strings::ensure_ends_with); "with this end"
        "keep_before" Some(1, 2) => Text(search::keep_before); "what stands before a text"
        "keep_before_last" Some(1, 2) => Text(search::keep_before_last); "what stands before its last place"
        "keep_after" Some(1, 2) => Text(search::keep_after); "what stands after a text"
        "keep_after_last" Some(1, 2) => Text(search::keep_after_last); "what stands after its last place"
        "replace" Some(2, 3) => Text(search::replace); "each place of a text by another; flags `r`, `i`, `f`, `m`, `s`"
        "split" Some(1, 2) => Text(search::split); "the parts between separators"
        "matches" Some(1, 2) => Text(groups::matches); "whether a regular expression matches it all, and each match in it"
        "groups" None => Value(groups::groups); "the groups of `?matches`"
        "left_pad" Some(1, 2) => Text(padding::left_pad); "filled on the left to a length"
        "right_pad" Some(1, 2) => Text(padding::right_pad); "filled on the right to a length"
        "truncate" Some(1, 3) => Text(padding::truncate); "cut to a length, at a word's end where that is near"
        "truncate_w" Some(1, 3) => Text(padding::truncate_w); "cut at a word's end"
        "truncate_c" Some(1, 3) => Text(padding::truncate_c); "cut anywhere"
        "json_string" None => Text(escapes::json_string); "escaped for a JSON string"
        "js_string" None => Text(escapes::js_string); "escaped for a JavaScript string"
        "j_string" None => Text(escapes::j_string); "escaped for a Java string"
        "html" None => Text(escapes::html); "escaped for HTML"
        "xhtml" None => Text(escapes::html); "the same"
        "xml" None => Text(escapes::xml); "escaped for XML"
        "rtf" None => Text(escapes::rtf); "escaped for RTF"
        "url" Some(0, 1) => Text(escapes::url); "escaped for a part of a URL, in UTF-8"
        "url_path" Some(0, 1) => Text(escapes::url_path); "the same, but for `/`"
        "number" None => Value(types::number); "the number it spells"
        "boolean" None => Value(types::boolean); "the boolean it spells"
    }
    "numbers" {
        "c" None => Value(types::c); "a number or boolean for computers: `1234.5`, `true`"
        "string" Format => Call(types::string); "a number, date or boolean as a text, by a format"
        "abs" None => Value(numbers::abs); "without its sign"
        "round" None => Value(numbers::round); "the nearest whole number, halves up"
        "floor" None => Value(numbers::floor); "the whole number below"
        "ceiling" None => Value(numbers::ceiling); "the whole number above"
        "int" None => Value(numbers::int); "the whole part, within 32 bits"
        "long" None => Value(numbers::long); "the whole part, or the milliseconds of a date"
        "double" None => Value(numbers::double); "the nearest double"
        "is_nan" None => Value(numbers::never); "false: there is none"
        "is_infinite" None => Value(numbers::never); "false: there is none"
        "number_to_date" None => Value(numbers::to_date_only); "milliseconds as a date"
        "number_to_time" None => Value(numbers::to_time); "milliseconds as a time"
        "number_to_datetime" None => Value(numbers::to_datetime); "milliseconds as a date-time"
        "lower_abc" None => Value(numbers::lower_abc); "1 is a, 27 is aa"
        "upper_abc" None => Value(numbers::upper_abc); "1 is A, 27 is AA"
    }
    "dates" {
        "date" Pattern => Call(dates::date); "a text as a date, or the date of a date-time"
        "time" Pattern => Call(dates::time); "a text as a time, or the time of a date-time"
        "datetime" Pattern => Call(dates::datetime); "a text as a date-time"
        "iso_utc" None => Value(dates::iso); "ISO 8601 in UTC, to seconds"
        "iso_utc_nz" None => Value(dates::iso); "ISO 8601 in UTC, to seconds, without the offset"
        "iso_utc_ms" None => Value(dates::iso); "ISO 8601 in UTC, to milliseconds"
        "iso_utc_ms_nz" None => Value(dates::iso); "ISO 8601 in UTC, to milliseconds, without the offset"
        "iso_utc_m" None => Value(dates::iso); "ISO 8601 in UTC, to minutes"
        "iso_utc_m_nz" None => Value(dates::iso); "ISO 8601 in UTC, to minutes, without the offset"
        "iso_utc_h" None => Value(dates::iso); "ISO 8601 in UTC, to hours"
        "iso_utc_h_nz" None => Value(dates::iso); "ISO 8601 in UTC, to hours, without the offset"
        "iso_local" None => Value(dates::iso); "ISO 8601 in the zone of the settings, to seconds"
        "iso_local_nz" None => Value(dates::iso); "ISO 8601 in the zone of the settings, to seconds, without the offset"
        "iso_local_ms" None => Value(dates::iso); "ISO 8601 in the zone of the settings, to milliseconds"
        "iso_local_ms_nz" None => Value(dates::iso); "ISO 8601 in the zone of the settings, to milliseconds, without the offset"
        "iso_local_m" None => Value(dates::iso); "ISO 8601 in the zone of the settings, to minutes"
        "iso_local_m_nz" None => Value(dates::iso); "ISO 8601 in the zone of the settings, to minutes, without the offset"
        "iso_local_h" None => Value(dates::iso); "ISO 8601 in the zone of the settings, to hours"
        "iso_local_h_nz" None => Value(dates::iso); "ISO 8601 in the zone of the settings, to hours, without the offset"
        "iso" Some(1, 1) => Value(dates::iso); "ISO 8601 in a zone, to seconds"
        "iso_nz" Some(1, 1) => Value(dates::iso); "ISO 8601 in a zone, to seconds, without the offset"
        "iso_ms" Some(1, 1) => Value(dates::iso); "ISO 8601 in a zone, to milliseconds"
        "iso_ms_nz" Some(1, 1) => Value(dates::iso); "ISO 8601 in a zone, to milliseconds, without the offset"
        "iso_m" Some(1, 1) => Value(dates::iso); "ISO 8601 in a zone, to minutes"
        "iso_m_nz" Some(1, 1) => Value(dates::iso); "ISO 8601 in a zone, to minutes, without the offset"
        "iso_h" Some(1, 1) => Value(dates::iso); "ISO 8601 in a zone, to hours"
        "iso_h_nz" Some(1, 1) => Value(dates::iso); "ISO 8601 in a zone, to hours, without the offset"
    }
    "sequences" {
        "size" None => Value(sequences::size); "the number of items, of hashes too"
        "first" None => Value(sequences::first); "the first item"
        "last" None => Value(sequences::last); "the last item"
        "reverse" None => Value(sequences::reverse); "in the other order"
        "join" Some(1, 3) => Value(sequences::join); "one text, with separators; what to print when empty; what to end with"
        "sort" None => Value(sorting::sort); "in order"
        "sort_by" Some(1, 1) => Value(sorting::sort_by); "in order of a member, or of a path of members"
        "min" None => Value(sorting::min); "the least number or date"
        "max" None => Value(sorting::max); "the greatest number or date"
        "seq_contains" Some(1, 1) => Value(sequences::seq_contains); "whether an item equals"
        "seq_index_of" Some(1, 2) => Value(sequences::seq_index_of); "the first place of an item, or -1"
        "seq_last_index_of" Some(1, 2) => Value(sequences::seq_last_index_of); "the last place of an item, or -1"
        "chunk" Some(1, 2) => Value(sequences::chunk); "sequences of a length, filled up"
        "map" Lambda => Run::Lambda; "what a lambda makes of each item"
        "filter" Lambda => Run::Lambda; "the items for which a lambda is true"
        "take_while" Lambda => Run::Lambda; "the items up to the first for which it is false"
        "drop_while" Lambda => Run::Lambda; "the items from the first for which it is false"
    }
    "hashes" {
        "keys" None => Value(hashes::keys); "the keys, in their order"
        "values" None => Value(hashes::values); "the values, in their order"
    }
    "any value" {
        "then" Some(2, 2) => Call(choices::then); "the first argument for true, else the second"
        "switch" Some(2, MANY) => Call(choices::switch); "the result beside the equal case, else the last"
        "default" Some(1, MANY) => Call(choices::default); "the first that is not missing"
        "if_exists" None => Call(choices::if_exists); "as `!`"
        "exists" None => Call(choices::exists); "as `??`"
        "has_content" None => Call(choices::has_content); "whether it is there and not empty"
        "is_string" None => Value(types::is_string); "whether it is a text"
        "is_number" None => Value(types::is_number); "whether it is a number"
        "is_boolean" None => Value(types::is_boolean); "whether it is a boolean"
        "is_sequence" None => Value(types::is_sequence); "whether it is a sequence"
        "is_indexable" None => Value(types::is_sequence); "whether it is a sequence"
        "is_enumerable" None => Value(types::is_enumerable); "whether it is a sequence"
        "is_hash" None => Value(types::is_hash); "whether it is a hash"
        "is_hash_ex" None => Value(types::is_hash_ex); "whether it is a hash"
        "is_date" None => Value(types::is_date_like); "whether it is a date, time or date-time"
        "is_date_like" None => Value(types::is_date_like); "whether it is a date, time or date-time"
        "is_date_only" None => Value(types::is_date_only); "whether it is a date"
        "is_time" None => Value(types::is_time); "whether it is a time"
        "is_datetime" None => Value(types::is_datetime); "whether it is a date-time"
        "is_unknown_date_like" None => Value(types::is_unknown_date_like); "false: there is none"
        "is_macro" None => Value(types::is_macro); "whether it is a macro"
        "is_directive" None => Value(types::is_macro); "whether it is a macro"
        "is_transform" None => Value(types::is_transform); "false: there is none"
        "is_method" None => Value(types::is_method); "false: there is none"
        "is_node" None => Value(types::is_node); "false: there is none"
        "is_markup_output" None => Value(types::is_markup_output); "false: there is none"
    }
};

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
    ("is_collection", "write ?is_enumerable"),
    ("is_collection_ex", "write ?is_enumerable"),
    ("web_safe", "write ?html"),
];
