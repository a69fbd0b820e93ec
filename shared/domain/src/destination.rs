//! Where deliveries may go: the guard against requests into private networks.
//!
//! A webhook's URL is a customer's input, and the functions that call it sit in the owner's AWS
//! account, where an address such as 169.254.169.254 hands out credentials. So a URL is checked
//! when it is set and again before each request, and a name's addresses every time it is resolved;
//! the connection is then made to the addresses that were checked, never to a second answer.

mod admit;
mod allowed;
mod forbidden;

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

pub use admit::{Refused, admit};
pub use allowed::{Allowed, AllowedError};
pub use forbidden::{Forbidden, forbidden};

/// The longest URL of a webhook, in bytes.
pub const MAX_URL_BYTES: usize = 2048;

/// The URL of a webhook that has passed the checks that need no DNS.
///
/// It is absolute, https on port 443 unless its endpoint is allowed otherwise, without credentials
/// or a fragment, and its host is a public name or address. Its path and query may be secrets, so
/// neither `Debug` nor any error shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    url: Url,
}

/// What is wrong with the URL of a webhook. No variant holds its path or query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// Longer than [`MAX_URL_BYTES`].
    #[error("the URL is longer than {MAX_URL_BYTES} bytes")]
    TooLong,
    /// Not an absolute URL (WHATWG URL Standard), or one with spaces or control characters.
    #[error("not an absolute URL with a host: {0}")]
    Malformed(&'static str),
    /// Neither https, nor http to an allowed endpoint.
    #[error("the URL must start with https://")]
    Scheme,
    /// A port that is not 443, for an endpoint that is not allowed others.
    #[error("the port must be 443, not {0}")]
    Port(u16),
    /// A user name or password in the URL.
    #[error("the URL must not hold a user name or password")]
    Credentials,
    /// A fragment (`#…`), which is never sent.
    #[error("the URL must not have a fragment")]
    Fragment,
    /// A name that is not public: one label, or under `localhost`, `local` or `internal`.
    #[error("`{0}` is not a public host name")]
    Name(String),
    /// An address that no delivery goes to.
    #[error("`{0}` is {1}")]
    Address(IpAddr, Forbidden),
}

impl Destination {
    /// Checks a URL as a customer wrote it. `allowed` exempts from https, port 443 and the check of
    /// the host.
    ///
    /// # Errors
    /// [`DestinationError`] for the first thing that is wrong with it.
    pub fn parse(text: &str, allowed: &Allowed) -> Result<Self, DestinationError> {
        if text.len() > MAX_URL_BYTES {
            return Err(DestinationError::TooLong);
        }
        // The URL Standard drops these without a word, and what was meant is anybody's guess.
        if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(DestinationError::Malformed("it holds spaces or control characters"));
        }
        let mut url = Url::parse(text).map_err(malformed)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(DestinationError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(DestinationError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(DestinationError::Fragment);
        }
        let host = url.host().ok_or(DestinationError::Malformed("it has no host"))?.to_owned();
        let exempt = match &host {
            Host::Domain(name) => allowed.name(name),
            Host::Ipv4(address) => allowed.address((*address).into()),
            Host::Ipv6(address) => allowed.address((*address).into()),
        };
        if !exempt {
            if url.scheme() != "https" {
                return Err(DestinationError::Scheme);
            }
            if let Some(port) = url.port() {
                return Err(DestinationError::Port(port));
            }
        }
        match host {
            Host::Domain(name) => {
                let plain = allowed::normal(&name);
                if !exempt && !public(&plain) {
                    return Err(DestinationError::Name(plain));
                }
                if plain != name {
                    url.set_host(Some(&plain)).map_err(malformed)?;
                }
            }
            Host::Ipv4(address) if !exempt => public_address(address.into())?,
            Host::Ipv6(address) if !exempt => public_address(address.into())?,
            Host::Ipv4(_) | Host::Ipv6(_) => {}
        }
        if url.as_str().len() > MAX_URL_BYTES {
            return Err(DestinationError::TooLong);
        }
        Ok(Self { url })
    }

    /// The URL in its normal form: lower-case host without a trailing dot, addresses in the usual
    /// notation, no default port. Its path and query may be secrets.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The URL in its normal form, for the client that requests it.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The host in its normal form; an IPv6 address stands in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether this host takes a gzip'd body; see [`wants_gzip`].
    pub fn wants_gzip(&self) -> bool {
        wants_gzip(self.host())
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Destination({}…)", self.url.origin().ascii_serialization())
    }
}

/// A URL as lists show it: its path and query may be secrets.
pub fn without_path(url: &str) -> String {
    Url::parse(url)
        .map_or_else(|_| "…".to_owned(), |url| format!("{}/…", url.origin().ascii_serialization()))
}

/// Whether a webhook on `host` takes a gzip'd body: all do, but those of Slack and Fivetran (a host
/// equal to or under `slack.com` or `fivetran.com`), as Split's documentation of its impressions
/// webhook says.
pub fn wants_gzip(host: &str) -> bool {
    let host = allowed::normal(host);
    !["slack.com", "fivetran.com"].iter().any(|vendor| under(&host, vendor))
}

/// Whether a name may be one of the public DNS: RFC 6761 (`localhost`), RFC 6762 (`local`) and
/// ICANN's resolution 2024.07.29.06 (`internal`) set the others apart, and a single label is
/// completed by the resolver's search list.
fn public(name: &str) -> bool {
    let labels_are_full = !name.split('.').any(str::is_empty);
    let private = ["localhost", "local", "internal"].iter().any(|zone| under(name, zone));
    labels_are_full && name.contains('.') && !private
}

fn public_address(address: IpAddr) -> Result<(), DestinationError> {
    forbidden(address).map_or(Ok(()), |why| Err(DestinationError::Address(address, why)))
}

fn under(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn malformed(error: url::ParseError) -> DestinationError {
    use url::ParseError;
    DestinationError::Malformed(match error {
        ParseError::RelativeUrlWithoutBase => "it has no scheme",
        ParseError::EmptyHost => "it has no host",
        ParseError::InvalidPort => "its port is not a port number",
        ParseError::InvalidIpv4Address => "its host is not an IPv4 address, but ends like one",
        ParseError::InvalidIpv6Address => "its host is not an IPv6 address",
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => "its host is not a name",
        _ => "it cannot be read",
    })
}

#[cfg(test)]
mod tests;
