//! The events of a run as one stream, across lost connections and restarts of the server.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures::Stream;
use runtime::clock::Clock;
use serde::Deserialize;
use serde_json::{Value, json};

use super::progress::RunEvent;
use super::show::text;
use crate::client::{Client, Subscription};
use crate::exit::{Exit, Failure};
use crate::question::run as question;

/// How long a lost server is looked for before the command gives up.
const PATIENCE: Duration = Duration::from_secs(300);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is heard of a run.
#[derive(Debug)]
pub(super) enum Heard {
    /// Something happened.
    Event(Event),
    /// All that had happened was told; what follows is new.
    CaughtUp,
    /// Nothing happened for a while.
    Quiet,
    /// The connection was lost, which is told once until something is heard again.
    Lost(Failure),
}

/// One event and its place in the run's journal.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) cursor: String,
    pub(super) seq: Option<u64>,
    pub(super) at: DateTime<Utc>,
    /// As the server told it.
    pub(super) told: Value,
    pub(super) event: RunEvent,
}

#[derive(Debug, Deserialize)]
struct Envelope {
    cursor: String,
    seq: Option<u64>,
    at: DateTime<Utc>,
    payload: Value,
}

/// Every event after a cursor, each once and in order; the stream ends with the run. A stream keeps a half-read message
/// when whoever listens turns to something else in between.
pub(super) fn events(
    client: &Client,
    id: &str,
    after: Option<String>,
) -> impl Stream<Item = Result<Heard, Failure>> + use<> {
    let listener = Listener {
        client: client.clone(),
        id: id.to_owned(),
        clock: Clock::system(),
        cursor: after,
        subscription: None,
        heard: VecDeque::new(),
        heard_something: false,
        heard_at: Instant::now(),
        pause: FIRST_PAUSE,
        has_ended: false,
    };
    futures::stream::try_unfold(listener, |mut listener| async move {
        Ok(listener.next().await?.map(|heard| (heard, listener)))
    })
}

struct Listener {
    client: Client,
    id: String,
    clock: Clock,
    /// Where to go on after a lost connection.
    cursor: Option<String>,
    subscription: Option<Subscription>,
    /// What is to be told next.
    heard: VecDeque<Heard>,
    /// Whether a server ever answered.
    heard_something: bool,
    heard_at: Instant,
    pause: Duration,
    has_ended: bool,
}

impl Listener {
    async fn next(&mut self) -> Result<Option<Heard>, Failure> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(Some(heard));
            }
            if self.has_ended {
                return Ok(None);
            }
            match self.answer().await {
                Ok(Some(answer)) => self.take(answer)?,
                // The server had no more to say, though the run goes on.
                Ok(None) => self.rest(None).await?,
                // Nothing was ever heard: more likely a wrong address than a server that restarts.
                Err(failure) if failure.exit != Exit::Unreachable || !self.heard_something => return Err(failure),
                Err(failure) => self.rest(Some(failure)).await?,
            }
        }
    }

    async fn answer(&mut self) -> Result<Option<Value>, Failure> {
        if self.subscription.is_none() {
            let variables = json!({ "id": self.id, "after": self.cursor });
            self.subscription = Some(self.client.subscribe(question::EVENTS, variables).await?);
        }
        match &mut self.subscription {
            Some(subscription) => subscription.next().await,
            None => Ok(None),
        }
    }

    fn take(&mut self, mut answer: Value) -> Result<(), Failure> {
        let envelope = answer.get_mut("runEvents").map(Value::take).unwrap_or_default();
        let envelope: Envelope = serde_json::from_value(envelope).map_err(|error| unknown(&error))?;
        let heard = match text(&envelope.payload, "/__typename") {
            "RunEvent" => {
                let event = RunEvent::deserialize(&envelope.payload).map_err(|error| unknown(&error))?;
                self.has_ended = event.kind == "RUN_FINISHED";
                Heard::Event(Event {
                    cursor: envelope.cursor.clone(),
                    seq: envelope.seq,
                    at: envelope.at,
                    told: envelope.payload,
                    event,
                })
            }
            "CaughtUp" => Heard::CaughtUp,
            _ => Heard::Quiet,
        };
        self.heard.push_back(heard);
        self.cursor = Some(envelope.cursor);
        (self.heard_something, self.heard_at, self.pause) = (true, Instant::now(), FIRST_PAUSE);
        Ok(())
    }

    /// Waits before another connection, longer each time.
    async fn rest(&mut self, lost: Option<Failure>) -> Result<(), Failure> {
        self.subscription = None;
        if let Some(failure) = lost {
            if self.heard_at.elapsed() > PATIENCE {
                return Err(failure);
            }
            if self.pause == FIRST_PAUSE {
                self.heard.push_back(Heard::Lost(failure));
            }
        }
        tokio::time::sleep(jittered(self.pause, self.clock.new_id().as_bytes()[15])).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

fn unknown(error: &serde_json::Error) -> Failure {
    Failure::new(Exit::Failed, "BAD_MESSAGE", format!("the server sent an event of an unknown form: {error}"))
}

/// Half to all of a pause, so that many listeners do not come back at the same moment.
fn jittered(pause: Duration, drawn: u8) -> Duration {
    pause / 2 + pause / 2 * u32::from(drawn) / 255
}
