//! Runs people's JavaScript in child processes that can reach nothing.
//!
//! A [`Pool`] keeps children: the same program, started anew with an empty environment and nothing but three pipes. A
//! child takes every right from itself, says so, and is believed only once the system says the same of it. Then it
//! executes one script at a time, each in a QuickJS runtime of its own, which is thrown away afterwards. What a child
//! says is data from a stranger: frames are bounded, and one that makes no sense costs the child its life.
//!
//! Everything a script could learn that is not its input is given to it: the time, and the seed of its randomness. So
//! the same [`Job`] has the same [`Report`] wherever it is executed.

mod child;
mod frame;
mod keeper;
mod lockdown;
mod message;
mod place;
mod pool;
mod process;
mod script;
mod world;

pub use child::child;
pub use lockdown::Walls;
pub use message::{
    Failure, Frame, Job, LineLevel, LogLine, MOST_LOG_BYTES, MOST_LOG_LINES, MOST_SOURCE_BYTES, Report, SyntaxFault,
    Thrown,
};
pub use pool::{Health, Pool, PoolConfig, RunError};
