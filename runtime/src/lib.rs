//! Drives runs: carries out what `engine::drive` decides, over a database, a blob store and the node types.

pub mod again;
pub mod arrival;
pub mod artifact;
pub mod binding;
pub mod blob;
pub mod clock;
pub mod crash;
pub mod database;
pub mod definition;
mod driver;
mod egress;
pub mod event;
mod executor;
pub mod figure;
mod intake;
pub mod journal;
mod message;
pub mod notification;
mod quota;
mod rebuild;
mod refusal;
mod role;
mod runtime;
pub mod secret;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod trace;
pub mod value;
mod work;

pub use database::{Database, DatabaseKind, is_unusable_text};
pub use quota::{Bound, Quota, QuotaExceeded, Usage};
pub use role::scheduler::{AskedStart, Forbidden, Gate, GateAnswer};
pub use runtime::{
    Health, Mode, OpenError, Parts, PersonSays, PostError, ReadError, Runtime, RuntimeConfig, StartError, StartRun,
    Started, TriggerKind,
};
pub use value::ValueError;
