//! The sandbox from outside: real children, attacked and overloaded.

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
