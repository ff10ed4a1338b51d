//! Processes that end at a named point around an effect, and a ledger that looks into the database at each call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, Statement};
use serde_json::{Value, json};

use crate::client::{Api, Fleet};
use crate::home::{Home, On, Server};
use crate::ledger::{Effect, Inspector, Ledger, Manners};
use crate::verdict::{self, Kills};
use crate::workload::{Kind, request, row, set};

/// The points, and how a process is brought to meet them again and again.
const POINTS: [&str; 7] =
    ["before_intake", "after_intake", "before_flush", "after_flush", "before_effect", "after_effect", "before_result"];
/// A run that meets a point this often has met it at every place that differs.
const OFTEN: u32 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_made_on_sqlite_before_its_start_and_its_inputs_are_stored() {
    kill_at_points(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_made_on_postgresql_before_its_start_and_its_inputs_are_stored() {
    kill_at_points(On::Postgres).await;
}

async fn kill_at_points(on: On) {
    let home = Home::new(on).await.with("RUNTIME__LEASE", "300ms");
    let key = home.key();
    let inspector = inspector(Database::connect(home.database_url()).await.unwrap());
    let ledger = Ledger::open(Manners { delay: 1..20, refused: 0 }, 7, Some(inspector)).await;
    let home = home.with("HTTP__ALLOW_HOSTS", &ledger.host);
    let fleet = Fleet::of(1);
    let api = Api::new(Arc::clone(&fleet), key);
    let mut kills = Kills::of(1);
    let (mut server, _) = started(&home, &fleet, None);
    api.publish("mixed", &mixed(&ledger.host)).await;
    api.publish("fan", &Kind::Fan.definition(&ledger.host)).await;

    let mut crashes: BTreeMap<&str, u32> = BTreeMap::new();
    let mut runs = Vec::new();
    for point in POINTS {
        for nth in 1..=OFTEN {
            kills.kill(&mut server);
            let since = Instant::now();
            let early;
            (server, early) = started(&home, &fleet, Some(&format!("{point}:{nth}")));
            if early {
                kills.ended(since);
            }
            let (crashed, run) = one(&home, &fleet, &api, &mut server, &mut kills, &format!("{point}-{nth}")).await;
            runs.push(run);
            if !crashed && !early {
                break;
            }
            *crashes.entry(point).or_default() += 1;
        }
    }
    assert_eq!(crashes.len(), POINTS.len(), "some points were never met: {crashes:?}");
    println!("crashes on {on:?}: {crashes:?}, {} calls", ledger.count());
    settled(&api, &runs, &ledger, &kills).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_while_it_takes_runs_over_loses_none() {
    let ledger = Ledger::open(Manners { delay: 1..20, refused: 0 }, 7, None).await;
    let home = Home::new(On::Postgres).await.with("RUNTIME__LEASE", "300ms").with("HTTP__ALLOW_HOSTS", &ledger.host);
    let fleet = Fleet::of(1);
    let api = Api::new(Arc::clone(&fleet), home.key());
    let (mut server, _) = started(&home, &fleet, None);
    api.publish("mixed", &mixed(&ledger.host)).await;
    server.kill();
    let (mut server, _) = started(&home, &fleet, Some("before_effect:1"));
    let run = tokio::spawn({
        let api = api.clone();
        async move { api.start("mixed", "taken", json!({ "key": "taken", "n": 1 })).await }
    });
    assert!(server.ended_within(Duration::from_secs(20)).await);
    for _ in 0..2 {
        let (mut taker, early) = started(&home, &fleet, Some("after_adoption:1"));
        assert!(early || taker.ended_within(Duration::from_secs(20)).await, "nothing was taken over");
    }
    let (_server, _) = started(&home, &fleet, None);
    let run = run.await.unwrap();
    api.until(&run, Duration::from_secs(30), |run| run["status"] == "SUCCEEDED").await;
}

/// Calls and pure nodes in turn, so that each call has inputs that had to be stored first.
fn mixed(host: &str) -> Value {
    row(
        &[
            ("first", set("{{ run.input.n + 1 }}")),
            ("put", request(host, "PUT", "put", "-")),
            ("second", set("{{ nodes.put.output.status + nodes.first.output }}")),
            ("get", request(host, "GET", "get", "-")),
            ("nap", json!({ "type": "flow.wait@1", "config": { "for": "20ms" } })),
            ("third", set("{{ nodes.second.output + 1 }}")),
            ("del", request(host, "DELETE", "del", "-")),
        ],
        "{{ nodes.third.output }}",
    )
}

/// A server, and whether another one ended at its point before it listened: that one had a run to take over.
fn started(home: &Home, fleet: &Fleet, crash_at: Option<&str>) -> (Server, bool) {
    let extra: Vec<(&str, &str)> = crash_at.map(|at| ("TESTING__CRASH_AT", at)).into_iter().collect();
    let (server, early) = match home.try_serve("server", &extra) {
        Some(server) => (server, false),
        None => (home.serve("server"), true),
    };
    fleet.set(0, Some(server.url.clone()));
    (server, early)
}

/// Starts two runs on a server that will end at its point, and a server after it. Whether it ended, and the runs.
async fn one(
    home: &Home,
    fleet: &Arc<Fleet>,
    api: &Api,
    server: &mut Server,
    kills: &mut Kills,
    name: &str,
) -> (bool, Vec<(String, String)>) {
    let start = |workflow: &'static str| {
        let (api, key) = (api.clone(), format!("{workflow}-{name}"));
        let input = json!({ "key": key, "n": 1 });
        tokio::spawn(async move { (api.start(workflow, &key, input).await, key) })
    };
    let starts = [start("mixed"), start("fan")];
    let since = Instant::now();
    let mut crashed = server.ended_within(Duration::from_millis(700)).await;
    if !crashed {
        // Nothing is under way any more, or the machine is slow: look which.
        crashed =
            !ended(server, starts.iter().all(tokio::task::JoinHandle::is_finished), api, &starts_keys(name)).await;
    }
    if crashed {
        kills.ended(since);
        fleet.set(0, None);
        (*server, _) = started(home, fleet, None);
    }
    let mut runs = Vec::new();
    for start in starts {
        runs.push(start.await.unwrap());
    }
    (crashed, runs)
}

fn starts_keys(name: &str) -> [String; 2] {
    ["mixed", "fan"].map(|workflow| format!("{workflow}-{name}"))
}

/// Waits until both runs have ended; `false` when the process ended first.
async fn ended(server: &mut Server, all_started: bool, api: &Api, keys: &[String]) -> bool {
    let query = "query($key: String) { runs(filter: { key: $key }) { edges { node { status } } } }";
    let began = Instant::now();
    loop {
        let mut done = 0;
        for key in keys {
            let Ok(data) = api.try_ask(query, &json!({ "key": key })).await else { break };
            done += usize::from(data.pointer("/runs/edges/0/node/status").is_some_and(|status| status == "SUCCEEDED"));
        }
        if server.has_ended() {
            return false;
        }
        if done == keys.len() {
            return true;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{keys:?} do not end; all started: {all_started}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every run ends, or waits for a person exactly where the ledger saw the caller go.
async fn settled(api: &Api, runs: &[Vec<(String, String)>], ledger: &Ledger, kills: &Kills) {
    let mut uncertain = BTreeSet::new();
    for (run, key) in runs.iter().flatten() {
        let began = Instant::now();
        loop {
            let found = api.run(run).await;
            let node_runs = api.node_runs(run).await;
            let parked = node_runs.iter().any(|node_run| node_run["status"] == "UNCERTAIN");
            if parked {
                uncertain.insert(Effect { run: key.clone(), node: "pay".to_owned(), item: "-".to_owned() });
            }
            if parked || found["status"] == "SUCCEEDED" {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{key} does not end: {found}\n{node_runs:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    verdict::none("calls before their start", &ledger.complaints());
    verdict::none("calls", &verdict::of_calls(ledger, kills, &BTreeSet::new()));
    let (counted, complaints) = verdict::of_uncertain(ledger, kills, &uncertain);
    println!("{counted:?}");
    verdict::none("uncertain node runs", &complaints);
}

/// Looks, at the moment of each call, for the node run that makes it and for everything that it was made from.
fn inspector(database: DatabaseConnection) -> Inspector {
    Arc::new(move |effect: &Effect| {
        let (database, effect) = (database.clone(), effect.clone());
        Box::pin(async move { inspect(&database, &effect).await })
    })
}

const STARTED: &str = "SELECT n.status, r.head_seq,
    (SELECT MAX(j.last_seq) FROM journal j WHERE j.run_id = r.id) AS last_seq
    FROM run r JOIN node_run n ON n.run_id = r.id
    WHERE r.key = $1 AND n.node_key = $2 AND n.scope = $3";
const INPUTS: &str = "SELECT COUNT(*) AS stored FROM run r JOIN node_run n ON n.run_id = r.id
    WHERE r.key = $1 AND n.status = 'SUCCEEDED' AND n.output_digest IS NOT NULL AND n.output IS NOT NULL
    AND r.input_digest IS NOT NULL AND n.node_key = $2";

async fn inspect(database: &DatabaseConnection, effect: &Effect) -> Result<(), String> {
    let ask = |sql: &str, values: Vec<sea_orm::Value>| {
        database.query_one_raw(Statement::from_sql_and_values(database.get_database_backend(), sql, values))
    };
    let scope = effect.item.replace('-', "");
    let found = ask(STARTED, vec![effect.run.clone().into(), effect.node.clone().into(), scope.into()]).await;
    let row = found.map_err(|error| error.to_string())?.ok_or_else(|| format!("{effect:?}: no node run is stored"))?;
    let status: String = row.try_get("", "status").map_err(|error| error.to_string())?;
    let head: i64 = row.try_get("", "head_seq").map_err(|error| error.to_string())?;
    let last: Option<i64> = row.try_get("", "last_seq").map_err(|error| error.to_string())?;
    if status != "RUNNING" || last != Some(head) {
        return Err(format!("{effect:?}: stored as {status}, head {head}, journal {last:?}"));
    }
    let before: &[&str] = match effect.node.as_str() {
        "put" => &["start", "first"],
        "get" => &["start", "first", "put", "second"],
        "del" => &["start", "first", "put", "second", "get", "nap", "third"],
        _ => &["start"],
    };
    for node in before {
        let found = ask(INPUTS, vec![effect.run.clone().into(), (*node).into()]).await;
        let stored: Option<i64> =
            found.map_err(|error| error.to_string())?.and_then(|row| row.try_get("", "stored").ok());
        if stored != Some(1) {
            return Err(format!("{effect:?}: the output of `{node}` is not stored"));
        }
    }
    Ok(())
}
