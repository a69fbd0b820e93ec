//! Previews: what a filter and a template make of an event, and where they have a fault. Nothing
//! is sent.

use flagpost_template::RenderErrorKind;
use serde::Serialize;

use super::{
    Admin, AdminPorts, Failure, Reply,
    fields::Fields,
    given,
    settings::{RESULTS, check_result},
};
use crate::{
    answer_text::MASK,
    compiled::Compiled,
    event::Event,
    id::{IntegrationId, ProjectId},
    integration::Integration,
    payload::{self, Unmade, content_type},
};

#[derive(Default, Serialize)]
struct Preview {
    /// Whether the filter wants the event; not while it has a fault.
    matches: bool,
    /// The body as it would be sent, wanted or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
}

/// What is wrong with a filter or a template, and where.
#[derive(Default, Serialize)]
struct Fault {
    field: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    /// In a filter, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    detail: String,
}

impl<P: AdminPorts> Admin<P> {
    /// Shows what the integration would send, with the filter and the template that are given in
    /// the place of its own.
    pub(super) async fn preview(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        mut fields: Fields,
        body: &[u8],
    ) -> Result<Reply, Failure> {
        let mut integration = self.find(project, id).await?;
        let given = given::event(&mut fields, body);
        edit(&mut integration, &mut fields);
        fields.finish()?;
        let event = match given {
            Some(event) => event,
            None => self.sample(&integration).await?,
        };
        Reply::json(200, &preview(&integration, &event))
    }
}

/// Puts what is given in the place of the integration's own; `null` takes it away, as in a patch.
fn edit(integration: &mut Integration, fields: &mut Fields) {
    let payload = integration.payload();
    let own = &mut integration.own;
    let is_given = fields.names("filter");
    let filter = fields.take("filter");
    if is_given {
        own.filter = filter;
        // The same by other means: one takes the other's place.
        own.statsig_events = None;
    }
    let is_given = fields.names("template");
    let template = fields.take("template");
    if is_given {
        own.template = template.as_ref().and_then(|value| value.as_str()).map(str::to_owned);
        if template.is_some() && own.template.is_none() {
            fields.fault("template", "must be text, or null for none");
        }
    }
    let is_given = fields.names("template_result");
    let result = fields.word("template_result", &RESULTS);
    if is_given {
        own.template_result = result;
    } else if own.template.is_none() {
        own.template_result = None;
    }
    check_result(fields, own, payload);
}

fn preview(integration: &Integration, event: &Event) -> Preview {
    let compiled = match Compiled::new(integration) {
        Ok(compiled) => compiled,
        Err(error) => {
            let (path, detail) = (Some(error.path), error.detail);
            let fault = Fault { field: "filter", path, detail, ..Fault::default() };
            return Preview { fault: Some(fault), ..Preview::default() };
        }
    };
    let matches = match compiled.wants(event) {
        Ok(matches) => matches,
        Err(detail) => {
            let fault = Fault { field: "filter", detail, ..Fault::default() };
            return Preview { fault: Some(fault), ..Preview::default() };
        }
    };
    match payload::alone(integration, &compiled, event, "preview".into()) {
        Ok(body) => {
            let theirs = integration.has_header("content-type");
            Preview {
                matches,
                payload: Some(String::from_utf8_lossy(&body.plain).into_owned()),
                content_type: Some(if theirs { MASK } else { content_type(integration) }),
                fault: None,
            }
        }
        Err(error) => Preview { matches, fault: Some(fault(error)), ..Preview::default() },
    }
}

fn fault(error: Unmade) -> Fault {
    let (line, column, detail) = match error {
        Unmade::NoTemplate(error) => (Some(error.line), Some(error.column), error.message),
        // It is the event that has a place there.
        Unmade::NotRendered(error) if error.kind == RenderErrorKind::Event => {
            (None, None, format!("the event: {error}"))
        }
        Unmade::NotRendered(error) => (Some(error.line), Some(error.column), error.message),
        // The place is one of the result.
        Unmade::NotJson { line, column } => {
            (None, None, format!("the result is not JSON at its line {line}, column {column}"))
        }
    };
    Fault { field: "template", line, column, path: None, detail }
}
