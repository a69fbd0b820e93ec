//! Filters and templates on events of 500 bytes, beside parsing alone and beside minijinja:
//! processor time for each event.

mod engines;
mod events;
mod filters;

use flagpost_template::Input;
use serde_json::Value;

use self::{
    engines::{EXAMPLE, Engines, LARGER, minijinja_value},
    filters::Filters,
};
use crate::{
    Outcome,
    rounds::{self, Series, ns_each},
    say,
    target::Targets,
    usage::of_this_thread,
};

const EVENTS: usize = 500;
/// Times that a contender does its work in one round.
const TIMES: usize = 40;

/// What there is to work on.
struct Work<'a> {
    events: &'a [Vec<u8>],
    inputs: Vec<Input<'a>>,
    values: Vec<minijinja::Value>,
    filters: Filters,
    example: Engines,
    larger: Engines,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contender {
    SerdeJson,
    FilterOne,
    FilterThree,
    FilterUnmatched,
    FilterFull,
    Example,
    MinijinjaExample,
    ExampleParsed,
    MinijinjaExampleParsed,
    Larger,
    MinijinjaLarger,
    LargerParsed,
    MinijinjaLargerParsed,
    Parse,
    MinijinjaParse,
}

const CONTENDERS: [(Contender, &str); 15] = [
    (Contender::SerdeJson, "serde_json, parsed into a Value"),
    (Contender::FilterOne, "filter of 1 field"),
    (Contender::FilterThree, "filter of 3 fields"),
    (Contender::FilterUnmatched, "filter of 3 fields, without a match"),
    (Contender::FilterFull, "filter of 6 fields and 100 values"),
    (Contender::Example, "template, Amplitude's example"),
    (Contender::MinijinjaExample, "template, Amplitude's example, minijinja"),
    (Contender::Larger, "template, larger"),
    (Contender::MinijinjaLarger, "template, larger, minijinja"),
    (Contender::Parse, "  part: the event parsed"),
    (Contender::MinijinjaParse, "  part: the event parsed, minijinja"),
    (Contender::ExampleParsed, "  part: Amplitude's example rendered"),
    (Contender::MinijinjaExampleParsed, "  part: Amplitude's example rendered, minijinja"),
    (Contender::LargerParsed, "  part: the larger one rendered"),
    (Contender::MinijinjaLargerParsed, "  part: the larger one rendered, minijinja"),
];

/// Measures and reports; whether the targets were met.
pub(crate) fn run(rounds: usize) -> Outcome<bool> {
    let rounds = rounds::enough(rounds)?;
    let events = events::events(EVENTS);
    let work = Work::new(&events)?;
    work.check()?;
    let mut series: Vec<Series> = vec![Series::default(); CONTENDERS.len()];
    // The first round only warms up.
    for round in 0..=rounds {
        for ((contender, _), series) in CONTENDERS.iter().zip(&mut series) {
            let before = of_this_thread()?;
            for _ in 0..TIMES {
                contender.work(&work)?;
            }
            let taken = of_this_thread()?.saturating_sub(before);
            if round > 0 {
                series.push(ns_each(taken, TIMES * EVENTS));
            }
        }
    }
    Ok(report(rounds, &work, &series))
}

fn report(rounds: usize, work: &Work<'_>, series: &[Series]) -> bool {
    let size = (work.events.iter().map(Vec::len).sum::<usize>() + EVENTS / 2) / EVENTS;
    say(&format!(
        "ns of one processor for each event, and events a second on one: analytics events of {size} \
         bytes; medians of {rounds} rounds of {} events",
        TIMES * EVENTS
    ));
    for ((_, name), series) in CONTENDERS.iter().zip(series) {
        let (median, (least, most)) = (series.median(), series.range());
        say(&format!(
            "  {name:<48} {median:>7.0} {:>11.0}   ({least:.0} to {most:.0})",
            1e9 / median
        ));
    }
    let of = |wanted| {
        let found = CONTENDERS.iter().position(|(contender, _)| *contender == wanted);
        found.map_or(0.0, |at| series[at].median())
    };
    let share = |contender, baseline| 100.0 * of(contender) / of(baseline);
    let mut targets = Targets::default();
    for (contender, baseline, what, target) in [
        (Contender::FilterThree, Contender::SerdeJson, "filter of 3 fields, of parsing", 75.0),
        (Contender::FilterFull, Contender::SerdeJson, "filter of 100 values, of parsing", 100.0),
        (Contender::Example, Contender::MinijinjaExample, "example, of minijinja", 100.0),
        (Contender::Larger, Contender::MinijinjaLarger, "larger template, of minijinja", 100.0),
    ] {
        targets.at_most(what, share(contender, baseline), target, " %");
    }
    targets.all_met()
}

impl<'a> Work<'a> {
    fn new(events: &'a [Vec<u8>]) -> Outcome<Self> {
        let inputs = events.iter().map(|event| Ok(Input::parse(event)?));
        let values = events.iter().map(|event| minijinja_value(event));
        Ok(Self {
            events,
            inputs: inputs.collect::<Outcome<_>>()?,
            values: values.collect::<Outcome<_>>()?,
            filters: Filters::compile()?,
            example: Engines::compile(EXAMPLE)?,
            larger: Engines::compile(LARGER)?,
        })
    }

    /// What the contenders do is what it is said to be: both engines write the same bytes, and what
    /// they write is JSON.
    fn check(&self) -> Outcome<()> {
        for ((event, input), value) in self.events.iter().zip(&self.inputs).zip(&self.values) {
            for (filter, answer) in self.filters.with_answers() {
                if filter.matches(event)? != answer {
                    return Err("a filter is not what it is said to be".into());
                }
            }
            for engines in [&self.example, &self.larger] {
                let ours = engines.ours(event)?;
                serde_json::from_str::<Value>(&ours)?;
                let others = [
                    engines.ours_parsed(input)?,
                    engines.theirs(event)?,
                    engines.theirs_parsed(value)?,
                ];
                for other in others {
                    if other != ours {
                        return Err(format!("not the same: {ours} and {other}").into());
                    }
                }
            }
        }
        Ok(())
    }
}

impl Contender {
    /// Does its work on all [`EVENTS`] once.
    fn work(self, work: &Work<'_>) -> Outcome<()> {
        let Work { events, inputs, values, filters, example, larger } = work;
        match self {
            Self::SerdeJson => each(events, |event| Ok(serde_json::from_slice::<Value>(event)?)),
            Self::FilterOne => each(events, |event| Ok(filters.one.matches(event)?)),
            Self::FilterThree => each(events, |event| Ok(filters.three.matches(event)?)),
            Self::FilterUnmatched => each(events, |event| Ok(filters.unmatched.matches(event)?)),
            Self::FilterFull => each(events, |event| Ok(filters.full.matches(event)?)),
            Self::Example => each(events, |event| example.ours(event)),
            Self::MinijinjaExample => each(events, |event| example.theirs(event)),
            Self::ExampleParsed => each(inputs, |input| example.ours_parsed(input)),
            Self::MinijinjaExampleParsed => each(values, |value| example.theirs_parsed(value)),
            Self::Larger => each(events, |event| larger.ours(event)),
            Self::MinijinjaLarger => each(events, |event| larger.theirs(event)),
            Self::LargerParsed => each(inputs, |input| larger.ours_parsed(input)),
            Self::MinijinjaLargerParsed => each(values, |value| larger.theirs_parsed(value)),
            Self::Parse => each(events, |event| Ok(Input::parse(event)?)),
            Self::MinijinjaParse => each(events, |event| minijinja_value(event)),
        }
    }
}

/// Does something with each of them, and drops what comes of it, which is part of the work.
fn each<'a, T, R>(all: &'a [T], work: impl Fn(&'a T) -> Outcome<R>) -> Outcome<()> {
    for one in all {
        std::hint::black_box(work(std::hint::black_box(one))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contender_does_its_work() {
        let events = events::events(EVENTS);
        let work = Work::new(&events).unwrap();
        work.check().unwrap();
        for (contender, _) in CONTENDERS {
            contender.work(&work).unwrap();
        }
    }
}
