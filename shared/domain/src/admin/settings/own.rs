//! The settings that a preset has a default for, and those that no preset has.

use std::collections::BTreeMap;

use flagpost_filter::{Filter, StatsigCategories};
use flagpost_template::Template;
use serde_json::Value;

use crate::admin::fields::Fields;
use crate::{
    header::{MAX_HEADERS, name_fault, value_fault},
    integration::{Origin, Own, TemplateResult},
    limits::{Limits, MAX_IN_FLIGHT, NotPerSecond, PerSecond},
    preset::{Exposures, ImmediateRetry, Payload, Preset, Scheme, Success},
    secret::Secret,
    signature,
    trace::TRACEPARENT,
};

const ORIGINS: [(&str, Origin); 5] = [
    ("api", Origin::Api),
    ("split", Origin::Split),
    ("statsig", Origin::Statsig),
    ("amplitude", Origin::Amplitude),
    ("flagsmith", Origin::Flagsmith),
];
const PAYLOADS: [(&str, Payload); 3] =
    [("array", Payload::Array), ("object", Payload::Object), ("ndjson", Payload::Ndjson)];
const SUCCESSES: [(&str, Success); 2] = [("200", Success::Ok), ("2xx", Success::Any2xx)];
const RETRIES: [(&str, ImmediateRetry); 3] = [
    ("none", ImmediateRetry::None),
    ("once", ImmediateRetry::Once),
    ("backoff", ImmediateRetry::Backoff),
];
const SCHEMES: [(&str, Scheme); 4] = [
    ("none", Scheme::None),
    ("standard_webhooks", Scheme::StandardWebhooks),
    ("flagsmith", Scheme::Flagsmith),
    ("statsig", Scheme::Statsig),
];
const EXPOSURES: [(&str, Exposures); 2] =
    [("statsig_metadata", Exposures::StatsigMetadata), ("metadata", Exposures::Metadata)];
/// What a template may make.
pub(in crate::admin) const RESULTS: [(&str, TemplateResult); 2] =
    [("json", TemplateResult::Json), ("text", TemplateResult::Text)];

/// Reads them. `present` are those before the change; `preset` is `None` if it had a fault.
pub(super) fn read(fields: &mut Fields, present: &Own, preset: Option<Preset>) -> Own {
    let mut own = Own {
        origins: fields.words("origins", &ORIGINS),
        payload: fields.word("payload", &PAYLOADS),
        success: fields.word("success", &SUCCESSES),
        gzip: fields.flag("gzip"),
        immediate_retry: fields.word("immediate_retry", &RETRIES),
        signature: fields.word("signature", &SCHEMES),
        exposures: fields.word("exposures", &EXPOSURES),
        filter: filter(fields),
        statsig_events: statsig_events(fields),
        template: template(fields),
        template_result: fields.word("template_result", &RESULTS),
        limits: limits(fields),
        trace: fields.flag("trace"),
        headers: headers(fields),
        secret: None,
        old_secret: None,
    };
    if own.filter.is_some() && own.statsig_events.is_some() {
        fields.fault("statsig_events", "cannot be set beside `filter`: write one of them");
    }
    if own.trace == Some(true)
        && let Some(name) = own.headers.keys().find(|name| name.eq_ignore_ascii_case(TRACEPARENT))
    {
        fields.fault(&format!("headers.{name}"), "cannot be set: it is set by `trace`");
    }
    let Some(preset) = preset else {
        fields.take("secret");
        return own;
    };
    check_result(fields, &own, own.payload.unwrap_or(preset.defaults().payload));
    let scheme = own.signature.unwrap_or(preset.defaults().signature);
    own.secret = secret(fields, scheme);
    // Whoever sets another secret here wants the old one to end; a rotation has a call of its own.
    if own.secret.is_some() && own.secret == present.secret && scheme == Scheme::StandardWebhooks {
        own.old_secret.clone_from(&present.old_secret);
    }
    own
}

/// Whether what the template makes fits the rest.
pub(in crate::admin) fn check_result(fields: &mut Fields, own: &Own, payload: Payload) {
    if own.template_result.is_some() && own.template.is_none() {
        fields.fault("template_result", "says what the template makes, and there is no `template`");
    }
    if own.template_result == Some(TemplateResult::Text) && payload != Payload::Object {
        let detail = "can be `text` only with `payload` `object`: an array holds JSON";
        fields.fault("template_result", detail);
    }
}

fn secret(fields: &mut Fields, scheme: Scheme) -> Option<Secret> {
    let value = fields.take("secret")?;
    let Some(text) = value.as_str() else {
        fields.fault("secret", "must be text, or null for none");
        return None;
    };
    let secret = Secret::new(text);
    if let Some(fault) = signature::fault(scheme, &secret) {
        fields.fault("secret", fault);
    }
    Some(secret)
}

fn filter(fields: &mut Fields) -> Option<Value> {
    let pattern = fields.take("filter")?;
    if let Err(error) = Filter::compile(&pattern) {
        fields.fault(&format!("filter{}", error.path), error.detail);
    }
    Some(pattern)
}

fn statsig_events(fields: &mut Fields) -> Option<StatsigCategories> {
    let value = fields.take("statsig_events")?;
    let categories: StatsigCategories = match serde_json::from_value(value) {
        Ok(categories) => categories,
        Err(error) => {
            let detail = format!(
                "{error}; it has `exposures` and `config_changes`, true or false, and may have \
                 `custom_events`, an object with `include` or `all_except` and a list of names"
            );
            fields.fault("statsig_events", detail);
            return None;
        }
    };
    if let Err(error) = Filter::compile(&categories.pattern()) {
        fields.fault("statsig_events", error.detail);
    }
    Some(categories)
}

fn template(fields: &mut Fields) -> Option<String> {
    let value = fields.take("template")?;
    let Some(source) = value.as_str() else {
        fields.fault("template", "must be text: the source of a FreeMarker template");
        return None;
    };
    if let Err(error) = Template::compile(source) {
        fields.fault("template", error.to_string());
    }
    Some(source.to_owned())
}

fn limits(fields: &mut Fields) -> Limits {
    fields.object("limits", |limits| Limits {
        per_second: per_second(limits),
        in_flight: limits.number("in_flight", &(1..=MAX_IN_FLIGHT)),
    })
}

fn per_second(limits: &mut Fields) -> Option<PerSecond> {
    let value = limits.take("per_second")?;
    let number = value.as_f64().and_then(|number| PerSecond::try_from(number).ok());
    if number.is_none() {
        limits.fault("per_second", format!("must be {NotPerSecond}"));
    }
    number
}

fn headers(fields: &mut Fields) -> BTreeMap<String, Secret> {
    let given = match fields.take("headers") {
        None => return BTreeMap::new(),
        Some(Value::Object(given)) => given,
        Some(_) => {
            fields.fault("headers", "must be an object of names and values");
            return BTreeMap::new();
        }
    };
    if given.len() > MAX_HEADERS {
        fields.fault(
            "headers",
            format!("has {} headers; at most {MAX_HEADERS} are allowed", given.len()),
        );
    }
    let mut headers: BTreeMap<String, Secret> = BTreeMap::new();
    for (name, value) in given {
        // A name is the client's own text, of any length.
        let field = format!("headers.{}", name.chars().take(64).collect::<String>());
        if let Some(fault) = name_fault(&name) {
            fields.fault(&field, fault);
        }
        if headers.keys().any(|other| other.eq_ignore_ascii_case(&name)) {
            fields.fault(&field, "is there twice");
        }
        match value.as_str() {
            Some(text) => {
                if let Some(fault) = value_fault(text) {
                    fields.fault(&field, fault);
                }
                headers.insert(name, Secret::new(text));
            }
            None => fields.fault(&field, "must be text, or null for none"),
        }
    }
    headers
}
