//! Nodes that shape data. All of them are pure.

pub(crate) mod aggregate;
pub(crate) mod filter;
pub(crate) mod order;
pub(crate) mod set;
