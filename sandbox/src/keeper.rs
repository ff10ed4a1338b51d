//! The thread that starts children and buries them. The system ends a child with the thread that started it, so this one
//! lives as long as its pool, which threads of an async runtime do not.

use std::sync::Weak;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use crate::lockdown;
use crate::pool::Shared;
use crate::process::{Process, StartError};

/// How often idle children are looked for.
const TICK: Duration = Duration::from_secs(1);

/// What the keeper is asked.
pub(crate) enum Order {
    /// Start a child.
    Start(SyncSender<Result<Process, StartError>>),
    /// End this one.
    Bury(Process),
    /// See whether a child should be started ahead.
    Spare,
}

/// Does what it is asked until nobody can ask any more. Children that are left then end with this thread.
pub(crate) fn keep(orders: &Receiver<Order>, shared: &Weak<Shared>) {
    lockdown::step_back();
    loop {
        let order = match orders.recv_timeout(TICK) {
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(shared) = shared.upgrade() else { return };
        match order {
            Some(Order::Start(answer)) => {
                let started = shared.start();
                // Whoever asked may have given up.
                if let Err(std::sync::mpsc::SendError(Ok(unwanted))) = answer.send(started) {
                    unwanted.killer().reap();
                }
            }
            Some(Order::Bury(process)) => process.killer().reap(),
            Some(Order::Spare) => shared.start_ahead(),
            None => shared.end_idle(),
        }
    }
}
