//! Endpoints that misbehave in every way, side by side: what is for them is kept, and what is for
//! one of them waits for no other. When they are well again everything arrives.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;

use crate::{
    hostile::{Harm, Hostile},
    project::{Project, Webhook},
    receiver::Receiver,
    sample,
    wait::let_pass,
};

/// Where the clouds hand out credentials; at a port where nobody else on this machine asks for them.
const METADATA: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 169, 254), 4_321);

#[tokio::test]
async fn what_is_for_endpoints_that_misbehave_is_kept_and_arrives_when_they_are_well() {
    let project = Project::new().await;
    let canary = Receiver::start().await;
    let mut hostile: Vec<(Hostile, Webhook)> = Vec::new();
    for harm in [
        Harm::Refuse,
        Harm::Reset,
        Harm::Hang,
        Harm::Drip,
        Harm::Huge,
        Harm::EndlessHeaders,
        Harm::Late,
        Harm::Redirect(format!("http://{METADATA}/latest/meta-data/iam/security-credentials/")),
        Harm::Redirect(canary.url()),
    ] {
        let endpoint = Hostile::start(harm).await;
        let (url, receiver) = (endpoint.url(), endpoint.receiver.clone());
        let webhook = project.webhook_at(&url, receiver, json!({})).await;
        hostile.push((endpoint, webhook));
    }
    let watch = Watch::start();
    let sent = sample::dozen("misbehaving");
    project.post(&sent).await;

    for (endpoint, webhook) in &hostile {
        let what = format!("what is for {:?} is safe", endpoint.harm);
        let status = webhook
            .until(&what, |status| {
                let counts = status.counts();
                counts.scheduled + counts.parked + counts.delivered >= 12
            })
            .await;
        assert!(status.balances(), "{:?}: {status:?}", endpoint.harm);
        let delivered = status.counts().delivered;
        // A 200 counts as soon as its head is there; of its body a little is read.
        let wanted = if matches!(endpoint.harm, Harm::Huge) { 12 } else { 0 };
        assert_eq!(delivered, wanted, "{:?}: {status:?}", endpoint.harm);
        assert!(endpoint.harmed().await >= 1, "{:?} was not asked", endpoint.harm);
        println!("{:?}: {} requests harmed", endpoint.harm, endpoint.harmed().await);
    }
    for (endpoint, _) in &hostile {
        if matches!(endpoint.harm, Harm::Huge) {
            assert!(endpoint.written() < 50_000_000, "{} bytes were taken", endpoint.written());
        }
    }

    for (endpoint, _) in &mut hostile {
        endpoint.gets_well();
    }
    let keys: BTreeSet<_> =
        sent.iter().map(|event| event["key"].as_str().unwrap().to_owned()).collect();
    for (endpoint, webhook) in &hostile {
        webhook.has_settled(sent.len()).await;
        assert_eq!(endpoint.keys(), keys, "{:?}", endpoint.harm);
    }

    assert_eq!(canary.count(), 0, "no redirect was followed");
    let connections = watch.end();
    let hanging = hostile.iter().find(|(endpoint, _)| matches!(endpoint.harm, Harm::Hang)).unwrap();
    assert!(connections.contains(&hanging.0.address.to_string()), "the watch sees connections");
    assert!(!connections.contains(&METADATA.to_string()), "somebody connected to {METADATA}");
}

/// Sees the connections of this machine, those that are being made among them.
struct Watch {
    seen: Arc<Mutex<BTreeSet<String>>>,
    task: tokio::task::AbortHandle,
}

impl Watch {
    fn start() -> Self {
        let seen = Arc::<Mutex<BTreeSet<String>>>::default();
        let to_seen = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
                to_seen.lock().unwrap().extend(table.lines().skip(1).filter_map(remote));
                let_pass(Duration::from_millis(20)).await;
            }
        });
        Self { seen, task: task.abort_handle() }
    }

    /// Everything that anybody was connected to, or tried to be.
    fn end(self) -> BTreeSet<String> {
        self.task.abort();
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

/// The third column: an address in hexadecimal, its bytes reversed, and a port.
fn remote(line: &str) -> Option<String> {
    let (address, port) = line.split_whitespace().nth(2)?.split_once(':')?;
    let address = u32::from_str_radix(address, 16).ok()?.swap_bytes();
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddrV4::new(Ipv4Addr::from(address), port).to_string())
}
