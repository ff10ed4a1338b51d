//! Walls: what a child takes from itself before it reads the first script.
//!
//! The order matters. Descriptors first, because landlock needs one of its own; then the limit that no more may be
//! opened, under which the C library finds no time zone and takes UTC; the filter of system calls last, because it
//! forbids everything that the others need.

use serde::{Deserialize, Serialize};

use crate::message::Setup;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(unix)]
mod unix;

/// What holds a child in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walls {
    /// It has no descriptors but three pipes, a session of its own, and limits on what it may use.
    pub limits: bool,
    /// It can never gain a right that it does not have.
    pub no_new_privileges: bool,
    /// Any system call off a short list ends it.
    pub seccomp: bool,
    /// The version of landlock's rules under which it may touch no file, bind or reach no port; 0 where the kernel has
    /// none.
    pub landlock: u8,
    /// It ends when its parent does.
    pub ends_with_parent: bool,
}

impl Walls {
    /// Whether a child behind them can reach nothing. Landlock is a second wall behind seccomp, so an old kernel without
    /// it will do.
    pub fn are_whole(&self) -> bool {
        self.limits && self.no_new_privileges && self.seccomp && self.ends_with_parent
    }
}

/// A wall that does not stand.
#[derive(Debug, thiserror::Error)]
#[error("{wall} could not be set up: {cause}")]
pub(crate) struct Refusal {
    wall: &'static str,
    cause: String,
}

impl Refusal {
    fn of(wall: &'static str) -> impl Fn(String) -> Self {
        move |cause| Self { wall, cause }
    }
}

/// Takes less of the processor for this thread and the children that it starts, so that their start, too, holds nobody up.
pub(crate) fn step_back() {
    // Where it cannot be had, a child asks again and says so.
    #[cfg(target_os = "linux")]
    let _ = linux::step_back();
}

/// Locks this process in. `warm_up` is called when nothing can be opened any more, but calls are not filtered yet.
pub(crate) fn lock(setup: &Setup, warm_up: impl FnOnce() -> Result<(), String>) -> Result<Walls, Refusal> {
    let mut walls = Walls::default();
    let mut missing = Vec::new();
    #[cfg(unix)]
    {
        unix::apart().map_err(Refusal::of("a session of its own"))?;
        unix::close_inherited().map_err(Refusal::of("closing what was inherited"))?;
    }
    #[cfg(target_os = "linux")]
    {
        linux::end_with_parent(setup.parent).map_err(Refusal::of("ending with the parent"))?;
        walls.ends_with_parent = true;
        linux::step_back().map_err(Refusal::of("a lower priority"))?;
        linux::no_new_privileges().map_err(Refusal::of("no new privileges"))?;
        walls.no_new_privileges = true;
        walls.landlock = linux::landlock();
    }
    #[cfg(unix)]
    {
        unix::limit(setup).map_err(Refusal::of("limits"))?;
        walls.limits = true;
    }
    warm_up().map_err(Refusal::of("the first runtime"))?;
    #[cfg(target_os = "linux")]
    match linux::filter() {
        Ok(()) => walls.seccomp = true,
        Err(cause) => missing.push(cause),
    }
    if walls.are_whole() || setup.allow_weaker {
        return Ok(walls);
    }
    missing.push("this system has no filter of system calls that the sandbox knows".to_owned());
    Err(Refusal { wall: "the filter of system calls", cause: missing.swap_remove(0) })
}
