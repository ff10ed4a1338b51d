//! The real `drive` and `step` under crashes between any two inputs, lost, repeated, late and reordered messages,
//! commits of unknown outcome, and pauses longer than the lease. A failing seed is printed, its trace is saved, and
//! `SIMULATION_SEED=<seed> cargo test -p engine --test simulation` plays it again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    unreachable_pub
)]

mod database;
mod random;
mod workload;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use engine::catalog::EffectClass;
use engine::error::ErrorKind;
use engine::id::RunId;
use engine::run::event::{Event, Recorded};
use engine::run::status::NodeRunStatus;
use world::World;

const SEEDS: u64 = 500;

#[test]
fn no_run_is_lost_or_silently_repeated_under_any_of_500_seeds() {
    let seeds: Vec<u64> = match std::env::var("SIMULATION_SEED") {
        Ok(seed) => vec![seed.parse().expect("SIMULATION_SEED is a number")],
        Err(_) => (1..=SEEDS).collect(),
    };
    let mut totals = Totals::default();
    for seed in seeds {
        let mut world = World::new(seed);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            world.run();
            check(&world)
        }));
        match outcome {
            Ok(seen) => totals.add(&seen, &world),
            Err(panic) => {
                let file = std::env::temp_dir().join(format!("flowforge-simulation-{seed}.txt"));
                std::fs::write(&file, world.trace.join("\n")).expect("the trace can be written");
                eprintln!("seed {seed} fails; its plan is in {}", file.display());
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{totals:?}");
    // A simulation that never meets a fault shows nothing.
    if totals.seeds == SEEDS {
        assert!(
            totals.recovered > 250
                && totals.uncertain > 100
                && totals.cut_calls > 100
                && totals.released > 20
                && totals.retried > 200
                && totals.reused > 300,
            "{totals:?}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| {
        let mut world = World::new(seed);
        world.run();
        let runs: Vec<_> = world.database.runs.keys().copied().collect();
        runs.into_iter().flat_map(|run| world.database.journal(run)).collect::<Vec<Recorded>>()
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}

#[derive(Debug, Default)]
struct Totals {
    seeds: u64,
    runs: usize,
    events: u64,
    flushes: u64,
    calls: usize,
    cut_calls: usize,
    recovered: usize,
    released: usize,
    uncertain: usize,
    retried: usize,
    reused: usize,
}

impl Totals {
    fn add(&mut self, seen: &Seen, world: &World) {
        self.seeds += 1;
        self.runs += world.database.runs.len();
        self.events += world.database.runs.values().map(|row| row.head).sum::<u64>();
        self.flushes += world.database.flushes;
        self.calls += world.ledger.len();
        self.cut_calls += world.ledger.iter().filter(|call| call.was_cut).count();
        self.recovered += seen.recovered;
        self.released += seen.released;
        self.uncertain += seen.uncertain;
        self.retried += seen.retried;
        self.reused += seen.reused;
    }
}

#[derive(Default)]
struct Seen {
    recovered: usize,
    released: usize,
    uncertain: usize,
    retried: usize,
    reused: usize,
}

fn check(world: &World) -> Seen {
    let mut seen = Seen::default();
    for (run, row) in &world.database.runs {
        assert!(
            row.status.is_final() || world.waits_for_somebody(*run),
            "{run} neither ended nor waits for somebody: {:?} {:?} owner {:?} wake {:?} inbox {}",
            row.status,
            row.claim,
            row.owner,
            row.wake_at,
            row.inbox.len()
        );
        let journal = world.database.journal(*run);
        let replayed = engine::run::replay::replay(&world.graph(*run), *run, journal.clone()).unwrap();
        assert!(replayed.missing.is_empty());
        assert_eq!(replayed.run.status(), row.status);
        for shown in row.node_runs.values() {
            let again = replayed.run.node_run_row(&world.graph(*run), &at(world, *run, shown)).unwrap();
            assert_eq!(&again, shown, "{run}: a row does not show what its journal says");
        }
        seen.recovered +=
            journal.iter().filter(|recorded| matches!(recorded.event, Event::RunRecovered { .. })).count();
        seen.released += journal.iter().filter(|recorded| matches!(recorded.event, Event::RunReleased { .. })).count();
        seen.uncertain += row.node_runs.values().filter(|row| row.status == NodeRunStatus::Uncertain).count();
        check_calls(world, *run, &journal);
        if let Some(of) = row.retry_of {
            seen.retried += 1;
            seen.reused += check_retry(world, *run, of, &replayed.run);
        }
    }
    seen
}

fn at(world: &World, run: engine::id::RunId, row: &engine::drive::batch::NodeRunRow) -> engine::run::event::NodeRunRef {
    let node = world.graph(run).find(&row.node).unwrap();
    engine::run::event::NodeRunRef { node, scope: row.scope.clone() }
}

/// The ledger is the only witness: one key for all calls that might be repeats, no call of an effect that may not be
/// repeated after one whose outcome nobody knows.
fn check_calls(world: &World, run: engine::id::RunId, journal: &[Recorded]) {
    let mut calls: BTreeMap<_, Vec<&world::Call>> = BTreeMap::new();
    for call in world.ledger.iter().filter(|call| call.run == run) {
        calls.entry(call.at.clone()).or_default().push(call);
    }
    for (at, calls) in calls {
        let attempts: BTreeSet<u32> = calls.iter().map(|call| call.attempt).collect();
        let graph = world.graph(run);
        let node = graph.node(at.node).unwrap();
        let keys: BTreeSet<_> = calls.iter().map(|call| &call.key).collect();
        let definite: usize = journal
            .iter()
            .filter(|recorded| matches!(&recorded.event, Event::AttemptFailed { at: failed, error, .. } if *failed == at && error.kind == ErrorKind::Transient))
            .count();
        let most_keys = if node.fresh_key_after_answer { 1 + definite } else { 1 };
        assert!(
            keys.len() <= most_keys,
            "{run}: {at:?} was called under {} keys after {definite} definite answers",
            keys.len()
        );
        let repeated = calls.len() - attempts.len();
        if node.class == EffectClass::Effectful {
            assert_eq!(repeated, 0, "{run}: an attempt of {at:?} was called twice");
        }
        if node.class == EffectClass::Effectful && node.on_uncertain != engine::definition::OnUncertain::Retry {
            check_parked(run, &at, &calls, journal);
        }
    }
}

/// What was taken over is not called again; a call goes on with the key that it had in the run before, unless it does
/// something else or had a definite answer.
fn check_retry(world: &World, run: RunId, of: RunId, state: &engine::run::Run) -> usize {
    let graph = world.graph(run);
    let mut reused = 0;
    for (node, _) in graph.nodes() {
        let calls_of = |wanted: RunId| {
            world.ledger.iter().filter(move |call| call.run == wanted && call.at.node == node).collect::<Vec<_>>()
        };
        if state.reused_from(node).is_some() {
            reused += 1;
            assert!(calls_of(run).is_empty(), "{run}: {node:?} was taken over from {of} and called again");
        }
        for call in calls_of(run) {
            assert_eq!(call.key.0, state.key_origin(node));
            let before = calls_of(of).into_iter().filter(|other| other.at == call.at && other.key.0 == call.key.0);
            let Some(before) = before.map(|other| other.key.3).max() else { continue };
            let rises = u32::from(graph.node(node).unwrap().fresh_key_after_answer);
            assert!(call.key.3 >= before, "{run}: {:?} fell back to an older key than in {of}", call.at);
            if call.attempt == 1 {
                assert!(call.key.3 <= before + rises, "{run}: {:?} has another key than in {of}", call.at);
            }
        }
    }
    reused
}

/// After a call whose outcome nobody knows there is no further one.
fn check_parked(
    run: engine::id::RunId,
    at: &engine::run::event::NodeRunRef,
    calls: &[&world::Call],
    journal: &[Recorded],
) {
    for call in calls {
        let definite = journal.iter().any(|recorded| match &recorded.event {
            Event::AttemptSucceeded { at: done, attempt, .. } => done == at && *attempt == call.attempt,
            Event::AttemptFailed { at: done, attempt, error, .. } => {
                done == at && *attempt == call.attempt && error.kind != ErrorKind::Unknown
            }
            _ => false,
        });
        let later = calls.iter().any(|other| other.attempt > call.attempt);
        assert!(definite || !later, "{run}: {at:?} was called again after attempt {} of unknown outcome", call.attempt);
    }
}
