//! Arrays in events, as Event Ruler has them.

use super::check;

const EMPLOYEES: &str = r#"{"employees": [
    {"firstName": "John", "lastName": "Doe"},
    {"firstName": "Anna", "lastName": "Smith"},
    {"firstName": "Peter", "lastName": "Jones"}
]}"#;

#[test]
fn any_element_will_do() {
    check(
        r#"{"x": ["a", 1]}"#,
        &[r#"{"x": ["b", "a"]}"#, r#"{"x": [[], [["c", 1.0]]]}"#, r#"{"x": [{"y": 2}, "a"]}"#],
        &[r#"{"x": []}"#, r#"{"x": ["b", 2, null]}"#, r#"{"x": [{"x": "a"}]}"#],
    );
    check(
        r#"{"x": [{"anything-but": "a"}]}"#,
        &[r#"{"x": ["a", "b"]}"#],
        &[r#"{"x": ["a", "a"]}"#, r#"{"x": []}"#],
    );
    check(
        r#"{"x": [{"numeric": [">", 5]}]}"#,
        &[r#"{"x": [1, 9]}"#],
        &[r#"{"x": [1, 2]}"#, r#"{"x": ["9"]}"#],
    );
}

#[test]
fn fields_of_one_object_match_within_one_element() {
    check(r#"{"employees": {"firstName": ["Anna"]}}"#, &[EMPLOYEES], &[]);
    check(r#"{"employees": {"firstName": ["Anna"], "lastName": ["Smith"]}}"#, &[EMPLOYEES], &[]);
    check(r#"{"employees": {"firstName": ["Anna"], "lastName": ["Jones"]}}"#, &[], &[EMPLOYEES]);
    check(
        r#"{"employees": {"firstName": ["Anna"], "lastName": ["Smith"]}}"#,
        &[
            r#"{"employees": [[{"firstName": "John", "lastName": "Doe"}, {"firstName": "Anna", "lastName": "Smith"}], []]}"#,
        ],
        &[r#"{"employees": [[{"firstName": "Anna"}, {"lastName": "Smith"}]]}"#],
    );
}

#[test]
fn different_arrays_choose_for_themselves() {
    check(
        r#"{"a": {"x": [1], "y": [1]}, "b": {"x": [2], "y": [2]}}"#,
        &[r#"{"a": [{"x": 0}, {"x": 1, "y": 1}], "b": [{"x": 2, "y": 2}, 7]}"#],
        &[r#"{"a": [{"x": 1}, {"y": 1}], "b": [{"x": 2, "y": 2}]}"#],
    );
    check(
        r#"{"a": {"b": {"x": [1], "y": [1]}, "z": [1]}}"#,
        &[r#"{"a": [{"b": [{"x": 1}, {"x": 1, "y": 1}], "z": 1}]}"#],
        &[
            r#"{"a": [{"b": [{"x": 1, "y": 1}]}, {"z": 1}]}"#,
            r#"{"a": [{"b": [{"x": 1}, {"y": 1}], "z": 1}]}"#,
        ],
    );
}

#[test]
fn alternatives_match_within_one_element_too() {
    check(
        r#"{"a": {"k": [1], "$or": [{"x": [1]}, {"y": [1], "z": [1]}]}}"#,
        &[r#"{"a": [{"k": 1}, {"k": 1, "x": 1}]}"#, r#"{"a": [{"k": 1, "y": 1, "z": 1}]}"#],
        &[r#"{"a": [{"k": 1}, {"x": 1}]}"#, r#"{"a": [{"k": 1, "y": 1}, {"k": 1, "z": 1}]}"#],
    );
}

#[test]
fn an_absent_field_alone_is_absent_from_every_element() {
    check(
        r#"{"items": {"coupon": [{"exists": false}]}}"#,
        &[
            r#"{"items": [{"sku": 1}, {"sku": 2}]}"#,
            r#"{"items": []}"#,
            "{}",
            r#"{"items": [1, {"coupon": {}}]}"#,
        ],
        &[r#"{"items": [{"sku": 1}, {"coupon": "x"}]}"#],
    );
    check(
        r#"{"items": {"$or": [{"a": [{"exists": false}]}, {"b": [{"exists": false}]}]}}"#,
        &[r#"{"items": [{"a": 1}, {"a": 2}]}"#],
        &[r#"{"items": [{"a": 1}, {"b": 1}]}"#],
    );
}

#[test]
fn an_absent_field_beside_another_is_absent_from_the_element_of_that() {
    check(
        r#"{"items": {"sku": [1], "coupon": [{"exists": false}]}}"#,
        &[r#"{"items": [{"sku": 1}, {"sku": 2, "coupon": "x"}]}"#],
        &[r#"{"items": [{"sku": 1, "coupon": "x"}, {"sku": 2}]}"#, r#"{"items": []}"#],
    );
    check(
        r#"{"items": {"sku": [1], "tags": {"name": [{"exists": false}]}}}"#,
        &[
            r#"{"items": [{"sku": 1, "tags": [{}, {"id": 1}]}, {"sku": 2, "tags": [{"name": "x"}]}]}"#,
        ],
        &[r#"{"items": [{"sku": 1, "tags": [{}, {"name": "x"}]}]}"#],
    );
}
