//! Walls that every Unix has.

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use nix::unistd;

use crate::message::Setup;

/// Descriptors that stay: the three pipes.
const KEPT: i32 = 3;
/// What a process may occupy beside the values of a script: the program itself, stacks, and what the allocator wastes.
const PROGRAM: u64 = 512 * 1024 * 1024;
/// The stack that scripts run on.
const STACK: u64 = 8 * 1024 * 1024;

/// A session and a process group of its own, so that no terminal and no signal for the parent's group reaches it.
pub(super) fn apart() -> Result<(), String> {
    match unistd::setsid() {
        // It leads a group already; then it has what this is for.
        Ok(_) | Err(nix::Error::EPERM) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Closes every descriptor but the three pipes, whoever forgot to.
pub(super) fn close_inherited() -> Result<(), String> {
    for descriptor in open_descriptors()? {
        if descriptor >= KEPT {
            // The one that listed the others is closed already.
            let _ = unistd::close(descriptor);
        }
    }
    match open_descriptors()?.into_iter().filter(|descriptor| *descriptor >= KEPT).count() {
        // The list itself.
        0 | 1 => Ok(()),
        more => Err(format!("{more} descriptors stay open")),
    }
}

fn open_descriptors() -> Result<Vec<i32>, String> {
    let folder = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    let list = std::fs::read_dir(folder).map_err(|error| format!("{folder}: {error}"))?;
    let names = list.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(names.collect())
}

/// The most it may use. Scripts have tighter limits of their own; these hold whatever becomes of the engine.
pub(super) fn limit(setup: &Setup) -> Result<(), String> {
    let (_, hard) = getrlimit(Resource::RLIMIT_STACK).map_err(|error| error.to_string())?;
    let stack = STACK.min(hard);
    if stack < STACK / 2 {
        return Err(format!("the stack may have {stack} bytes; scripts need {STACK}"));
    }
    let memory = PROGRAM.saturating_add(setup.most_memory.saturating_mul(2));
    for (resource, name, most) in [
        (Resource::RLIMIT_CORE, "core", 0),
        (Resource::RLIMIT_FSIZE, "file size", 0),
        (Resource::RLIMIT_NPROC, "processes", 0),
        (Resource::RLIMIT_STACK, "stack", stack),
        (Resource::RLIMIT_AS, "memory", memory),
        (Resource::RLIMIT_DATA, "data", memory),
        (Resource::RLIMIT_CPU, "processor time", setup.cpu_seconds),
        (Resource::RLIMIT_NOFILE, "descriptors", KEPT as rlim_t),
    ] {
        setrlimit(resource, most, most).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}
