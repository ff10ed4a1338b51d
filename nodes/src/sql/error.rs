//! Why a job was not done, sorted by what the rules may do about it.

use engine::error::{ErrorInfo, ErrorKind};

use super::Phase;
use crate::outgoing::OutgoingError;

/// Most characters of a server's message that ours shows.
const SHOWN: usize = 400;

/// Why a job was not done.
#[derive(Debug)]
pub(crate) enum SqlError {
    /// Something is wrong with the connection or the config.
    Given(ErrorInfo),
    /// No connection, by policy or because nobody answers.
    Unreachable(OutgoingError),
    /// The server refused, or the connection broke.
    Driver(sqlx::Error),
    /// Time is over.
    Timeout,
    /// More rows than asked for.
    TooManyRows(usize),
    /// More bytes than may be.
    TooLarge(usize),
    /// Two columns have this name.
    ColumnTwice(String),
    /// The type of a column has no form in JSON here.
    Column { name: String, r#type: String },
    /// A parameter does not fit its place, counted from 1.
    Parameter { place: usize, message: String },
}

impl From<sqlx::Error> for SqlError {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<OutgoingError> for SqlError {
    fn from(error: OutgoingError) -> Self {
        Self::Unreachable(error)
    }
}

impl From<ErrorInfo> for SqlError {
    fn from(error: ErrorInfo) -> Self {
        Self::Given(error)
    }
}

impl SqlError {
    /// The error as runs have it.
    pub(super) fn told(self, phase: Phase, read_only: bool) -> ErrorInfo {
        // What was not ended is undone by the server, and what only reads may be read again.
        let lost = if phase == Phase::Ending && !read_only { ErrorKind::Unknown } else { ErrorKind::Transient };
        match self {
            Self::Given(error) => error,
            Self::Unreachable(OutgoingError::Denied(denied)) => {
                ErrorInfo::permanent("SQL_HOST_DENIED", denied.to_string())
            }
            Self::Unreachable(error) => ErrorInfo::transient("SQL_CONNECT", error.to_string()),
            Self::Timeout if phase == Phase::Connecting => {
                ErrorInfo::transient("SQL_CONNECT", "the database did not open a session in time")
            }
            Self::Timeout => ErrorInfo::new(lost, "SQL_TIMEOUT", "the statements were not done in time"),
            Self::TooManyRows(most) => ErrorInfo::permanent(
                "SQL_TOO_MANY_ROWS",
                format!("the result has more than {most} rows; raise config.max_rows, or ask for fewer with LIMIT"),
            ),
            Self::TooLarge(most) => ErrorInfo::permanent(
                "SQL_RESULT_TOO_LARGE",
                format!("the result has more than {most} bytes; ask for fewer rows or columns"),
            ),
            Self::ColumnTwice(name) => ErrorInfo::permanent(
                "SQL_COLUMN_REPEATED",
                format!("the result has two columns `{name:.80}`; give one of them another name with AS"),
            ),
            Self::Column { name, r#type } => ErrorInfo::permanent(
                "SQL_TYPE_UNSUPPORTED",
                format!(
                    "the column `{name:.80}` has the type {type:.80}, or a value, that JSON cannot have; cast it to text"
                ),
            ),
            Self::Parameter { place, message } => {
                ErrorInfo::permanent("SQL_PARAMETER_INVALID", format!("parameter {place}: {message}"))
            }
            Self::Driver(error) => driver(&error, phase, lost),
        }
    }
}

fn driver(error: &sqlx::Error, phase: Phase, lost: ErrorKind) -> ErrorInfo {
    match error {
        sqlx::Error::Database(refused) => {
            let state = refused.code().unwrap_or_default();
            // PostgreSQL's and MySQL's own texts name tables, columns and constraints; the values, which PostgreSQL
            // tells beside them as details, stay out.
            let message = format!("the database refused ({state}): {}", shown(refused.message()));
            let (kind, code) = sorted(&state, refused.kind(), refused.message(), phase);
            ErrorInfo::new(kind, code, message)
        }
        sqlx::Error::Tls(error) => {
            ErrorInfo::permanent("SQL_TLS", format!("no encrypted session: {}", shown(&error.to_string())))
        }
        sqlx::Error::Io(error) if phase == Phase::Connecting => {
            let message = shown(&error.to_string());
            // A certificate that does not fit today will not fit at the next try.
            if message.contains("certificate") {
                return ErrorInfo::permanent("SQL_TLS", format!("no encrypted session: {message}"));
            }
            ErrorInfo::transient("SQL_CONNECT", format!("the session was not opened: {message}"))
        }
        sqlx::Error::Io(error) => {
            let message = format!("the connection was lost: {}", shown(&error.to_string()));
            ErrorInfo::new(lost, "SQL_CONNECTION_LOST", message)
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => ErrorInfo::permanent(
            "SQL_TYPE_UNSUPPORTED",
            format!("a value of the result cannot be read: {}", shown(&error.to_string())),
        ),
        // Texts of a driver about itself may hold anything.
        sqlx::Error::Protocol(_) | sqlx::Error::Configuration(_) if phase == Phase::Connecting => ErrorInfo::permanent(
            "SQL_CONNECT",
            "the server does not speak as the connection's type says, or asks for a way of signing in that is not supported without encryption",
        ),
        _ => ErrorInfo::new(lost, "SQL_CONNECTION_LOST", "the session broke in a way that has no name"),
    }
}

/// What a refusal comes to, by SQLSTATE (or SQLite's number).
fn sorted(state: &str, kind: sqlx::error::ErrorKind, message: &str, phase: Phase) -> (ErrorKind, &'static str) {
    let constraint = !matches!(kind, sqlx::error::ErrorKind::Other);
    match state {
        _ if constraint => (ErrorKind::Permanent, "SQL_CONSTRAINT"),
        "57014" | "70100" => (ErrorKind::Transient, "SQL_TIMEOUT"),
        // SQLite: interrupted, which only our own clock does.
        "9" => (ErrorKind::Transient, "SQL_TIMEOUT"),
        "40001" | "40P01" | "55P03" | "5" | "6" | "261" | "517" => (ErrorKind::Transient, "SQL_CONFLICT"),
        "HY000" if message.contains("Lock wait timeout") => (ErrorKind::Transient, "SQL_CONFLICT"),
        "HY000" if message.contains("max_statement_time") => (ErrorKind::Transient, "SQL_TIMEOUT"),
        "08004" | "53300" | "57P03" | "57P01" => (ErrorKind::Transient, "SQL_CONNECT"),
        _ if phase == Phase::Connecting || state.starts_with("28") => (ErrorKind::Permanent, "SQL_SIGN_IN"),
        _ => (ErrorKind::Permanent, "SQL_REFUSED"),
    }
}

/// A text of the other side on one line, and not all of a long one.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
