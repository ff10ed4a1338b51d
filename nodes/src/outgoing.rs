//! Outgoing HTTP under a policy (to be written by the nodes work).

/// The way out.
pub struct Outgoing;
