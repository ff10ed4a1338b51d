//! Walls that only Linux has.

use std::collections::BTreeMap;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, LandlockStatus, Ruleset, RulesetAttr as _,
    RulesetStatus, Scope,
};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Gives a script about a tenth of the weight of the server's own threads.
const NICENESS: i32 = 10;

/// Asks the system to end this process with the one that started it, and makes sure that it is still there.
pub(super) fn end_with_parent(parent: u32) -> Result<(), String> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|error| error.to_string())?;
    match u32::try_from(nix::unistd::getppid().as_raw()) {
        Ok(now) if now == parent => Ok(()),
        _ => Err("the parent has gone".to_owned()),
    }
}

/// Lets the server go first where both want the processor. It holds for the calling thread and for whom it starts.
pub(super) fn step_back() -> Result<(), String> {
    rustix::process::setpriority_process(None, NICENESS).map_err(|error| error.to_string())
}

pub(super) fn no_new_privileges() -> Result<(), String> {
    prctl::set_no_new_privs().map_err(|error| error.to_string())
}

/// No file, no port, no signal and no abstract socket, as far as the kernel knows these rules. Gives the version of the
/// rules that hold, 0 for none.
pub(super) fn landlock() -> u8 {
    let newest = ABI::V6;
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(newest))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(newest)))
        .and_then(|rules| rules.scope(Scope::from_all(newest)))
        .and_then(Ruleset::create);
    // What it cannot do, seccomp does: this wall is the second one.
    let Ok(status) = rules.and_then(landlock::RulesetCreated::restrict_self) else { return 0 };
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => 0,
        (_, LandlockStatus::Available { effective_abi, .. }) => (effective_abi as u8).min(newest as u8),
        _ => 0,
    }
}

/// Ends the process at any system call that is not on the list below.
pub(super) fn filter() -> Result<(), String> {
    let arch: TargetArch =
        std::env::consts::ARCH.try_into().map_err(|_| "there is no filter for this processor".to_owned())?;
    let rules = allowed().map_err(|error| error.to_string())?;
    let filter = SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)
        .map_err(|error| error.to_string())?;
    let program: BpfProgram = filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| error.to_string())
}

/// What an engine without a world needs: its pipes, memory that is never code, the clock for its time limit, and its end.
/// Nothing here takes a path, an address, or another process. A panic says which thread it is, hence `gettid`.
fn allowed() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    let is = |argument, value: u64| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
    let lacks =
        |argument, bit: u64| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bit), 0);
    let has =
        |argument, bit: u64| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bit), bit);
    let rule = |conditions| SeccompRule::new(conditions).map(|rule| vec![rule]);
    let executable = libc::PROT_EXEC as u64;
    let anonymous = libc::MAP_ANONYMOUS as u64;
    let output = vec![SeccompRule::new(vec![is(0, 1)?])?, SeccompRule::new(vec![is(0, 2)?])?];
    let mut calls = BTreeMap::from([
        (libc::SYS_read, rule(vec![is(0, 0)?])?),
        (libc::SYS_write, output.clone()),
        (libc::SYS_writev, output),
        (libc::SYS_mmap, rule(vec![lacks(2, executable)?, has(3, anonymous)?])?),
        (libc::SYS_mprotect, rule(vec![lacks(2, executable)?])?),
    ]);
    let plain = [
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_clock_gettime,
        libc::SYS_gettimeofday,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    calls.extend(plain.map(|call| (call, Vec::new())));
    Ok(calls)
}
