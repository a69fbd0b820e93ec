//! The exceptions to the guard that the operator of a stack makes.
//!
//! A local stack delivers to a receiver on 127.0.0.1, and a test to one that is named like a
//! vendor's. Production's default is no exception at all.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use url::Host;

/// Networks wider than this are taken for a mistake.
const WIDEST: u8 = 8;

/// The endpoints that an operator has exempted: hosts, networks, and names with an address.
///
/// Written as entries with commas between them, each one of
/// - a host (`receiver.internal`): any address it resolves to;
/// - an address or a network (`127.0.0.1`, `10.1.0.0/16`, `fd00::/8`): any URL with an address in
///   it, and any name that resolves into it;
/// - `name=address` (`hooks.slack.com=127.0.0.1`): the name, at that address, without any DNS.
///
/// The default exempts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    hosts: BTreeSet<String>,
    networks: Vec<IpNet>,
    pinned: BTreeMap<String, IpAddr>,
}

/// An entry of the list of allowed endpoints that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` is not an allowed endpoint: {reason}")]
pub struct AllowedError {
    /// The entry as it was written.
    pub entry: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Allowed {
    /// Whether `host`, a name, is exempt by its name alone: from https, port 443 and the check of
    /// its addresses.
    pub fn name(&self, host: &str) -> bool {
        let host = normal(host);
        self.hosts.contains(&host) || self.pinned.contains_key(&host)
    }

    /// Whether `address` lies in an exempted network.
    pub fn address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The one address of a `name=address` entry, which takes the place of DNS for that name.
    pub fn pinned(&self, host: &str) -> Option<IpAddr> {
        self.pinned.get(&normal(host)).copied()
    }

    fn add(&mut self, entry: &str) -> Result<(), &'static str> {
        if let Some((name, address)) = entry.split_once('=') {
            let Host::Domain(name) = host(name.trim())? else {
                return Err("what stands before `=` must be a name");
            };
            let address =
                literal(address.trim()).ok_or("what stands after `=` must be an address")?;
            if self.pinned.get(&name).is_some_and(|other| *other != address) {
                return Err("the name already has another address");
            }
            self.pinned.insert(name, address);
        } else if entry.contains("://") {
            return Err("give the host alone, without a scheme or path");
        } else if entry.contains('/') {
            let network: IpNet = entry.parse().map_err(|_| "not a network such as 10.1.0.0/16")?;
            if network.prefix_len() < WIDEST {
                return Err("it would all but switch the guard off: /8 is the widest");
            }
            self.networks.push(network);
        } else if let Some(address) = literal(entry) {
            self.networks.push(address.into());
        } else {
            match host(entry)? {
                Host::Domain(name) => {
                    self.hosts.insert(name);
                }
                Host::Ipv4(address) => self.networks.push(IpAddr::from(address).into()),
                Host::Ipv6(address) => self.networks.push(IpAddr::from(address).into()),
            }
        }
        Ok(())
    }
}

impl FromStr for Allowed {
    type Err = AllowedError;

    /// Reads the list; an empty text, and an empty entry, allows nothing.
    fn from_str(text: &str) -> Result<Self, AllowedError> {
        let mut allowed = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            allowed
                .add(entry)
                .map_err(|reason| AllowedError { entry: entry.to_owned(), reason })?;
        }
        Ok(allowed)
    }
}

/// A name as it is compared: lower case, without the dot that may end it.
pub(super) fn normal(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn literal(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok()
}

fn host(text: &str) -> Result<Host, &'static str> {
    if text.contains('*') {
        return Err("patterns are not supported");
    }
    if text.contains(':') {
        return Err("give the host alone, without a port");
    }
    match Host::parse(text).map_err(|_| "not a host name")? {
        Host::Domain(name) => {
            let name = normal(&name);
            if name.is_empty() || name.split('.').any(str::is_empty) {
                return Err("not a host name");
            }
            Ok(Host::Domain(name))
        }
        address => Ok(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Allowed {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        for text in ["", "  ", ",", " , ,"] {
            assert_eq!(read(text), Allowed::default(), "{text:?}");
        }
        assert!(!Allowed::default().name("localhost"));
        assert!(!Allowed::default().address("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn every_kind_of_entry_is_read() {
        let allowed = read(
            "Receiver.Internal., 10.1.0.0/16 ,127.0.0.1,[::1],fd00::/8,hooks.slack.com=127.0.0.1",
        );
        assert!(allowed.name("receiver.internal"));
        assert!(allowed.name("RECEIVER.internal."));
        assert!(!allowed.name("a.receiver.internal"), "not what is under it");
        assert!(!allowed.name("receiver"));
        for inside in ["10.1.0.0", "10.1.255.255", "127.0.0.1", "::1", "fd12::1"] {
            assert!(allowed.address(inside.parse().unwrap()), "{inside}");
        }
        for outside in
            ["10.2.0.0", "10.0.255.255", "127.0.0.2", "::2", "fc00::1", "::ffff:127.0.0.1"]
        {
            assert!(!allowed.address(outside.parse().unwrap()), "{outside}");
        }
        assert!(allowed.name("hooks.slack.com"));
        assert_eq!(allowed.pinned("Hooks.Slack.com."), Some("127.0.0.1".parse().unwrap()));
        assert_eq!(allowed.pinned("receiver.internal"), None);
        assert_eq!(read("a.test=::1").pinned("a.test"), Some("::1".parse().unwrap()));
        assert_eq!(read("a.test = [::1]").pinned("a.test"), Some("::1".parse().unwrap()));
        assert!(read("0x7f.1").address("127.0.0.1".parse().unwrap()), "any notation of an address");
    }

    #[test]
    fn a_senseless_entry_is_named_with_what_is_wrong() {
        for (entry, reason) in [
            ("https://example.com", "without a scheme"),
            ("example.com/hook", "not a network"),
            ("10.0.0.0/33", "not a network"),
            ("10.0.0/8", "not a network"),
            ("fd00::/129", "not a network"),
            ("example.com:8080", "without a port"),
            ("127.0.0.1:8080", "without a port"),
            ("[::1]:8080", "without a port"),
            ("*.example.com", "patterns"),
            ("exa mple.com", "not a host name"),
            ("a..b", "not a host name"),
            (".", "not a host name"),
            ("=127.0.0.1", "not a host name"),
            ("a.test=", "must be an address"),
            ("a.test=b.test", "must be an address"),
            ("a.test=10.0.0.0/8", "must be an address"),
            ("127.0.0.1=127.0.0.2", "must be a name"),
            ("a.test=127.0.0.1=1", "must be an address"),
            ("1.2.3.256", "not a host name"),
        ] {
            let error = format!("ok.test,{entry},10.0.0.0/8").parse::<Allowed>().unwrap_err();
            assert_eq!(error.entry, entry);
            assert!(error.reason.contains(reason), "{entry}: {error}");
            assert!(error.to_string().contains(entry));
        }
        let twice = "a.test=127.0.0.1,A.test=127.0.0.2".parse::<Allowed>().unwrap_err();
        assert_eq!(twice.entry, "A.test=127.0.0.2");
    }
}
