//! `[server]`: where people and programs reach the process.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::Fault;
use super::reader::Reader;

/// How the process listens.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// `bind`: address and port; `127.0.0.1:8080` by default. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// `allow_origins`: web origins besides the server's own that may open a WebSocket, such as `https://app.test`.
    pub allow_origins: Vec<String>,
    /// `client_address_header`: the header in which a proxy before this server names the address that asks, such as
    /// `x-forwarded-for`; its last part counts. None by default: then the address of the connection counts. Set it only
    /// when everybody comes through that proxy.
    pub client_address_header: Option<String>,
    /// `shutdown`: how long open requests may take after a stop was asked for; 10 s by default.
    pub shutdown: Duration,
}

impl ServerConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
        Self {
            bind: reader.value("bind", default, "an address and a port, such as 127.0.0.1:8080"),
            allow_origins: reader.list("allow_origins"),
            client_address_header: reader.text("client_address_header").map(|name| name.trim().to_ascii_lowercase()),
            shutdown: reader.parsed("shutdown", Duration::from_secs(10), duration),
        }
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        for origin in &self.allow_origins {
            let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if rest.is_none_or(|host| host.is_empty() || host.contains('/')) {
                faults.push(Fault::new(
                    "server.allow_origins",
                    format!("`{origin}` is not an origin; write scheme and host, such as https://app.test"),
                ));
            }
        }
    }
}

/// Reads a duration such as `30s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    engine::time::parse_duration(text).map_err(|error| error.to_string())
}
