//! `flagpost test` and `flagpost preview`

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, value::RawValue};

use super::{Desk, flag, number, text};
use crate::{
    api::Ask,
    arguments::TemplateResult,
    fault::{Fault, verdict},
    screen::grouped,
    surroundings,
};

/// What is tried in place of what is set.
pub(super) struct Preview<'a> {
    pub(super) event: Option<&'a Path>,
    pub(super) filter: Option<&'a Path>,
    pub(super) template: Option<&'a Path>,
    pub(super) result: Option<TemplateResult>,
}

pub(super) async fn test(
    desk: &Desk<'_>,
    integration: &str,
    event: Option<&Path>,
) -> Result<(), Fault> {
    let mut body = BTreeMap::new();
    if let Some(event) = event {
        body.insert("event", document(event)?);
    }
    let place = desk.find(integration).await?;
    let ask = Ask::post_text(place.path(&["test"]), encoded(&body)?).once();
    let answer = desk.api.answer(&ask).await?;
    let tested = answer.value()?;
    let written = if desk.screen.json() {
        desk.screen.payload(answer.text.trim_end())
    } else {
        desk.screen.text(&tried(&tested))
    };
    verdict(was_delivered(&tested), written)
}

fn was_delivered(tested: &Value) -> Result<(), Fault> {
    if text(tested, "/outcome") == "delivered" {
        return Ok(());
    }
    if flag(tested, "/filtered") {
        return Err(Fault::Failed(
            "the integration's filter does not want this event: nothing was sent".to_owned(),
        ));
    }
    let why = [text(tested, "/outcome"), text(tested, "/error")];
    let why = why.into_iter().find(|why| !why.is_empty()).unwrap_or_default();
    Err(Fault::Failed(format!("it was not delivered: {why}")))
}

pub(super) async fn preview(
    desk: &Desk<'_>,
    integration: &str,
    trial: Preview<'_>,
) -> Result<(), Fault> {
    let mut body = BTreeMap::new();
    if let Some(path) = trial.event {
        body.insert("event", document(path)?);
    }
    if let Some(path) = trial.filter {
        body.insert("filter", document(path)?);
    }
    if let Some(path) = trial.template {
        body.insert("template", written(&surroundings::read(path)?)?);
    }
    if let Some(result) = trial.result {
        body.insert("template_result", written(result.name())?);
    }
    let place = desk.find(integration).await?;
    let ask = Ask::post_text(place.path(&["preview"]), encoded(&body)?);
    let answer = desk.api.answer(&ask).await?;
    let shown = answer.value()?;
    let fault = shown.get("fault").filter(|fault| !fault.is_null());
    let mut written = Ok(());
    if desk.screen.json() {
        written = desk.screen.payload(answer.text.trim_end());
    } else if fault.is_none() {
        let matches = flag(&shown, "/matches");
        desk.screen.note(if matches {
            "the filter wants it"
        } else {
            "the filter does not want it"
        });
        if let Some(payload) = shown.get("payload").and_then(Value::as_str) {
            written = desk.screen.payload(payload.trim_end_matches('\n'));
        }
    }
    let sound = fault.map_or(Ok(()), |fault| Err(Fault::Failed(place_of(fault))));
    verdict(sound, written)
}

/// Where a fault is, as compilers write it: `template:3:14: …`.
fn place_of(fault: &Value) -> String {
    let mut told = text(fault, "/field").to_owned();
    for pointer in ["/line", "/column"] {
        if let Some(number) = number(fault, pointer) {
            told = format!("{told}:{number}");
        }
    }
    match text(fault, "/path") {
        "" => format!("{told}: {}", text(fault, "/detail")),
        path => format!("{told}: {path}: {}", text(fault, "/detail")),
    }
}

fn tried(tested: &Value) -> String {
    let mut lines = Vec::new();
    if tested.get("request").is_some_and(Value::is_object) {
        lines.push(format!(
            "> {} {}",
            text(tested, "/request/method"),
            text(tested, "/request/url")
        ));
        for (name, value) in
            tested.pointer("/request/headers").and_then(Value::as_object).into_iter().flatten()
        {
            lines.push(format!("> {name}: {}", plain(value)));
        }
        lines.push(">".to_owned());
        let body = tested.pointer("/request/body").map(plain).unwrap_or_default();
        lines.extend(body.lines().map(|line| format!("> {line}")));
    }
    if tested.get("answer").is_some_and(Value::is_object) {
        lines.push(format!("< {}", number(tested, "/answer/status").unwrap_or_default()));
        if let Some(wait) = tested.pointer("/answer/retry_after").filter(|wait| !wait.is_null()) {
            lines.push(format!("< retry-after: {}", plain(wait)));
        }
        let body = tested.pointer("/answer/body").map(plain).unwrap_or_default();
        lines.extend(body.lines().map(|line| format!("< {line}")));
    }
    if let Some(error) = tested.get("error").filter(|error| !error.is_null()) {
        lines.push(format!("! {}", plain(error)));
    }
    let took = number(tested, "/duration_ms").unwrap_or_default();
    lines.extend(match text(tested, "/outcome") {
        "" => None,
        outcome => Some(format!("{outcome} in {} ms", grouped(took))),
    });
    lines.join("\n")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A file's JSON, byte for byte: an event is tried as it was written.
fn document(path: &Path) -> Result<Box<RawValue>, Fault> {
    let text = surroundings::read(path)?;
    let text = text.trim().to_owned();
    RawValue::from_string(text)
        .map_err(|error| Fault::Usage(format!("{} is not JSON: {error}", path.display())))
}

fn written(text: &str) -> Result<Box<RawValue>, Fault> {
    serde_json::value::to_raw_value(text).map_err(|error| Fault::Failed(error.to_string()))
}

fn encoded(body: &BTreeMap<&str, Box<RawValue>>) -> Result<String, Fault> {
    serde_json::to_string(body).map_err(|error| Fault::Failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn faults_are_told_by_their_place() {
        let template =
            json!({"field": "template", "line": 3, "column": 14, "detail": "no such function"});
        assert_eq!(place_of(&template), "template:3:14: no such function");
        let filter = json!({"field": "filter", "path": "split.prefix", "detail": "must be a text"});
        assert_eq!(place_of(&filter), "filter: split.prefix: must be a text");
    }

    #[test]
    fn a_test_is_shown_as_it_went_over_the_line() {
        let tested = json!({
            "request": {"method": "POST", "url": "https://a.example/", "headers": {"webhook-id": "1"}, "body": "[\n{}]"},
            "answer": {"status": 429, "body": "slow down", "retry_after": 3}, "outcome": "waiting", "duration_ms": 1042,
        });
        let expected = "> POST https://a.example/\n> webhook-id: 1\n>\n> [\n> {}]\n< 429\n< retry-after: 3\n< slow down\nwaiting in 1,042 ms";
        assert_eq!(tried(&tested), expected);
        let unanswered = json!({"request": null, "answer": null, "error": "connect", "outcome": "unanswered", "duration_ms": 5});
        assert_eq!(tried(&unanswered), "! connect\nunanswered in 5 ms");
    }
}
