//! Delivers fresh events, and failed deliveries whose next slot has come.

mod handler;

use flagpost_adapters::{
    metrics::MetricsLog,
    runtime::{Aws, Clients},
    settings::{BatchSettings, environment},
    telemetry,
    webhook::{Settings, WebhookSender},
};
use flagpost_domain::batch::Batch;
use lambda_runtime::{Error, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start(environment)?;
    let settings = BatchSettings::read(environment)
        .inspect_err(|error| tracing::error!(%error, "cannot start"))?;
    let clients = Clients::from_environment().await;
    let sender = WebhookSender::new(&Settings::new(settings.policy.allowed.clone()))?;
    let queues = settings.queues;
    let ports = Aws::new(&clients, queues.clone(), &settings.table, &settings.bucket, sender);
    let batch = Batch::new(ports, settings.policy);
    let metrics = MetricsLog::new(settings.metrics);
    let (batch, queues, metrics) = (&batch, &queues, &metrics);
    run(service_fn(|event| handler::handle(batch, queues, metrics, event))).await
}
