//! Filters and templates, compiled once for each version of an integration.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use flagpost_filter::{Filter, PatternError, StatsigCategories};
use flagpost_template::{CompileError, Template};
use lru::LruCache;

use crate::{event::Event, id::IntegrationId, integration::Integration};

/// Integrations whose filter and template are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();

/// An integration's filter and template.
#[derive(Debug, Default)]
pub struct Compiled {
    filter: Option<Filter>,
    template: Option<Result<Template, CompileError>>,
}

impl Compiled {
    /// Compiles them. `Err` is what is wrong with the filter: it was checked when it was saved, so
    /// another version of this code wrote it.
    pub fn new(integration: &Integration) -> Result<Self, PatternError> {
        let own = &integration.own;
        let by_categories = own.statsig_events.as_ref().map(StatsigCategories::pattern);
        let filter = own.filter.as_ref().or(by_categories.as_ref()).map(Filter::compile);
        let template = own.template.as_deref().map(Template::compile);
        Ok(Self { filter: filter.transpose()?, template })
    }

    /// Whether the integration wants this event. Without a filter no event is looked into. `Err` is
    /// why the filter could not read it, without a word of the event: it is nested too deep where
    /// the filter looks, or is no JSON object, which ingest refuses.
    pub fn wants(&self, event: &Event) -> Result<bool, String> {
        let Some(filter) = &self.filter else { return Ok(true) };
        filter.matches(event.as_bytes()).map_err(|error| {
            // serde_json quotes what it found instead of what it expected, and nothing else.
            if error.is_data() { "it is no JSON object".to_owned() } else { error.to_string() }
        })
    }

    /// Whether any event may be unwanted.
    pub fn filters(&self) -> bool {
        self.filter.is_some()
    }

    /// The template; `Err` is what is wrong with it.
    pub fn template(&self) -> Option<Result<&Template, &CompileError>> {
        self.template.as_ref().map(Result::as_ref)
    }
}

/// Compiles, and remembers.
#[derive(Debug)]
pub struct Compiler(Mutex<LruCache<IntegrationId, (u64, Arc<Compiled>)>>);

impl Default for Compiler {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl Compiler {
    /// The filter and the template of this version of an integration; see [`Compiled::new`].
    pub fn compiled(&self, integration: &Integration) -> Result<Arc<Compiled>, PatternError> {
        let own = &integration.own;
        if own.filter.is_none() && own.statsig_events.is_none() && own.template.is_none() {
            return Ok(Arc::default());
        }
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((version, compiled)) = remembered.get(&integration.id)
            && *version == integration.version
        {
            return Ok(Arc::clone(compiled));
        }
        let compiled = Arc::new(Compiled::new(integration)?);
        let entry = (integration.version, Arc::clone(&compiled));
        remembered.put(integration.id.clone(), entry);
        Ok(compiled)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{integration::Own, memory::integration};

    #[test]
    fn a_new_version_is_compiled_anew() {
        let compiler = Compiler::default();
        let event = Event::from_object(r#"{"a":1}"#);
        let with = |filter, version| Integration {
            own: Own { filter: Some(filter), ..Own::default() },
            version,
            ..integration("i")
        };
        let first = compiler.compiled(&with(json!({"a": [1]}), 1)).unwrap();
        assert!(first.wants(&event).unwrap() && first.filters());
        let again = compiler.compiled(&with(json!({"a": [1]}), 1)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let changed = compiler.compiled(&with(json!({"a": [2]}), 2)).unwrap();
        assert!(!changed.wants(&event).unwrap());
        assert!(compiler.compiled(&with(json!({"a": 1}), 3)).is_err());
    }

    #[test]
    fn without_a_filter_an_event_is_not_looked_into() {
        let compiled = Compiler::default().compiled(&integration("i")).unwrap();
        assert!(!compiled.filters());
        assert!(compiled.wants(&Event::from_object("no JSON at all")).unwrap());
    }

    #[test]
    fn what_a_filter_cannot_read_is_said_without_the_event() {
        let own = Own { filter: Some(json!({"a": [1]})), ..Own::default() };
        let compiled = Compiled::new(&Integration { own, ..integration("i") }).unwrap();
        let deep = format!(r#"{{"a":{}"secret"{}}}"#, "[".repeat(200), "]".repeat(200));
        for (text, reason) in
            [(deep.as_str(), "recursion limit"), (r#""secret""#, "no JSON object"), ("{", "EOF")]
        {
            let error = compiled.wants(&Event::from_object(text.to_owned())).unwrap_err();
            assert!(error.contains(reason) && !error.contains("secret"), "{error}");
        }
    }
}
