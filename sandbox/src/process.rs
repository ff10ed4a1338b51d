//! The parent's side of one child.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::de::DeserializeOwned;

use crate::frame::{self, FrameError, OVERHEAD};
use crate::lockdown::Walls;
use crate::message::{Answer, Ask, Hello, Setup};

/// How long a child may take to lock itself in.
const START_WITHIN: Duration = Duration::from_secs(10);
/// Most that is kept of what a dying child wrote.
const LAST_WORDS: u64 = 2_000;

/// Why a child cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// It did not start.
    #[error("the child process did not start: {0}")]
    Spawn(io::Error),
    /// It could not lock itself in.
    #[error("{0}")]
    Refused(String),
    /// It did not answer.
    #[error("the child process did not answer: {0}{1}")]
    Silent(FrameError, String),
    /// It says that it is locked in, and the system says something else.
    #[error("the child process says that it is locked in, but the system does not show it")]
    NotShown,
}

/// Ends a child whoever is talking to it.
#[derive(Clone)]
pub(crate) struct Killer(Arc<Mutex<std::process::Child>>);

impl Killer {
    /// Asks the system to end it now.
    pub(crate) fn kill(&self) {
        // An error means that it has ended.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    /// Waits for its end and gives its slot in the system's table back.
    pub(crate) fn reap(&self) {
        self.kill();
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

/// A child that is locked in.
pub(crate) struct Process {
    killer: Killer,
    pid: u32,
    to: ChildStdin,
    from: ChildStdout,
    last_words: ChildStderr,
    /// What holds it in.
    pub(crate) walls: Walls,
    /// How many scripts it has executed.
    pub(crate) executed: u32,
    /// How long it has worked.
    pub(crate) worked: Duration,
}

impl Process {
    /// Starts a child and waits until it is locked in. The calling thread must live for as long as the child: the system
    /// ends the child with the thread that started it.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        folder: &Path,
        setup: &Setup,
    ) -> Result<Self, StartError> {
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(StartError::Spawn)?;
        let pid = child.id();
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let killer = Killer(Arc::new(Mutex::new(child)));
        let (Some(to), Some(from), Some(last_words)) = pipes else {
            killer.reap();
            return Err(StartError::Spawn(io::Error::other("it has no pipes")));
        };
        let walls = Walls::default();
        let mut process = Self { killer, pid, to, from, last_words, walls, executed: 0, worked: Duration::ZERO };
        match process.greet(setup) {
            Ok(walls) => process.walls = walls,
            Err(error) => {
                process.killer.reap();
                return Err(error);
            }
        }
        Ok(process)
    }

    fn greet(&mut self, setup: &Setup) -> Result<Walls, StartError> {
        let silent = |process: &mut Self, error| StartError::Silent(error, process.last_words());
        let started = self.unblock().map_err(FrameError::from).and_then(|()| {
            let deadline = Instant::now() + START_WITHIN;
            self.send(&frame::encode(setup)?, deadline)?;
            self.receive::<Hello>(OVERHEAD, deadline)
        });
        match started {
            Ok(Hello::Ready(walls)) if !walls.are_whole() || self.is_shown_locked() => Ok(walls),
            Ok(Hello::Ready(_)) => Err(StartError::NotShown),
            Ok(Hello::Refused(why)) => Err(StartError::Refused(why)),
            Err(error) => Err(silent(self, error)),
        }
    }

    /// Whether the system itself says that the child's calls are filtered.
    fn is_shown_locked(&self) -> bool {
        let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", self.pid)) else { return false };
        let says = |name: &str, value: &str| {
            status.lines().filter_map(|line| line.split_once(":\t")).any(|(key, found)| key == name && found == value)
        };
        says("Seccomp", "2") && says("NoNewPrivs", "1")
    }

    fn unblock(&self) -> io::Result<()> {
        fcntl(&self.to, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        fcntl(&self.last_words, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(())
    }

    /// Asks the child and waits for its answer of at most `most` bytes. After an error the child is of no use.
    pub(crate) fn ask(&mut self, ask: &Ask, most: usize, within: Duration) -> Result<Answer, FrameError> {
        let began = Instant::now();
        let deadline = began + within;
        self.send(&frame::encode(ask)?, deadline)?;
        let answer = self.receive(most, deadline);
        self.executed = self.executed.saturating_add(1);
        self.worked = self.worked.saturating_add(began.elapsed());
        answer
    }

    fn send(&mut self, frame: &[u8], deadline: Instant) -> Result<(), FrameError> {
        let mut rest = frame;
        while !rest.is_empty() {
            match self.to.write(rest) {
                Ok(0) => return Err(FrameError::Gone),
                Ok(n) => rest = rest.get(n..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait(&self.to, PollFlags::POLLOUT, deadline)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn receive<M: DeserializeOwned>(&mut self, most: usize, deadline: Instant) -> Result<M, FrameError> {
        frame::read(&mut Patient { pipe: &mut self.from, deadline }, most)
    }

    /// How much memory it occupies, in bytes; 0 where the system does not tell.
    pub(crate) fn occupies(&self) -> u64 {
        let pages = std::fs::read_to_string(format!("/proc/{}/statm", self.pid)).unwrap_or_default();
        let resident = pages.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
        resident.unwrap_or(0).saturating_mul(4096)
    }

    /// What it wrote to its standard error, which it only does when it breaks.
    pub(crate) fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        // Not blocking: what is not there now is not waited for.
        let _ = (&mut self.last_words).take(LAST_WORDS).read_to_end(&mut words);
        let words = String::from_utf8_lossy(&words);
        if words.trim().is_empty() { String::new() } else { format!("; it said {:?}", words.trim()) }
    }

    /// What ends it.
    pub(crate) fn killer(&self) -> Killer {
        self.killer.clone()
    }

    /// Its number in the system.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }
}

/// A pipe that is read until a deadline.
struct Patient<'a> {
    pipe: &'a mut ChildStdout,
    deadline: Instant,
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        wait(self.pipe, PollFlags::POLLIN, self.deadline)?;
        self.pipe.read(buffer)
    }
}

/// Waits until the pipe can be used or is closed.
fn wait(pipe: &impl AsFd, what: PollFlags, deadline: Instant) -> io::Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        // Rounded up: a wait of less than a millisecond must not become none.
        let left = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(pipe.as_fd(), what)], left) {
            Ok(0) | Err(nix::Error::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
