//! Runs on real databases, through the real driver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, unreachable_pub)]

mod commit;
mod cost;
mod golden;
mod home;
mod values;
mod wall;
