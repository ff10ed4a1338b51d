//! `[sandbox]`: where code of people runs, and what it may use.

use std::path::PathBuf;
use std::time::Duration;

use nodes::code::CodeLimits;

use super::Fault;
use super::reader::Reader;
use super::server::duration;

const MEBIBYTE: u64 = 1024 * 1024;
/// The shortest time limit that makes sense.
const LEAST_TIME: Duration = Duration::from_millis(10);
/// The longest: a child is replaced after ten minutes of work.
const MOST_TIME: Duration = Duration::from_secs(300);

/// How code runs here.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// What is started as a process for code: a program and its argument. No setting: whoever embeds the server says what
    /// of theirs calls [`sandbox::child`]. Without it, no code runs.
    pub program: Option<(PathBuf, String)>,
    /// `enabled`: whether code runs here at all; true by default.
    pub enabled: bool,
    /// `processes`: most scripts at once, 1 to 256; by default one less than there are processors, so that scripts never
    /// have them all.
    pub processes: usize,
    /// `idle`: how long a process for code waits for more before it ends, 1 s to 1 h; 30 s by default.
    pub idle: Duration,
    /// `allow_weaker`: whether code runs where this system cannot lock its processes in wholly; false by default. Only for
    /// code that is trusted like the server itself.
    pub allow_weaker: bool,
    /// `time_limit`, `max_time_limit`, `memory_limit`, `max_memory_limit`, `max_input`, `max_output`: what code may use;
    /// times as `10s`, all else in MiB.
    pub limits: CodeLimits,
}

impl SandboxConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let usual = CodeLimits::default();
        let mut mebibytes =
            |key, bytes: u64| reader.value(key, bytes / MEBIBYTE, "a number of MiB").saturating_mul(MEBIBYTE);
        let (memory, most_memory) =
            (mebibytes("memory_limit", usual.memory), mebibytes("max_memory_limit", usual.most_memory));
        let (most_input, most_output) =
            (mebibytes("max_input", usual.most_input), mebibytes("max_output", usual.most_output));
        Self {
            program: None,
            enabled: reader.value("enabled", true, "true or false"),
            processes: reader.value("processes", sandbox::PoolConfig::usual_processes(), "a number"),
            idle: reader.parsed("idle", Duration::from_secs(30), duration),
            allow_weaker: reader.value("allow_weaker", false, "true or false"),
            limits: CodeLimits {
                time: reader.parsed("time_limit", usual.time, duration),
                most_time: reader.parsed("max_time_limit", usual.most_time, duration),
                memory,
                most_memory,
                most_input,
                most_output,
            },
        }
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        let limits = &self.limits;
        let mut expect = |fits: bool, key: &str, message: &str| {
            if !fits {
                faults.push(Fault::new(format!("sandbox.{key}"), message));
            }
        };
        expect((1..=256).contains(&self.processes), "processes", "must be 1 to 256");
        let idle = Duration::from_secs(1)..=Duration::from_secs(3_600);
        expect(idle.contains(&self.idle), "idle", "must be 1s to 1h");
        expect((LEAST_TIME..=MOST_TIME).contains(&limits.most_time), "max_time_limit", "must be 10ms to 5m");
        expect((LEAST_TIME..=limits.most_time).contains(&limits.time), "time_limit", "must be 10ms to max_time_limit");
        let memory = 8 * MEBIBYTE..=4_096 * MEBIBYTE;
        expect(memory.contains(&limits.most_memory), "max_memory_limit", "must be 8 to 4096 MiB");
        let memory = 4 * MEBIBYTE..=limits.most_memory;
        expect(memory.contains(&limits.memory), "memory_limit", "must be 4 MiB to max_memory_limit");
        let values = MEBIBYTE..=64 * MEBIBYTE;
        expect(values.contains(&limits.most_input), "max_input", "must be 1 to 64 MiB");
        expect(values.contains(&limits.most_output), "max_output", "must be 1 to 64 MiB");
    }
}
