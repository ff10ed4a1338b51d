//! What the second wall costs a request: two servers on one database, one with it and one without, asked in turns.

use std::time::Instant;

use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};
use serde_json::{Value, json};

use crate::app::{Home, TestApp, doubling};

/// Requests of one turn; the servers take turns, so that a busy machine is busy for both.
const TURN: usize = 100;
const TURNS: usize = 20;
const HUNDREDTHS: u64 = 100;

/// A process's CPU time in ms, where there is `/proc`; 0 elsewhere.
fn cpu_ms(process: &str) -> f64 {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return 0.0 };
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "figures to look at")]
    let ms = (ticks(11) + ticks(12)) as f64 * 1_000.0 / HUNDREDTHS as f64;
    ms
}

async fn rows(home: &Home, sql: &str) -> Vec<i64> {
    let statement = Statement::from_string(DatabaseBackend::Postgres, sql);
    let rows = home.database.database.read().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// CPU time of the database's sessions; they stay open over the whole measurement.
async fn database_ms(home: &Home) -> f64 {
    let sessions = "SELECT pid::bigint FROM pg_stat_activity WHERE datname = current_database()";
    rows(home, sessions).await.iter().map(|pid| cpu_ms(&pid.to_string())).sum()
}

#[derive(Debug, Default, Clone, Copy)]
struct Cost {
    seconds: f64,
    own_ms: f64,
    database_ms: f64,
}

async fn turn(home: &Home, app: &TestApp, query: &str, variables: &Value) -> Cost {
    let (own, database) = (cpu_ms("self"), database_ms(home).await);
    let began = Instant::now();
    for _ in 0..TURN {
        app.ask(query, variables.clone()).await;
    }
    Cost {
        seconds: began.elapsed().as_secs_f64(),
        own_ms: cpu_ms("self") - own,
        database_ms: database_ms(home).await - database,
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run it by name with `--ignored --nocapture` on a machine that does nothing else"]
async fn what_the_second_wall_costs_a_request() {
    let home = Home::postgres().await;
    let walled = TestApp::start(&home).await;
    walled.publish("double", &doubling()).await;
    let run = walled.start_run("double", json!({"n": 4})).await;
    walled.finish(&run).await;
    let home = home.with("DATABASE__ROW_SECURITY", "false").with("RUNTIME__DRIVE", "false");
    let open = TestApp::start(&home).await;
    let asked = [
        ("one row", "{ project { id } }", json!({})),
        ("runs with their workflows", "{ runs(first: 20) { nodes { id workflow { name } } } }", json!({})),
        (
            "a run with its node runs",
            "query($id: ID!) { run(id: $id) { id status nodeRuns(first: 50) { nodes { id status output { json } } } } }",
            json!({"id": run}),
        ),
        ("a change", "mutation { updateWorkspace(input: {name: \"W\"}) { workspace { id } } }", json!({})),
    ];
    println!("| request | ms without | ms with | ratio | CPU ms without | with | database's CPU ms without | with |");
    println!("|---|---|---|---|---|---|---|---|");
    for (name, query, variables) in asked {
        for app in [&walled, &open] {
            turn(&home, app, query, &variables).await;
        }
        let (mut ratios, mut sums) = (Vec::new(), [Cost::default(); 2]);
        for _ in 0..TURNS {
            let without = turn(&home, &open, query, &variables).await;
            let with = turn(&home, &walled, query, &variables).await;
            ratios.push(with.seconds / without.seconds);
            for (sum, cost) in sums.iter_mut().zip([without, with]) {
                sum.seconds += cost.seconds;
                sum.own_ms += cost.own_ms;
                sum.database_ms += cost.database_ms;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "figures to look at")]
        let each = |sum: f64| sum / (TURN * TURNS) as f64;
        let [without, with] = sums;
        let ratio = median(ratios);
        println!(
            "| {name} | {:.2} | {:.2} | {ratio:.3} | {:.3} | {:.3} | {:.3} | {:.3} |",
            each(without.seconds) * 1_000.0,
            each(with.seconds) * 1_000.0,
            each(without.own_ms),
            each(with.own_ms),
            each(without.database_ms),
            each(with.database_ms),
        );
        assert!(ratio < 1.25, "{name} takes {ratio:.2} times as long with the second wall");
    }
    open.stop().await;
    walled.stop().await;
}
