//! Takes events in through API Gateway and hands them to the EventsQueue.

mod handler;

use flagpost_adapters::{
    clock::SystemClock,
    metrics::MetricsLog,
    runtime::Clients,
    settings::{IngestSettings, environment},
    telemetry,
};
use flagpost_domain::ingest::{Ingest, Limits};
use lambda_runtime::{Error, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start(environment)?;
    let settings = IngestSettings::read(environment)
        .inspect_err(|error| tracing::error!(%error, "cannot start"))?;
    let clients = Clients::from_environment().await;
    let queues = clients.queues(settings.queues);
    let table = clients.table(&settings.table);
    let limits = Limits {
        body_bytes: settings.max_body_bytes,
        events: settings.max_events,
        deduplicate: settings.deduplicate,
    };
    let ingest = Ingest::new(queues, table, SystemClock, limits);
    let metrics = MetricsLog::new(settings.metrics);
    let (ingest, metrics) = (&ingest, &metrics);
    run(service_fn(|event| handler::handle(ingest, &SystemClock, metrics, event))).await
}
