//! Where calls may go.

use std::fmt;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::str::FromStr;

use reqwest::Url;

use super::address::{Range, special_of};
use super::error::{Cure, Denied, OutgoingError};

/// Names of metadata services, which answer with a machine's credentials. A wildcard does not allow them.
const METADATA_NAMES: [&str; 4] =
    ["metadata.google.internal", "metadata.goog", "instance-data.ec2.internal", "metadata.azure.internal"];

/// Where calls may go. The default is the public internet on ports 80 and 443.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutgoingPolicy {
    /// What may be called besides.
    pub allow_hosts: Vec<AllowedHost>,
    /// The folder whose SQLite files nodes may open; none may be when absent.
    pub sqlite_folder: Option<PathBuf>,
    /// Where this server listens. No entry opens it: a call from here would come with the server's own standing.
    pub own: Option<SocketAddr>,
}

/// An entry of the allow list: `host`, `host:port`, `*.example.com`, `*.example.com:8443`, an address with or without
/// a port (`10.0.0.7`, `[::1]:8080`), or a range such as `10.0.0.0/8`. Without a port it stands for every port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    pattern: Pattern,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Name(String),
    /// Everything below this name, not the name itself.
    Below(String),
    Range(Range),
}

/// A text that is not an entry of the allow list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an allowed host; write `host`, `host:port`, `*.example.com`, an address or a range such as \
     `10.0.0.0/8`"
)]
pub struct ParseAllowedHostError {
    /// What came, cut to 80 characters.
    pub text: String,
}

impl FromStr for AllowedHost {
    type Err = ParseAllowedHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseAllowedHostError { text: text.chars().take(80).collect() };
        let text = text.trim();
        if let Some((address, bits)) = text.split_once('/') {
            let address = address.parse().map_err(|_| wrong())?;
            let range = bits.parse().ok().and_then(|bits| Range::new(address, bits)).ok_or_else(wrong)?;
            return Ok(Self { pattern: Pattern::Range(range), port: None });
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self { pattern: Pattern::Range(Range::one(address)), port: None });
        }
        let (below, authority) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if authority.contains(['@', '?', '#', '*', '\\', ' ']) {
            return Err(wrong());
        }
        // The reader of URLs brings host names into one form: case, international names, odd spellings of addresses.
        let url = Url::parse(&format!("http://{authority}/")).map_err(|_| wrong())?;
        let host = host_of(&url).ok_or_else(wrong)?;
        // It also hides the port 80, which is what such an entry restricts itself to.
        let port = url.port().or_else(|| authority.ends_with(":80").then_some(80));
        let pattern = match (host.parse::<IpAddr>(), below) {
            (Ok(address), false) => Pattern::Range(Range::one(address)),
            (Ok(_), true) => return Err(wrong()),
            (Err(_), true) => Pattern::Below(host),
            (Err(_), false) => Pattern::Name(host),
        };
        Ok(Self { pattern, port })
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pattern {
            Pattern::Name(name) => f.write_str(name)?,
            Pattern::Below(name) => write!(f, "*.{name}")?,
            Pattern::Range(range) => write!(f, "{range}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl AllowedHost {
    /// Whether it stands for this URL's host and port, judged by how the URL is written.
    pub fn covers(&self, url: &Url) -> bool {
        host_of(url).is_some_and(|host| self.covers_place(&host, url.port_or_known_default().unwrap_or(0)))
    }

    fn covers_place(&self, host: &str, port: u16) -> bool {
        let by_address = host.parse().is_ok_and(|address| self.covers_address(address));
        self.covers_port(port) && (by_address || self.covers_name(host))
    }

    fn covers_port(&self, port: u16) -> bool {
        self.port.is_none_or(|allowed| allowed == port)
    }

    fn covers_name(&self, host: &str) -> bool {
        match &self.pattern {
            Pattern::Name(name) => name == host,
            Pattern::Below(name) => {
                let metadata = METADATA_NAMES.contains(&host);
                !metadata && host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
            }
            Pattern::Range(_) => false,
        }
    }

    fn covers_address(&self, address: IpAddr) -> bool {
        matches!(&self.pattern, Pattern::Range(range) if range.contains(address))
    }
}

/// A URL's host and port after the first gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    host: String,
    port: u16,
    /// Whether the allow list names the host.
    by_name: bool,
    /// The ports that the protocol usually has.
    usual: &'static [u16],
}

/// The ports of HTTP.
const HTTP_PORTS: &[u16] = &[80, 443];

impl OutgoingPolicy {
    /// The first gate: scheme, host and port, as far as they can be judged without asking anybody.
    pub(super) fn check_url(&self, url: &Url) -> Result<Target, OutgoingError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OutgoingError::Scheme { scheme: url.scheme().to_owned() });
        }
        let host = host_of(url).ok_or_else(|| OutgoingError::Scheme { scheme: url.scheme().to_owned() })?;
        let port = url.port_or_known_default().unwrap_or(0);
        Ok(self.check_target(host, port, HTTP_PORTS)?)
    }

    /// The first gate for a host and a port of another protocol, whose usual ports are open on the public internet.
    pub(super) fn check_host(&self, text: &str, port: u16, usual: &'static [u16]) -> Result<Target, Denied> {
        let bracketed =
            if text.contains(':') && !text.starts_with('[') { format!("[{text}]") } else { text.to_owned() };
        // The reader of URLs brings host names into one form: case, international names, odd spellings of addresses.
        let read = if text.contains(['/', '@', '?', '#', '\\', ' ']) {
            None
        } else {
            Url::parse(&format!("http://{bracketed}/")).ok()
        };
        let host = read.filter(|url| url.port().is_none()).as_ref().and_then(host_of).ok_or_else(|| {
            let host: String = text.chars().take(80).collect();
            Denied { cure: Cure::Entry(host.clone()), host, reason: "it is no host".to_owned() }
        })?;
        self.check_target(host, port, usual)
    }

    fn check_target(&self, host: String, port: u16, usual: &'static [u16]) -> Result<Target, Denied> {
        let by_name = self.allow_hosts.iter().any(|entry| entry.covers_port(port) && entry.covers_name(&host));
        let target = Target { host, port, by_name, usual };
        if let Ok(address) = target.host.parse() {
            self.check_address(&target, address)?;
        } else if METADATA_NAMES.contains(&target.host.as_str()) && !by_name {
            return Err(target.denied("it is a metadata service", None));
        } else if !self.port_may_pass(&target) {
            return Err(target.denied_port());
        }
        Ok(target)
    }

    /// The second gate: an address that is about to be connected to.
    pub(super) fn check_address(&self, target: &Target, address: IpAddr) -> Result<(), Denied> {
        if self.own.is_some_and(|own| own.port() == target.port && reaches(address.to_canonical(), own.ip())) {
            let reason = "it is this server itself".to_owned();
            return Err(Denied { host: target.host.clone(), reason, cure: Cure::None });
        }
        let by_address =
            self.allow_hosts.iter().any(|entry| entry.covers_port(target.port) && entry.covers_address(address));
        if by_address {
            return Ok(());
        }
        match special_of(address) {
            Some(special) if special.by_address_only || !target.by_name => {
                let reason = if target.host.parse() == Ok(address) {
                    format!("it is {}", special.what)
                } else {
                    format!("it resolves to {address}, {}", special.what)
                };
                Err(target.denied(&reason, special.by_address_only.then_some(address)))
            }
            Some(_) => Ok(()),
            None if target.by_name || target.usual.contains(&target.port) => Ok(()),
            None => Err(target.denied_port()),
        }
    }

    /// Whether a name on this port can pass at all: another port than the usual ones needs an entry, by name now or by
    /// address once it is known.
    fn port_may_pass(&self, target: &Target) -> bool {
        let by_some_range =
            |entry: &AllowedHost| matches!(entry.pattern, Pattern::Range(_)) && entry.covers_port(target.port);
        target.by_name || target.usual.contains(&target.port) || self.allow_hosts.iter().any(by_some_range)
    }
}

impl Target {
    /// Whether a workspace's own list names it, by how it is written.
    pub(super) fn is_within(&self, hosts: &[AllowedHost]) -> Result<(), Denied> {
        if hosts.iter().any(|entry| entry.covers_place(&self.host, self.port)) {
            return Ok(());
        }
        let reason = "it is not on the workspace's list of hosts".to_owned();
        Err(Denied { host: self.host.clone(), reason, cure: Cure::Workspace })
    }

    /// The host in one form, and the port.
    pub(super) fn place(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// `address` is what the entry has to name when the host's name is not enough.
    fn denied(&self, reason: &str, address: Option<IpAddr>) -> Denied {
        let host = address.map_or_else(|| self.host.clone(), |address| address.to_canonical().to_string());
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host };
        let cure = Cure::Entry(format!("{bracketed}:{}", self.port));
        Denied { host: self.host.clone(), reason: reason.to_owned(), cure }
    }

    fn denied_port(&self) -> Denied {
        let usual: Vec<String> = self.usual.iter().map(u16::to_string).collect();
        self.denied(&format!("port {} is none of {}", self.port, usual.join(", ")), None)
    }
}

/// Whether a connection to `address` arrives at a socket that listens at `own`.
fn reaches(address: IpAddr, own: IpAddr) -> bool {
    let own = own.to_canonical();
    address == own || address.is_unspecified() || (own.is_unspecified() && is_of_this_machine(address))
}

/// The system lets a socket be bound to its own addresses only.
fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind(SocketAddr::new(address, 0)).is_ok()
}

/// The host in one form: without the brackets of v6 addresses and without a final dot.
fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(entries: &[&str]) -> OutgoingPolicy {
        OutgoingPolicy {
            allow_hosts: entries.iter().map(|entry| entry.parse().unwrap()).collect(),
            ..OutgoingPolicy::default()
        }
    }

    fn check(entries: &[&str], url: &str) -> Result<Target, OutgoingError> {
        policy(entries).check_url(&Url::parse(url).unwrap())
    }

    /// What the second gate says to a name that resolves to `address`.
    fn resolves(entries: &[&str], url: &str, address: &str) -> bool {
        let target = check(entries, url).unwrap();
        policy(entries).check_address(&target, address.parse().unwrap()).is_ok()
    }

    #[test]
    fn odd_spellings_of_local_addresses_are_denied() {
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0",
            "[::ffff:7f00:1]",
            "good@127.0.0.1",
            "127.0.0.1#good",
            "127。0。0。1",
            "１２７.0.0.1",
            "127.0.0.1.",
            "169.254.169.254",
            "[fd00:ec2::254]",
            "100.100.100.200",
            "metadata.google.internal",
            "METADATA.google.internal.",
        ] {
            let verdict = check(&[], &format!("http://{host}"));
            assert!(matches!(verdict, Err(OutgoingError::Denied(_))), "{host}: {verdict:?}");
        }
    }

    #[test]
    fn only_http_and_https_are_spoken() {
        for url in ["file:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "data:text/plain,x"] {
            assert!(matches!(check(&["example.com"], url), Err(OutgoingError::Scheme { .. })), "{url}");
        }
    }

    #[test]
    fn a_public_host_is_allowed_on_the_usual_ports_only() {
        assert!(check(&[], "https://api.example.com/x").is_ok());
        assert!(check(&[], "http://93.184.216.34/").is_ok());
        assert!(check(&[], "https://api.example.com:8443/").is_err());
        assert!(check(&[], "http://93.184.216.34:22/").is_err());
        assert!(check(&["api.example.com:8443"], "https://api.example.com:8443/").is_ok());
    }

    #[test]
    fn an_entry_with_a_port_allows_that_port_alone() {
        assert!(check(&["127.0.0.1:9000"], "http://127.0.0.1:9000/").is_ok());
        assert!(check(&["127.0.0.1:9000"], "http://127.0.0.1:9001/").is_err());
        assert!(check(&["127.0.0.1:80"], "http://127.0.0.1:9001/").is_err());
        assert!(check(&["127.0.0.1"], "http://127.0.0.1:9001/").is_ok());
        assert!(check(&["[::1]:9000"], "http://[::1]:9000/").is_ok());
        assert!(check(&["10.0.0.0/8"], "http://10.9.8.7:5000/").is_ok());
    }

    #[test]
    fn a_name_may_resolve_to_private_addresses_only_when_it_or_they_are_allowed() {
        assert!(!resolves(&[], "http://intranet/", "10.0.0.5"));
        assert!(resolves(&["intranet"], "http://intranet/", "10.0.0.5"));
        assert!(resolves(&["10.0.0.0/8"], "http://intranet:8080/", "10.0.0.5"));
        assert!(!resolves(&["10.0.0.0/8"], "http://intranet:8080/", "93.184.216.34"));
        assert!(resolves(&["*.corp.example"], "http://a.b.corp.example/", "10.0.0.5"));
        assert!(!resolves(&["*.corp.example"], "http://corp.example/", "10.0.0.5"));
        assert!(!resolves(&["*.corp.example"], "http://evilcorp.example/", "10.0.0.5"));
    }

    #[test]
    fn a_name_is_not_enough_to_reach_a_metadata_service() {
        assert!(!resolves(&["intranet"], "http://intranet/", "169.254.169.254"));
        assert!(resolves(&["intranet", "169.254.169.254"], "http://intranet/", "169.254.169.254"));
        assert!(check(&["*.google.internal"], "http://metadata.google.internal/").is_err());
    }

    #[test]
    fn a_denial_names_the_host_the_reason_and_the_setting() {
        let denied = check(&[], "http://127.0.0.1:8080/secret/path?token=1").unwrap_err();
        assert_eq!(
            denied.to_string(),
            "calls to 127.0.0.1 are denied: it is a loopback address. An operator can allow it by adding \
             `127.0.0.1:8080` to FLOWFORGE__HTTP__ALLOW_HOSTS"
        );
    }

    #[test]
    fn no_entry_opens_the_place_where_this_server_listens() {
        let denied = |own: &str, url: &str| {
            let mut policy = policy(&["127.0.0.0/8", "::1", "0.0.0.0", "localhost"]);
            policy.own = Some(own.parse().unwrap());
            let target = policy.check_url(&Url::parse(url).unwrap());
            matches!(target, Err(OutgoingError::Denied(denied)) if denied.cure == Cure::None)
        };
        for host in ["127.0.0.1", "0x7f.1", "0", "[::ffff:127.0.0.1]"] {
            assert!(denied("127.0.0.1:8080", &format!("http://{host}:8080/")), "{host}");
            assert!(denied("0.0.0.0:8080", &format!("http://{host}:8080/")), "{host}");
        }
        assert!(denied("[::]:8080", "http://127.0.0.1:8080/"));
        assert!(denied("[::]:8080", "http://[::1]:8080/"));
        assert!(!denied("127.0.0.1:8080", "http://127.0.0.1:9000/"), "another port is another server");
        let mut by_name = policy(&["own.test"]);
        by_name.own = Some("127.0.0.1:8080".parse().unwrap());
        let target = by_name.check_url(&Url::parse("http://own.test:8080/").unwrap()).unwrap();
        assert!(by_name.check_address(&target, "127.0.0.1".parse().unwrap()).is_err());
    }

    #[test]
    fn a_workspaces_list_names_what_it_may_call() {
        let within = |entries: &[&str], url: &str| {
            check(&["10.0.0.0/8"], url).unwrap().is_within(&policy(entries).allow_hosts).is_ok()
        };
        assert!(within(&["api.example.com"], "https://API.example.com./x"));
        assert!(within(&["*.example.com:443"], "https://api.example.com/x"));
        assert!(!within(&["*.example.com:443"], "http://api.example.com/x"));
        assert!(!within(&["api.example.com"], "https://api.example.com.evil.test/"));
        assert!(within(&["10.0.0.0/8"], "http://10.1.2.3:9000/"));
        assert!(!within(&["10.0.0.0/8"], "https://example.com/"));
        assert!(!within(&[], "https://example.com/"));
    }

    #[test]
    fn an_entry_of_another_form_is_refused() {
        for text in
            ["", "*", "*.", "http://example.com", "a@b", "example.com/path", "10.0.0.0/33", "*.10.0.0.1", "a b", ":80"]
        {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_entry_prints_what_it_stands_for() {
        for text in [
            "example.com",
            "example.com:8443",
            "*.example.com",
            "10.0.0.0/8",
            "fd00::/8",
            "10.0.0.7",
            "10.0.0.7:9000",
            "[::1]",
            "[::1]:9000",
        ] {
            assert_eq!(text.parse::<AllowedHost>().unwrap().to_string(), text);
        }
        assert_eq!("EXAMPLE.com".parse::<AllowedHost>().unwrap().to_string(), "example.com");
    }
}
