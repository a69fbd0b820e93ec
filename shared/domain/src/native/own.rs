//! Flagpost's own routes: the events themselves, an array or one alone.

use super::{
    Context, Read,
    read::{Faults, object_text},
};
use crate::{
    event::Event,
    impression::normalise,
    integration::Stream,
    problem::{Kind, Problem},
};

pub(crate) fn read(stream: Stream, context: &Context<'_>) -> Result<Read, Problem> {
    let values = context.values()?;
    if values.is_empty() {
        let detail = "the array is empty; send one event or more";
        return Err(Problem::new(Kind::EmptyRequest, detail));
    }
    let mut faults = Faults::new(context.faults);
    let mut events = Vec::with_capacity(values.len());
    for (index, raw) in values.iter().enumerate() {
        let event = object_text(raw).and_then(|text| match stream {
            Stream::Impressions => normalise(text, context.environment),
            // A slice of what came, byte for byte.
            Stream::Events | Stream::Identities | Stream::Operations => {
                Ok(Event::from_object(context.body.slice_ref(text.as_bytes())))
            }
        });
        match event {
            Ok(event) => events.push(event),
            Err(found) => faults.add(index, found),
        }
    }
    faults.refuse(values.len())?;
    Ok(Read::new(stream, events))
}
