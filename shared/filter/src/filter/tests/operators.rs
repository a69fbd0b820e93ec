//! Each operator, with the examples of Amazon's page on comparison operators.

use super::{check, check_leaf};

#[test]
fn exact_values() {
    check_leaf(r#""Alice""#, &[r#""Alice""#], &[r#""alice""#, r#""Alice ""#, r#""""#, "null", "1"]);
    check_leaf(
        "100",
        &["100", "100.0", "1e2", "0.1e3"],
        &["101", "100.5", r#""100""#, "true", "null"],
    );
    check_leaf("0", &["0", "-0", "0.0", "-0.0"], &["false", "null", r#""0""#, r#""""#]);
    check_leaf("1.5", &["1.5", "15e-1"], &["1", "2", "1.25"]);
    check_leaf("true", &["true"], &["false", "1", r#""true""#]);
    check_leaf("false", &["false"], &["true", "0", "null"]);
    check_leaf("null", &["null"], &[r#""""#, "0", "false", "[]", "{}", r#""null""#]);
    check_leaf(r#""""#, &[r#""""#], &["null", r#"" ""#, "[]"]);
    check_leaf(r#""Credit", "Debit", 7"#, &[r#""Debit""#, r#""Credit""#, "7"], &[r#""Cash""#, "8"]);
}

#[test]
fn integers_beyond_the_doubles_are_exact() {
    check_leaf(
        "9007199254740993",
        &["9007199254740993"],
        &["9007199254740992", "9007199254740994"],
    );
    check_leaf("18446744073709551615", &["18446744073709551615"], &["18446744073709551614"]);
    check_leaf("-9223372036854775808", &["-9223372036854775808"], &["-9223372036854775807"]);
    check_leaf(
        r#"{"numeric": [">", 1795237200000]}"#,
        &["1795237200001", "1795237200000.5"],
        &["1795237200000", "1795237199999", "1.7952372e12"],
    );
}

#[test]
fn prefix_and_suffix() {
    check_leaf(
        r#"{"prefix": "us-"}"#,
        &[r#""us-east-1""#, r#""us-""#],
        &[r#""US-east-1""#, r#""us""#, "1", "null"],
    );
    check_leaf(
        r#"{"suffix": ".png"}"#,
        &[r#""a.png""#, r#"".png""#],
        &[r#""a.PNG""#, r#""png""#, "true"],
    );
    check_leaf(
        r#"{"prefix": {"equals-ignore-case": "EventB"}}"#,
        &[r#""eventbridge""#, r#""EVENTB""#, r#""EventB""#],
        &[r#""Event""#, r#""xEventB""#, "1"],
    );
    check_leaf(
        r#"{"suffix": {"equals-ignore-case": ".png"}}"#,
        &[r#""a.PNG""#, r#""a.png""#, r#"".Png""#],
        &[r#""png""#, r#""a.png ""#],
    );
    check_leaf(r#"{"prefix": ""}"#, &[r#""""#, r#""x""#], &["1", "null"]);
    check_leaf(r#"{"prefix": "1"}"#, &[r#""12""#], &["12", "1"]);
}

#[test]
fn equals_ignore_case() {
    check_leaf(
        r#"{"equals-ignore-case": "alice"}"#,
        &[r#""Alice""#, r#""ALICE""#, r#""alice""#],
        &[r#""alic""#, r#""alicee""#, "null"],
    );
    check_leaf(
        r#"{"equals-ignore-case": "ÄRGER"}"#,
        &[r#""ärger""#, r#""\u00c4rger""#],
        &[r#""arger""#],
    );
}

#[test]
fn wildcard() {
    check_leaf(
        r#"{"wildcard": "dir/*.png"}"#,
        &[r#""dir/a.png""#, r#""dir/sub/b.png""#, r#""dir/.png""#],
        &[r#""dir/a.jpg""#, r#""x/dir/a.png""#, r#""dir/a.PNG""#, "1"],
    );
    check_leaf(r#"{"wildcard": "a\\*b"}"#, &[r#""a*b""#], &[r#""axb""#]);
    check_leaf(r#"{"wildcard": "c:\\\\*"}"#, &[r#""c:\\temp""#], &[r#""c:/temp""#]);
    check_leaf(r#"{"wildcard": "*"}"#, &[r#""""#, r#""x""#], &["1", "null", "[]"]);
}

#[test]
fn anything_but() {
    let other_types = ["1", "null", "true"];
    for (values, no) in [
        (r#"{"anything-but": "initializing"}"#, r#""initializing""#),
        (r#"{"anything-but": ["stopped", "overloaded"]}"#, r#""overloaded""#),
        (r#"{"anything-but": {"prefix": "init"}}"#, r#""initializing""#),
        (r#"{"anything-but": {"prefix": ["x", "init"]}}"#, r#""initializing""#),
        (r#"{"anything-but": {"suffix": ".png"}}"#, r#""a.png""#),
        (r#"{"anything-but": {"suffix": [".jpg", ".png"]}}"#, r#""a.png""#),
        (r#"{"anything-but": {"equals-ignore-case": "initializing"}}"#, r#""INITIALIZING""#),
        (r#"{"anything-but": {"equals-ignore-case": ["a", "Initializing"]}}"#, r#""INITIALIZING""#),
        (r#"{"anything-but": {"wildcard": "*/lib/*"}}"#, r#""usr/lib/x""#),
        (r#"{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}"#, r#""usr/bin/x""#),
    ] {
        check_leaf(
            values,
            &[r#""running""#, r#""""#, other_types[0], other_types[1], other_types[2]],
            &[no, "[]"],
        );
    }
    check_leaf(
        r#"{"anything-but": 123}"#,
        &["124", r#""123""#, "null"],
        &["123", "123.0", "1.23e2"],
    );
    check_leaf(r#"{"anything-but": [100, 200, 300]}"#, &["150", "false"], &["100", "3e2"]);
    check(
        r#"{"x": [{"anything-but": "a"}]}"#,
        &[r#"{"x": "b"}"#],
        &["{}", r#"{"y": "b"}"#, r#"{"x": {"y": "b"}}"#],
    );
}

#[test]
fn numeric() {
    check_leaf(r#"{"numeric": ["=", 100]}"#, &["100", "1e2"], &["100.1", r#""100""#]);
    check_leaf(
        r#"{"numeric": ["<", 10]}"#,
        &["9.99", "-1e300"],
        &["10", "11", r#""5""#, "null", "true"],
    );
    check_leaf(r#"{"numeric": ["<=", 10]}"#, &["10", "10.0"], &["10.001"]);
    check_leaf(r#"{"numeric": [">", 10]}"#, &["10.001", "1e300"], &["10", "-11"]);
    check_leaf(r#"{"numeric": [">=", -5]}"#, &["-5", "0"], &["-5.5"]);
    check_leaf(
        r#"{"numeric": [">", 10, "<=", 20]}"#,
        &["11", "20", "10.5"],
        &["10", "20.5", r#""15""#],
    );
    check_leaf(r#"{"numeric": [">=", 3, "<=", 3]}"#, &["3"], &["2", "4"]);
    check_leaf(r#"{"numeric": ["<", 0]}, {"numeric": [">", 100]}"#, &["-1", "101"], &["0", "50"]);
}

#[test]
fn exists() {
    check(
        r#"{"x": [{"exists": true}]}"#,
        &[r#"{"x": 1}"#, r#"{"x": null}"#, r#"{"x": ""}"#, r#"{"x": [1]}"#],
        &["{}", r#"{"x": {}}"#, r#"{"x": {"y": 1}}"#, r#"{"x": []}"#],
    );
    check(
        r#"{"x": [{"exists": false}]}"#,
        &["{}", r#"{"y": 1}"#, r#"{"x": {"c1": 100}}"#, r#"{"x": []}"#],
        &[r#"{"x": 1}"#, r#"{"x": null}"#, r#"{"x": [1]}"#],
    );
    check(
        r#"{"detail": {"c-count": [{"exists": false}]}}"#,
        &["{}", r#"{"detail": 1}"#, r#"{"detail": {}}"#, r#"{"detail": {"state": "on"}}"#],
        &[r#"{"detail": {"c-count": 5}}"#],
    );
    check(
        r#"{"plan": ["pro", {"exists": false}]}"#,
        &["{}", r#"{"plan": "pro"}"#],
        &[r#"{"plan": "free"}"#, r#"{"plan": null}"#],
    );
    check(
        r#"{"a": [{"exists": true}], "b": [{"exists": false}]}"#,
        &[r#"{"a": 1}"#],
        &["{}", r#"{"a": 1, "b": 2}"#, r#"{"b": 2}"#],
    );
}

#[test]
fn cidr() {
    check_leaf(
        r#"{"cidr": "10.0.0.0/24"}"#,
        &[r#""10.0.0.0""#, r#""10.0.0.255""#, r#""::ffff:10.0.0.7""#],
        &[
            r#""10.0.1.0""#,
            r#""10.0.0.256""#,
            r#""10.0.0""#,
            r#""10.0.0.0/24""#,
            r#""::1""#,
            r#""""#,
            "10",
        ],
    );
    check_leaf(
        r#"{"cidr": "2001:db8::/32"}"#,
        &[r#""2001:db8::1""#, r#""2001:DB8:ffff::""#],
        &[r#""2001:db9::1""#, r#""10.0.0.1""#],
    );
    check_leaf(r#"{"cidr": "10.0.0.7/32"}"#, &[r#""10.0.0.7""#], &[r#""10.0.0.8""#]);
    check_leaf(r#"{"cidr": "10.0.0.7/24"}"#, &[r#""10.0.0.1""#], &[r#""10.0.1.7""#]);
    check_leaf(
        r#"{"cidr": "::ffff:10.0.0.0/120"}"#,
        &[r#""::ffff:10.0.0.9""#],
        &[r#""::ffff:10.0.1.9""#],
    );
    check_leaf(r#"{"cidr": "0.0.0.0/0"}"#, &[r#""1.2.3.4""#], &[r#""::2""#]);
}

#[test]
fn or() {
    check(
        r#"{"$or": [{"Location": ["New York"]}, {"Day": ["Monday"]}]}"#,
        &[r#"{"Location": "New York"}"#, r#"{"Day": "Monday", "Location": "x"}"#],
        &["{}", r#"{"Location": "x", "Day": "Tuesday"}"#],
    );
    let nested = r#"{
        "source": ["aws.cloudwatch"],
        "$or": [
            {"metricName": ["CPUUtilization", "ReadLatency"]},
            {"metricType": ["MetricType"], "namespace": ["AWS/EC2", "AWS/ES"],
             "$or": [{"metricId": [1234]}, {"spaceId": [1000]}]},
            {"scope": ["Service"]}
        ]
    }"#;
    check(
        nested,
        &[
            r#"{"source": "aws.cloudwatch", "metricName": "ReadLatency"}"#,
            r#"{"source": "aws.cloudwatch", "metricType": "MetricType", "namespace": "AWS/ES", "spaceId": 1000}"#,
            r#"{"source": "aws.cloudwatch", "scope": "Service"}"#,
        ],
        &[
            r#"{"source": "aws.ec2", "scope": "Service"}"#,
            r#"{"source": "aws.cloudwatch"}"#,
            r#"{"source": "aws.cloudwatch", "metricType": "MetricType", "namespace": "AWS/ES"}"#,
            r#"{"source": "aws.cloudwatch", "metricType": "MetricType", "spaceId": 1000}"#,
        ],
    );
    check(
        r#"{"detail": {"kind": ["k"], "$or": [{"a": {"x": [1]}}, {"a": {"x": [2], "y": [2]}}]}}"#,
        &[
            r#"{"detail": {"kind": "k", "a": {"x": 1}}}"#,
            r#"{"detail": {"kind": "k", "a": {"x": 2, "y": 2}}}"#,
        ],
        &[
            r#"{"detail": {"kind": "k", "a": {"x": 2}}}"#,
            r#"{"kind": "k", "detail": {"a": {"x": 1}}}"#,
        ],
    );
    check(
        r#"{"x": [1], "$or": [{"x": [{"exists": true}]}, {"y": [{"exists": false}]}]}"#,
        &[r#"{"x": 1}"#, r#"{"x": [1, 2], "y": 1}"#],
        &[r#"{"x": 2}"#],
    );
}

#[test]
fn all_fields_have_to_match() {
    check(
        r#"{"time": [{"prefix": "2017-10-02"}],
            "detail": {"state": [{"anything-but": "initializing"}], "c-count": [{"numeric": [">", 0, "<=", 5]}],
                       "d-count": [{"numeric": ["<", 10]}], "x-limit": [{"anything-but": [100, 200, 300]}],
                       "source-ip": [{"cidr": "10.0.0.0/8"}]}}"#,
        &[
            r#"{"time": "2017-10-02T16:24:49Z", "detail": {"c-count": 5, "d-count": 3, "x-limit": 301.8,
              "source-ip": "10.0.0.33", "instance-id": "i-000000aaaaaa00000", "state": "running"}}"#,
        ],
        &[
            r#"{"time": "2017-10-02T16:24:49Z", "detail": {"c-count": 6, "d-count": 3, "x-limit": 301.8,
              "source-ip": "10.0.0.33", "state": "running"}}"#,
        ],
    );
}
