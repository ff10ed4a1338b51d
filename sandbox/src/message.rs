//! What parent and child say to each other.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::lockdown::Walls;

/// Longest source of a script, in bytes.
pub const MOST_SOURCE_BYTES: usize = 256 * 1024;
/// Most console lines that are kept of one execution.
pub const MOST_LOG_LINES: usize = 1_000;
/// Most bytes of console lines that are kept of one execution.
pub const MOST_LOG_BYTES: usize = 64 * 1024;

/// One execution of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The body of an async function that takes `input`.
    pub source: String,
    /// What `input` is, as JSON.
    pub input: String,
    /// What the clock says for as long as the script runs, in milliseconds since 1970.
    pub now: i64,
    /// What all randomness is drawn from.
    pub seed: [u32; 4],
    /// How long it may take.
    pub time: Duration,
    /// How much its values may occupy, in bytes.
    pub memory: u64,
    /// How long its result may be as JSON, in bytes.
    pub output: u64,
}

/// How important a console line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineLevel {
    /// `console.debug`.
    Debug,
    /// `console.log` and `console.info`.
    Info,
    /// `console.warn`.
    Warn,
    /// `console.error`.
    Error,
}

/// A line that a script wrote to its console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How important it is.
    pub level: LineLevel,
    /// What it says.
    pub text: String,
}

/// What came of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The result as JSON, or why there is none.
    pub result: Result<String, Failure>,
    /// What the script wrote to its console, as far as it was kept.
    pub lines: Vec<LogLine>,
    /// How many lines were not kept.
    pub dropped: u64,
}

/// Why a script has no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// It cannot be read.
    Syntax(SyntaxFault),
    /// It threw, or a promise that it waited for was rejected.
    Thrown(Thrown),
    /// It took longer than it may.
    Time,
    /// Its values took more room than they may.
    Memory,
    /// It waits for something that nobody will do.
    Forever,
    /// Its result is longer than it may be.
    OutputTooLarge {
        /// How long it would be, in bytes.
        bytes: u64,
    },
    /// Its result cannot be written as JSON.
    OutputInvalid {
        /// Why not.
        message: String,
    },
    /// Its input cannot be read as JSON.
    InputInvalid,
}

/// Where a script cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyntaxFault {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// What a script threw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thrown {
    /// The error's name, such as `TypeError`; empty when it threw something else than an error.
    pub name: String,
    /// What it says.
    pub message: String,
    /// Its property `code`, when that is a text.
    pub code: Option<String>,
    /// Where it was made, the innermost first; only places in the script itself.
    pub frames: Vec<Frame>,
}

/// A place in a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The function; empty for the script itself.
    pub function: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// The first words to a child, before it locks itself in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// The most that any job may set for its values, in bytes.
    pub(crate) most_memory: u64,
    /// The processor time after which the system ends the child whatever it does.
    pub(crate) cpu_seconds: u64,
    /// Whether it may go on with less than the full set of walls.
    pub(crate) allow_weaker: bool,
    /// Who started it. Another parent means that the real one is gone.
    pub(crate) parent: u32,
}

/// What a child answers to its setup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Hello {
    /// It is locked in and takes scripts.
    Ready(Walls),
    /// It could not lock itself in and takes none.
    Refused(String),
}

/// What a child is asked afterwards.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Execute this.
    Run(Job),
    /// Say whether this source can be read.
    Check(String),
}

/// What a child answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// To [`Ask::Run`].
    Ran(Report),
    /// To [`Ask::Check`].
    Checked(Option<SyntaxFault>),
}
