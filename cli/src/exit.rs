//! How the command ends: one table from what went wrong to an exit code.

use std::fmt;
use std::process::ExitCode;

use api::code::Code;
use serde::Serialize;

/// What `--help` says of the exit codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  what was asked for was carried out and failed, such as a run that ended FAILED
  2  wrong usage, or a workflow with problems
  3  no server answers at that URL, or it cannot work now
  4  no valid API key, or its role does not allow this
  5  not found
  6  conflict: the thing is in a state that does not allow this, or the idempotency key was used for something else";

/// The exit codes, as [`HELP`] explains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    Denied = 4,
    NotFound = 5,
    Conflict = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// The exit code that belongs to a code of the API; what is not listed failed for a reason of its own.
    pub(crate) fn of_code(code: &str) -> Self {
        match Code::parse(code).map(Code::exit) {
            Some(2) => Self::Usage,
            Some(3) => Self::Unreachable,
            Some(4) => Self::Denied,
            Some(5) => Self::NotFound,
            Some(6) => Self::Conflict,
            _ => Self::Failed,
        }
    }
}

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    pub(crate) file: String,
    /// Counts from 1; absent where the whole file is meant.
    #[serde(flatten)]
    pub(crate) place: Option<Place>,
    pub(crate) message: String,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Place {
    /// Counts from 1.
    pub(crate) line: u64,
    /// In characters, from 1.
    pub(crate) column: u64,
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(Place { line, column }) => write!(to, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(to, "{}: {}", self.file, self.message),
        }
    }
}

/// Why the command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// A stable word: a code of the API, or one of ours for what never reached it.
    pub(crate) code: String,
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// Every mistake in files.
    pub(crate) faults: Vec<Fault>,
}

/// A failure as `--output json` prints it.
#[derive(Serialize)]
pub(crate) struct FailureDocument<'a> {
    error: FailureBody<'a>,
}

#[derive(Serialize)]
struct FailureBody<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    faults: &'a [Fault],
    exit: u8,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self { exit, code: code.to_owned(), message: message.into(), hint: None, faults: Vec::new() }
    }

    /// Wrong arguments or files.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "USAGE", message)
    }

    /// Files that cannot be used.
    pub(crate) fn of_files(faults: Vec<Fault>) -> Self {
        let message = match faults.len() {
            1 => "a file cannot be used".to_owned(),
            count => format!("{count} mistakes in files"),
        };
        Self { faults, ..Self::new(Exit::Usage, "FILE_INVALID", message) }
    }

    /// A failure that the API named by a code.
    pub(crate) fn of_code(code: &str, message: impl Into<String>) -> Self {
        let failure = Self::new(Exit::of_code(code), code, message);
        match failure.exit {
            Exit::Denied if code == "UNAUTHENTICATED" => {
                failure.hint("give a key with --api-key or FLOWFORGE_API_KEY; `flowforge key create` makes one")
            }
            _ => failure,
        }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn document(&self) -> FailureDocument<'_> {
        FailureDocument {
            error: FailureBody {
                code: &self.code,
                message: &self.message,
                hint: self.hint.as_deref(),
                faults: &self.faults,
                exit: self.exit as u8,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_explained_in_the_help() {
        for exit in [Exit::Failed, Exit::Usage, Exit::Unreachable, Exit::Denied, Exit::NotFound, Exit::Conflict] {
            assert!(HELP.contains(&format!("\n  {}  ", exit as u8)), "{exit:?}");
        }
    }

    #[test]
    fn a_code_that_nobody_knows_is_a_plain_failure() {
        assert_eq!(Exit::of_code("FORBIDDEN"), Exit::Denied);
        assert_eq!(Exit::of_code("SOMETHING_NEW"), Exit::Failed);
    }
}
