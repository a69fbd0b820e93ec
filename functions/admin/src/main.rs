//! The operator's API: projects, ingest keys, integrations, pauses, status.

mod handler;
mod ports;

use flagpost_adapters::{
    runtime::Clients,
    settings::{AdminSettings, environment},
    telemetry,
};
use flagpost_domain::admin::Admin;
use lambda_runtime::{Error, run, service_fn};

use crate::ports::AwsPorts;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start(environment)?;
    let settings = AdminSettings::read(environment)
        .inspect_err(|error| tracing::error!(%error, "cannot start"))?;
    let clients = Clients::from_environment().await;
    let ports = AwsPorts::new(&clients, &settings);
    let admin = Admin::new(ports, settings.admin_key, settings.allowed);
    let admin = &admin;
    run(service_fn(|event| handler::handle(admin, event))).await
}
