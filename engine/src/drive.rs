//! Many runs on one process, without I/O.

pub mod batch;
