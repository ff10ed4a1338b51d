//! Wrong keys, counted by address: whoever guesses is told to wait, and costs no SQL meanwhile.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong keys that an address may show at once.
const BURST: u32 = 20;
/// How long it takes until one of them is forgotten.
const FORGIVEN_AFTER: Duration = Duration::from_secs(3);
/// Addresses that are counted before those that are forgiven are thrown away.
const MOST: usize = 50_000;

/// Wrong keys by the address that they came from. Each process counts for itself.
#[derive(Debug, Default)]
pub struct Guesses {
    /// When the last of an address's guesses will be forgotten.
    addresses: Mutex<HashMap<IpAddr, Instant>>,
}

impl Guesses {
    /// Whether a key from this address is looked at; if not, how long to wait.
    ///
    /// # Errors
    /// The time until another one is.
    pub fn admit(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(forgiven) = addresses.get(&network(address)) else { return Ok(()) };
        let left = forgiven.saturating_duration_since(now);
        let most = FORGIVEN_AFTER * (BURST - 1);
        if left > most { Err(left.saturating_sub(most)) } else { Ok(()) }
    }

    /// A key from this address was wrong.
    pub fn wrong(&self, address: IpAddr, now: Instant) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= MOST {
            addresses.retain(|_, forgiven| *forgiven > now);
            // Somebody with very many addresses: better to forget them than to keep them all.
            if addresses.len() >= MOST {
                addresses.clear();
            }
        }
        let forgiven = addresses.entry(network(address)).or_insert(now);
        *forgiven = (*forgiven).max(now) + FORGIVEN_AFTER;
    }
}

/// Who has one address of version 6 usually has the whole /64.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_wrong_twenty_times_and_then_once_in_three_seconds() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let (bad, good) = (IpAddr::from([203, 0, 113, 9]), IpAddr::from([203, 0, 113, 10]));
        for _ in 0..BURST {
            assert_eq!(guesses.admit(bad, start), Ok(()));
            guesses.wrong(bad, start);
        }
        assert_eq!(guesses.admit(bad, start), Err(FORGIVEN_AFTER));
        assert_eq!(guesses.admit(good, start), Ok(()));
        let later = start + FORGIVEN_AFTER;
        assert_eq!(guesses.admit(bad, later), Ok(()));
        guesses.wrong(bad, later);
        assert_eq!(guesses.admit(bad, later), Err(FORGIVEN_AFTER));
        assert_eq!(guesses.admit(bad, start + Duration::from_secs(3_600)), Ok(()));
    }

    #[test]
    fn a_network_of_version_six_is_one_address_and_a_mapped_one_is_of_version_four() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:203.0.113.9"), of("203.0.113.9"));
    }
}
