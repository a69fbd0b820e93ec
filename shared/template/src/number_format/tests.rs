use super::*;

fn format(pattern: &str, number: &str) -> String {
    Format::parse(pattern).unwrap().format(&Number::parse(number).unwrap())
}

#[test]
fn names() {
    assert_eq!(format("number", "1234567.8915"), "1,234,567.892");
    assert_eq!(format("computer", "1234567.8915"), "1234567.8915");
    assert_eq!(format("percent", "0.255"), "26%");
    assert_eq!(format("currency", "-1234.5"), "-$1,234.50");
}

#[test]
fn patterns() {
    assert_eq!(format("0.00", "2.675"), "2.68");
    assert_eq!(format("0.00", "2.665"), "2.66");
    assert_eq!(format("#,##0.0", "0.000123"), "0.0");
    assert_eq!(format("000", "7"), "007");
    assert_eq!(format("0.#####", "-0.5"), "-0.5");
    assert_eq!(format("#.##", "0.25"), "0.25");
    assert_eq!(format("#", "0"), "0");
    assert_eq!(format("'#'0", "5"), "#5");
    assert_eq!(format("0;(0)", "-5"), "(5)");
    assert_eq!(format("0 kg", "5"), "5 kg");
    assert_eq!(format("#,####", "123456789"), "1,2345,6789");
}

#[test]
fn what_is_not_possible_is_refused() {
    for pattern in ["0.0.0", "0#0", "0E0", "¤0", "0;;x", ";0", "'0", "#,"] {
        assert!(Format::parse(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn a_double_rounds_by_its_binary_value() {
    let format = Format::parse("0.00").unwrap();
    assert_eq!(format.format(&Number::double(2.675).unwrap()), "2.67");
    assert_eq!(format.format(&Number::double(0.125).unwrap()), "0.12");
}
