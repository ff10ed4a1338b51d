//! Following by cursor: stored events, one marker, live events. No gap, no repeat, in order, also when the reader comes
//! back after a restart of either side.

use std::sync::Arc;
use std::time::Duration;

use engine::id::{RunId, WorkflowId};
use engine::run::event::Recorded;
use engine::time::Timestamp;
use futures::Stream;
use runtime::event::Wakes;
use tokio::time::Instant;

use super::audit::Action;
use super::feed::Happening;
use super::{ServiceError, plan, run, veil, workflow};
use crate::app::App;
use crate::auth::{Permission, Viewer};

mod feed;
mod tail;

pub use feed::FeedFilter;
pub(super) use tail::Tail;

/// Most events that one read takes, and that one follower holds.
const PAGE: u32 = 500;
/// A lost wake-up costs this much at most.
const NET: Duration = Duration::from_secs(1);
/// How long a follower goes without a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// One delivery to a follower.
#[derive(Debug)]
pub struct Delivery {
    /// Where to go on.
    pub cursor: String,
    /// The number of an event; none for markers.
    pub seq: Option<u64>,
    /// When it happened, or when the marker was made.
    pub at: Timestamp,
    /// What it is.
    pub what: Followed,
}

/// What a follower is told.
#[derive(Debug)]
pub enum Followed {
    /// Something happened in a run.
    RunEvent {
        /// What, with its number.
        event: Box<Recorded>,
        /// Node keys by the numbers that events use.
        keys: Arc<[String]>,
    },
    /// Something happened in the workspace.
    Happening(Box<Happening>),
    /// Everything stored before was delivered.
    CaughtUp {
        /// The number of the last event delivered, or that the cursor named.
        last_seq: u64,
    },
    /// Nothing happened for a while, and the stream lives.
    Heartbeat,
}

/// What is followed: numbered events, oldest first.
trait Source: Send + 'static {
    /// The next event that was read; the number moves on to it.
    fn pop(&mut self) -> Option<(Timestamp, Followed)>;
    /// Reads on; whether there was something.
    fn read(&mut self) -> impl Future<Output = Result<bool, ServiceError>> + Send;
    /// Everything stored was handed out.
    fn caught_up(&mut self) -> impl Future<Output = Result<(), ServiceError>> + Send;
    /// Whether nothing will ever follow.
    fn is_over(&self) -> bool;
    /// Waits until reading may be worthwhile; false when `until` came first.
    fn wait(&mut self, until: Instant) -> impl Future<Output = bool> + Send;
    /// The number that was reached.
    fn seq(&self) -> u64;
    /// The cursor of that number.
    fn cursor(&self) -> String;
}

/// Follows a run from a cursor, or from its beginning. The stream ends after the run's last event.
///
/// # Errors
/// `NotFound` also for another workspace's run; a cursor of another run or from beyond its last event.
pub async fn run_events(
    app: &Arc<App>,
    viewer: &Viewer,
    id: RunId,
    after: Option<&str>,
) -> Result<impl Stream<Item = Result<Delivery, ServiceError>> + use<>, ServiceError> {
    let run = run::get(app, viewer, id).await?;
    let seq = match after {
        None => 0,
        Some(text) => tail::place_of(&viewer.cursors, text, id)
            .filter(|seq| *seq <= run.last_seq)
            .ok_or_else(|| ServiceError::invalid("after", "`after` is not a cursor of this run's events"))?,
    };
    let keys = Arc::clone(&plan::get(app, viewer.workspace, &run.hash).await?.keys);
    let tail = Tail::new(Arc::clone(app), viewer.scope(), id, seq);
    let veil = veil::of(app, viewer, &run).await?;
    Ok(follow(app, tail::RunSource::new(tail, keys, veil, viewer.cursors)))
}

/// Follows the workspace from a cursor, or from now on. The stream has no end of its own.
///
/// # Errors
/// When they may not; a filter that nothing can pass; a cursor of something else.
pub async fn workspace_events(
    app: &Arc<App>,
    viewer: &Viewer,
    filter: FeedFilter,
    after: Option<&str>,
) -> Result<impl Stream<Item = Result<Delivery, ServiceError>> + use<>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(follow(app, feed::FeedSource::new(app, viewer, filter, after).await?))
}

/// Follows what is edited in a workflow's drafts, from a cursor or from now on. The stream has no end of its own.
///
/// # Errors
/// `NotFound` also for another workspace's workflow; a cursor of something else.
pub async fn draft_events(
    app: &Arc<App>,
    viewer: &Viewer,
    id: WorkflowId,
    after: Option<&str>,
) -> Result<impl Stream<Item = Result<Delivery, ServiceError>> + use<>, ServiceError> {
    workflow::get(app, viewer, id).await?;
    let filter = FeedFilter {
        kinds: vec![Action::DraftUpdated.as_str().to_owned()],
        workflow: Some(id),
        ..FeedFilter::default()
    };
    workspace_events(app, viewer, filter, after).await
}

fn follow<S: Source>(app: &Arc<App>, source: S) -> impl Stream<Item = Result<Delivery, ServiceError>> + use<S> {
    let app = Arc::clone(app);
    let follower = Follower { app, source, caught_up: false, failed: false, told_at: Instant::now() };
    futures::stream::unfold(follower, |mut follower| async move {
        if follower.failed {
            return None;
        }
        match follower.next().await {
            Ok(Some(delivery)) => Some((Ok(delivery), follower)),
            Ok(None) => None,
            Err(error) => {
                follower.failed = true;
                Some((Err(error), follower))
            }
        }
    })
}

struct Follower<S> {
    app: Arc<App>,
    source: S,
    caught_up: bool,
    failed: bool,
    told_at: Instant,
}

impl<S: Source> Follower<S> {
    async fn next(&mut self) -> Result<Option<Delivery>, ServiceError> {
        loop {
            if let Some((at, what)) = self.source.pop() {
                return Ok(Some(self.tell(Some(self.source.seq()), at, what)));
            }
            if self.source.read().await? {
                continue;
            }
            if !self.caught_up {
                self.caught_up = true;
                self.source.caught_up().await?;
                return Ok(Some(self.mark(Followed::CaughtUp { last_seq: self.source.seq() })));
            }
            if self.source.is_over() {
                return Ok(None);
            }
            if !self.source.wait(self.told_at + HEARTBEAT).await {
                return Ok(Some(self.mark(Followed::Heartbeat)));
            }
        }
    }

    fn mark(&mut self, what: Followed) -> Delivery {
        self.tell(None, self.app.runtime.now(), what)
    }

    fn tell(&mut self, seq: Option<u64>, at: Timestamp, what: Followed) -> Delivery {
        self.told_at = Instant::now();
        Delivery { cursor: self.source.cursor(), seq, at, what }
    }
}

/// Waits for a wake-up or the net; false when `until` came first.
async fn wait(wakes: &mut Wakes, until: Instant) -> bool {
    let net = Instant::now() + NET;
    tokio::select! {
        () = wakes.woken() => true,
        () = tokio::time::sleep_until(net.min(until)) => net < until,
    }
}
