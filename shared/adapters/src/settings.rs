//! The settings of the functions, from their environment.
//!
//! Everything is read and checked at start-up. What is missing or makes no sense is refused: a
//! function that guessed would fail later, or do harm.

use std::{fmt, str::FromStr, time::Duration};

use flagpost_domain::{
    batch::Policy, breaker, destination::Allowed, drain::Retention, key, metrics::Emf,
    ports::KeyHash, retry::Schedule,
};
use url::Url;

use crate::sqs::QueueUrls;

/// A setting that is missing or makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// It is not there.
    #[error("{name} is missing: it must be {allowed}")]
    Missing {
        /// The environment variable.
        name: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
    /// It cannot be meant.
    #[error("{name} is {found}: {reason}; it must be {allowed}")]
    Senseless {
        /// The environment variable.
        name: &'static str,
        /// What was found, in backticks; of a secret, only its length.
        found: String,
        /// What is wrong with it.
        reason: String,
        /// What it may be.
        allowed: &'static str,
    },
}

impl SettingError {
    pub(crate) fn senseless(
        name: &'static str,
        found: &str,
        reason: impl Into<String>,
        allowed: &'static str,
    ) -> Self {
        Self::Senseless { name, found: format!("`{found}`"), reason: reason.into(), allowed }
    }
}

/// One variable of the real environment. All reads of it go through here.
#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What `functions/ingest` needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestSettings {
    /// Name of the table.
    pub table: String,
    /// The queue of fresh events.
    pub queues: QueueUrls,
    /// Largest body of a request, as sent, in bytes.
    pub max_body_bytes: usize,
    /// Most events in a request.
    pub max_events: usize,
    /// Whether an event that Amplitude's SDKs send repeatedly is delivered once.
    pub deduplicate: bool,
    /// How its metrics are printed.
    pub metrics: Emf,
}

/// What `functions/batch` needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSettings {
    /// Name of the table.
    pub table: String,
    /// Name of the bucket.
    pub bucket: String,
    /// All queues but the dead-letter queue of the timers.
    pub queues: QueueUrls,
    /// How it delivers.
    pub policy: Policy,
    /// How its metrics are printed.
    pub metrics: Emf,
}

/// What `functions/drain` needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainSettings {
    /// Name of the table.
    pub table: String,
    /// Name of the bucket.
    pub bucket: String,
    /// The queues of failed deliveries and of timers, and the timers' dead-letter queue.
    pub queues: QueueUrls,
    /// How long what is undelivered is kept.
    pub retention: Retention,
    /// How long a lease is taken for: longer than an invocation can last.
    pub lease: Duration,
    /// How it delivers.
    pub policy: Policy,
    /// How its metrics are printed.
    pub metrics: Emf,
}

/// What `functions/admin` needs.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminSettings {
    /// Name of the table.
    pub table: String,
    /// Name of the bucket.
    pub bucket: String,
    /// The queue of timers.
    pub queues: QueueUrls,
    /// SHA-256 of the admin key, in lower-case hex.
    pub admin_key: KeyHash,
    /// Endpoints that are exempt from the guard.
    pub allowed: Allowed,
}

impl fmt::Debug for AdminSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminSettings")
            .field("table", &self.table)
            .field("bucket", &self.bucket)
            .field("queues", &self.queues)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}

impl IngestSettings {
    /// Reads them.
    ///
    /// # Errors
    /// [`SettingError`] for the first one that is missing or makes no sense.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let read = Read(&lookup);
        Ok(Self {
            table: read.table()?,
            queues: QueueUrls {
                events: Some(read.url("FLAGPOST_EVENTS_QUEUE_URL")?),
                ..QueueUrls::default()
            },
            max_body_bytes: read.number(
                "FLAGPOST_MAX_BODY_BYTES",
                1_024..=4_400_000,
                "a number of bytes from 1024 to 4400000",
            )?,
            max_events: read.number(
                "FLAGPOST_MAX_EVENTS",
                1..=100_000,
                "a number from 1 to 100000",
            )?,
            deduplicate: read.switch("FLAGPOST_DEDUPLICATE")?,
            metrics: read.metrics()?,
        })
    }
}

impl BatchSettings {
    /// Reads them.
    ///
    /// # Errors
    /// [`SettingError`] for the first one that is missing or makes no sense.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let read = Read(&lookup);
        Ok(Self {
            table: read.table()?,
            bucket: read.bucket()?,
            queues: QueueUrls {
                events: Some(read.url("FLAGPOST_EVENTS_QUEUE_URL")?),
                retry: Some(read.url("FLAGPOST_RETRY_QUEUE_URL")?),
                wake: Some(read.url("FLAGPOST_WAKE_QUEUE_URL")?),
                events_dead: Some(read.url("FLAGPOST_EVENTS_DLQ_URL")?),
                retry_dead: Some(read.url("FLAGPOST_RETRY_DLQ_URL")?),
                wake_dead: None,
            },
            policy: read.policy()?,
            metrics: read.metrics()?,
        })
    }
}

impl DrainSettings {
    /// Reads them.
    ///
    /// # Errors
    /// [`SettingError`] for the first one that is missing or makes no sense.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let read = Read(&lookup);
        Ok(Self {
            table: read.table()?,
            bucket: read.bucket()?,
            queues: QueueUrls {
                events: Some(read.url("FLAGPOST_EVENTS_QUEUE_URL")?),
                retry: Some(read.url("FLAGPOST_RETRY_QUEUE_URL")?),
                wake: Some(read.url("FLAGPOST_WAKE_QUEUE_URL")?),
                wake_dead: Some(read.url("FLAGPOST_WAKE_DLQ_URL")?),
                ..QueueUrls::default()
            },
            retention: Retention {
                parked: read.days("FLAGPOST_PARKED_RETENTION_DAYS")?,
                dead: read.days("FLAGPOST_DEAD_RETENTION_DAYS")?,
            },
            // A function lives for 15 minutes at most, and its lease for a minute longer.
            lease: read.seconds(
                "FLAGPOST_LEASE_SECONDS",
                60..=960,
                "a number of seconds from 60 to 960",
            )?,
            policy: read.policy()?,
            metrics: read.metrics()?,
        })
    }
}

impl AdminSettings {
    /// Reads them.
    ///
    /// # Errors
    /// [`SettingError`] for the first one that is missing or makes no sense.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let read = Read(&lookup);
        Ok(Self {
            table: read.table()?,
            bucket: read.bucket()?,
            queues: QueueUrls {
                events: Some(read.url("FLAGPOST_EVENTS_QUEUE_URL")?),
                wake: Some(read.url("FLAGPOST_WAKE_QUEUE_URL")?),
                ..QueueUrls::default()
            },
            admin_key: read.admin_key()?,
            allowed: read.allowed()?,
        })
    }
}

/// One hour, in seconds: what a bucket, a span and a pause may last at most.
const HOUR: u64 = 3_600;
const UP_TO_AN_HOUR: &str = "a number of seconds from 1 to 3600";

struct Read<F>(F);

impl<F: Fn(&str) -> Option<String>> Read<F> {
    fn text(&self, name: &'static str, allowed: &'static str) -> Result<String, SettingError> {
        (self.0)(name).ok_or(SettingError::Missing { name, allowed })
    }

    fn table(&self) -> Result<String, SettingError> {
        self.resource("FLAGPOST_TABLE", "the name of a DynamoDB table")
    }

    fn bucket(&self) -> Result<String, SettingError> {
        self.resource("FLAGPOST_BUCKET", "the name of an S3 bucket")
    }

    /// A name of DynamoDB or S3: letters, digits, `_`, `-` and `.`.
    fn resource(&self, name: &'static str, allowed: &'static str) -> Result<String, SettingError> {
        let found = self.text(name, allowed)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if found.len() < 3 || !found.chars().all(fits) {
            return Err(SettingError::senseless(name, &found, "not such a name", allowed));
        }
        Ok(found)
    }

    fn url(&self, name: &'static str) -> Result<String, SettingError> {
        const ALLOWED: &str = "the http or https URL of a queue";
        let found = self.text(name, ALLOWED)?;
        let senseless = |reason: &str| SettingError::senseless(name, &found, reason, ALLOWED);
        let url = Url::parse(&found).map_err(|error| senseless(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(senseless("the scheme is another"));
        }
        if url.path().rsplit('/').next().is_none_or(str::is_empty) {
            return Err(senseless("it does not end in the name of a queue"));
        }
        Ok(found)
    }

    fn number<T: FromStr + PartialOrd>(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<T>,
        allowed: &'static str,
    ) -> Result<T, SettingError> {
        let found = self.text(name, allowed)?;
        let senseless = |reason| SettingError::senseless(name, &found, reason, allowed);
        let number = digits(&found).ok_or_else(|| senseless("not a whole number"))?;
        if range.contains(&number) { Ok(number) } else { Err(senseless("out of range")) }
    }

    fn switch(&self, name: &'static str) -> Result<bool, SettingError> {
        const ALLOWED: &str = "`on` or `off`";
        let found = self.text(name, ALLOWED)?;
        match found.as_str() {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(SettingError::senseless(name, &found, "neither of them", ALLOWED)),
        }
    }

    fn seconds(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<u64>,
        allowed: &'static str,
    ) -> Result<Duration, SettingError> {
        self.number(name, range, allowed).map(Duration::from_secs)
    }

    fn days(&self, name: &'static str) -> Result<Duration, SettingError> {
        let days: u64 = self.number(name, 1..=3_650, "a number of days from 1 to 3650")?;
        Ok(Duration::from_hours(days * 24))
    }

    /// CloudWatch, "PutMetricData": a namespace has 1 to 255 of these characters, and those of AWS begin
    /// with `AWS/`. A stack's name has letters, digits and hyphens.
    fn metrics(&self) -> Result<Emf, SettingError> {
        const NAMESPACE: &str = "FLAGPOST_METRICS_NAMESPACE";
        const STACK: &str = "FLAGPOST_STACK";
        const A_NAMESPACE: &str =
            "1 to 255 letters, digits and any of .-_/#, that do not begin with AWS/";
        const A_STACK: &str = "1 to 128 letters, digits and hyphens";
        let namespace = self.text(NAMESPACE, A_NAMESPACE)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-_/#".contains(c);
        let ours = !namespace.to_ascii_uppercase().starts_with("AWS/");
        if !((1..=255).contains(&namespace.len()) && namespace.chars().all(fits) && ours) {
            let reason = "not the name of a namespace of ours";
            return Err(SettingError::senseless(NAMESPACE, &namespace, reason, A_NAMESPACE));
        }
        let stack = self.text(STACK, A_STACK)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !((1..=128).contains(&stack.len()) && stack.chars().all(fits)) {
            return Err(SettingError::senseless(STACK, &stack, "not a stack's name", A_STACK));
        }
        Ok(Emf { namespace, stack })
    }

    fn policy(&self) -> Result<Policy, SettingError> {
        Ok(Policy {
            allowed: self.allowed()?,
            schedule: self.retry()?,
            breaker: self.breaker()?,
            keep_attempts: self.days("FLAGPOST_ATTEMPTS_RETENTION_DAYS")?,
            old_backlog: self.seconds(
                "FLAGPOST_OLD_BACKLOG_SECONDS",
                1..=86_400,
                "a number of seconds from 1 to 86400",
            )?,
        })
    }

    fn allowed(&self) -> Result<Allowed, SettingError> {
        const NAME: &str = "FLAGPOST_ALLOWED_ENDPOINTS";
        const ALLOWED: &str =
            "empty, or entries with commas between them, each a host, a CIDR or name=address";
        let found = self.text(NAME, ALLOWED)?;
        let senseless = |reason| SettingError::senseless(NAME, &found, reason, ALLOWED);
        found.parse().map_err(|error: <Allowed as FromStr>::Err| senseless(error.to_string()))
    }

    fn retry(&self) -> Result<Schedule, SettingError> {
        const NAME: &str = "FLAGPOST_RETRY_SLOTS_SECONDS";
        const ALLOWED: &str = "1 to 20 numbers of seconds with commas between them, \
                               the first at least 7, each at least 7 more than the one before, \
                               the last at most 43200";
        let found = self.text(NAME, ALLOWED)?;
        let senseless = |reason: String| SettingError::senseless(NAME, &found, reason, ALLOWED);
        let slots = found
            .split(',')
            .map(|slot| {
                let seconds = digits(slot.trim());
                seconds
                    .map(Duration::from_secs)
                    .ok_or_else(|| senseless(format!("`{}` is not a whole number", slot.trim())))
            })
            .collect::<Result<_, _>>()?;
        Schedule::new(slots).map_err(|error| senseless(error.to_string()))
    }

    fn breaker(&self) -> Result<breaker::Policy, SettingError> {
        const SPAN: &str = "FLAGPOST_BREAKER_SPAN_SECONDS";
        const FIRST: &str = "FLAGPOST_PAUSE_FIRST_SECONDS";
        let policy = breaker::Policy {
            bucket: self.seconds("FLAGPOST_BREAKER_BUCKET_SECONDS", 1..=HOUR, UP_TO_AN_HOUR)?,
            span: self.seconds(SPAN, 1..=HOUR, UP_TO_AN_HOUR)?,
            pause_first: self.seconds(FIRST, 1..=HOUR, UP_TO_AN_HOUR)?,
            pause_max: self.seconds("FLAGPOST_PAUSE_MAX_SECONDS", 1..=HOUR, UP_TO_AN_HOUR)?,
            healthy_reset: self.seconds(
                "FLAGPOST_HEALTHY_RESET_SECONDS",
                1..=24 * HOUR,
                "a number of seconds from 1 to 86400",
            )?,
        };
        // No failure older than two buckets is known: a longer span would never be over.
        if policy.span > policy.bucket * 2 {
            return Err(SettingError::senseless(
                SPAN,
                &policy.span.as_secs().to_string(),
                format!("two buckets last {} s", policy.bucket.as_secs() * 2),
                "at most twice FLAGPOST_BREAKER_BUCKET_SECONDS",
            ));
        }
        if policy.pause_first > policy.pause_max {
            return Err(SettingError::senseless(
                FIRST,
                &policy.pause_first.as_secs().to_string(),
                format!("the longest pause is {} s", policy.pause_max.as_secs()),
                "at most FLAGPOST_PAUSE_MAX_SECONDS",
            ));
        }
        Ok(policy)
    }

    fn admin_key(&self) -> Result<KeyHash, SettingError> {
        const NAME: &str = "FLAGPOST_ADMIN_KEY_SHA256";
        const ALLOWED: &str = "64 hexadecimal digits in lower case";
        let found = self.text(NAME, ALLOWED)?;
        let hex = found.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let senseless = |found, reason: &str| SettingError::Senseless {
            name: NAME,
            found,
            reason: reason.to_owned(),
            allowed: ALLOWED,
        };
        if found.len() != 64 || !hex {
            let length = format!("a text of {} characters", found.chars().count());
            return Err(senseless(length, "not a SHA-256"));
        }
        // What `sha256sum` says when the variable with the key was empty.
        if found == key::hash("") {
            return Err(senseless("the SHA-256 of the empty text".to_owned(), "no key at all"));
        }
        Ok(found)
    }
}

/// A number written with digits alone: `parse` would also take `+1`.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
