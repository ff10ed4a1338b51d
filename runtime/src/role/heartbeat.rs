//! Shows the others that this process lives. On a thread and a connection of its own, so that no amount of work makes
//! it late.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::id::WorkerId;
use tokio_util::sync::CancellationToken;

use crate::driver::Lease;
use crate::journal::Journal;

/// Starts the thread; it ends with `stop`.
///
/// # Errors
/// When the system gives no thread.
pub(crate) fn start(journal: Arc<dyn Journal>, worker: WorkerId, lease: Arc<Lease>, every: Duration, stop: CancellationToken) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                let sent = Instant::now();
                match tokio::time::timeout(every * 2, journal.beat(worker)).await {
                    Ok(Ok(())) => lease.beaten(sent),
                    Ok(Err(error)) => tracing::warn!(error = %error, "a heartbeat failed"),
                    Err(_) => tracing::warn!("a heartbeat got no answer in time"),
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(every) => {}
                }
            }
        });
    })?;
    Ok(())
}
