//! What readers are shown while a test runs: a poller of node runs, and a follower of each run's events.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::client::Api;

/// A node run: run id, node key, item.
pub(crate) type Place = (String, String, String);

/// A node run as it was first shown to have ended.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) at: Instant,
    end: Option<Value>,
}

/// Where a run stands, as a reader sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    pub(crate) status: String,
    /// Node runs that wait for a person.
    pub(crate) uncertain: Vec<Value>,
    /// Whether anything else is under way.
    busy: bool,
}

impl Standing {
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.status.as_str(), "SUCCEEDED" | "FAILED" | "CANCELED" | "TIMED_OUT")
    }

    /// Ended, or only a person moves it on.
    pub(crate) fn is_settled(&self) -> bool {
        self.has_ended() || (!self.uncertain.is_empty() && !self.busy)
    }
}

#[derive(Default)]
struct Seen {
    standings: BTreeMap<String, Standing>,
    shown: BTreeMap<Place, Shown>,
    complaints: Vec<String>,
}

/// Watches runs for as long as it lives.
pub(crate) struct Witness {
    api: Api,
    seen: Arc<Mutex<Seen>>,
    stopped: Arc<AtomicBool>,
    poller: JoinHandle<()>,
    followers: Mutex<BTreeMap<String, JoinHandle<Vec<Value>>>>,
}

impl Witness {
    pub(crate) fn new(api: Api) -> Self {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let stopped: Arc<AtomicBool> = Arc::default();
        let poller = tokio::spawn(poll(api.clone(), Arc::clone(&seen), Arc::clone(&stopped)));
        Self { api, seen, stopped, poller, followers: Mutex::default() }
    }

    /// Watches one more run.
    pub(crate) fn watch(&self, run: &str) {
        self.seen.lock().unwrap().standings.insert(run.to_owned(), Standing::default());
        let follower = follow(self.api.clone(), run.to_owned(), Arc::clone(&self.seen), Arc::clone(&self.stopped));
        self.followers.lock().unwrap().insert(run.to_owned(), tokio::spawn(follower));
    }

    pub(crate) fn standings(&self) -> BTreeMap<String, Standing> {
        self.seen.lock().unwrap().standings.clone()
    }

    /// How many runs are neither ended nor parked.
    pub(crate) fn open(&self) -> usize {
        self.seen.lock().unwrap().standings.values().filter(|standing| !standing.is_settled()).count()
    }

    /// Every node run that was shown to have ended, and when it was first shown.
    pub(crate) fn shown(&self) -> BTreeMap<Place, Shown> {
        self.seen.lock().unwrap().shown.clone()
    }

    /// Waits until every run is as wanted.
    pub(crate) async fn all(&self, patience: Duration, wanted: impl Fn(&Standing) -> bool) {
        let began = Instant::now();
        loop {
            let standings = self.standings();
            let others: Vec<_> = standings.iter().filter(|(_, standing)| !wanted(standing)).collect();
            if others.is_empty() {
                return;
            }
            if began.elapsed() > patience {
                let (run, standing) = others[0];
                let mut told = String::new();
                // The run does not end, so the stream would not either.
                let follow = self.api.follow(run, None, |envelope| {
                    let payload = &envelope["payload"];
                    told += &format!("\n  {} {} {payload}", envelope["seq"], envelope["at"]);
                });
                let _ = tokio::time::timeout(Duration::from_secs(2), follow).await;
                panic!("{} runs do not get on, such as {run}: {standing:?}{told}", others.len());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends the watch: what each follower was told, by run, and every complaint.
    pub(crate) async fn close(self) -> (BTreeMap<String, Vec<Value>>, Vec<String>) {
        let followers = std::mem::take(&mut *self.followers.lock().unwrap());
        let mut told = BTreeMap::new();
        let mut complaints = Vec::new();
        for (run, mut follower) in followers {
            match tokio::time::timeout(Duration::from_secs(30), &mut follower).await {
                Ok(events) => {
                    told.insert(run, events.unwrap());
                }
                Err(_) => complaints.push(format!("{run}: the follower was not told of the end")),
            }
        }
        self.stopped.store(true, Ordering::Relaxed);
        self.poller.await.unwrap();
        complaints.extend(self.seen.lock().unwrap().complaints.clone());
        (told, complaints)
    }
}

fn is_end(status: &str) -> bool {
    matches!(status, "SUCCEEDED" | "FAILED" | "SKIPPED" | "CANCELED" | "TIMED_OUT")
}

async fn poll(api: Api, seen: Arc<Mutex<Seen>>, stopped: Arc<AtomicBool>) {
    let mut last_look: BTreeMap<String, bool> = BTreeMap::new();
    while !stopped.load(Ordering::Relaxed) {
        let runs: Vec<String> = {
            let seen = seen.lock().unwrap();
            // An ended run is looked at once more: its last state must not change either.
            let due = |run: &&String| !last_look.get(*run).copied().unwrap_or_default();
            seen.standings.keys().filter(due).cloned().collect()
        };
        for run in runs {
            let Ok((status, node_runs)) = api.try_node_runs(&run).await else { break };
            let mut seen = seen.lock().unwrap();
            for node_run in &node_runs {
                look(&mut seen, &run, node_run);
            }
            let standing = Standing {
                status,
                busy: node_runs.iter().any(is_busy),
                uncertain: node_runs.into_iter().filter(|node_run| node_run["status"] == "UNCERTAIN").collect(),
            };
            if standing.has_ended() && seen.standings[&run].has_ended() {
                last_look.insert(run.clone(), true);
            }
            seen.standings.insert(run, standing);
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

/// Whether a node run still moves by itself; the whole of a `for_each` moves with its items.
fn is_busy(node_run: &Value) -> bool {
    let waits = matches!(node_run["status"].as_str(), Some("QUEUED" | "RUNNING" | "WAITING" | "RETRYING"));
    waits && node_run["items"].is_null()
}

fn look(seen: &mut Seen, run: &str, node_run: &Value) {
    let text = |name: &str| node_run[name].as_str().unwrap_or_default().to_owned();
    let place = (run.to_owned(), text("node"), text("scope"));
    let now = is_end(&text("status")).then(|| {
        json!([node_run["status"], node_run["attempt"], node_run["finishedAt"], node_run["output"], node_run["error"]])
    });
    let Some(shown) = seen.shown.get_mut(&place) else {
        if now.is_some() {
            seen.shown.insert(place, Shown { at: Instant::now(), end: now });
        }
        return;
    };
    match (&shown.end, now) {
        // Events told of it first; the projection is of the same commit.
        (None, now @ Some(_)) => shown.end = now,
        // This answer was made before the event that told of the end.
        (None, None) => {}
        (Some(then), Some(now)) if *then == now => {}
        (then, now) => seen.complaints.push(format!("{place:?} was shown as {then:?}, later as {now:?}")),
    }
}

/// Follows a run through every restart; complains about gaps, repeats and what was taken back.
async fn follow(api: Api, run: String, seen: Arc<Mutex<Seen>>, stopped: Arc<AtomicBool>) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    let mut cursor: Option<String> = None;
    while !stopped.load(Ordering::Relaxed) {
        let after = cursor.clone();
        let mut caught_up = 0;
        // A lost connection is what this test is about.
        let _ = api
            .follow(&run, after.as_deref(), |envelope| {
                cursor = envelope["cursor"].as_str().map(str::to_owned);
                match envelope["payload"]["__typename"].as_str() {
                    Some("RunEvent") => take(&mut seen.lock().unwrap(), &run, &mut events, envelope),
                    Some("CaughtUp") => {
                        caught_up += 1;
                        let last = envelope["payload"]["lastSeq"].as_u64();
                        if caught_up > 1 || last != Some(events.len() as u64) {
                            let complaint =
                                format!("{run}: caught up {caught_up} times, at {last:?}, not {}", events.len());
                            seen.lock().unwrap().complaints.push(complaint);
                        }
                    }
                    _ => {}
                }
            })
            .await;
        if events.last().is_some_and(|last| last["payload"]["kind"] == "RUN_FINISHED") {
            return events;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    events
}

fn take(seen: &mut Seen, run: &str, events: &mut Vec<Value>, envelope: &Value) {
    let expected = events.len() as u64 + 1;
    if envelope["seq"].as_u64() != Some(expected) {
        seen.complaints.push(format!("{run}: event {} came where {expected} belongs", envelope["seq"]));
    }
    let payload = &envelope["payload"];
    let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
    let place = (run.to_owned(), text("node"), text("scope"));
    match payload["kind"].as_str().unwrap_or_default() {
        "ATTEMPT_SUCCEEDED" | "NODE_SUCCEEDED" | "NODE_FAILED" | "NODE_SKIPPED" | "NODE_CANCELED"
        | "NODE_TIMED_OUT" => {
            seen.shown.entry(place).or_insert(Shown { at: Instant::now(), end: None });
        }
        "NODE_STARTED" if ended_before(events, payload) => {
            seen.complaints.push(format!("{place:?} was told to have ended and started again"));
        }
        _ => {}
    }
    events.push(envelope.clone());
}

fn ended_before(events: &[Value], started: &Value) -> bool {
    events.iter().any(|event| {
        let payload = &event["payload"];
        let same = payload["node"] == started["node"] && payload["scope"] == started["scope"];
        same && matches!(payload["kind"].as_str(), Some("ATTEMPT_SUCCEEDED" | "NODE_SUCCEEDED" | "NODE_FAILED"))
    })
}
