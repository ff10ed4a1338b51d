//! The rules of FlowForge: what a workflow is and what a run may do next.
//!
//! Nothing here does I/O, asks for the time, draws a random number or awaits anything. Whatever comes from outside is
//! an argument, so that the simulator and production run the same code.

pub mod audit;
pub mod catalog;
pub mod definition;
pub mod drive;
pub mod error;
pub mod expression;
pub mod graph;
pub mod id;
pub mod listen;
pub mod policy;
pub mod port;
pub mod retry;
pub mod run;
pub mod schedule;
pub mod scope;
pub mod sensitive;
pub mod signature;
pub mod time;
pub mod value;
