//! Reads of what runs left behind. Nothing here writes.

pub(crate) mod egress;
pub mod feed;
pub mod journal;
pub(crate) mod quota;
pub mod run;
pub mod test_run;
pub mod value;
pub mod variable;
