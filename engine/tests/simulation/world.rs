//! Three processes, one database, a network that loses, repeats, delays and reorders, and an outside that keeps a ledger.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use engine::catalog::EffectClass;
use engine::drive::batch::{Batch, BatchId, FlushOutcome};
use engine::drive::{CreatedRun, DriveConfig, Driver, Evicted, Input, Output, WorkId};
use engine::error::ErrorInfo;
use engine::graph::Graph;
use engine::id::{InboxId, RunId};
use engine::run::event::{Event, NodeIx, NodeRunRef, SignalName, WaitFor};
use engine::run::reuse::{Earlier, Preparation, Retry};
use engine::run::step::Effect;
use engine::scope::Scope;
use engine::time::Timestamp;
use engine::value::{Digest, ValueKind, ValueRef};
use uuid::Uuid;

use crate::database::Database;
use crate::random::Random;
use crate::workload::random_workflow;

const DRIVERS: usize = 3;
const LEASE: u64 = 5_000_000;
/// Faults stop here; afterwards everything must come to its end.
const QUIET_AT: u64 = 60_000_000;
const END_AT: u64 = 400_000_000;

/// Something that reaches a process or the database at a time.
enum Arrival {
    Input {
        driver: usize,
        life: u64,
        input: Box<dyn FnOnce() -> Input>,
    },
    Flush {
        driver: usize,
        life: u64,
        batch: Batch,
        answer: Answer,
    },
    ReadHeads {
        driver: usize,
        life: u64,
        runs: Vec<(RunId, Option<i64>)>,
    },
    CallEnds {
        driver: usize,
        life: u64,
        run: RunId,
        work: WorkId,
        fact: Event,
        call: Option<usize>,
    },
    Beat {
        driver: usize,
        life: u64,
    },
    Look {
        driver: usize,
        life: u64,
    },
    Post {
        run: RunId,
        fact: Event,
    },
    /// Somebody tries a run again, once it has ended.
    Retry {
        run: RunId,
        tries: u32,
    },
    Crash {
        driver: usize,
    },
    Restart {
        driver: usize,
    },
    Pause {
        driver: usize,
        until: u64,
    },
    Drain {
        driver: usize,
    },
    Wake {
        driver: usize,
        life: u64,
    },
}

/// What a process hears of its flush.
#[derive(Clone, Copy)]
enum Answer {
    Told,
    Unknown,
}

struct Process {
    driver: Driver,
    life: u64,
    is_up: bool,
    is_draining: bool,
    paused_until: u64,
    beat: u64,
    last_beat_at: u64,
    has_lease: bool,
    /// Beat counters of the others and since when they stand still, by the own clock.
    seen: BTreeMap<usize, (u64, u64, u64)>,
    /// Calls under way, so that a crash leaves them in doubt.
    calls: BTreeSet<usize>,
}

/// One call that reached the outside.
pub(crate) struct Call {
    pub run: RunId,
    pub at: NodeRunRef,
    pub attempt: u32,
    pub key: (Uuid, String, Scope, u32),
    /// Whether its process was lost before its answer was taken.
    pub was_cut: bool,
    pub was_answered: bool,
}

pub(crate) struct World {
    pub database: Database,
    pub ledger: Vec<Call>,
    pub trace: Vec<String>,
    random: Random,
    now: u64,
    processes: Vec<Process>,
    arrivals: BinaryHeap<Reverse<(u64, u64)>>,
    contents: BTreeMap<u64, Arrival>,
    last_arrival: u64,
    last_id: u128,
}

fn config() -> DriveConfig {
    DriveConfig { dormant_after: Duration::from_secs(3), ..DriveConfig::default() }
}

fn value(random: &mut Random) -> ValueRef {
    let number = random.next();
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_le_bytes());
    ValueRef {
        digest: Digest(digest),
        len: if random.chance(5) { 100_000 } else { 20 },
        kind: ValueKind::Object,
        inline: None,
    }
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        let process = |_| Process {
            driver: Driver::new(config()),
            life: 1,
            is_up: true,
            is_draining: false,
            paused_until: 0,
            beat: 0,
            last_beat_at: 0,
            has_lease: true,
            seen: BTreeMap::new(),
            calls: BTreeSet::new(),
        };
        let mut world = Self {
            database: Database::default(),
            ledger: Vec::new(),
            trace: Vec::new(),
            random,
            now: 1_000_000,
            processes: (0..DRIVERS).map(process).collect(),
            arrivals: BinaryHeap::new(),
            contents: BTreeMap::new(),
            last_arrival: 0,
            last_id: 0,
        };
        world.plan();
        world
    }

    /// Draws the runs, the messages and the faults.
    fn plan(&mut self) {
        for driver in 0..DRIVERS {
            self.later(0, Arrival::Beat { driver, life: 1 });
            self.later(500_000, Arrival::Look { driver, life: 1 });
        }
        let runs = self.random.between(2, 6);
        for _ in 0..runs {
            self.start_run();
        }
        for _ in 0..self.random.between(2, 14) {
            let driver = self.random.below(DRIVERS as u64) as usize;
            let at = self.random.below(QUIET_AT - 10_000_000) / if self.random.chance(70) { 20 } else { 1 };
            match self.random.below(10) {
                0..=5 => {
                    self.later(at, Arrival::Crash { driver });
                    let back = at + self.random.below(9_000_000);
                    self.later(back, Arrival::Restart { driver });
                }
                6..=7 => {
                    let until = self.now + at + self.random.below(12_000_000);
                    self.later(at, Arrival::Pause { driver, until });
                }
                _ => {
                    self.later(at, Arrival::Drain { driver });
                    let back = at + 1_000_000 + self.random.below(9_000_000);
                    self.later(back, Arrival::Restart { driver });
                }
            }
        }
        for driver in 0..DRIVERS {
            self.later(QUIET_AT, Arrival::Restart { driver });
        }
    }

    fn start_run(&mut self) {
        let graph = Arc::new(random_workflow(&mut self.random));
        let id = RunId(self.id());
        let driver = self.random.below(DRIVERS as u64) as usize;
        let at = Timestamp(self.now as i64);
        let trigger = graph.find("start").unwrap();
        let created =
            Event::RunCreated { trigger, input: value(&mut self.random), origin: id.0, prepared: 0, vars: None };
        let head_digest = self.database.create(id, graph.clone(), driver, at, vec![created.clone()], None);
        let run = CreatedRun { id, graph, epoch: 1, at, created, head_digest };
        self.input(driver, 0, move || Input::Created(Box::new(run)));
        for _ in 0..self.random.below(3) {
            let delay = self.random.below(30_000_000);
            self.later(delay, Arrival::Retry { run: id, tries: 10 });
        }
        for _ in 0..self.random.below(6) {
            let delay = self.random.below(20_000_000);
            let fact = if self.random.chance(20) {
                Event::CancelRequested { by: "somebody".into(), reason: String::new(), force: self.random.chance(30) }
            } else {
                let signal = SignalName { name: "go".into(), key: String::new() };
                Event::SignalReceived { signal, payload: value(&mut self.random), kept: None }
            };
            self.later(delay, Arrival::Post { run: id, fact });
        }
    }

    /// A new run from one of the nodes of one that has ended, perhaps with another input for it.
    fn retry(&mut self, of: RunId, tries: u32) {
        if !self.database.runs[&of].status.is_final() {
            if tries > 0 {
                self.later(5_000_000, Arrival::Retry { run: of, tries: tries - 1 });
            }
            return;
        }
        let graph = self.graph(of);
        let was = self.database.load(of).replayed.run;
        let same: BTreeSet<String> = graph.nodes().map(|(_, node)| node.key.clone()).collect();
        let from = self.random.below(graph.len() as u64 + 1) as u32;
        let input = self.random.chance(20).then(|| value(&mut self.random));
        let retry = Retry {
            earlier: Earlier { id: of, graph: &graph, run: &was },
            graph: &graph,
            same: &same,
            trigger: was.trigger().unwrap(),
            from: (from < graph.len() as u32).then_some(NodeIx(from)),
            input,
        };
        let Ok(Preparation { origin, input, facts }) = retry.prepare() else { return };
        let id = RunId(self.id());
        self.note(format!("{id} tries {of} again from {from}: {} facts", facts.len()));
        let created = Event::RunCreated {
            trigger: was.trigger().unwrap(),
            input,
            origin: origin.unwrap_or(id.0),
            prepared: facts.len() as u32,
            vars: None,
        };
        let (driver, at) = (self.random.below(DRIVERS as u64) as usize, Timestamp(self.now as i64));
        let begun = std::iter::once(created).chain(facts).collect();
        self.database.create(id, graph, driver, at, begun, Some(of));
        let loaded = self.database.load(id);
        self.input(driver, 0, move || Input::Loaded(Box::new(loaded)));
    }

    fn id(&mut self) -> Uuid {
        self.last_id += 1;
        Uuid::from_u128(self.last_id)
    }

    fn later(&mut self, delay: u64, arrival: Arrival) {
        self.last_arrival += 1;
        self.arrivals.push(Reverse((self.now + delay, self.last_arrival)));
        self.contents.insert(self.last_arrival, arrival);
    }

    fn input(&mut self, driver: usize, delay: u64, input: impl FnOnce() -> Input + 'static) {
        let life = self.processes[driver].life;
        self.later(delay, Arrival::Input { driver, life, input: Box::new(input) });
    }

    fn is_quiet(&self) -> bool {
        self.now >= QUIET_AT
    }

    fn note(&mut self, text: String) {
        self.trace.push(format!("{:>12} {text}", self.now));
    }

    /// Runs until every run has ended or waits for a person, or time is up.
    pub(crate) fn run(&mut self) {
        while let Some(Reverse((at, number))) = self.arrivals.pop() {
            self.now = self.now.max(at);
            if self.now > END_AT || (self.is_quiet() && self.all_rest()) {
                return;
            }
            let arrival = self.contents.remove(&number).unwrap();
            self.arrive(arrival);
        }
    }

    pub(crate) fn all_rest(&self) -> bool {
        self.database.runs.iter().all(|(id, row)| row.status.is_final() || self.waits_for_somebody(*id))
    }

    /// Only a person or a signal that nobody will send moves it on.
    pub(crate) fn waits_for_somebody(&self, run: RunId) -> bool {
        let row = &self.database.runs[&run];
        row.inbox.is_empty() && row.wake_at.is_none() && row.owner.is_none()
    }

    fn arrive(&mut self, arrival: Arrival) {
        // A stopped process reads what reached it once it goes on.
        if let Some((driver, life)) = addressee(&arrival) {
            let process = &self.processes[driver];
            if !process.is_up || process.life != life {
                return;
            }
            if process.paused_until > self.now {
                let delay = process.paused_until - self.now + self.random.below(50_000);
                return self.later(delay, arrival);
            }
        }
        match arrival {
            Arrival::Input { driver, input, .. } => self.drive(driver, input()),
            Arrival::Wake { driver, .. } => self.poll(driver),
            Arrival::Flush { driver, life, batch, answer } => self.commit(driver, life, batch, answer),
            Arrival::ReadHeads { driver, life, runs } => self.read_heads(driver, life, runs),
            Arrival::CallEnds { driver, run, work, fact, call, .. } => {
                if let Some(call) = call {
                    self.processes[driver].calls.remove(&call);
                    self.ledger[call].was_answered = true;
                }
                self.drive(driver, Input::Done { run, work, fact });
            }
            Arrival::Beat { driver, life } => self.beat(driver, life),
            Arrival::Look { driver, life } => self.look(driver, life),
            Arrival::Post { run, fact } => self.post(run, fact),
            Arrival::Retry { run, tries } => self.retry(run, tries),
            Arrival::Crash { driver } => self.crash(driver),
            Arrival::Restart { driver } => self.restart(driver),
            Arrival::Pause { driver, until } => {
                if !self.is_quiet() {
                    self.note(format!("pause {driver} until {until}"));
                    self.processes[driver].paused_until = until;
                }
            }
            Arrival::Drain { driver } => {
                if self.processes[driver].is_up {
                    self.note(format!("drain {driver}"));
                    self.processes[driver].is_draining = true;
                    self.drive(driver, Input::Drain { force: false });
                }
            }
        }
    }

    fn crash(&mut self, driver: usize) {
        self.note(format!("crash {driver}"));
        let process = &mut self.processes[driver];
        process.is_up = false;
        process.life += 1;
        process.driver = Driver::new(config());
        process.paused_until = 0;
        for call in std::mem::take(&mut process.calls) {
            self.ledger[call].was_cut = true;
        }
    }

    /// A new process: a lost one's runs are found by their standing beat.
    fn restart(&mut self, driver: usize) {
        if self.processes[driver].is_up && !self.processes[driver].is_draining {
            return;
        }
        self.crash(driver);
        self.note(format!("restart {driver}"));
        let now = self.now;
        let process = &mut self.processes[driver];
        process.is_up = true;
        process.is_draining = false;
        process.has_lease = true;
        process.last_beat_at = now;
        process.beat += 1;
        process.seen.clear();
        let life = process.life;
        // It comes back under the same name only here; its own runs of an earlier life are taken like a stranger's.
        let own = self.database.adopt(driver, driver);
        self.load(driver, own);
        self.later(0, Arrival::Beat { driver, life });
        self.later(200_000, Arrival::Look { driver, life });
    }

    fn beat(&mut self, driver: usize, life: u64) {
        let now = self.now;
        let process = &mut self.processes[driver];
        process.beat += 1;
        process.last_beat_at = now;
        let was_lost = !std::mem::replace(&mut process.has_lease, true);
        if was_lost {
            self.drive(driver, Input::LeaseRegained);
        }
        self.later(LEASE / 5, Arrival::Beat { driver, life });
    }

    /// What a process does every half second: look after lost ones, take what is free, read its mail.
    fn look(&mut self, driver: usize, life: u64) {
        self.later(500_000, Arrival::Look { driver, life });
        for other in (0..DRIVERS).filter(|other| *other != driver) {
            let beat = self.processes[other].beat;
            let now = self.now;
            let seen = self.processes[driver].seen.entry(other).or_insert((beat, now, now));
            // After a gap of its own it waits a whole lease again.
            if seen.0 != beat || now - seen.2 > 2_000_000 {
                *seen = (beat, now, now);
            }
            seen.2 = now;
            if now - seen.1 > LEASE {
                let taken = self.database.adopt(driver, other);
                if !taken.is_empty() {
                    self.note(format!("{driver} adopts {taken:?} of {other}"));
                }
                self.load(driver, taken);
            }
        }
        if self.processes[driver].is_draining {
            return;
        }
        let claimed = self.database.claim(driver, Timestamp(self.now as i64));
        self.load(driver, claimed);
        self.read_mail(driver);
    }

    fn load(&mut self, driver: usize, runs: Vec<RunId>) {
        for run in runs {
            let loaded = self.database.load(run);
            let delay = self.random.below(20_000);
            self.input(driver, delay, move || Input::Loaded(Box::new(loaded)));
        }
    }

    fn read_mail(&mut self, driver: usize) {
        let mut mail = Vec::new();
        for run in self.processes[driver].driver.ids() {
            let row = &self.database.runs[&run];
            if row.owner == Some(driver) {
                mail.extend(row.inbox.iter().map(|(id, fact)| (run, row.epoch, *id, fact.clone())));
            }
        }
        mail.sort_by_key(|(run, _, id, _)| (*run, *id));
        for (run, epoch, id, fact) in mail {
            let copies = if self.random.chance(20) { 2 } else { 1 };
            for _ in 0..copies {
                let fact = fact.clone();
                let longest = if self.random.chance(10) { 3_000_000 } else { 5_000 };
                let delay = self.random.below(longest);
                self.input(driver, delay, move || Input::Inbox { run, epoch, id, fact });
            }
        }
    }

    fn post(&mut self, run: RunId, fact: Event) {
        let id = InboxId(self.id());
        let row = self.database.runs.get_mut(&run).unwrap();
        if row.status.is_final() {
            return;
        }
        row.inbox.insert(id, fact);
        // The wake-up may be lost; the half-second look finds the message then.
        if let Some(owner) = row.owner.filter(|owner| self.processes[*owner].is_up)
            && self.random.chance(70)
        {
            self.read_mail(owner);
        }
    }

    fn commit(&mut self, driver: usize, life: u64, batch: Batch, answer: Answer) {
        let outcomes = self.database.flush(driver, &batch);
        let id = batch.id;
        if matches!(answer, Answer::Told) && self.processes[driver].life == life {
            let copies = if self.random.chance(5) { 2 } else { 1 };
            for _ in 0..copies {
                let outcomes: Vec<(RunId, FlushOutcome)> = outcomes.clone();
                let delay = self.random.below(3_000);
                self.input(driver, delay, move || Input::Flushed { batch: id, outcomes });
            }
        }
    }

    fn read_heads(&mut self, driver: usize, life: u64, runs: Vec<(RunId, Option<i64>)>) {
        for (run, epoch) in runs {
            let seen = self.database.head(driver, epoch, run);
            let delay = self.random.below(5_000);
            self.later(
                delay,
                Arrival::Input { driver, life, input: Box::new(move || Input::Head { run, seen: Some(seen) }) },
            );
        }
    }

    fn drive(&mut self, driver: usize, input: Input) {
        let mut out = Vec::new();
        let now = Timestamp(self.now as i64);
        self.mind_lease(driver, &mut out);
        self.processes[driver].driver.drive(now, input, &mut out);
        if self.random.chance(70) {
            self.processes[driver].driver.poll(now, &mut out);
        }
        self.carry_out(driver, out);
    }

    fn poll(&mut self, driver: usize) {
        let mut out = Vec::new();
        self.mind_lease(driver, &mut out);
        self.processes[driver].driver.poll(Timestamp(self.now as i64), &mut out);
        self.carry_out(driver, out);
    }

    /// A holder stops at 60 % of its lease.
    fn mind_lease(&mut self, driver: usize, out: &mut Vec<Output>) {
        let now = self.now;
        let process = &mut self.processes[driver];
        if process.has_lease && now - process.last_beat_at > LEASE * 6 / 10 {
            process.has_lease = false;
            process.driver.drive(Timestamp(now as i64), Input::LeaseLost, out);
        }
    }

    fn carry_out(&mut self, driver: usize, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Flush(batch) => self.send_flush(driver, batch),
                Output::Start { run, work, effect } => self.start(driver, run, work, effect),
                Output::ReadHeads(runs) => {
                    let life = self.processes[driver].life;
                    let runs = runs.into_iter().map(|run| (run, self.processes[driver].driver.epoch(run))).collect();
                    let delay = self.random.below(20_000);
                    self.later(delay, Arrival::ReadHeads { driver, life, runs });
                }
                Output::Evicted { run, why: Evicted::Defect(error) } => panic!("{run}: {error}"),
                Output::Abort { .. } | Output::Committed { .. } | Output::Evicted { .. } => {}
            }
        }
        if let Some(at) = self.processes[driver].driver.next_poll() {
            let life = self.processes[driver].life;
            let delay = (at.0 as u64).saturating_sub(self.now).max(1);
            self.later(delay, Arrival::Wake { driver, life });
        }
    }

    fn send_flush(&mut self, driver: usize, batch: Batch) {
        let life = self.processes[driver].life;
        let id: BatchId = batch.id;
        let fate = if self.is_quiet() { 100 } else { self.random.below(100) };
        let delay = self.random.between(200, 4_000);
        let told_late = delay + self.random.below(3_000);
        match fate {
            // Lost on the way there.
            0..=2 => self.input(driver, told_late, move || Input::FlushUnknown { batch: id }),
            // Done, but the answer was lost.
            3..=5 => {
                self.later(delay, Arrival::Flush { driver, life, batch, answer: Answer::Unknown });
                self.input(driver, told_late, move || Input::FlushUnknown { batch: id });
            }
            // The connection is given up first; the commit happens later.
            6..=8 => {
                self.input(driver, delay, move || Input::FlushUnknown { batch: id });
                let much_later = delay + self.random.below(2_000_000);
                self.later(much_later, Arrival::Flush { driver, life, batch, answer: Answer::Unknown });
            }
            _ => self.later(delay, Arrival::Flush { driver, life, batch, answer: Answer::Told }),
        }
    }

    fn start(&mut self, driver: usize, run: RunId, work: WorkId, effect: Effect) {
        let life = self.processes[driver].life;
        let (fact, call, takes) = match effect {
            Effect::ListItems { node } => {
                let count = self.random.below(6) as u32;
                (Event::ItemsListed { node, count, items: value(&mut self.random) }, None, 300)
            }
            Effect::Collect { node } => (Event::ItemsCollected { node, output: value(&mut self.random) }, None, 300),
            Effect::Output => (Event::OutputEvaluated { output: value(&mut self.random) }, None, 300),
            Effect::Attempt { at, attempt, generation, class } => {
                self.attempt(driver, run, at, attempt, generation, class)
            }
            Effect::Abort { .. } | Effect::AbortOutput => unreachable!("aborts are not started"),
        };
        self.later(takes, Arrival::CallEnds { driver, life, run, work, fact, call });
    }

    fn attempt(
        &mut self,
        driver: usize,
        run: RunId,
        at: NodeRunRef,
        attempt: u32,
        generation: u32,
        class: EffectClass,
    ) -> (Event, Option<usize>, u64) {
        let (state, graph) = self.processes[driver].driver.run(run).unwrap();
        let (origin, node) = (state.key_origin(at.node), graph.node(at.node).unwrap());
        let (key, kind) = (node.key.clone(), node.r#type.name.clone());
        if class != EffectClass::Pure {
            self.check_barrier(run, &at, attempt);
            let key = (origin, key, at.scope.clone(), generation);
            self.ledger.push(Call { run, at: at.clone(), attempt, key, was_cut: false, was_answered: false });
            let call = self.ledger.len() - 1;
            self.processes[driver].calls.insert(call);
            let longest = if self.random.chance(20) { 2_000_000 } else { 100_000 };
            let takes = self.random.between(1_000, longest);
            return (self.answer(at, attempt), Some(call), takes);
        }
        let now = Timestamp(self.now as i64);
        let output = value(&mut self.random);
        let signal = (kind == "sim.signal").then(|| SignalName { name: "go".into(), key: String::new() });
        let wait = Duration::from_millis(self.random.between(10, 8_000));
        let fact = match kind.as_str() {
            "sim.wait" | "sim.signal" => {
                let until = (signal.is_none() || self.random.chance(70)).then(|| now.plus(wait));
                Event::AttemptWaits { at, attempt, wait: WaitFor { signal, until, passes: output }, log: None }
            }
            "sim.branch" => Event::AttemptSucceeded {
                at,
                attempt,
                port: ["true", "false"][self.random.below(2) as usize].into(),
                output,
                log: None,
            },
            _ if self.random.chance(3) => {
                Event::AttemptFailed { at, attempt, error: ErrorInfo::permanent("PURE", "it fails"), log: None }
            }
            _ => Event::AttemptSucceeded { at, attempt, port: "out".into(), output, log: None },
        };
        (fact, None, self.random.between(20, 30_000))
    }

    fn answer(&mut self, at: NodeRunRef, attempt: u32) -> Event {
        match self.random.below(100) {
            0..=14 => failed(at, attempt, ErrorInfo::transient("BUSY", "503")),
            15..=19 => failed(at, attempt, ErrorInfo::unknown("TIMEOUT", "no answer")),
            20..=23 => failed(at, attempt, ErrorInfo::permanent("REFUSED", "400")),
            _ => {
                Event::AttemptSucceeded { at, attempt, port: "out".into(), output: value(&mut self.random), log: None }
            }
        }
    }

    /// No call leaves before its own start, and so all before it, is in the database.
    fn check_barrier(&self, run: RunId, at: &NodeRunRef, attempt: u32) {
        let started = self.database.journal(run).into_iter().any(|recorded| {
            matches!(&recorded.event, Event::NodeStarted { at: started, attempt: number, .. } if started == at && *number == attempt)
        });
        assert!(started, "{run}: {at:?} attempt {attempt} was called before its start was durable");
    }

    pub(crate) fn graph(&self, run: RunId) -> Arc<Graph> {
        self.database.runs[&run].graph.clone()
    }
}

fn addressee(arrival: &Arrival) -> Option<(usize, u64)> {
    match arrival {
        Arrival::Input { driver, life, .. }
        | Arrival::CallEnds { driver, life, .. }
        | Arrival::Beat { driver, life }
        | Arrival::Look { driver, life }
        | Arrival::Wake { driver, life } => Some((*driver, *life)),
        // What is on its way to the database arrives whether or not its sender still lives.
        Arrival::Flush { .. }
        | Arrival::ReadHeads { .. }
        | Arrival::Post { .. }
        | Arrival::Retry { .. }
        | Arrival::Crash { .. }
        | Arrival::Restart { .. }
        | Arrival::Pause { .. }
        | Arrival::Drain { .. } => None,
    }
}

fn failed(at: NodeRunRef, attempt: u32, error: ErrorInfo) -> Event {
    Event::AttemptFailed { at, attempt, error, log: None }
}
