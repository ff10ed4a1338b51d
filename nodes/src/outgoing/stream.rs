//! Connections that carry something else than HTTP, under the same policy.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Denied, Outgoing, OutgoingError};

impl Outgoing {
    /// Connects to a server by TCP: resolves its name once, checks every address and connects to a checked one.
    /// `usual` are the ports of the protocol, which are open on the public internet.
    ///
    /// # Errors
    /// [`OutgoingError::Denied`] by policy, else [`OutgoingError::Connect`]; nothing was sent in either case.
    pub(crate) async fn connect(
        &self,
        host: &str,
        port: u16,
        usual: &'static [u16],
        deadline: Instant,
    ) -> Result<TcpStream, OutgoingError> {
        let target = self.listed(self.policy.check_host(host, port, usual)?)?;
        let failed = |why: String| OutgoingError::Connect { origin: format!("{host}:{port}"), why };
        let connecting = async {
            let addresses =
                self.resolver.addresses(&target).await.map_err(|error| match error.downcast::<Denied>() {
                    Ok(denied) => OutgoingError::Denied(*denied),
                    Err(error) => failed(error.to_string()),
                })?;
            let stream = TcpStream::connect(addresses.as_slice()).await.map_err(|error| failed(error.to_string()))?;
            // Requests are small and wait for their answers.
            stream.set_nodelay(true).map_err(|error| failed(error.to_string()))?;
            Ok(stream)
        };
        let connected = tokio::time::timeout_at(deadline, connecting).await;
        connected.unwrap_or_else(|_| Err(failed("no connection in time".to_owned())))
    }
}

/// Speaks TLS to a server of this name, whose certificate has to be of an authority that browsers know or of `ca`, in
/// PEM.
///
/// # Errors
/// When the name or `ca` cannot be used, or the server cannot show who it is.
pub(crate) async fn tls(stream: TcpStream, host: &str, ca: Option<&str>) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(ca.unwrap_or_default().as_bytes()) {
        let certificate = certificate.map_err(|error| io::Error::other(format!("`ca` is no certificate: {error}")))?;
        roots.add(certificate).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// A stream that gives at most so many bytes; one more is an error, so that no answer fills the memory.
#[derive(Debug)]
pub(crate) struct Bounded<S> {
    inner: S,
    left: u64,
    overflowed: Arc<AtomicBool>,
}

impl<S> Bounded<S> {
    /// The stream, and what tells whether it gave more.
    pub(crate) fn new(inner: S, most: u64) -> (Self, Arc<AtomicBool>) {
        let overflowed = Arc::new(AtomicBool::new(false));
        (Self { inner, left: most, overflowed: Arc::clone(&overflowed) }, overflowed)
    }

    pub(crate) fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        let came = buffer.filled().len().saturating_sub(before) as u64;
        if came > self.left {
            self.overflowed.store(true, Ordering::Relaxed);
            return Poll::Ready(Err(io::Error::other("the server sends more than is taken")));
        }
        self.left -= came;
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
