//! Renders cases that come as lines of JSON, for comparing with another engine: `scripts/differential-template`.
//!
//! Each line of the input is `{"template": …, "event": …}`, both texts; each line of the output is one of
//! `{"output": …}`, `{"refused": …}` (when compiling) and `{"failed": …, "kind": …}` (when rendering).

use std::io::{BufRead, Write};

use flagpost_template::Template;
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let text = |name: &str| case.get(name).and_then(Value::as_str).unwrap_or_default();
        writeln!(out, "{}", render(text("template"), text("event")))?;
    }
    out.flush()
}

fn render(template: &str, event: &str) -> Value {
    let template = match Template::compile(template) {
        Ok(template) => template,
        Err(error) => return json!({ "refused": error.to_string() }),
    };
    match template.render_json(event.as_bytes()) {
        Ok(output) => json!({ "output": output }),
        Err(error) => json!({ "failed": error.to_string(), "kind": error.kind.to_string() }),
    }
}
