//! Children, and whose turn it is.

use std::path::PathBuf;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use self::claim::{GivenUp, Waits};
use self::queue::Queue;
use crate::frame::{FrameError, OVERHEAD};
use crate::keeper::{self, Order};
use crate::lockdown::Walls;
use crate::message::{Answer, Ask, Failure, Job, MOST_SOURCE_BYTES, Report, Setup, SyntaxFault};
use crate::process::{Process, StartError};

mod claim;
mod queue;

/// How long a tenant may keep a child while others wait.
const TURN: Duration = Duration::from_millis(50);
/// How long a check of a source may take, its child's start included.
const CHECK_WITHIN: Duration = Duration::from_secs(5);
/// Executions between two looks at how much memory a child occupies.
const LOOK_EVERY: u32 = 16;
/// What a child may occupy beside the memory of its scripts before it is replaced.
const LEFT_OVER: u64 = 96 * 1024 * 1024;
/// Processor time of one child, which is replaced when half of it is used.
const CPU_TIME: Duration = Duration::from_secs(20 * 60);

/// How a pool works.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// The program whose `main` calls [`crate::child()`].
    pub program: PathBuf,
    /// What it is called with.
    pub arguments: Vec<String>,
    /// The folder that children start in; an empty one.
    pub folder: PathBuf,
    /// Most scripts at once.
    pub processes: usize,
    /// The most memory that a job may ask for, in bytes.
    pub most_memory: u64,
    /// Whether scripts are executed where the system cannot lock children in wholly.
    pub allow_weaker: bool,
    /// How long a child waits for a next script before it is ended.
    pub idle: Duration,
    /// How many scripts a child executes before it is replaced.
    pub most_executions: u32,
}

impl PoolConfig {
    /// One less than there are processors, and at least one: what scripts leave is for whoever waits for the server.
    pub fn usual_processes() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1)
    }

    /// A pool of this program's children with the defaults for all else.
    pub fn new(program: PathBuf, folder: PathBuf) -> Self {
        Self {
            program,
            arguments: Vec::new(),
            folder,
            processes: Self::usual_processes(),
            most_memory: 256 * 1024 * 1024,
            allow_weaker: false,
            idle: Duration::from_secs(30),
            most_executions: 1_000,
        }
    }
}

/// Why a job was not executed, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// No child could be started that is locked in.
    #[error("code cannot be run here: {0}")]
    Unavailable(String),
    /// The child ended in the middle. The system ends one that uses more than it may, or tries what it must not.
    #[error("the process that ran the code has ended{0}")]
    Died(String),
    /// The child said something that makes no sense.
    #[error("the process that ran the code gave an answer that cannot be read: {0}")]
    Malformed(String),
    /// The source is too long.
    #[error("the code has {bytes} bytes; at most {MOST_SOURCE_BYTES} are taken")]
    SourceTooLong {
        /// How long it is.
        bytes: usize,
    },
}

/// Whether scripts can be executed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// No child was started yet.
    Unknown,
    /// Children are held by these walls.
    Ready(Walls),
    /// Children do not start, or cannot be locked in.
    Unavailable(String),
}

/// Children that execute scripts. Cheap to clone; the last clone takes the children with it.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

pub(crate) struct Shared {
    config: PoolConfig,
    orders: Sender<Order>,
    state: Mutex<State>,
}

struct State {
    /// How many scripts are under way.
    running: usize,
    /// Children of those who ran scripts lately, the one that waits longest first.
    idle: Vec<Kept>,
    /// A child that has seen nobody's script yet.
    spare: Option<Process>,
    waiting: Queue<Ticket>,
    used_at: Instant,
    health: Health,
}

/// A script that waits for its turn.
struct Ticket {
    tenant: u128,
    job: Job,
    given_up: GivenUp,
    answer: oneshot::Sender<Result<Report, RunError>>,
}

/// A child that belongs to one tenant until its end: whatever a defect of the engine might leave in it, nobody else's
/// script ever runs there.
struct Kept {
    process: Process,
    tenant: u128,
    /// Since when the tenant has had it without giving way to anybody.
    since: Instant,
    /// When its last script ended.
    rested_at: Instant,
}

impl Pool {
    /// A pool without children; they start when they are needed.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn new(config: PoolConfig) -> std::io::Result<Self> {
        let (orders, ordered) = channel();
        let state = State {
            running: 0,
            idle: Vec::new(),
            spare: None,
            waiting: Queue::default(),
            used_at: Instant::now(),
            health: Health::Unknown,
        };
        let shared = Arc::new(Shared { config, orders, state: Mutex::new(state) });
        let weak = Arc::downgrade(&shared);
        std::thread::Builder::new().name("sandbox-keeper".to_owned()).spawn(move || keeper::keep(&ordered, &weak))?;
        Ok(Self(shared))
    }

    /// Executes a job for a tenant, when it is the tenant's turn. Dropping the future ends the script.
    ///
    /// # Errors
    /// When there is no report; what a script itself does wrong is in the report.
    pub async fn execute(&self, tenant: u128, job: Job) -> Result<Report, RunError> {
        if job.source.len() > MOST_SOURCE_BYTES {
            return Err(RunError::SourceTooLong { bytes: job.source.len() });
        }
        let (answer, answered) = oneshot::channel();
        let waits = Waits::default();
        let ticket = Ticket { tenant, job, given_up: waits.claim(), answer };
        if let Some((ticket, kept)) = self.0.enter(ticket) {
            let shared = Arc::clone(&self.0);
            // It blocks: the child's pipes are read where nothing else waits.
            tokio::task::spawn_blocking(move || shared.work(ticket, kept));
        }
        answered.await.unwrap_or_else(|_| Err(RunError::Died(": the server gave up in the middle".to_owned())))
    }

    /// Whether a source can be read, found out in a child of its own that ends with it. Blocks for some milliseconds.
    ///
    /// # Errors
    /// When no child could tell.
    pub fn check(&self, source: &str) -> Result<Option<SyntaxFault>, RunError> {
        if source.len() > MOST_SOURCE_BYTES {
            return Err(RunError::SourceTooLong { bytes: source.len() });
        }
        let mut process = self.0.spare_or_new()?;
        let asked = process.ask(&Ask::Check(source.to_owned()), OVERHEAD, CHECK_WITHIN);
        let outcome = match asked {
            Ok(Answer::Checked(fault)) => Ok(fault),
            Ok(Answer::Ran(_)) => Err(RunError::Malformed("it answers another question".to_owned())),
            Err(error) => Err(broken(error, &mut process)),
        };
        self.0.bury(process);
        outcome
    }

    /// Starts a child to see whether it can be locked in, and ends it again. Blocks for some milliseconds.
    pub fn probe(&self) -> Health {
        if let Ok(process) = self.0.spare_or_new() {
            self.0.bury(process);
        }
        self.health()
    }

    /// What the last start of a child told.
    pub fn health(&self) -> Health {
        self.0.state().health.clone()
    }

    /// The numbers of the children that live now and are not at work.
    pub fn resting(&self) -> Vec<u32> {
        let state = self.0.state();
        state.idle.iter().map(|kept| kept.process.pid()).chain(state.spare.as_ref().map(Process::pid)).collect()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ticket back when its turn is now, with the tenant's child if there is one; else it waits in the queue.
    fn enter(&self, ticket: Ticket) -> Option<(Ticket, Option<Kept>)> {
        let mut state = self.state();
        state.used_at = Instant::now();
        if state.running >= self.config.processes.max(1) {
            state.waiting.push(ticket.tenant, ticket);
            return None;
        }
        state.running += 1;
        let own = state.idle.iter().rposition(|kept| kept.tenant == ticket.tenant);
        let kept = own.map(|at| state.idle.remove(at));
        // Never more children than scripts may run at once, save the one that is kept ready.
        let unwanted = (kept.is_none() && state.running + state.idle.len() > self.config.processes.max(1))
            .then(|| (!state.idle.is_empty()).then(|| state.idle.remove(0)))
            .flatten();
        drop(state);
        if let Some(unwanted) = unwanted {
            self.bury(unwanted.process);
        }
        Some((ticket, kept))
    }

    /// Executes a script, then whatever waits, until nothing does. Blocks for as long.
    fn work(self: Arc<Self>, ticket: Ticket, kept: Option<Kept>) {
        let mut turn = Turn { shared: self, is_over: false };
        let mut next = Some((ticket, kept));
        while let Some((ticket, kept)) = next.take() {
            let Ticket { tenant, job, given_up, answer } = ticket;
            let (result, kept) = turn.shared.execute(tenant, job, &given_up, kept);
            next = turn.next(kept);
            // Whoever waited may have gone.
            let _ = answer.send(result);
        }
    }

    /// Executes one script. The child comes back when it is good for another.
    fn execute(
        &self,
        tenant: u128,
        job: Job,
        given_up: &GivenUp,
        kept: Option<Kept>,
    ) -> (Result<Report, RunError>, Option<Kept>) {
        let gone = || RunError::Died(": nobody waits for it any more".to_owned());
        if given_up.is_given_up() {
            return (Err(gone()), kept);
        }
        let kept = kept.map_or_else(
            || {
                let process = self.spare_or_new()?;
                let now = Instant::now();
                Ok(Kept { process, tenant, since: now, rested_at: now })
            },
            Ok,
        );
        let mut kept = match kept {
            Ok(kept) => kept,
            Err(error) => return (Err(error), None),
        };
        if !given_up.begin(kept.process.killer()) {
            return (Err(gone()), Some(kept));
        }
        let (time, output, memory) = (job.time, job.output, job.memory);
        // The child stops a script at its limit by itself; one that does not is past its limit when it is killed.
        let grace = (time / 20).max(Duration::from_millis(5));
        let most = usize::try_from(output).unwrap_or(usize::MAX).saturating_add(OVERHEAD);
        let answer = kept.process.ask(&Ask::Run(job), most, time.saturating_add(grace));
        // From here on the child may be another's.
        let was_left_alone = given_up.end();
        let outcome = match answer {
            Ok(Answer::Ran(report)) => Ok(report),
            Ok(Answer::Checked(_)) => Err(RunError::Malformed("it answers another question".to_owned())),
            Err(FrameError::TimedOut) => Ok(Report { result: Err(Failure::Time), lines: Vec::new(), dropped: 0 }),
            Err(error) => Err(broken(error, &mut kept.process)),
        };
        let is_good = matches!(&outcome, Ok(report) if !matches!(report.result, Err(Failure::Time | Failure::Memory)));
        if is_good && was_left_alone && !self.is_worn(&kept.process, memory) {
            kept.rested_at = Instant::now();
            return (outcome, Some(kept));
        }
        self.bury(kept.process);
        (outcome, None)
    }

    /// Whether a child should be replaced.
    fn is_worn(&self, process: &Process, memory: u64) -> bool {
        process.executed >= self.config.most_executions
            || process.worked >= CPU_TIME / 2
            || (process.executed.is_multiple_of(LOOK_EVERY) && process.occupies() > memory.saturating_add(LEFT_OVER))
    }

    /// Ends a child without waiting for its end.
    pub(crate) fn bury(&self, process: Process) {
        process.killer().kill();
        // Without a keeper the system ends the child, and this program is about to end as well.
        let _ = self.orders.send(Order::Bury(process));
    }

    /// The child that is kept ready, or one that is started now.
    fn spare_or_new(&self) -> Result<Process, RunError> {
        let ready = self.state().spare.take();
        let process = match ready {
            Some(process) => process,
            None => {
                let (answer, answered): (SyncSender<Result<Process, StartError>>, _) = sync_channel(1);
                let gone = || RunError::Unavailable("the pool is closing".to_owned());
                self.orders.send(Order::Start(answer)).map_err(|_| gone())?;
                let started = answered.recv().map_err(|_| gone())?;
                started.map_err(|error| RunError::Unavailable(error.to_string()))?
            }
        };
        // The next one is started while this one works.
        let _ = self.orders.send(Order::Spare);
        Ok(process)
    }

    /// For the keeper: starts a child and remembers how that went.
    pub(crate) fn start(&self) -> Result<Process, StartError> {
        let config = &self.config;
        let setup = Setup {
            most_memory: config.most_memory,
            cpu_seconds: CPU_TIME.as_secs(),
            allow_weaker: config.allow_weaker,
            parent: std::process::id(),
        };
        let started = Process::start(&config.program, &config.arguments, &config.folder, &setup);
        self.state().health = match &started {
            Ok(process) => Health::Ready(process.walls.clone()),
            Err(error) => Health::Unavailable(error.to_string()),
        };
        if let Err(error) = &started {
            tracing::warn!(error = %error, "a process for code could not be started");
        }
        started
    }

    /// For the keeper: has one child ready that nobody has used.
    pub(crate) fn start_ahead(&self) {
        if self.state().spare.is_some() {
            return;
        }
        if let Ok(process) = self.start() {
            let unwanted = self.state().spare.replace(process);
            if let Some(unwanted) = unwanted {
                unwanted.killer().reap();
            }
        }
    }

    /// For the keeper: ends children that nobody has needed for a while.
    pub(crate) fn end_idle(&self) {
        let mut state = self.state();
        let idle = self.config.idle;
        let mut ended: Vec<Process> =
            state.idle.extract_if(.., |kept| kept.rested_at.elapsed() >= idle).map(|kept| kept.process).collect();
        if state.used_at.elapsed() >= idle && state.running == 0 {
            ended.extend(state.spare.take());
        }
        drop(state);
        for process in ended {
            process.killer().reap();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let resting = state.idle.drain(..).map(|kept| kept.process).chain(state.spare.take());
        resting.for_each(|process| process.killer().reap());
    }
}

/// The right to execute one script after the other, for as long as any waits.
struct Turn {
    shared: Arc<Shared>,
    is_over: bool,
}

impl Turn {
    /// Whose script is next, with the child if it is theirs; when nobody waits, the turn is over and the child rests.
    fn next(&mut self, kept: Option<Kept>) -> Option<(Ticket, Option<Kept>)> {
        let mut state = self.shared.state();
        state.used_at = Instant::now();
        let stays = kept.as_ref().filter(|kept| kept.since.elapsed() < TURN).map(|kept| kept.tenant);
        let Some((tenant, ticket)) = state.waiting.next(stays) else {
            state.running = state.running.saturating_sub(1);
            state.idle.extend(kept);
            self.is_over = true;
            return None;
        };
        drop(state);
        match kept {
            Some(foreign) if foreign.tenant != tenant => {
                self.shared.bury(foreign.process);
                Some((ticket, None))
            }
            kept => Some((ticket, kept)),
        }
    }
}

impl Drop for Turn {
    /// After a panic others still get their turn.
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        if let (Some((ticket, kept)), Ok(runtime)) = (self.next(None), Handle::try_current()) {
            let shared = Arc::clone(&self.shared);
            runtime.spawn_blocking(move || shared.work(ticket, kept));
        }
    }
}

fn broken(error: FrameError, process: &mut Process) -> RunError {
    match error {
        FrameError::Gone | FrameError::Pipe(_) | FrameError::TimedOut => {
            // Its pipes close a moment before its end.
            process.killer().reap();
            RunError::Died(process.last_words())
        }
        FrameError::TooLarge { .. } | FrameError::Malformed(_) => RunError::Malformed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walls_that_matter_are_named() {
        let all = Walls { limits: true, no_new_privileges: true, seccomp: true, landlock: 0, ends_with_parent: true };
        assert!(all.are_whole());
        assert!(!Walls { seccomp: false, ..all.clone() }.are_whole());
        assert!(!Walls { no_new_privileges: false, ..all }.are_whole());
    }

    #[test]
    fn a_program_that_is_no_child_is_told_of_and_nothing_is_run() {
        for program in ["/bin/true", "/bin/cat", "/no/such/program"] {
            let pool = Pool::new(PoolConfig::new(program.into(), "/".into())).unwrap();
            let RunError::Unavailable(why) = pool.check("return 1").unwrap_err() else { panic!("{program}") };
            assert!(!why.is_empty());
            assert!(matches!(pool.health(), Health::Unavailable(_)), "{program}");
        }
    }
}
