//! Impressions as SDKs send them.

use serde_json::Value;

/// The environment of every project's own key.
pub(crate) const ENVIRONMENT: &str = "prod-1f0c";
pub(crate) const ENVIRONMENT_NAME: &str = "Production";

/// The dozen of the fixture.
fn fixture() -> Vec<Value> {
    serde_json::from_str(include_str!("../fixtures/impressions.json")).unwrap()
}

/// The fixture again and again, with a key of its own for each: `{tag}-00000` and so on.
pub(crate) fn impressions(tag: &str, count: usize) -> Vec<Value> {
    let numbered = fixture().into_iter().cycle().take(count).enumerate();
    numbered
        .map(|(n, mut impression)| {
            impression["key"] = format!("{tag}-{n:05}").into();
            impression
        })
        .collect()
}

/// The fixture, once.
pub(crate) fn dozen(tag: &str) -> Vec<Value> {
    impressions(tag, fixture().len())
}

/// What must come out at the other end for an impression of a project's own key.
pub(crate) fn delivered(mut impression: Value) -> Value {
    let fields = impression.as_object_mut().unwrap();
    fields.retain(|_, value| !value.is_null());
    let key = fields["key"].clone();
    fields.entry("bucketingKey").or_insert(key);
    fields.insert("environmentId".to_owned(), ENVIRONMENT.into());
    fields.insert("environmentName".to_owned(), ENVIRONMENT_NAME.into());
    impression
}
