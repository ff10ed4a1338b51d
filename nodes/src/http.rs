//! Nodes that speak HTTP.

pub(crate) mod header;
pub(crate) mod request;
pub(crate) mod respond;
