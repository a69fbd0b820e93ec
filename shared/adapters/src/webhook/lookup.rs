//! Names to addresses, with the guard in between.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use flagpost_domain::destination::{Allowed, admit};
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves host names. What it answers is checked before a connection is made.
pub trait Lookup: Send + Sync {
    /// All addresses of a name, in order of preference.
    ///
    /// # Errors
    /// That of the resolver, for a name that does not exist too.
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver (`getaddrinfo`).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The resolver that the client is given: it answers only with addresses that were admitted, and
/// the client connects only to what its resolver answers. So what was checked is what is used.
pub(super) struct Guard {
    allowed: Arc<Allowed>,
    lookup: Arc<dyn Lookup>,
}

impl Guard {
    pub(super) fn new(allowed: Arc<Allowed>, lookup: Arc<dyn Lookup>) -> Self {
        Self { allowed, lookup }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let allowed = Arc::clone(&self.allowed);
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move {
            let addresses = match allowed.pinned(&name) {
                Some(address) => vec![address],
                None => admit(&name, &lookup.lookup(name.clone()).await?, &allowed)?,
            };
            // Port 0 stands for the port of the URL.
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}
