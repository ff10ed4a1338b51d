//! `flowforge run watch`: follows a run to its end, across restarts of the server.

use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use runtime::clock::Clock;
use serde_json::json;

use super::events::{Heard, events};
use super::progress::Progress;
use super::show;

use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::question::run as question;

/// How often the changing part is painted.
const FRAME: Duration = Duration::from_millis(100);

/// Follows a run and ends with 1 when it does not succeed.
pub(crate) async fn follow(client: &Client, id: &str, output: Output) -> Result<ExitCode, Failure> {
    Watcher::new(client, id, output).until_the_end().await?;
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
    /// Lines of the changing part on the screen.
    painted: usize,
    told_paused: bool,
}

impl<'a> Watcher<'a> {
    fn new(client: &'a Client, id: &'a str, output: Output) -> Self {
        let progress = Progress::new(output, id);
        let clock = Clock::system();
        Self { client, id, output, clock, progress, painted: 0, told_paused: false }
    }

    async fn until_the_end(&mut self) -> Result<(), Failure> {
        let mut heard = std::pin::pin!(events(self.client, self.id, None));
        let mut frames = tokio::time::interval(FRAME);
        frames.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                heard = heard.next() => match heard {
                    Some(heard) => self.take(heard?).await?,
                    None => break,
                },
                _ = frames.tick(), if self.output.live => self.paint(Vec::new(), true),
            }
        }
        self.paint(Vec::new(), false);
        Ok(())
    }

    async fn take(&mut self, heard: Heard) -> Result<(), Failure> {
        match heard {
            Heard::Event(event) => {
                let lines = self.progress.apply(event.at, &event.event);
                if !lines.is_empty() && !self.output.is_json() {
                    self.paint(lines, true);
                }
            }
            Heard::CaughtUp => {}
            Heard::Quiet => self.look_for_a_pause().await?,
            Heard::Lost(failure) => {
                if !self.output.is_json() {
                    self.paint(Vec::new(), false);
                    self.output.note(&format!("{}; trying again", failure.message));
                }
            }
        }
        Ok(())
    }

    /// A run that was set aside says nothing more by itself; whoever watches should know.
    async fn look_for_a_pause(&mut self) -> Result<(), Failure> {
        if self.told_paused || self.output.is_json() {
            return Ok(());
        }
        let data = self.client.ask(question::STATUS, json!({ "id": self.id })).await?;
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
