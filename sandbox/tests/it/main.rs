//! The sandbox from outside: real children, attacked and overloaded.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, unreachable_pub)]

#[cfg(unix)]
mod escape;
#[cfg(unix)]
mod limit;
#[cfg(unix)]
mod place;
#[cfg(unix)]
mod pool;
#[cfg(unix)]
mod pure;
#[cfg(target_os = "linux")]
mod wall;
