//! Nodes that tell other workflows what happened.

pub(crate) mod publish;
