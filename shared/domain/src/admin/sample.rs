//! Sample events: what an integration would be sent, where nobody gives an event.
//!
//! Each is an upload that the code of its route reads, so that it has the form that a real event of
//! the same origin has.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Admin, AdminPorts, Failure};
use crate::{
    event::Event,
    impression::EnvironmentTexts,
    integration::{Environment, Integration, Origin, Stream},
    native::{Context, Post, Route, split::Upload},
    notice::{By, Change, Notice},
    page::Part,
    ports::{AdminStore, Clock, KeyGrant},
    preset::Preset,
    problem::{Kind, Problem},
    time::Timestamp,
};

/// Keys that are looked through for an environment.
const KEYS: Part = Part { after: None, limit: 100 };

impl<P: AdminPorts> Admin<P> {
    /// A sample of what the integration takes, of an environment that it takes.
    pub(super) async fn sample(&self, integration: &Integration) -> Result<Event, Failure> {
        let environment = match integration.stream {
            Stream::Impressions => self.environment(integration).await?,
            // These say nothing of it.
            Stream::Events | Stream::Identities | Stream::Operations => named(integration),
        };
        Ok(sample(integration, environment, self.ports.clock().now())?)
    }

    /// The first that the integration takes and the project has a key of.
    async fn environment(&self, integration: &Integration) -> Result<Environment, Failure> {
        let keys = self.ports.store().keys(&integration.project, &KEYS).await?.items;
        let wanted = &integration.environments;
        let found = keys
            .into_iter()
            .map(|key| key.grant.environment)
            .find(|found| wanted.is_empty() || wanted.contains(&found.id));
        Ok(found.unwrap_or_else(|| named(integration)))
    }
}

/// An environment of which nothing but its id is known, if that.
fn named(integration: &Integration) -> Environment {
    let first = integration.environments.first().map_or("production", String::as_str);
    Environment { id: first.to_owned(), name: first.to_owned() }
}

fn sample(
    integration: &Integration,
    environment: Environment,
    now: Timestamp,
) -> Result<Event, Problem> {
    let (route, upload) = upload(integration, now);
    let texts = EnvironmentTexts::new(&environment);
    let project = integration.project.clone();
    let grant = KeyGrant { id: "sample".into(), project, environment, secret: None };
    let read = route.read(&Context {
        post: &Post::default(),
        body: &Bytes::from(upload.to_string()),
        grant: &grant,
        environment: &texts,
        now,
        events: 1,
        faults: 1,
    })?;
    // Not reachable: every upload below holds an event.
    read.events.into_iter().next().ok_or_else(|| Problem::new(Kind::Internal, "there is no sample"))
}

/// The upload of one event, and the route that reads it.
fn upload(integration: &Integration, now: Timestamp) -> (Route, Value) {
    match (integration.stream, origin(integration)) {
        (Stream::Impressions, _) => (Route::Own(Stream::Impressions), impression(now)),
        (Stream::Identities, _) => (Route::Own(Stream::Identities), identity()),
        (Stream::Operations, _) => (Route::Own(Stream::Operations), operation(integration, now)),
        (Stream::Events, Origin::Split) => (Route::Split(Upload::Events), json!([tracked(now)])),
        (Stream::Events, Origin::Statsig) => (Route::StatsigWebhook, statsig(now)),
        (Stream::Events, Origin::Amplitude) => {
            (Route::Amplitude, json!({"events": [amplitude(now)]}))
        }
        (Stream::Events, Origin::Api | Origin::Flagsmith) => {
            (Route::Own(Stream::Events), event(now))
        }
    }
}

/// What is told when the integration itself is paused.
fn operation(integration: &Integration, now: Timestamp) -> Value {
    let change = Change::Paused { by: By::Operator, reason: "a test".to_owned(), until: None };
    let Integration { project, id, .. } = integration;
    let (project, integration) = (project.clone(), id.clone());
    let notice = Notice { id: "sample".to_owned(), at: now, project, integration, change };
    serde_json::from_str(&notice.webhook()).unwrap_or_default()
}

/// Whose form its events have: the only one that it takes, or that of its preset.
fn origin(integration: &Integration) -> Origin {
    match (integration.own.origins.as_deref(), integration.preset) {
        (Some([one]), _) => *one,
        (_, Preset::Split) => Origin::Split,
        (_, Preset::Statsig) => Origin::Statsig,
        (_, Preset::Amplitude) => Origin::Amplitude,
        (_, Preset::Flagsmith) => Origin::Flagsmith,
        (_, Preset::Standard) => Origin::Api,
    }
}

/// Every field of the impressions webhook (Split, "Webhook - Impressions") that a client sends. The
/// address is one of RFC 5737.
fn impression(now: Timestamp) -> Value {
    json!({
        "key": "sample-user",
        "split": "sample-flag",
        "treatment": "on",
        "time": now,
        "bucketingKey": "sample-bucket",
        "label": "default rule",
        "machineName": "sample-host",
        "machineIp": "192.0.2.1",
        "splitVersionNumber": now,
        "sdk": "sample",
        "sdkVersion": "1.0.0",
        "properties": r#"{"sample":true}"#,
    })
}

/// What `track` of Split's SDKs uploads.
fn tracked(now: Timestamp) -> Value {
    json!({
        "key": "sample-user",
        "trafficTypeName": "user",
        "eventTypeId": "sample-event",
        "value": 9.99,
        "timestamp": now,
        "properties": {"sample": true},
    })
}

/// A custom event as Statsig's page "Event Webhook" has it.
fn statsig(now: Timestamp) -> Value {
    json!({
        "event": "sample_event",
        "user": {
            "userID": "sample-user",
            "email": "sample@example.com",
            "country": "US",
            "custom": {"plan": "pro"},
        },
        "value": "9.99",
        "metadata": {"page": "sample_page"},
        "timestamp": now,
    })
}

/// An event of Amplitude's HTTP V2 API; its route makes an exported one of it.
fn amplitude(now: Timestamp) -> Value {
    json!({
        "user_id": "sample-user",
        "device_id": "sample-device",
        "event_type": "Sample Event",
        "time": now,
        "session_id": now,
        "event_id": 1,
        "insert_id": "sample-insert-id",
        "app_version": "1.0.0",
        "platform": "Web",
        "os_name": "Chrome",
        "os_version": "142",
        "device_brand": "Sample",
        "device_manufacturer": "Sample",
        "device_model": "Sample",
        "carrier": "Sample",
        "country": "United States",
        "region": "California",
        "city": "San Francisco",
        "dma": "San Francisco-Oakland-San Jose, CA",
        "language": "English",
        "ip": "192.0.2.1",
        "library": "sample/1.0.0",
        "event_properties": {"sample": true, "page": "sample page"},
        "user_properties": {"email": "sample@example.com", "plan": "pro"},
        "groups": {"company": "Sample"},
        "group_properties": {"company": {"Sample": {"seats": 5}}},
    })
}

/// An identity in the form of Flagsmith's page "Webhook Analytics Integration".
fn identity() -> Value {
    let created = "2026-01-01T00:00:00.000000Z";
    let feature = |id: u8, name: &str, enabled: bool, value: Value| {
        json!({
            "enabled": enabled,
            "environment": 1,
            "feature": {
                "created_date": created,
                "default_enabled": enabled,
                "description": null,
                "id": id,
                "initial_value": null,
                "name": name,
                "type": "STANDARD",
            },
            "feature_segment": null,
            "feature_state_value": value,
            "id": id,
            "identity": null,
        })
    };
    json!({
        "identity": "sample-user",
        "flags": [
            feature(1, "sample_flag", true, json!("sample value")),
            feature(2, "another_flag", false, Value::Null),
        ],
        "segments": [{"id": 1, "member": true, "name": "sample_segment"}],
        "traits": [
            {"id": 1, "trait_key": "plan", "trait_value": "pro"},
            {"id": 2, "trait_key": "logins", "trait_value": 5},
        ],
    })
}

/// An event that nobody prescribes the form of.
fn event(now: Timestamp) -> Value {
    json!({
        "event": "sample_event",
        "user_id": "sample-user",
        "time": now,
        "properties": {"sample": true, "plan": "pro", "amount": 9.99},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{admin::memory::integration, integration::Own};

    const NOW: Timestamp = Timestamp(1_795_237_200_000);

    fn text(integration: &Integration) -> String {
        let environment = Environment { id: "prod".into(), name: "Production".into() };
        let event = sample(integration, environment, NOW).unwrap();
        String::from_utf8(event.as_bytes().to_vec()).unwrap()
    }

    fn of(preset: Preset, stream: Stream, origins: Option<Vec<Origin>>) -> Integration {
        Integration { preset, stream, own: Own { origins, ..Own::default() }, ..integration() }
    }

    /// The names of an object's members, in their order.
    fn names(text: &str) -> Vec<String> {
        let object = crate::object::Object::read(text).unwrap();
        object.0.iter().map(|(name, _)| name.to_string()).collect()
    }

    #[test]
    fn an_impression_has_every_field_of_the_schema_and_the_environment() {
        let text = text(&of(Preset::Split, Stream::Impressions, None));
        assert_eq!(
            text,
            r#"{"key":"sample-user","split":"sample-flag","environmentId":"prod","environmentName":"Production","treatment":"on","time":1795237200000,"bucketingKey":"sample-bucket","label":"default rule","machineName":"sample-host","machineIp":"192.0.2.1","splitVersionNumber":1795237200000,"sdk":"sample","sdkVersion":"1.0.0","properties":"{\"sample\":true}"}"#
        );
        let schema = include_str!("../../../../tests/fixtures/split-impressions.txt");
        let wanted = schema.lines().filter_map(|line| line.trim().strip_prefix('"'));
        let wanted: Vec<_> = wanted.filter_map(|line| line.split('"').next()).collect();
        assert_eq!(names(&text), wanted);
    }

    #[test]
    fn an_event_has_the_form_of_the_preset() {
        let statsig = text(&of(Preset::Statsig, Stream::Events, None));
        let page = include_str!("../../../../tests/fixtures/statsig-batch.json");
        let page: Vec<&serde_json::value::RawValue> = serde_json::from_str(page).unwrap();
        assert_eq!(names(&statsig), names(page[0].get()));
        assert!(statsig.contains(r#""timestamp":1795237200000"#), "{statsig}");

        let amplitude = text(&of(Preset::Amplitude, Stream::Events, None));
        assert_eq!(names(&amplitude).len(), 50);
        assert!(amplitude.contains(r#""event_time":"2026-11-21 05:00:00.000""#), "{amplitude}");
        assert!(amplitude.contains(r#""app":"shop""#), "{amplitude}");

        let identity = text(&of(Preset::Flagsmith, Stream::Identities, None));
        assert!(identity.starts_with(r#"{"flags": [{"enabled": true, "#), "{identity}");
        let page = include_str!("../../../../tests/fixtures/flagsmith-identity.json");
        assert_eq!(names(&identity), names(page));
    }

    #[test]
    fn of_streams_that_take_anything_the_only_origin_says_the_form() {
        let standard = |stream, origins| text(&of(Preset::Standard, stream, origins));
        assert!(standard(Stream::Events, None).contains("\"sample_event\""));
        for (origin, mark) in [
            (Origin::Api, "\"amount\":9.99"),
            (Origin::Split, "\"trafficTypeName\""),
            (Origin::Statsig, "\"timeUUID\""),
            (Origin::Amplitude, "\"$insert_id\""),
            (Origin::Flagsmith, "\"amount\":9.99"),
        ] {
            let text = standard(Stream::Events, Some(vec![origin]));
            assert!(text.contains(mark), "{origin:?}: {text}");
        }
        assert!(standard(Stream::Impressions, None).contains("\"environmentId\""));
        assert!(standard(Stream::Identities, None).contains("\"traits\""));
    }

    #[test]
    fn every_preset_has_a_sample_of_every_stream() {
        for (_, preset, _) in crate::preset::PRESETS {
            for stream in [Stream::Impressions, Stream::Events, Stream::Identities] {
                let text = text(&of(preset, stream, None));
                assert!(serde_json::from_str::<Value>(&text).unwrap().is_object());
            }
        }
    }
}
