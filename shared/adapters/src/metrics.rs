//! Where metrics are printed: documents of CloudWatch's embedded metric format on standard output, which
//! Lambda takes up. No log level silences them.

use std::io::{Write, stdout};

use flagpost_domain::{
    metrics::{Emf, Metrics},
    ports::Clock,
};

use crate::clock::SystemClock;

/// Prints what was measured.
#[derive(Clone, Debug)]
pub struct MetricsLog {
    emf: Emf,
}

impl MetricsLog {
    /// Prints in this namespace, for this stack.
    pub fn new(emf: Emf) -> Self {
        Self { emf }
    }

    /// Prints what was measured since it was last printed: a line for each document, none where nothing
    /// was. To be called at the end of each invocation.
    pub fn print(&self, metrics: &Metrics) {
        // Nobody can be told where standard output is gone.
        let _ = self.write(metrics, &mut stdout().lock());
    }

    fn write(&self, metrics: &Metrics, to: &mut impl Write) -> std::io::Result<()> {
        let now = SystemClock.now();
        for measured in metrics.take() {
            for mut document in self.emf.documents(&measured, now) {
                // In one piece, so that no other line gets into it.
                document.push('\n');
                to.write_all(document.as_bytes())?;
            }
        }
        to.flush()
    }
}

#[cfg(test)]
mod tests {
    use flagpost_domain::integration::Stream;

    use super::*;

    #[test]
    fn each_document_is_a_line_and_nothing_is_said_twice() {
        let emf = Emf { namespace: "Flagpost".into(), stack: "test".into() };
        let log = MetricsLog::new(emf);
        let metrics = Metrics::default();
        let print = || {
            let mut printed = Vec::new();
            log.write(&metrics, &mut printed).unwrap();
            String::from_utf8(printed).unwrap()
        };
        assert_eq!(print(), "");
        metrics.rejected();
        metrics.of(Stream::Events).accepted(3);
        let printed = print();
        let documents: Vec<serde_json::Value> =
            printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(printed.ends_with('\n'));
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[0]["RequestsRejected"], 1);
        assert_eq!(documents[1]["EventsAccepted"], 3);
        assert_eq!(documents[1]["Stream"], "events");
        assert_eq!(print(), "");
    }
}
