//! What a request carries, as an endpoint reads it: by its headers and its body, and by nothing
//! that the sender knows.

use flagpost_domain::{event::split, gzip::gunzip, ports::Request, preset::Payload};

use crate::events;

/// A request's contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// `webhook-id`.
    pub id: String,
    /// The delivery that it belongs to.
    pub delivery: String,
    /// In which form.
    pub payload: Payload,
    /// The number of the event in its delivery, where it is alone.
    pub place: Option<u32>,
    /// The events' numbers.
    pub events: Vec<u32>,
}

impl Carried {
    /// Whether it carries some of a whole delivery's events, and does not name the part that they are.
    pub fn is_some_of_its_delivery(&self) -> bool {
        self.id != self.delivery
    }

    /// Reads a request. `Err` says what is wrong with it.
    pub fn read(request: &Request) -> Result<Self, String> {
        let plain = if request.gzipped {
            gunzip(&request.body, 64 << 20).map_err(|error| format!("not gzip: {error:?}"))?.into()
        } else {
            request.body.clone()
        };
        let id = request.headers.get("webhook-id").unwrap_or_default().to_owned();
        let content_type = request.headers.get("content-type").unwrap_or_default();
        let (payload, events) = match (content_type, plain.first()) {
            ("application/x-ndjson", _) => {
                let Some(lines) = plain.strip_suffix(b"\n") else {
                    return Err("NDJSON that does not end with a line".to_owned());
                };
                let lines = lines.split(|byte| *byte == b'\n');
                (Payload::Ndjson, lines.map(events::number).collect::<Option<Vec<_>>>())
            }
            ("application/json", Some(b'{')) => {
                (Payload::Object, events::number(&plain).map(|number| vec![number]))
            }
            ("application/json", Some(b'[')) => {
                let all = split(&plain).map_err(|error| format!("no array: {error:?}"))?;
                let numbers = all.iter().map(|event| events::number(event.as_bytes()));
                (Payload::Array, numbers.collect())
            }
            _ => return Err(format!("a body that nobody can read, as {content_type}")),
        };
        let Some(events) = events.filter(|events| !events.is_empty()) else {
            return Err("an event without a number".to_owned());
        };
        let (delivery, place) = match (payload, id.rsplit_once('.')) {
            (Payload::Object, Some((delivery, place))) => match place.parse() {
                Ok(place) => (delivery, Some(place)),
                Err(_) => return Err(format!("{id} does not say which event of its delivery")),
            },
            (Payload::Object, None) => return Err(format!("{id} is a whole delivery's")),
            // Of some of the events: the digest of which.
            (_, Some((delivery, digest))) if digest.len() == 12 => (delivery, None),
            _ => (id.as_str(), None),
        };
        let delivery = delivery.to_owned();
        Ok(Self { id, delivery, payload, place, events })
    }
}
