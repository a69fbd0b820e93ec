//! Compile once, render per event.

use std::sync::Arc;

use crate::{
    ast::{Block, Macro},
    context::Context,
    error::{CompileError, Outcome, Pos, RenderError},
    event::Input,
    parser, strip,
    value::Value,
};

/// A compiled template. It can be shared between threads, and rendering changes nothing in it.
#[derive(Debug)]
pub struct Template {
    root: Block,
    macros: Vec<Arc<Macro>>,
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// With the place in the source, when it is not FreeMarker, uses what is not supported, or exceeds a bound.
    pub fn compile(source: &str) -> Result<Self, CompileError> {
        let parsed = parser::parse(source).map_err(|error| *error)?;
        let (root, macros) = strip::strip(parsed).map_err(|error| *error)?;
        Ok(Self { root, macros })
    }

    /// Renders an event, which the template sees as `input`.
    ///
    /// # Errors
    /// With the place in the template, when something is missing or of the wrong type, when a bound is exceeded, or
    /// when the template says `#stop`. The error never holds values of the event.
    pub fn render(&self, input: &Input<'_>) -> Result<String, RenderError> {
        self.run(input).map_err(|failure| *failure)
    }

    /// Parses an event and renders it: [`Input::parse`] and [`Template::render`] in one step.
    ///
    /// # Errors
    /// As those two.
    pub fn render_json(&self, event: &[u8]) -> Result<String, RenderError> {
        self.render(&Input::parse(event)?)
    }

    fn run(&self, input: &Input<'_>) -> Outcome<String> {
        let event = Value::of_event(&input.root, Pos::START)?
            .ok_or_else(|| Pos::START.missing("`input`, the event, is null"))?;
        let mut context = Context::new(event, &self.macros);
        context.block(&self.root)?;
        Ok(context.out)
    }
}
