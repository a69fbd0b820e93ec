//! The check of what DNS answered.

use std::net::IpAddr;

use super::{Allowed, Forbidden, forbidden};

/// Why no connection is made to a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// DNS knows the name, and gives no address for it.
    #[error("`{host}` has no address")]
    NoAddress {
        /// The name that was resolved.
        host: String,
    },
    /// One of the addresses is forbidden, which refuses all of them: an answer that mixes a public
    /// address with a private one is either a mistake or an attack (DNS rebinding).
    #[error("`{host}` resolves to {address}, {why}")]
    Forbidden {
        /// The name that was resolved.
        host: String,
        /// The first forbidden address.
        address: IpAddr,
        /// Why no delivery goes there.
        why: Forbidden,
    },
}

/// Checks the addresses that `host` resolved to, and gives back those to connect to, in the order
/// of the answer. A connection must be made to these and to no others: a second look-up may have
/// another answer.
///
/// An address is fine if it is not [`forbidden`], if `allowed` exempts the host by its name, or if
/// it lies in a network that `allowed` exempts.
///
/// # Errors
/// [`Refused`] if there is no address, or if any is not fine.
pub fn admit(host: &str, addresses: &[IpAddr], allowed: &Allowed) -> Result<Vec<IpAddr>, Refused> {
    if addresses.is_empty() {
        return Err(Refused::NoAddress { host: host.to_owned() });
    }
    if !allowed.name(host) {
        for &address in addresses {
            if let Some(why) = forbidden(address).filter(|_| !allowed.address(address)) {
                return Err(Refused::Forbidden { host: host.to_owned(), address, why });
            }
        }
    }
    Ok(addresses.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(text: &str) -> Vec<IpAddr> {
        text.split_whitespace().map(|ip| ip.parse().unwrap()).collect()
    }

    #[test]
    fn public_answers_are_given_back_in_order() {
        let answer = ips("93.184.215.14 2606:2800:21f:cb07::1 1.1.1.1");
        assert_eq!(admit("a.test", &answer, &Allowed::default()), Ok(answer.clone()));
    }

    #[test]
    fn one_forbidden_address_refuses_the_whole_answer_wherever_it_stands() {
        for answer in [
            "10.0.0.1",
            "10.0.0.1 1.1.1.1",
            "1.1.1.1 10.0.0.1",
            "1.1.1.1 10.0.0.1 2606:4700::1",
            "2606:4700::1 1.1.1.1 10.0.0.1 127.0.0.1",
        ] {
            let refused = admit("a.test", &ips(answer), &Allowed::default()).unwrap_err();
            let (address, why) = (ips("10.0.0.1")[0], Forbidden::Private);
            assert_eq!(refused, Refused::Forbidden { host: "a.test".into(), address, why });
            assert_eq!(refused.to_string(), "`a.test` resolves to 10.0.0.1, a private address");
        }
    }

    #[test]
    fn an_empty_answer_is_an_error_even_for_an_allowed_name() {
        for allowed in [Allowed::default(), "a.test".parse().unwrap()] {
            let refused = admit("a.test", &[], &allowed).unwrap_err();
            assert_eq!(refused, Refused::NoAddress { host: "a.test".into() });
        }
    }

    #[test]
    fn an_allowed_name_may_resolve_to_anything_and_others_may_not() {
        let allowed = "receiver.internal,a.test=127.0.0.1".parse().unwrap();
        assert!(admit("Receiver.internal.", &ips("10.0.0.1 127.0.0.1"), &allowed).is_ok());
        assert!(admit("a.test", &ips("127.0.0.1"), &allowed).is_ok());
        assert!(admit("b.receiver.internal", &ips("10.0.0.1"), &allowed).is_err());
    }

    #[test]
    fn an_allowed_network_admits_its_addresses_and_no_others() {
        let allowed = "10.1.0.0/16".parse().unwrap();
        assert!(admit("a.test", &ips("10.1.2.3 1.1.1.1"), &allowed).is_ok());
        assert!(admit("a.test", &ips("10.1.2.3 10.2.2.3"), &allowed).is_err());
    }
}
