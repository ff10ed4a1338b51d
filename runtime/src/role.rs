//! The loops of a process beside its driver: show that it lives, take what is free or left behind, read the mail,
//! number what happened, watch the clock, tell triggers what happened, start what waits.

pub(crate) mod backfill;
pub(crate) mod heartbeat;
pub(crate) mod inner;
pub(crate) mod leader;
pub(crate) mod mail;
pub(crate) mod notifier;
pub(crate) mod relay;
pub(crate) mod scheduler;
pub(crate) mod starter;
pub(crate) mod taker;
pub(crate) mod tidy;
