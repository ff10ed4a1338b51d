//! What happens between a URL and a connection: names are resolved and checked, and time runs.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::{FutureExt as _, TryFutureExt as _};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::Instant;
use tower::{BoxError, Layer, Service};

use super::policy::{OutgoingPolicy, Target};

/// What the resolver and the connector need to know of the request that they work for. They are called inside the
/// request's own future, and their interfaces carry only the name.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) target: Target,
    pub(super) deadline: Instant,
}

tokio::task_local! {
    static CONNECTION: Connection;
}

/// Runs `sending` so that connections it opens are checked against, and timed by, `connection`.
pub(super) async fn in_connection<F: Future>(connection: Connection, sending: F) -> F::Output {
    CONNECTION.scope(connection, sending).await
}

/// Turns names into addresses.
pub(super) trait Lookup: Send + Sync + 'static {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The operating system's resolver.
pub(super) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) }.boxed()
    }
}

/// Resolves for the client and refuses a name as soon as one of its addresses is refused. The connection is made to
/// the very addresses that were checked, so an answer that changes between check and use changes nothing.
pub(super) struct GuardedResolver {
    policy: OutgoingPolicy,
    lookup: Arc<dyn Lookup>,
}

impl GuardedResolver {
    pub(super) fn new(policy: OutgoingPolicy, lookup: impl Lookup) -> Self {
        Self { policy, lookup: Arc::new(lookup) }
    }
}

impl std::fmt::Debug for GuardedResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardedResolver").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl GuardedResolver {
    /// The addresses of a target, all of them checked.
    pub(super) async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, BoxError> {
        let (host, port) = target.place();
        let found = match host.parse() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => self.lookup.lookup(host.to_owned()).await?,
        };
        checked(&self.policy, target, &found)?;
        Ok(found.into_iter().map(|address| SocketAddr::new(address.ip(), port)).collect())
    }
}

/// Refuses a name without addresses, and one of which any address is refused.
fn checked(policy: &OutgoingPolicy, target: &Target, found: &[SocketAddr]) -> Result<(), BoxError> {
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
    }
    for address in found {
        policy.check_address(target, address.ip())?;
    }
    Ok(())
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy.clone();
        let lookup = self.lookup.lookup(name.as_str().to_owned());
        let target = CONNECTION.try_with(|connection| connection.target.clone());
        async move {
            // Without a target nobody has checked the URL; there is no such path, and it would be refused.
            let target = target?;
            let found = lookup.await?;
            checked(&policy, &target, &found)?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        }
        .boxed()
    }
}

/// Ends an attempt to connect when the request's time is over. So running out of time before anything was sent is a
/// failure to connect, which may be tried again, and not a request whose outcome nobody knows.
#[derive(Clone)]
pub(super) struct ConnectionDeadline;

impl<S> Layer<S> for ConnectionDeadline {
    type Service = TimedConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TimedConnector { inner }
    }
}

/// A connector that knows when to give up.
#[derive(Clone)]
pub(super) struct TimedConnector<S> {
    inner: S,
}

impl<S, R> Service<R> for TimedConnector<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.inner.call(request);
        let Ok(deadline) = CONNECTION.try_with(|connection| connection.deadline) else { return connecting.boxed() };
        // The caller's own timeout polls us before it looks at its clock, so the same instant is early enough.
        tokio::time::timeout_at(deadline, connecting)
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time").into())
            .map(|connected: Result<_, BoxError>| connected.and_then(std::convert::identity))
            .boxed()
    }
}
