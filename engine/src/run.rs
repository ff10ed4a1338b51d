//! The rules of one run.

pub mod event;
pub mod status;
