//! Sessions with Redis and servers that speak as it does.

use std::pin::pin;
use std::sync::atomic::Ordering;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, ServerErrorKind, Value};
use engine::error::ErrorInfo;
use futures::future::{Either, select};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::connection::Connection;
use crate::outgoing::{Bounded, Outgoing, OutgoingError, tls};

pub(crate) mod command;

/// The ports of Redis, without and with encryption.
const PORTS: &[u16] = &[6379, 6380];
/// Most bytes of an answer.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// Most characters of a server's message that ours shows.
const SHOWN: usize = 300;

/// Why there is no answer.
enum RedisFault {
    Given(ErrorInfo),
    Unreachable(OutgoingError),
    Encryption(std::io::Error),
    Driver(RedisError),
}

impl From<ErrorInfo> for RedisFault {
    fn from(error: ErrorInfo) -> Self {
        Self::Given(error)
    }
}

/// The answer to one command.
async fn ask(
    connection: &Connection,
    outgoing: &Outgoing,
    command: &::redis::Cmd,
    deadline: Instant,
) -> Result<Value, ErrorInfo> {
    let mut is_sent = false;
    let asking = session(connection, outgoing, command, deadline, &mut is_sent);
    match tokio::time::timeout_at(deadline, asking).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(fault)) => Err(told(fault, is_sent)),
        Err(_) if is_sent => Err(ErrorInfo::unknown("REDIS_TIMEOUT", "the server did not answer in time")),
        Err(_) => Err(ErrorInfo::transient("REDIS_CONNECT", "the server did not open a session in time")),
    }
}

/// Sees whether the server takes the credentials.
pub(crate) async fn test(connection: &Connection, outgoing: &Outgoing, deadline: Instant) -> Result<(), ErrorInfo> {
    ask(connection, outgoing, &::redis::cmd("PING"), deadline).await.map(drop)
}

async fn session(
    connection: &Connection,
    outgoing: &Outgoing,
    command: &::redis::Cmd,
    deadline: Instant,
    is_sent: &mut bool,
) -> Result<Value, RedisFault> {
    let server = connection.server(6379)?;
    let database = match server.database {
        None => 0,
        Some(text) => text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(|| {
            ErrorInfo::permanent("CONNECTION_INVALID", "the connection's `database` must be a number")
        })?,
    };
    let mut info = RedisConnectionInfo::default().set_skip_set_lib_name().set_db(database);
    if let Some(username) = server.username {
        info = info.set_username(username);
    }
    if let Some(password) = server.password {
        info = info.set_password(password);
    }
    let stream = outgoing.connect(server.host, server.port, PORTS, deadline).await.map_err(RedisFault::Unreachable)?;
    if server.is_encrypted {
        let stream = tls(stream, server.host, server.ca).await.map_err(RedisFault::Encryption)?;
        exchange(stream, &info, command, is_sent).await
    } else {
        exchange(stream, &info, command, is_sent).await
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    info: &RedisConnectionInfo,
    command: &::redis::Cmd,
    is_sent: &mut bool,
) -> Result<Value, RedisFault> {
    let (stream, overflowed) = Bounded::new(stream, MOST_BYTES);
    // Our own deadline covers connecting, signing in and the answer together.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let (mut session, driver) =
        MultiplexedConnection::new_with_config(info, stream, config).await.map_err(RedisFault::Driver)?;
    *is_sent = true;
    let asking = async move { session.send_packed_command(command).await };
    let answer = match select(pin!(asking), pin!(driver)).await {
        Either::Left((answer, _)) => answer,
        // The driver ends when the connection does; what it still knows is the answer, or that there is none.
        Either::Right(((), asking)) => asking.await,
    };
    match answer {
        Ok(Value::ServerError(error)) => Err(RedisFault::Driver(error.into())),
        Ok(value) => Ok(value),
        Err(_) if overflowed.load(Ordering::Relaxed) => Err(RedisFault::Given(ErrorInfo::permanent(
            "REDIS_ANSWER_TOO_LARGE",
            format!("the answer has more than {MOST_BYTES} bytes; ask for a part of it"),
        ))),
        Err(error) => Err(RedisFault::Driver(error)),
    }
}

fn told(fault: RedisFault, is_sent: bool) -> ErrorInfo {
    match fault {
        RedisFault::Given(error) => error,
        RedisFault::Unreachable(OutgoingError::Denied(denied)) => {
            ErrorInfo::permanent("REDIS_HOST_DENIED", denied.to_string())
        }
        RedisFault::Unreachable(error) => ErrorInfo::transient("REDIS_CONNECT", error.to_string()),
        RedisFault::Encryption(error) => {
            ErrorInfo::permanent("REDIS_TLS", format!("no encrypted session: {}", shown(&error.to_string())))
        }
        RedisFault::Driver(error) => driver(&error, is_sent),
    }
}

fn driver(error: &RedisError, is_sent: bool) -> ErrorInfo {
    let word = error.code().unwrap_or_default();
    let refused = |code: &str| {
        let detail = shown(error.detail().unwrap_or("without a reason"));
        ErrorInfo::permanent(code, format!("the server refused ({word}): {detail}"))
    };
    match error.kind() {
        ErrorKind::AuthenticationFailed => refused("REDIS_SIGN_IN"),
        _ if matches!(word, "NOAUTH" | "WRONGPASS" | "NOPERM") => refused("REDIS_SIGN_IN"),
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly,
        ) => ErrorInfo::transient("REDIS_UNAVAILABLE", refused("").message),
        ErrorKind::Server(_) | ErrorKind::Extension => refused("REDIS_REFUSED"),
        // What the server said before it took the credentials, or that it speaks something else.
        _ if !is_sent && !error.is_io_error() => refused("REDIS_SIGN_IN"),
        _ if is_sent => ErrorInfo::unknown("REDIS_CONNECTION_LOST", "the connection was lost before the answer came"),
        _ => ErrorInfo::transient("REDIS_CONNECT", "the connection was lost while the session was opened"),
    }
}

/// A text of the other side on one line, and not all of a long one.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
