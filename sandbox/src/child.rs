//! The child: locks itself in, then executes what it is sent until nobody sends any more.

use std::io;
use std::process::ExitCode;

use crate::frame::{self, FrameError, OVERHEAD};
use crate::message::{Answer, Ask, Hello, Setup};
use crate::script::Room;
use crate::{lockdown, script};

/// Longest frame that is taken. The parent is trusted; this only keeps a mistake small.
const MOST_FRAME: usize = 512 * 1024 * 1024;

/// The life of a child. For `main` of whatever program a [`crate::Pool`] starts.
///
/// It talks over its standard input and output, and ends with its input.
pub fn child() -> ExitCode {
    match live() {
        Ok(()) | Err(FrameError::Gone) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Standard output, as it is: std's own looks for line ends, of which frames have none that mean anything.
struct Output;

impl io::Write for Output {
    #[cfg(unix)]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(nix::unistd::write(io::stdout(), bytes)?)
    }

    #[cfg(not(unix))]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn live() -> Result<(), FrameError> {
    let (mut from, mut to) = (io::stdin().lock(), Output);
    let setup: Setup = frame::read(&mut from, OVERHEAD)?;
    // Reads what the system only reads once, such as the time zone, in the order that the walls need.
    let walls = match lockdown::lock(&setup, script::warm_up) {
        Ok(walls) => walls,
        Err(refusal) => return frame::write(&mut to, &Hello::Refused(refusal.to_string())),
    };
    frame::write(&mut to, &Hello::Ready(walls))?;
    // Made ahead, so that a script need not wait for its runtime.
    let mut room = Room::new();
    loop {
        match frame::read(&mut from, MOST_FRAME)? {
            Ask::Run(job) => {
                let (report, used) = script::run(room.take(), &job);
                frame::write(&mut to, &Answer::Ran(report))?;
                drop((job, used));
                room = Room::new();
            }
            Ask::Check(source) => frame::write(&mut to, &Answer::Checked(script::check(&source)))?,
        }
    }
}
