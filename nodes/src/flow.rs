//! Nodes that decide where a run goes and when. All of them are pure.

pub(crate) mod fail;
pub(crate) mod if_else;
pub(crate) mod merge;
pub(crate) mod switch;
pub(crate) mod wait;
