//! Nodes that write down what a run does.

pub(crate) mod write;
