//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};

/// The address of whoever asks: what the trusted proxy says in its header, or else the other end of the connection. A
/// header that nobody configured is a claim of the asker, and counts for nothing.
pub(super) fn of(request: &Request, header: Option<&str>) -> Option<IpAddr> {
    let told = header.and_then(|header| {
        let line = request.headers().get_all(header).iter().next_back()?.to_str().ok()?;
        // Each proxy adds to the end; what stands before came from further away.
        line.rsplit(',').next()?.trim().parse().ok()
    });
    told.or_else(|| request.extensions().get::<ConnectInfo<SocketAddr>>().map(|from| from.0.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(header: Option<&str>) -> Request {
        let mut builder = Request::builder().extension(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4_000))));
        if let Some(header) = header {
            builder = builder.header("x-forwarded-for", header);
        }
        builder.body(axum::body::Body::empty()).unwrap()
    }

    #[test]
    fn a_header_counts_only_when_a_proxy_is_trusted_and_then_its_last_part() {
        let text = |header, trusted| of(&request(header), trusted).map(|address| address.to_string());
        let forged = Some("198.51.100.7, 203.0.113.9");
        assert_eq!(text(forged, None).as_deref(), Some("10.0.0.1"));
        assert_eq!(text(forged, Some("x-forwarded-for")).as_deref(), Some("203.0.113.9"));
        for odd in [None, Some(""), Some("me"), Some("1.2.3.4,")] {
            assert_eq!(text(odd, Some("x-forwarded-for")).as_deref(), Some("10.0.0.1"), "{odd:?}");
        }
    }
}
