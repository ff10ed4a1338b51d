//! Nodes that start runs. What starts one is handled outside; the node hands the run's input on.

pub(crate) mod event;
pub(crate) mod manual;
pub(crate) mod schedule;
pub(crate) mod webhook;
