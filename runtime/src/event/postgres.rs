//! LISTEN and NOTIFY: one connection that listens, and notices gathered into few statements.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use engine::id::{RunId, WorkspaceId};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::{Local, Notice};

const CHANNEL: &str = "flowforge";
/// Ids of one payload: 200 of 32 hex digits and a letter stay well under PostgreSQL's 8,000 bytes.
const IDS_AT_ONCE: usize = 200;
/// Pause between two statements; what comes meanwhile rides in the next.
const PAUSE: Duration = Duration::from_millis(10);
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// The way to and from other processes; both directions end with it.
pub(super) struct Remote {
    sender: mpsc::UnboundedSender<Notice>,
    _stop: DropGuard,
}

impl Remote {
    /// Starts both directions, on connections of their own: who listens must not take one from who writes.
    pub(super) async fn connect(options: PgConnectOptions, local: Arc<Local>) -> Result<Self, sqlx::Error> {
        // A notice need not survive a crash of the server, so its commit does not wait for the disk.
        let options = options.options([("synchronous_commit", "off")]);
        let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        // What this process sends comes back to it; its own readers were told already.
        let own = sender_name();
        let (name, stopped) = (own.clone(), stop.clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "both tasks end with the bus and hold nothing that a shutdown waits for"
        )]
        tokio::spawn(async move { stopped.run_until_cancelled(tell(&pool, receiver, &name)).await });
        let stopped = stop.clone();
        #[expect(clippy::disallowed_methods, reason = "as above")]
        tokio::spawn(async move { stopped.run_until_cancelled(listen(listener, &local, &own)).await });
        Ok(Self { sender, _stop: stop.drop_guard() })
    }

    pub(super) fn tell(&self, notice: Notice) {
        // The other end lives as long as this one.
        let _ = self.sender.send(notice);
    }
}

fn sender_name() -> String {
    crate::clock::Clock::system().new_id().simple().to_string()
}

async fn tell(pool: &PgPool, mut notices: mpsc::UnboundedReceiver<Notice>, own: &str) {
    while let Some(first) = notices.recv().await {
        let mut gathered = BTreeSet::from([first]);
        while let Ok(notice) = notices.try_recv() {
            gathered.insert(notice);
        }
        let gathered: Vec<Notice> = gathered.into_iter().collect();
        for part in gathered.chunks(IDS_AT_ONCE) {
            let payload = format!("{own} {}", part.iter().map(word).collect::<Vec<_>>().join(" "));
            if let Err(error) = send(pool, &payload).await {
                tracing::debug!(error = %error, "other processes were not told of a commit; they look by themselves");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn send(pool: &PgPool, payload: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload).execute(pool).await?;
    Ok(())
}

async fn listen(mut listener: PgListener, local: &Local, own: &str) {
    loop {
        match listener.recv().await {
            Ok(notification) => {
                let mut words = notification.payload().split(' ');
                if words.next() != Some(own) {
                    words.filter_map(read).for_each(|notice| local.tell(notice));
                }
            }
            Err(error) => {
                tracing::debug!(error = %error, "the connection that listens was lost; it is made again");
                tokio::time::sleep(RECONNECT_AFTER).await;
            }
        }
    }
}

fn word(notice: &Notice) -> String {
    match notice {
        Notice::Committed(run) => format!("c{}", run.0.simple()),
        Notice::Fed(workspace) => format!("w{}", workspace.0.simple()),
        Notice::Mail(run) => format!("m{}", run.0.simple()),
        Notice::Ready => "r".to_owned(),
        Notice::Access => "a".to_owned(),
    }
}

fn read(word: &str) -> Option<Notice> {
    let id = |hex: &str| Uuid::try_parse(hex).ok();
    match (word.get(..1)?, word.get(1..)?) {
        ("c", hex) => id(hex).map(RunId).map(Notice::Committed),
        ("w", hex) => id(hex).map(WorkspaceId).map(Notice::Fed),
        ("m", hex) => id(hex).map(RunId).map(Notice::Mail),
        ("r", "") => Some(Notice::Ready),
        ("a", "") => Some(Notice::Access),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_reads_back_what_it_wrote_and_junk_is_nothing() {
        let run = RunId(Uuid::from_u128(7));
        let feed = Notice::Fed(WorkspaceId(Uuid::from_u128(8)));
        for notice in [Notice::Committed(run), feed, Notice::Mail(run), Notice::Ready, Notice::Access] {
            assert_eq!(read(&word(&notice)), Some(notice));
        }
        for junk in ["", "c", "cxyz", "é", "rr", "q7"] {
            assert_eq!(read(junk), None);
        }
    }
}
