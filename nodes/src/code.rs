//! Code of people, and where it runs.

use std::time::Duration;

use sandbox::{Health, Pool};

mod job;
pub(crate) mod js;

pub use js::Js;

/// The shortest time limit that can be set.
pub const LEAST_TIME: Duration = Duration::from_millis(10);
/// The least memory limit that can be set, in bytes; an empty script takes about a quarter of it.
pub const LEAST_MEMORY: u64 = 4 * 1024 * 1024;

/// Limits of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeLimits {
    /// How long code may take when its node does not say.
    pub time: Duration,
    /// The most time that a node may ask for.
    pub most_time: Duration,
    /// How much memory code may use when its node does not say, in bytes.
    pub memory: u64,
    /// The most memory that a node may ask for, in bytes.
    pub most_memory: u64,
    /// The longest input, as JSON in bytes.
    pub most_input: u64,
    /// The longest result, as JSON in bytes.
    pub most_output: u64,
}

impl Default for CodeLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(10),
            most_time: Duration::from_secs(60),
            memory: 64 * 1024 * 1024,
            most_memory: 256 * 1024 * 1024,
            most_input: 16 * 1024 * 1024,
            most_output: 16 * 1024 * 1024,
        }
    }
}

/// What a workspace's code may use at most, where that is less than what the server allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CodeCeiling {
    /// Time of one execution.
    pub time: Option<Duration>,
    /// Memory of one execution, in bytes.
    pub memory: Option<u64>,
}

impl CodeLimits {
    /// These limits under a ceiling.
    #[must_use]
    pub fn under(self, ceiling: CodeCeiling) -> Self {
        let most_time = ceiling.time.map_or(self.most_time, |time| time.min(self.most_time));
        let most_memory = ceiling.memory.map_or(self.most_memory, |memory| memory.min(self.most_memory));
        Self { time: self.time.min(most_time), most_time, memory: self.memory.min(most_memory), most_memory, ..self }
    }
}

/// Where code runs: children of this process that can reach nothing, or nowhere.
#[derive(Clone)]
pub struct CodeRoom {
    pool: Result<Pool, String>,
    limits: CodeLimits,
}

impl CodeRoom {
    /// In the children of this pool.
    pub fn new(pool: Pool, limits: CodeLimits) -> Self {
        Self { pool: Ok(pool), limits }
    }

    /// Nowhere, for this reason.
    pub fn closed(why: impl Into<String>) -> Self {
        Self { pool: Err(why.into()), limits: CodeLimits::default() }
    }
}

impl CodeRoom {
    /// Why code cannot be run; `None` when it can, or nobody knows yet.
    fn trouble(&self) -> Option<String> {
        match &self.pool {
            Err(why) => Some(why.clone()),
            Ok(pool) => match pool.health() {
                Health::Unavailable(why) => Some(why),
                Health::Unknown | Health::Ready(_) => None,
            },
        }
    }
}
