//! The operator's API: projects, ingest keys, integrations, pauses, status, test sends, and the console.

mod console;
mod handler;

use flagpost_adapters::{
    runtime::{Aws, Clients},
    settings::{AdminSettings, environment},
    telemetry,
    webhook::{Settings, WebhookSender},
};
use flagpost_domain::admin::Admin;
use lambda_runtime::{Error, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start(environment)?;
    let settings = AdminSettings::read(environment)
        .inspect_err(|error| tracing::error!(%error, "cannot start"))?;
    let clients = Clients::from_environment().await;
    let AdminSettings { queues, table, bucket, admin_key, allowed } = settings;
    let sender = WebhookSender::new(&Settings::new(allowed.clone()))?;
    let ports = Aws::new(&clients, queues, &table, &bucket, sender);
    let admin = Admin::new(ports, admin_key, allowed);
    let admin = &admin;
    run(service_fn(|event| handler::handle(admin, event))).await
}
