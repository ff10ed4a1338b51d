//! `[runtime]`: how this process drives runs.

use std::time::Duration;

use super::Fault;
use super::reader::Reader;
use super::server::duration;

/// The shortest lease that a busy machine can hold.
const SHORTEST_LEASE: Duration = Duration::from_millis(200);
/// Longer leases would leave runs without a driver for too long.
const LONGEST_LEASE: Duration = Duration::from_secs(300);

/// The driver's settings.
#[derive(Debug, Clone)]
pub struct RuntimeSection {
    /// `drive`: whether this process drives runs at all; true by default. A process without only answers.
    pub drive: bool,
    /// `lease`: how long a silent driver keeps its runs, 200 ms to 5 min; 5 s by default.
    pub lease: Duration,
    /// `worker_name`: what this process is called in logs and tables; `flowforge` by default.
    pub worker_name: Option<String>,
    /// `max_concurrent_effects`: most node attempts under way at once, 1 to 10,000; 256 by default.
    pub max_concurrent_effects: usize,
}

impl RuntimeSection {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            drive: reader.value("drive", true, "true or false"),
            lease: reader.parsed("lease", Duration::from_secs(5), duration),
            worker_name: reader.text("worker_name").filter(|name| !name.is_empty()),
            max_concurrent_effects: reader.value("max_concurrent_effects", 256, "a number"),
        }
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&self.lease) {
            faults.push(Fault::new("runtime.lease", "must be 200ms to 5m"));
        }
        if !(1..=10_000).contains(&self.max_concurrent_effects) {
            faults.push(Fault::new("runtime.max_concurrent_effects", "must be 1 to 10000"));
        }
    }
}
