//! Outgoing HTTP under a policy: the only way out of a node.
//!
//! Every request, redirects included, passes three gates: the URL's scheme, host and port before anything is resolved;
//! every address that a name resolves to, inside the resolver that the connection itself uses, so that what was
//! checked is what is connected to; and the size and time of the answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Method, StatusCode, Url, redirect};
use tokio::time::Instant;

mod address;
mod connect;
mod error;
mod payload;
mod policy;
mod stream;

use crate::connection::Tokens;

pub use self::error::{Cure, Denied, OutgoingError};
pub use self::payload::{FormPart, Payload};
pub use self::policy::{AllowedHost, OutgoingPolicy, ParseAllowedHostError};

pub(crate) use self::stream::{Bounded, tls};

use self::connect::{Connection, ConnectionDeadline, GuardedResolver, SystemLookup};
use self::policy::Target;

/// Redirects followed before giving up, as browsers' fetch allows 20 and SSRF policies advise few.
pub const MOST_REDIRECTS: u32 = 5;

/// Headers that go along to another origin.
pub(crate) const HARMLESS: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

/// The way out. Cloning shares the pool of connections.
#[derive(Debug, Clone)]
pub struct Outgoing {
    client: Client,
    policy: Arc<OutgoingPolicy>,
    /// What may be called of that; everything when absent.
    within: Option<Arc<[AllowedHost]>>,
    resolver: Arc<GuardedResolver>,
    tokens: Arc<Tokens>,
}

/// The HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("the client for outgoing HTTP cannot be built")]
pub struct BuildError(#[from] reqwest::Error);

/// One call, redirects included.
#[derive(Debug, Clone)]
pub struct OutgoingRequest {
    /// The method; 301, 302 and 303 turn it into GET as browsers do.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// As given; most are dropped when a redirect leaves the origin.
    pub headers: HeaderMap,
    /// What to send.
    pub body: Option<Payload>,
    /// A header that goes along to another origin, such as an idempotency key.
    pub portable_header: Option<HeaderName>,
    /// When to give up: connecting, all redirects and reading the answer together.
    pub deadline: Instant,
}

/// An answer whose body has not been read yet.
#[derive(Debug)]
pub struct OutgoingResponse {
    /// The status of the last answer.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Whether a redirect turned the request into a GET: the first server has then taken the original one, whatever
    /// the last answer says.
    pub acted: bool,
    origin: String,
    deadline: Instant,
    response: reqwest::Response,
}

impl Outgoing {
    /// One pool of connections under this policy. Proxies named in the environment are not used, because they would
    /// connect to addresses that nobody checked.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(policy: OutgoingPolicy) -> Result<Self, BuildError> {
        Self::with_lookup(policy, SystemLookup)
    }

    fn with_lookup(policy: OutgoingPolicy, lookup: impl connect::Lookup) -> Result<Self, BuildError> {
        let resolver = Arc::new(GuardedResolver::new(policy.clone(), lookup));
        let build = |roots: bool| {
            let builder = Client::builder()
                .no_proxy()
                .redirect(redirect::Policy::none())
                .referer(false)
                .dns_resolver(Arc::clone(&resolver))
                .connector_layer(ConnectionDeadline)
                .pool_idle_timeout(Duration::from_secs(20))
                .pool_max_idle_per_host(32)
                .user_agent(concat!("FlowForge/", env!("CARGO_PKG_VERSION")));
            if roots { builder.build() } else { builder.tls_certs_only([]).build() }
        };
        // Machines without certificates of authorities exist (bare containers). They may still call plain HTTP; a call
        // by HTTPS fails with a certificate error.
        let client = build(true).or_else(|error| {
            tracing::warn!(error = %error, "no certificates of authorities found; outgoing HTTPS calls will fail");
            build(false)
        })?;
        Ok(Self { client, policy: Arc::new(policy), within: None, resolver, tokens: Arc::default() })
    }

    /// The same way, and of it only what these entries name by the hosts of URLs: a workspace's own list.
    #[must_use]
    pub fn within(&self, hosts: Arc<[AllowedHost]>) -> Self {
        Self { within: Some(hosts), ..self.clone() }
    }

    /// A target within the workspace's list.
    fn listed(&self, target: Target) -> Result<Target, Denied> {
        self.within.as_ref().map_or(Ok(()), |hosts| target.is_within(hosts)).map(|()| target)
    }

    /// The tokens that were fetched for connections.
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// What may be called.
    pub(crate) fn policy(&self) -> &OutgoingPolicy {
        &self.policy
    }

    /// Sends the request and follows redirects until an answer that is none. The body is still to be read.
    ///
    /// # Errors
    /// [`OutgoingError::Denied`] by policy; [`OutgoingError::Connect`] when nothing was sent; the others after that.
    pub async fn send(&self, request: OutgoingRequest) -> Result<OutgoingResponse, OutgoingError> {
        let OutgoingRequest { mut method, mut url, mut headers, mut body, portable_header, deadline } = request;
        let mut acted = false;
        for _ in 0..=MOST_REDIRECTS {
            let response = self
                .send_once(&method, &url, &headers, body.clone(), deadline)
                .await
                .map_err(|error| error.after_acting(acted))?;
            let status = response.status();
            let Some(next) = redirect_target(&response, &url).map_err(|error| error.after_acting(acted))? else {
                let headers = response.headers().clone();
                return Ok(OutgoingResponse { status, headers, acted, origin: origin(&url), deadline, response });
            };
            if becomes_get(status, &method) {
                acted = acted || !is_safe(&method);
                method = Method::GET;
                body = None;
                let described: Vec<_> =
                    headers.keys().filter(|name| name.as_str().starts_with("content-")).cloned().collect();
                described.iter().for_each(|name| drop(headers.remove(name)));
            }
            if url.origin() != next.origin() {
                headers = portable(&headers, portable_header.as_ref());
            }
            url = next;
        }
        Err(OutgoingError::Redirect { why: format!("more than {MOST_REDIRECTS} redirects") }.after_acting(acted))
    }

    /// Sends the request there and nowhere else: a redirect is an answer like any other.
    ///
    /// # Errors
    /// As [`Outgoing::send`].
    pub async fn send_here(&self, request: OutgoingRequest) -> Result<OutgoingResponse, OutgoingError> {
        let OutgoingRequest { method, url, headers, body, deadline, .. } = request;
        let response = self.send_once(&method, &url, &headers, body, deadline).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(OutgoingResponse { status, headers, acted: false, origin: origin(&url), deadline, response })
    }

    async fn send_once(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: Option<Payload>,
        deadline: Instant,
    ) -> Result<reqwest::Response, OutgoingError> {
        let connection = Connection { target: self.listed(self.policy.check_url(url)?)?, deadline };
        let mut request = self.client.request(method.clone(), url.clone()).headers(headers.clone());
        if let Some(body) = body {
            request = body.put(request).await?;
        }
        let sent = connect::in_connection(connection, request.send());
        match tokio::time::timeout_at(deadline, sent).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(OutgoingError::from_send(error, &origin(url))),
            Err(_) => Err(OutgoingError::Timeout { origin: origin(url) }),
        }
    }
}

impl OutgoingResponse {
    /// The whole body.
    ///
    /// # Errors
    /// When it is longer than `limit` bytes, stops early, or is not there in time.
    pub async fn body(mut self, limit: usize) -> Result<Bytes, OutgoingError> {
        let too_large = || OutgoingError::BodyTooLarge { limit };
        if self.response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// The first bytes of the body, at most `limit`; fewer when it ends or breaks off before.
    pub async fn body_start(mut self, limit: usize) -> Bytes {
        let mut body = BytesMut::new();
        while let Ok(Some(chunk)) = self.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= limit {
                body.truncate(limit);
                break;
            }
        }
        body.freeze()
    }

    /// The body as it comes, within the deadline of the request.
    pub fn pieces(self) -> BoxStream<'static, Result<Bytes, OutgoingError>> {
        let next = |mut answer: Self| async move { Ok(answer.chunk().await?.map(|piece| (piece, answer))) };
        futures::stream::try_unfold(self, next).boxed()
    }

    /// The last part of the path that answered: what a file from there is called.
    pub fn last_segment(&self) -> &str {
        self.response.url().path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default()
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, OutgoingError> {
        match tokio::time::timeout_at(self.deadline, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(OutgoingError::lost(&error, &self.origin)),
            Err(_) => Err(OutgoingError::Timeout { origin: self.origin.clone() }),
        }
    }
}

/// Scheme, host and port: all of a URL that a message may show, since path and query carry secrets at many services.
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Where the answer sends us; `None` when it is an answer to keep.
fn redirect_target(response: &reqwest::Response, from: &Url) -> Result<Option<Url>, OutgoingError> {
    let wrong = |why: &str| OutgoingError::Redirect { why: why.to_owned() };
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| wrong("a `location` that is not text"))?;
    let mut next = from.join(location).map_err(|_| wrong("a `location` that is no URL"))?;
    if from.scheme() == "https" && next.scheme() == "http" {
        return Err(wrong("a redirect from https to http"));
    }
    // The other side does not get to choose credentials. These two fail only for URLs that have no host.
    let _ = next.set_username("");
    let _ = next.set_password(None);
    Ok(Some(next))
}

/// As the fetch standard has it: 303 for all but HEAD, 301 and 302 for POST.
fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        303 => !matches!(*method, Method::GET | Method::HEAD),
        301 | 302 => *method == Method::POST,
        _ => false,
    }
}

/// Whether a method only reads.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// What goes along to another origin. A list of what is harmless rather than of what is secret: keys travel in headers
/// of many names.
fn portable(headers: &HeaderMap, extra: Option<&HeaderName>) -> HeaderMap<HeaderValue> {
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        if HARMLESS.contains(&name.as_str()) || Some(name) == extra {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests;
