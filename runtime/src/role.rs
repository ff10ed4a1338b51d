//! The loops of a process beside its driver: show that it lives, take what is free or left behind, read the mail.

pub(crate) mod heartbeat;
pub(crate) mod mail;
pub(crate) mod taker;
pub(crate) mod tidy;
