//! Mail handed to a server by SMTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use engine::error::ErrorInfo;
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use crate::connection::Connection;
use crate::outgoing::{Bounded, Outgoing, OutgoingError, tls};

pub(crate) mod send;

/// The ports of mail: without encryption, with it from the start, and with it from `STARTTLS` on.
const PORTS: &[u16] = &[25, 465, 587];
/// Most bytes that a server may say in one session.
const MOST_SAID: u64 = 1024 * 1024;
/// Most characters of a server's message that ours shows.
const SHOWN: usize = 300;

/// How far a session has come, which decides what an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    SigningIn,
    /// Sender and recipients are told; nothing is handed over before the message itself.
    Asking,
    /// The message is on its way, and the server's word about it did not arrive yet.
    Handing,
}

/// Why the server has no message.
enum MailFault {
    Given(ErrorInfo),
    Unreachable(OutgoingError),
    Encryption(String),
    Driver(lettre::transport::smtp::Error),
}

impl From<ErrorInfo> for MailFault {
    fn from(error: ErrorInfo) -> Self {
        Self::Given(error)
    }
}

impl From<lettre::transport::smtp::Error> for MailFault {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        Self::Driver(error)
    }
}

/// Hands a message over; the answer is what the server said to it.
async fn hand_over(
    connection: &Connection,
    outgoing: &Outgoing,
    envelope: &Envelope,
    message: &[u8],
    deadline: Instant,
) -> Result<String, ErrorInfo> {
    within(deadline, async |phase| {
        let mut session = open(connection, outgoing, deadline, phase).await?;
        *phase = Phase::Asking;
        let mut parameters = Vec::new();
        if envelope.to().iter().chain(envelope.from()).any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
            if !session.server_info().supports_feature(Extension::SmtpUtfEight) {
                let message = "the server takes no addresses with other than ASCII letters";
                return Err(ErrorInfo::permanent("MAIL_REFUSED", message).into());
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !message.is_ascii() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        session.command(Mail::new(envelope.from().cloned(), parameters)).await?;
        for recipient in envelope.to() {
            session.command(Rcpt::new(recipient.clone(), Vec::new())).await?;
        }
        session.command(Data).await?;
        *phase = Phase::Handing;
        let answer = session.message(message).await?;
        // The message is theirs now. A server that does not hear good-bye does no harm.
        drop(session.quit().await);
        Ok(answer.message().collect::<Vec<_>>().join(" "))
    })
    .await
}

/// Sees whether the server takes the credentials.
pub(crate) async fn test(connection: &Connection, outgoing: &Outgoing, deadline: Instant) -> Result<(), ErrorInfo> {
    within(deadline, async |phase| {
        let mut session = open(connection, outgoing, deadline, phase).await?;
        drop(session.quit().await);
        Ok(())
    })
    .await
}

async fn within<T>(
    deadline: Instant,
    work: impl AsyncFnOnce(&mut Phase) -> Result<T, MailFault>,
) -> Result<T, ErrorInfo> {
    let mut phase = Phase::Connecting;
    match tokio::time::timeout_at(deadline, work(&mut phase)).await {
        Ok(done) => done.map_err(|fault| told(fault, phase)),
        Err(_) if phase == Phase::Handing => Err(uncertain("in time")),
        Err(_) => {
            Err(ErrorInfo::transient("MAIL_CONNECT", "the server did not take the message in time; it has none of it"))
        }
    }
}

async fn open(
    connection: &Connection,
    outgoing: &Outgoing,
    deadline: Instant,
    phase: &mut Phase,
) -> Result<AsyncSmtpConnection, MailFault> {
    let security = connection.plain("security").unwrap_or("starttls");
    let server = connection.server(match security {
        "tls" => 465,
        "none" => 25,
        _ => 587,
    })?;
    let stream = outgoing.connect(server.host, server.port, PORTS, deadline).await.map_err(MailFault::Unreachable)?;
    let name = ClientId::Domain("flowforge.invalid".to_owned());
    let mut session = if security == "tls" {
        let stream = tls(stream, server.host, server.ca).await;
        let stream = stream.map_err(|error| MailFault::Encryption(error.to_string()))?;
        AsyncSmtpConnection::connect_with_transport(Box::new(Stream(Bounded::new(stream, MOST_SAID).0)), &name).await?
    } else {
        AsyncSmtpConnection::connect_with_transport(Box::new(Stream(Bounded::new(stream, MOST_SAID).0)), &name).await?
    };
    if security == "starttls" {
        if !session.can_starttls() {
            return Err(MailFault::Encryption("the server offers no STARTTLS".to_owned()));
        }
        let mut parameters = TlsParameters::builder(server.host.to_owned());
        if let Some(ca) = server.ca {
            let certificate = Certificate::from_pem(ca.as_bytes());
            let wrong = |_| MailFault::Encryption("the connection's `ca` is no certificate".to_owned());
            parameters = parameters.add_root_certificate(certificate.map_err(wrong)?);
        }
        let parameters = parameters.build().map_err(|error| MailFault::Encryption(causes(&error)))?;
        let encrypted = session.starttls(parameters, &name).await;
        encrypted.map_err(|error| MailFault::Encryption(causes(&error)))?;
    }
    if let (Some(username), Some(password)) = (server.username, server.password) {
        *phase = Phase::SigningIn;
        let credentials = Credentials::new(username.to_owned(), password.to_owned());
        session.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
    }
    Ok(session)
}

fn told(fault: MailFault, phase: Phase) -> ErrorInfo {
    let error = match fault {
        MailFault::Given(error) => return error,
        MailFault::Unreachable(OutgoingError::Denied(denied)) => {
            return ErrorInfo::permanent("MAIL_HOST_DENIED", denied.to_string());
        }
        MailFault::Unreachable(error) => return ErrorInfo::transient("MAIL_CONNECT", error.to_string()),
        MailFault::Encryption(why) => {
            return ErrorInfo::permanent("MAIL_TLS", format!("no encrypted session: {}", shown(&why)));
        }
        MailFault::Driver(error) => error,
    };
    let said = || shown(&causes(&error));
    if error.is_transient() {
        ErrorInfo::transient("MAIL_DEFERRED", format!("the server does not take it now: {}", said()))
    } else if phase == Phase::SigningIn && !error.is_transport_shutdown() && (error.is_permanent() || error.is_client())
    {
        ErrorInfo::permanent("MAIL_SIGN_IN", format!("the server does not let the connection's user in: {}", said()))
    } else if error.is_permanent() {
        ErrorInfo::permanent("MAIL_REFUSED", format!("the server refused: {}", said()))
    } else if phase == Phase::Handing {
        uncertain("before the connection was lost")
    } else {
        ErrorInfo::transient(
            "MAIL_CONNECT",
            format!("the session broke before the message was handed over: {}", said()),
        )
    }
}

fn uncertain(when: &str) -> ErrorInfo {
    let message = format!("the server did not say {when} whether it took the message; it may have sent it");
    ErrorInfo::unknown("MAIL_UNCERTAIN", message)
}

/// An error with the causes below it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// A text of the other side on one line, and not all of a long one.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A stream to a server whose address was checked.
#[derive(Debug)]
struct Stream<S>(Bounded<S>);

impl AsyncTokioStream for Stream<TcpStream> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.inner().peer_addr()
    }
}

impl AsyncTokioStream for Stream<TlsStream<TcpStream>> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.inner().get_ref().0.peer_addr()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
