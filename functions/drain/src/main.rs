//! Follows wake-ups: probes and drains what is parked. Follows schedules: sweep and expiry.

mod handler;

use flagpost_adapters::{
    metrics::MetricsLog,
    runtime::{Aws, Clients},
    settings::{DrainSettings, environment},
    telemetry,
    webhook::{Settings, WebhookSender},
};
use flagpost_domain::drain::Drain;
use lambda_runtime::{Error, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start(environment)?;
    let settings = DrainSettings::read(environment)
        .inspect_err(|error| tracing::error!(%error, "cannot start"))?;
    let clients = Clients::from_environment().await;
    let sender = WebhookSender::new(&Settings::new(settings.policy.allowed.clone()))?;
    let DrainSettings { queues, table, bucket, policy, lease, retention, metrics } = settings;
    let ports = Aws::new(&clients, queues, &table, &bucket, sender);
    let drain = Drain::new(ports, policy, lease, retention);
    let metrics = MetricsLog::new(metrics);
    let (drain, metrics) = (&drain, &metrics);
    run(service_fn(|event| handler::handle(drain, metrics, event))).await
}
