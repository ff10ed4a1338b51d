//! Reads the inboxes of the runs that this process drives.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use engine::drive::Input;
use engine::id::RunId;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::driver::{Command, Owned};
use crate::journal::{InboxRow, Journal};
use crate::message::Message;

/// A lost wake-up costs at most this.
const NET: Duration = Duration::from_secs(1);

pub(crate) struct Mail {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) owner: engine::id::WorkerId,
    pub(crate) owned: Arc<Owned>,
    pub(crate) driver: UnboundedSender<Command>,
    pub(crate) bus: crate::event::EventBus,
    pub(crate) stop: CancellationToken,
}

impl Mail {
    pub(crate) async fn run(self) {
        let mut notices = self.bus.subscribe_inbox();
        let mut net = tokio::time::interval(NET);
        loop {
            let mut noticed = BTreeSet::new();
            let all = tokio::select! {
                () = self.stop.cancelled() => return,
                run = notices.recv() => {
                    // Lagging behind or a closed bus only means that the net does the work.
                    noticed.extend(run.ok());
                    while let Ok(run) = notices.try_recv() {
                        noticed.insert(run);
                    }
                    false
                }
                _ = net.tick() => true,
            };
            // The epochs are read first: what is read under an older owner's time is left alone.
            let rows = if all { self.journal.inbox_owned(self.owner).await } else { self.of(&noticed).await };
            match rows {
                Ok(rows) => rows.into_iter().for_each(|row| self.deliver(row)),
                Err(error) => tracing::warn!(error = %error, "the inboxes could not be read; they are read again"),
            }
        }
    }

    async fn of(&self, noticed: &BTreeSet<RunId>) -> Result<Vec<InboxRow>, crate::journal::JournalError> {
        let (own, others): (Vec<RunId>, Vec<RunId>) = noticed.iter().partition(|run| self.owned.epoch(**run).is_some());
        if !others.is_empty() {
            // A dormant run has mail: whoever is free takes it.
            self.bus.look_here();
        }
        if own.is_empty() { Ok(Vec::new()) } else { self.journal.inbox(&own).await }
    }

    fn deliver(&self, row: InboxRow) {
        let Some(graph) = self.owned.graph(row.run) else { return };
        match serde_json::from_str::<Message>(&row.body).ok().and_then(|message| message.fact(&graph)) {
            Some(fact) => drop(self.driver.send(Command::Input(Input::Inbox {
                run: row.run,
                epoch: row.epoch,
                id: row.id,
                fact,
            }))),
            None => {
                tracing::warn!(run.id = %row.run, message.id = %row.id, message.kind = %row.kind, "a message to {} cannot be read here; it stays in the inbox", row.run)
            }
        }
    }
}
