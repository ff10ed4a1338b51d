//! `flowforge run watch`: follows a run to its end, across restarts of the server.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use runtime::clock::Clock;
use serde::Deserialize;
use serde_json::{Value, json};

use super::progress::{Progress, RunEvent};
use super::show;

use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::output::Output;

const EVENTS: &str = "subscription Events($id: ID!, $after: String) { runEvents(runId: $id, after: $after) {
  cursor seq at
  payload { __typename ... on RunEvent {
    kind node scope attempt port status message error { code message } dueAt signal
  } }
} }";
const STATUS: &str = "query Status($id: ID!) { run(id: $id) { status } }";

/// How long a lost server is looked for before the command gives up.
const PATIENCE: Duration = Duration::from_secs(300);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the changing part is painted.
const FRAME: Duration = Duration::from_millis(100);

#[derive(Debug, Deserialize)]
struct Envelope {
    cursor: String,
    at: DateTime<Utc>,
    payload: Value,
}

/// How one connection ended, when it did not fail.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The run has ended.
    Finished,
    /// The server had no more to say, though the run goes on.
    Incomplete,
}

/// Follows a run and ends with 1 when it does not succeed.
pub(crate) async fn follow(client: &Client, id: &str, output: Output) -> Result<ExitCode, Failure> {
    let mut watcher = Watcher::new(client, id, output);
    watcher.until_the_end().await?;
    let run = show::document(client, id).await?;
    if output.is_json() {
        output.document(&run);
    } else {
        show::summary(output, &run);
    }
    let succeeded = show::text(&run, "/status") == "SUCCEEDED";
    Ok(if succeeded { ExitCode::SUCCESS } else { Exit::Failed.into() })
}

struct Watcher<'a> {
    client: &'a Client,
    id: &'a str,
    output: Output,
    clock: Clock,
    progress: Progress,
    /// Where to go on after a lost connection.
    cursor: Option<String>,
    /// Lines of the changing part on the screen.
    painted: usize,
    told_paused: bool,
}

impl<'a> Watcher<'a> {
    fn new(client: &'a Client, id: &'a str, output: Output) -> Self {
        let progress = Progress::new(output, id);
        let clock = Clock::system();
        Self { client, id, output, clock, progress, cursor: None, painted: 0, told_paused: false }
    }

    async fn until_the_end(&mut self) -> Result<(), Failure> {
        let mut pause = FIRST_PAUSE;
        let mut heard_at = Instant::now();
        loop {
            let before = self.cursor.clone();
            let lost = match self.connection().await {
                Ok(End::Finished) => return Ok(()),
                Ok(End::Incomplete) => None,
                // Nothing was ever heard: more likely a wrong address than a server that restarts.
                Err(failure) if failure.exit != Exit::Unreachable || self.cursor.is_none() => return Err(failure),
                Err(failure) => Some(failure),
            };
            if self.cursor != before {
                (pause, heard_at) = (FIRST_PAUSE, Instant::now());
            }
            match lost {
                Some(failure) if heard_at.elapsed() > PATIENCE => return Err(failure),
                Some(failure) if pause == FIRST_PAUSE && !self.output.is_json() => {
                    self.paint(Vec::new(), false);
                    self.output.note(&format!("{}; trying again", failure.message));
                }
                _ => {}
            }
            tokio::time::sleep(jittered(pause, self.clock.new_id().as_bytes()[15])).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn connection(&mut self) -> Result<End, Failure> {
        let variables = json!({ "id": self.id, "after": self.cursor });
        let subscription = self.client.subscribe(EVENTS, variables).await?;
        // A stream of its own keeps a half-read message when a frame is painted in between.
        let mut answers = std::pin::pin!(futures::stream::unfold(subscription, async |mut subscription| {
            let answer = subscription.next().await.transpose()?;
            Some((answer, subscription))
        }));
        let mut frames = tokio::time::interval(FRAME);
        frames.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                answer = answers.next() => match answer {
                    None => return Ok(End::Incomplete),
                    Some(answer) => {
                        if self.take(answer?).await? == Some(End::Finished) {
                            return Ok(End::Finished);
                        }
                    }
                },
                _ = frames.tick(), if self.output.live => self.paint(Vec::new(), true),
            }
        }
    }

    async fn take(&mut self, mut answer: Value) -> Result<Option<End>, Failure> {
        let envelope = answer.get_mut("runEvents").map(Value::take).unwrap_or_default();
        let envelope: Envelope = serde_json::from_value(envelope).map_err(|error| unknown(&error))?;
        let finished = match show::text(&envelope.payload, "/__typename") {
            "RunEvent" => {
                let event: RunEvent = serde_json::from_value(envelope.payload).map_err(|error| unknown(&error))?;
                let lines = self.progress.apply(envelope.at, &event);
                if !lines.is_empty() && !self.output.is_json() {
                    self.paint(lines, true);
                }
                event.kind == "RUN_FINISHED"
            }
            "Heartbeat" => {
                self.look_for_a_pause().await?;
                false
            }
            _ => false,
        };
        self.cursor = Some(envelope.cursor);
        if finished {
            self.paint(Vec::new(), false);
        }
        Ok(finished.then_some(End::Finished))
    }

    /// A run that was set aside says nothing more by itself; whoever watches should know.
    async fn look_for_a_pause(&mut self) -> Result<(), Failure> {
        if self.told_paused || self.output.is_json() {
            return Ok(());
        }
        let data = self.client.ask(STATUS, json!({ "id": self.id })).await?;
        if show::text(&data, "/run/status") == "PAUSED" {
            self.told_paused = true;
            let line = format!("the run is PAUSED; `flowforge run get {}` says why", self.id);
            self.paint(vec![line], true);
        }
        Ok(())
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.clock.now().0).unwrap_or_default()
    }

    /// Puts lines above the changing part, and that part anew below them.
    fn paint(&mut self, lines: Vec<String>, live: bool) {
        if !self.output.live {
            lines.iter().for_each(|line| self.output.line(line));
            return;
        }
        let block = if live { self.progress.live(self.now()) } else { Vec::new() };
        if lines.is_empty() && block.is_empty() && self.painted == 0 {
            return;
        }
        let mut frame = String::new();
        if self.painted > 0 {
            frame += &format!("\x1b[{}A\x1b[J", self.painted);
        }
        for line in &lines {
            frame += line;
            frame.push('\n');
        }
        // A wrapped line would be two on the screen and one in the count.
        frame += "\x1b[?7l";
        for line in &block {
            frame += line;
            frame.push('\n');
        }
        frame += "\x1b[?7h";
        self.painted = block.len();
        self.output.raw(&frame);
    }
}

fn unknown(error: &serde_json::Error) -> Failure {
    Failure::new(Exit::Failed, "BAD_MESSAGE", format!("the server sent an event of an unknown form: {error}"))
}

/// Half to all of a pause, so that many watchers do not come back at the same moment.
fn jittered(pause: Duration, drawn: u8) -> Duration {
    pause / 2 + pause / 2 * u32::from(drawn) / 255
}
