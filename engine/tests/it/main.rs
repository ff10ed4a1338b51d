//! The rule book as specs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    unreachable_pub
)]

mod check;
mod cost;
mod fuzz;
mod golden;
mod play;
mod reuse;
mod rules;
