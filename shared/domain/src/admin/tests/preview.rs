//! Previews: what would be sent, and where a filter or a template has a fault.

use super::*;
use crate::{
    integration::{Stream, TemplateResult},
    preset::{Payload, Preset},
    secret::Secret,
};

const PREVIEW: &str = "/v1/projects/shop/integrations/i1/preview";

async fn with(own: Own) -> Api {
    let one =
        Integration { preset: Preset::Standard, stream: Stream::Events, own, ..integration() };
    let api = Api::new().await;
    let mut inner = api.memory.inner();
    inner.integrations.insert(("shop".into(), "i1".into()), Some(one));
    inner.reads_only = true;
    drop(inner);
    api
}

async fn previewed(api: &Api, body: &Value) -> Value {
    let answer = api.post(PREVIEW, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(api.memory.inner().requests.is_empty(), "nothing is sent");
    answer.body
}

fn shown(matches: bool, payload: &str) -> Value {
    json!({"matches": matches, "payload": payload, "content_type": "application/json"})
}

#[tokio::test]
async fn what_is_given_takes_the_place_of_what_is_there() {
    let own = Own {
        filter: Some(json!({"n": [1]})),
        template: Some("{\"own\": ${input.n}}".to_owned()),
        ..Own::default()
    };
    let api = with(own).await;
    let event = json!({"n": 1});
    for (body, wanted) in [
        (json!({"event": event}), shown(true, "[{\"own\": 1}]")),
        (json!({"event": {"n": 2}}), shown(false, "[{\"own\": 2}]")),
        (json!({"event": event, "filter": {"n": [2]}}), shown(false, "[{\"own\": 1}]")),
        (json!({"event": {"n": 2}, "filter": null}), shown(true, "[{\"own\": 2}]")),
        (json!({"event": event, "template": "[${input.n + 1}]"}), shown(true, "[[2]]")),
        (json!({"event": event, "template": null}), shown(true, "[{\"n\":1}]")),
    ] {
        assert_eq!(previewed(&api, &body).await, wanted, "{body}");
    }
}

#[tokio::test]
async fn an_event_keeps_its_order_and_digits() {
    let api = with(Own::default()).await;
    let body = r#"{"template": "${input.n?c} <#list input as k, v>${k}</#list>", "event":
        {"z": 1, "n": 12345678901234567890, "a": 2}, "template_result": "json"}"#;
    let answer = api.call("POST", PREVIEW, None, body).await;
    let detail = answer.body["fault"]["detail"].as_str().unwrap();
    assert_eq!(detail, "the result is not JSON at its line 1, column 22");
    let api = with(Own { payload: Some(Payload::Object), ..Own::default() }).await;
    let answer = api.call("POST", PREVIEW, None, &body.replace("\"json\"", "\"text\"")).await;
    assert_eq!(
        answer.body,
        json!({"matches": true, "payload": "12345678901234567890 zna",
               "content_type": "text/plain; charset=utf-8"})
    );
}

#[tokio::test]
async fn a_filter_is_given_in_the_place_of_categories_too() {
    let categories = serde_json::from_value(json!({"exposures": true, "config_changes": false}));
    let api = with(Own { statsig_events: Some(categories.unwrap()), ..Own::default() }).await;
    let event = json!({"eventName": "other", "n": 1});
    assert_eq!(previewed(&api, &json!({"event": event})).await["matches"], false);
    for filter in [json!({"n": [1]}), Value::Null] {
        let body = json!({"event": event, "filter": filter});
        assert_eq!(previewed(&api, &body).await["matches"], true, "{body}");
    }
}

#[tokio::test]
async fn faults_say_where_they_are() {
    let api = with(Own::default()).await;
    for (body, line, column) in [
        (json!({"template": "{\n  ${input.n"}), 2, 12),
        (json!({"template": "{\"a\":\n  ${input.gone}}"}), 2, 5),
        (json!({"template": "${input.n?no_such}"}), 1, 11),
    ] {
        let fault = previewed(&api, &with_event(&body)).await["fault"].clone();
        assert_eq!(fault["field"], "template");
        assert_eq!((&fault["line"], &fault["column"]), (&json!(line), &json!(column)), "{fault}");
        assert!(fault.get("path").is_none() && !fault["detail"].as_str().unwrap().is_empty());
    }
    for (filter, path) in [
        (json!({"a": {"b": [{"no-such": 1}]}}), "/a/b/0/no-such"),
        (json!({"a": 1}), "/a"),
        (json!([]), ""),
        (json!("text"), ""),
    ] {
        let shown = previewed(&api, &with_event(&json!({"filter": filter}))).await;
        assert_eq!((shown.get("payload"), &shown["matches"]), (None, &json!(false)), "{shown}");
        let fault = &shown["fault"];
        assert_eq!((&fault["field"], &fault["path"]), (&json!("filter"), &json!(path)), "{fault}");
        assert!(fault.get("line").is_none() && fault.get("column").is_none());
    }
    let result = previewed(&api, &with_event(&json!({"template": "{\n\"n\": }"}))).await;
    assert_eq!(
        result,
        json!({"matches": true, "fault": {
            "field": "template", "detail": "the result is not JSON at its line 2, column 6",
        }})
    );
    let many = json!({"event": {"a": vec![1; 25_000]}, "template": "${input.a?size?c}"});
    assert_eq!(previewed(&api, &many).await["payload"], "[25000]");
    let digits = "1".repeat(300);
    let body = format!(r#"{{"event": {{"a": {digits}}}, "template": "${{input.a}}"}}"#);
    let fault = api.call("POST", PREVIEW, None, &body).await.body["fault"].clone();
    assert_eq!((&fault["line"], &fault["column"]), (&json!(1), &json!(3)), "{fault}");
}

fn with_event(body: &Value) -> Value {
    let mut body = body.clone();
    body["event"] = json!({"n": 1});
    body
}

#[tokio::test]
async fn a_sample_is_made_where_no_event_is_given() {
    let api = with(Own::default()).await;
    let shown = previewed(&api, &json!({"template": "\"${input.event}\""})).await;
    assert_eq!(shown["payload"], "[\"sample_event\"]");
}

#[tokio::test]
async fn a_content_type_of_the_customers_is_not_told() {
    let headers = [("Content-TYPE".to_owned(), Secret::new("application/hunter2"))];
    let api = with(Own { headers: headers.into(), ..Own::default() }).await;
    assert_eq!(previewed(&api, &json!({})).await["content_type"], "***");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let api = with(Own::default()).await;
    for (body, field) in [
        (json!({"event": 7}), "event"),
        (json!({"template": 7}), "template"),
        (json!({"template_result": "xml", "template": "1"}), "template_result"),
        (json!({"template_result": "text"}), "template_result"),
        (json!({"template_result": "text", "template": "1"}), "template_result"),
        (json!({"templates": "1"}), "templates"),
    ] {
        let answer = api.post(PREVIEW, &body).await;
        assert_eq!((answer.status, answer.slug()), (400, "invalid-field"), "{body}");
        assert!(answer.fields().iter().all(|found| *found == field), "{body}");
    }
    let answer = api.call("POST", PREVIEW, None, "{\"template\": ").await;
    assert_eq!((answer.status, answer.slug()), (400, "invalid-json"));
    api.memory.inner().integrations.insert(("shop".into(), "i1".into()), None);
    assert_eq!(api.post(PREVIEW, &json!({})).await.status, 404);
}

#[tokio::test]
async fn a_text_template_can_be_taken_away() {
    let own = Own {
        payload: Some(Payload::Object),
        template: Some("some text".to_owned()),
        template_result: Some(TemplateResult::Text),
        ..Own::default()
    };
    let api = with(own).await;
    let shown = previewed(&api, &json!({"event": {}})).await;
    assert_eq!(
        (&shown["payload"], &shown["content_type"]),
        (&json!("some text"), &json!("text/plain; charset=utf-8"))
    );
    let shown = previewed(&api, &json!({"event": {}, "template": null})).await;
    assert_eq!(
        (&shown["payload"], &shown["content_type"]),
        (&json!("{}"), &json!("application/json"))
    );
    let as_json = json!({"event": {}, "template_result": null});
    assert_eq!(previewed(&api, &as_json).await["fault"]["field"], "template");
}
