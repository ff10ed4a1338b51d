//! The loops of a process beside its driver: show that it lives, take what is free or left behind, read the mail,
//! number what happened.

pub(crate) mod heartbeat;
pub(crate) mod mail;
pub(crate) mod relay;
pub(crate) mod taker;
pub(crate) mod tidy;
