//! Logs: one JSON object per line on standard output, where Lambda takes them up.

use tracing_subscriber::EnvFilter;

use crate::settings::SettingError;

/// The setting that says what is logged.
const LOG: &str = "FLAGPOST_LOG";
/// What is logged if nothing is said.
const DEFAULT: &str = "info";
const ALLOWED: &str = "a level (off, error, warn, info, debug, trace), or several directives \
                       target=level with commas between them";

/// Starts logging, as `FLAGPOST_LOG` says (`info` if it is absent). To be called once, before
/// anything that logs.
///
/// # Errors
/// [`SettingError`] if that makes no sense.
pub fn start(lookup: impl Fn(&str) -> Option<String>) -> Result<(), SettingError> {
    let filter = filter(lookup(LOG).as_deref().unwrap_or(DEFAULT))?;
    // A second call is a test in the same process: the first one's logging stays.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_ansi(false)
        .with_env_filter(filter)
        .try_init();
    Ok(())
}

fn filter(directives: &str) -> Result<EnvFilter, SettingError> {
    let senseless = |reason: String| SettingError::senseless(LOG, directives, reason, ALLOWED);
    // A word that is no level would be taken for a target, and silence everything else.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let each: Vec<_> = directives.split(',').map(str::trim).collect();
    for directive in &each {
        let level = directive.rsplit('=').next().unwrap_or_default();
        if !levels.iter().any(|known| level.eq_ignore_ascii_case(known)) {
            return Err(senseless(format!("`{level}` is not a level")));
        }
    }
    EnvFilter::builder().parse(each.join(",")).map_err(|error| senseless(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_targets_are_understood() {
        for directives in ["info", "WARN", "info,aws_config=debug", "warn, flagpost_domain=trace"] {
            assert!(filter(directives).is_ok(), "{directives}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for directives in ["", "inof", "info,", "info,aws_config", "info,aws_config=loud", "[=info"]
        {
            let error = filter(directives).unwrap_err().to_string();
            assert!(error.starts_with("FLAGPOST_LOG"), "{error}");
            assert!(error.contains("off, error"), "{error}");
        }
    }
}
