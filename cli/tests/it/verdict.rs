//! What must hold between the ledger, the readers, and the moments at which processes were killed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use reqwest::Method;

use crate::home::Server;
use crate::ledger::{Call, Effect, Ledger, Outcome};
use crate::witness::{Place, Shown};

/// Between an answer and the commit of what came of it, and between the commit of a start and the call, a kill leaves
/// no trace outside. Commits on a busy machine take this long.
const UNSEEN: Duration = Duration::from_millis(700);

/// One kill: the process died between the two moments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill {
    pub(crate) asked: Instant,
    pub(crate) gone: Instant,
}

/// The moments of all kills.
#[derive(Debug, Clone)]
pub(crate) struct Kills {
    pub(crate) all: Vec<Kill>,
    /// Whether one process made every call, so that a kill hits whatever is in flight.
    sole: bool,
}

impl Kills {
    /// Of so many processes that live at a time.
    pub(crate) fn of(processes: usize) -> Self {
        Self { all: Vec::new(), sole: processes == 1 }
    }

    /// Kills a process and notes when.
    pub(crate) fn kill(&mut self, server: &mut Server) {
        let asked = Instant::now();
        server.kill();
        self.all.push(Kill { asked, gone: Instant::now() });
    }

    /// A process that ended by itself, at some moment since `asked`.
    pub(crate) fn ended(&mut self, asked: Instant) {
        self.all.push(Kill { asked, gone: Instant::now() });
    }

    /// Whether a process may have died between two moments.
    fn between(&self, from: Instant, to: Instant) -> bool {
        self.all.iter().any(|kill| kill.gone >= from && kill.asked <= to)
    }

    /// Whether the caller surely died during the call.
    fn hit(&self, call: &Call) -> bool {
        match call.outcome {
            Outcome::Aborted => true,
            Outcome::Answered(_, at) => {
                self.sole && self.all.iter().any(|kill| kill.asked >= call.arrived && kill.gone <= at)
            }
            Outcome::InFlight => false,
        }
    }

    /// How far from a call the next kill was, for people who look for a fault.
    fn distance(&self, call: Option<&Call>) -> String {
        let Some(call) = call else { return "no call".to_owned() };
        let end = match call.outcome {
            Outcome::Answered(_, at) => at,
            Outcome::InFlight | Outcome::Aborted => call.arrived,
        };
        let later = self.all.iter().filter(|kill| kill.gone >= call.arrived).map(|kill| kill.asked).min();
        let later = later.map(|asked| asked.saturating_duration_since(end));
        format!("{call:?}, the next kill {later:?} after it")
    }

    /// Whether the caller may have died during the call or before it had stored what came of it.
    fn excuse(&self, call: &Call) -> Option<Seen> {
        match call.outcome {
            Outcome::Aborted => Some(Seen::InFlight),
            Outcome::Answered(_, at) if self.between(call.arrived, at) => Some(Seen::InFlight),
            Outcome::Answered(_, at) if self.between(call.arrived, at + UNSEEN) => Some(Seen::After),
            Outcome::Answered(..) | Outcome::InFlight => None,
        }
    }
}

/// What the ledger can know of a call whose caller died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// The caller died during the call.
    InFlight,
    /// It died shortly after the answer.
    After,
    /// It died before the call came.
    Before,
}

/// POSTs without a header that the service honors must not be repeated; the workload names them so.
pub(crate) fn is_effectful(effect: &Effect) -> bool {
    effect.node == "pay"
}

/// What an uncertain node run stands for.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
pub(crate) struct Uncertain {
    /// The caller died while the ledger worked on its call.
    pub(crate) in_flight: usize,
    /// The caller died between the answer and the commit of what came of it.
    pub(crate) after: usize,
    /// The caller died between the commit of the start and the call.
    pub(crate) before: usize,
}

/// Every call of every effect against the promises. `retried` are effects that a person had done again.
pub(crate) fn of_calls(ledger: &Ledger, kills: &Kills, retried: &BTreeSet<Effect>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (effect, calls) in ledger.by_effect() {
        let keys: BTreeSet<&Option<String>> = calls.iter().map(|call| &call.key).collect();
        let keyless = calls[0].method != Method::GET && keys.contains(&None);
        if keys.len() > 1 || keyless {
            complaints.push(format!("{effect:?} came with the keys {keys:?}"));
        }
        let done: Vec<&Call> = calls.iter().filter(|call| !call.was_refused()).collect();
        if is_effectful(&effect) {
            let most = 1 + usize::from(retried.contains(&effect));
            if done.len() > most {
                complaints.push(format!("{effect:?} was called {} times: {done:?}", done.len()));
            }
            continue;
        }
        for call in done.iter().take(done.len().saturating_sub(1)) {
            if kills.excuse(call).is_none() {
                let how = kills.distance(Some(call));
                complaints.push(format!("{effect:?} was called again though nothing was killed: {how}"));
            }
        }
    }
    complaints
}

/// Uncertain node runs against the ledger, in both directions.
pub(crate) fn of_uncertain(ledger: &Ledger, kills: &Kills, uncertain: &BTreeSet<Effect>) -> (Uncertain, Vec<String>) {
    let mut counted = Uncertain::default();
    let mut complaints = Vec::new();
    let calls = ledger.by_effect();
    for effect in uncertain {
        let last = calls.get(effect).and_then(|calls| calls.last());
        let seen = match last.map(|call| (kills.excuse(call), call.was_refused())) {
            Some((Some(seen), _)) => Some(seen),
            Some((None, false)) => None,
            // The call never came: the caller died between the commit of its start and the call.
            Some((None, true)) | None => Some(Seen::Before),
        };
        match seen.filter(|_| is_effectful(effect)) {
            Some(Seen::InFlight) => counted.in_flight += 1,
            Some(Seen::After) => counted.after += 1,
            Some(Seen::Before) => counted.before += 1,
            None => {
                let how = kills.distance(last);
                complaints.push(format!("{effect:?} is uncertain though nothing was in flight at a kill: {how}"));
            }
        }
    }
    for (effect, calls) in calls.iter().filter(|(effect, _)| is_effectful(effect)) {
        if calls.iter().any(|call| kills.hit(call)) && !uncertain.contains(effect) {
            complaints.push(format!("{effect:?} was in flight at a kill and is not uncertain: {calls:?}"));
        }
    }
    (counted, complaints)
}

/// No call may come of a node that somebody was shown to have ended.
pub(crate) fn of_shown(
    ledger: &Ledger,
    shown: &BTreeMap<Place, Shown>,
    keys: &BTreeMap<String, String>,
) -> Vec<String> {
    let runs: BTreeMap<&String, &String> = keys.iter().map(|(run, key)| (key, run)).collect();
    let mut complaints = Vec::new();
    for call in ledger.calls() {
        let Some(run) = runs.get(&call.effect.run) else {
            complaints.push(format!("nobody started {:?}", call.effect));
            continue;
        };
        let place = ((*run).clone(), call.effect.node.clone(), call.effect.item.replace('-', ""));
        if let Some(shown) = shown.get(&place).filter(|shown| shown.at < call.arrived) {
            complaints
                .push(format!("{call:?} came {:?} after its node was shown to have ended", call.arrived - shown.at));
        }
    }
    complaints
}

/// Fails with the first complaints, when there are any.
pub(crate) fn none(what: &str, complaints: &[String]) {
    let first: Vec<&String> = complaints.iter().take(5).collect();
    assert!(complaints.is_empty(), "{what}: {} complaints, such as {first:#?}", complaints.len());
}
