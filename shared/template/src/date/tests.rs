use super::*;

fn at(text: &str) -> Date {
    reading::read(text, "yyyy-MM-dd HH:mm:ss.SSS", DateKind::DateTime, Zone::UTC, Pos::START)
        .unwrap()
}

fn shown(date: Date, pattern: &str) -> String {
    pattern::format(date.civil(Zone::UTC, Pos::START).unwrap(), Zone::UTC, pattern, Pos::START)
        .unwrap()
}

#[test]
fn patterns_print_and_read() {
    let date = at("2022-10-24 20:07:32.123");
    assert_eq!(date.millis, 1_666_642_052_123);
    assert_eq!(shown(date, "EEE, d MMM yyyy hh:mm a z"), "Mon, 24 Oct 2022 08:07 PM UTC");
    assert_eq!(shown(date, "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"), "2022-10-24T20:07:32.123Z");
    assert_eq!(shown(date, "EEEE MMMM dd, yy ''D X Z"), "Monday October 24, 22 '297 Z +0000");
    let read = |text: &str, pattern: &str| {
        reading::read(text, pattern, DateKind::DateTime, Zone::UTC, Pos::START)
            .map(|date| date.millis)
    };
    assert_eq!(read("20221024200732", "yyyyMMddHHmmss"), Ok(1_666_642_052_000));
    assert_eq!(read("24 oct 2022 8:07 PM and more", "d MMM yyyy h:mm a"), Ok(1_666_642_020_000));
    assert_eq!(
        read("2022-10-24T20:07:32+02:00", "yyyy-MM-dd'T'HH:mm:ssXXX"),
        Ok(1_666_634_852_000)
    );
    assert!(read("2022-13-24", "yyyy-MM-dd").is_err());
    assert!(read("2022-02-30", "yyyy-MM-dd").is_err());
    assert!(read("24.10.22", "dd.MM.yy").is_err());
}

#[test]
fn iso_prints_and_reads() {
    let date = at("2022-10-24 20:07:32.500");
    let iso = |format: &str| {
        IsoFormat::parse(format).unwrap().unwrap().format(date, Zone::UTC, Pos::START).unwrap()
    };
    assert_eq!(iso("iso"), "2022-10-24T20:07:32.5Z");
    assert_eq!(iso("iso_ms_nz"), "2022-10-24T20:07:32.500");
    assert_eq!(iso("iso m"), "2022-10-24T20:07Z");
    assert_eq!(
        iso::read("2022-10-24T22:07:32.5+02:00", DateKind::DateTime, Zone::UTC, Pos::START)
            .unwrap(),
        date
    );
    assert!(iso::read("2022-10-24 20:07", DateKind::DateTime, Zone::UTC, Pos::START).is_err());
    assert!(IsoFormat::parse("iso_x").is_err());
    assert_eq!(IsoFormat::parse("yyyy"), Ok(None));
}

#[test]
fn zones_are_offsets() {
    assert_eq!(offset("GMT+05:30").map(|zone| zone.seconds), Some(19_800));
    assert_eq!(offset("GMT-3").map(|zone| zone.seconds), Some(-10_800));
    assert_eq!(offset("America/New_York"), None);
    assert_eq!(offset("GMT+24:00"), None);
}

#[test]
fn years_are_bounded() {
    let early = Date { millis: -12_000_000_000_000, kind: DateKind::Date };
    assert!(early.civil(Zone::UTC, Pos::START).is_err());
    let far = Date { millis: i64::MAX, kind: DateKind::Date };
    assert!(far.civil(Zone::UTC, Pos::START).is_err());
}
