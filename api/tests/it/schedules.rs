//! Schedules, with the time passed in: which ticks start runs, and what becomes of the others.

use std::sync::Arc;

use api::app::App;
use api::auth::Role;
use api::service::trigger;
use axum::body::Body;
use axum::http::Request;
use engine::time::Timestamp;
use nodes::outgoing::{Outgoing, OutgoingPolicy};
use runtime::clock::Clock;
use runtime::secret::Secrets;
use runtime::{Parts, Runtime, RuntimeConfig};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::app::{Home, on_both_databases};

/// 2026-05-01T12:00:00Z.
pub(crate) const NOON: i64 = 1_777_636_800_000_000;

/// A process whose clock stands until it is moved, and whose schedules fire when it is asked to look.
pub(crate) struct Process {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Clock,
    pub(crate) key: String,
}

impl Process {
    pub(crate) async fn start(home: &Home) -> Self {
        let config = home.config();
        let outgoing = Outgoing::new(OutgoingPolicy::default()).unwrap();
        let clock = Clock::fixed(Timestamp(NOON));
        let (database, registry) = (home.database.database.clone(), nodes::Registry::built_in());
        let secrets = Secrets::new(database.clone(), clock.clone(), config.secrets.source.clone());
        let parts = Parts::new(database, &config.artifact.folder, registry, outgoing, clock.clone()).await.unwrap();
        let parts = Parts { secrets, ..parts };
        let runtime = Runtime::open(RuntimeConfig::default(), parts).await.unwrap();
        let key = home.key(Role::Admin).await;
        Self { app: Arc::new(App::new(runtime, Arc::new(config)).unwrap()), clock, key }
    }

    pub(crate) async fn ask_as(&self, key: &str, query: &str, variables: Value) -> Value {
        let request = Request::post("/graphql")
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(Body::from(json!({"query": query, "variables": variables}).to_string()))
            .unwrap();
        let answer = api::router(Arc::clone(&self.app)).oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(answer.into_body(), 10_000_000).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        let answer = self.ask_as(&self.key, query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer:#}");
        answer["data"].clone()
    }

    pub(crate) async fn publish(&self, name: &str, definition: &Value) -> Value {
        let query = "mutation($i: PublishWorkflowInput!) { publishWorkflow(input: $i) {
            workflow { id } version { id } problems { code path node message hint } userErrors { code message } } }";
        let payload = self.ask(query, json!({"i": {"name": name, "definition": definition}})).await;
        payload["publishWorkflow"].clone()
    }

    pub(crate) async fn change(&self, mutation: &str, input: Value) {
        let mut input_type = mutation.to_owned();
        input_type[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($i: {input_type}Input!) {{ it: {mutation}(input: $i) {{ userErrors {{ code message }} }} }}"
        );
        let payload = self.ask(&query, json!({"i": input})).await;
        assert_eq!(payload["it"]["userErrors"], json!([]), "{mutation}");
    }

    /// Moves the clock to so many seconds after noon and looks until nothing is due any more.
    pub(crate) async fn at(&self, seconds: i64) {
        self.clock.set(Timestamp(NOON + seconds * 1_000_000));
        for _ in 0..50 {
            if self.look().await == 0 {
                return;
            }
        }
        panic!("something stays due");
    }

    pub(crate) async fn look(&self) -> u64 {
        self.app.runtime.fire_due(trigger::gate(&self.app)).await.unwrap()
    }

    /// What became of each tick, the earliest first: its second after noon, and the reason when it started nothing.
    pub(crate) async fn ticks(&self, workflow: &str) -> Vec<(i64, Option<String>)> {
        let query = "query($f: TriggerEventFilter) { triggerEvents(filter: $f, first: 100) { totalCount
            nodes { scheduledAt reason outcome run { id } } } }";
        let events = self.ask(query, json!({"f": {"workflowId": workflow}})).await["triggerEvents"].clone();
        assert_eq!(events["totalCount"].as_u64().unwrap() as usize, events["nodes"].as_array().unwrap().len());
        let tick = |event: &Value| {
            let at = chrono::DateTime::parse_from_rfc3339(event["scheduledAt"].as_str().unwrap()).unwrap();
            assert_eq!(event["outcome"] == "STARTED", event["run"].is_object(), "{event}");
            assert_eq!(event["reason"].is_null(), event["run"].is_object(), "{event}");
            ((at.timestamp_micros() - NOON) / 1_000_000, event["reason"].as_str().map(str::to_owned))
        };
        let mut ticks: Vec<_> = events["nodes"].as_array().unwrap().iter().map(tick).collect();
        ticks.sort();
        ticks
    }

    pub(crate) async fn binding(&self, workflow: &str) -> Value {
        let query = "query($id: ID!) { node(id: $id) { ... on Workflow { triggerBindings { id environment node kind
            version { id } pausedAt pausedBy nextFirings lastFiredAt waitingSince lastRun { id status } } } } }";
        let data = self.ask(query, json!({"id": workflow})).await;
        assert_eq!(data["node"]["triggerBindings"].as_array().map(Vec::len), Some(1), "{data:#}");
        data["node"]["triggerBindings"][0].clone()
    }
}

/// A schedule and a node after it.
pub(crate) fn scheduled(config: Value) -> Value {
    json!({
        "nodes": {
            "clock": {"type": "trigger.schedule@1", "config": config},
            "keep": {"type": "data.set@1", "config": {"fields": {"at": "{{ trigger.scheduled_at }}"}}},
        },
        "edges": [{"from": "clock", "to": "keep"}],
    })
}

/// A schedule whose runs wait for a signal.
fn slow(overlap: &str) -> Value {
    json!({
        "nodes": {
            "clock": {"type": "trigger.schedule@1",
                "config": {"every": "1m", "overlap": overlap, "catch_up": "all"}},
            "hold": {"type": "flow.wait@1", "config": {"signal": {"name": "go"}}},
        },
        "edges": [{"from": "clock", "to": "hold"}],
    })
}

pub(crate) async fn id_of(process: &Process, name: &str, definition: &Value) -> String {
    let published = process.publish(name, definition).await;
    assert_eq!(published["problems"], json!([]));
    published["workflow"]["id"].as_str().unwrap().to_owned()
}

pub(crate) fn fired(seconds: &[i64]) -> Vec<(i64, Option<String>)> {
    seconds.iter().map(|second| (*second, None)).collect()
}

pub(crate) fn left(second: i64, reason: &str) -> (i64, Option<String>) {
    (second, Some(reason.to_owned()))
}

on_both_databases! {
    async fn a_tick_starts_one_run_however_many_processes_see_it(home: Home) {
        let (one, other) = (Process::start(&home).await, Process::start(&home).await);
        let workflow = id_of(&one, "minutely", &scheduled(json!({"every": "1m"}))).await;
        for minute in 1..=5 {
            one.clock.set(Timestamp(NOON + minute * 60_000_000));
            other.clock.set(Timestamp(NOON + minute * 60_000_000));
            tokio::join!(one.look(), other.look(), one.look());
        }
        assert_eq!(one.ticks(&workflow).await, fired(&[60, 120, 180, 240, 300]));
        let runs = one.ask("query($f: RunFilter) { runs(filter: $f, first: 50) { totalCount nodes { trigger createdBy
            input { json } } } }", json!({"f": {"workflowId": workflow, "triggerKind": ["SCHEDULE"]}})).await;
        assert_eq!(runs["runs"]["totalCount"], json!(5));
        assert_eq!(runs["runs"]["nodes"][0]["createdBy"], json!("schedule"));
        let input = json!({"scheduled_at": "2026-05-01T12:05:00Z", "local_time": "2026-05-01T12:05:00+00:00",
            "timezone": "UTC", "input": null});
        assert_eq!(runs["runs"]["nodes"][0]["input"]["json"], input);
    }

    async fn a_leader_that_stood_still_meanwhile_decides_nothing_any_more(home: Home) {
        let (old, new) = (Process::start(&home).await, Process::start(&home).await);
        let mut ids = Vec::new();
        for overlap in ["allow", "cancel"] {
            ids.push(id_of(&old, overlap, &slow(overlap)).await);
        }
        for process in [&old, &new] {
            process.clock.set(Timestamp(NOON + 60_000_000));
        }
        new.look().await;
        for process in [&old, &new] {
            process.clock.set(Timestamp(NOON + 120_000_000));
        }
        // The old leader has read what is due, and then stands still before it decides anything.
        let (stands, goes_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Semaphore::new(0)));
        let (told, waits) = (Arc::clone(&stands), Arc::clone(&goes_on));
        let gate: runtime::Gate = Arc::new(move |_| {
            let (told, waits) = (Arc::clone(&told), Arc::clone(&waits));
            Box::pin(async move {
                told.notify_one();
                waits.acquire().await.unwrap().forget();
                Ok(())
            })
        });
        let app = Arc::clone(&old.app);
        let woken = async move { app.runtime.fire_due(gate).await.unwrap() };
        let meanwhile = async {
            stands.notified().await;
            new.at(120).await;
            let decided: Vec<_> = [new.binding(&ids[0]).await, new.binding(&ids[1]).await].into();
            goes_on.add_permits(100);
            decided
        };
        let (_, decided) = tokio::join!(woken, meanwhile);
        for (id, decided) in ids.iter().zip(decided) {
            assert_eq!(new.ticks(id).await, fired(&[60, 120]));
            assert_eq!(new.binding(id).await["lastRun"]["id"], decided["lastRun"]["id"]);
        }
    }

    async fn ten_thousand_schedules_that_are_due_in_one_second_all_fire_once(home: Home) {
        let process = Process::start(&home).await;
        let workflow = id_of(&process, "minutely", &scheduled(json!({"every": "1m"}))).await;
        herd(&home, 10_000).await;
        process.clock.set(Timestamp(NOON + 60_000_000));
        let began = std::time::Instant::now();
        while process.look().await > 0 {}
        // Not a limit, which a busy machine would not hold: a figure for whoever runs it with `--nocapture`.
        figure(&format!("10,001 schedules fired in {:?} on {:?}", began.elapsed(), home.database.database.kind()));
        let query = "query($f: TriggerEventFilter) { triggerEvents(filter: $f, first: 1) { totalCount } }";
        let of = |outcome: &str| json!({"f": {"workflowId": workflow, "kind": "SCHEDULE", "outcome": outcome}});
        assert_eq!(process.ask(query, of("REFUSED")).await["triggerEvents"]["totalCount"], json!(0));
        assert_eq!(count(&home, "SELECT count(*) FROM trigger_event WHERE run_id IS NOT NULL AND kind = 'SCHEDULE'").await, 10_001);
        assert_eq!(count(&home, "SELECT count(DISTINCT binding_id) FROM trigger_event WHERE kind = 'SCHEDULE'").await, 10_001);
        assert_eq!(count(&home, "SELECT count(*) FROM run").await, 10_001);
    }

    async fn what_was_missed_is_told_or_made_up_for_as_the_schedule_says(home: Home) {
        let process = Process::start(&home).await;
        let mut ids = Vec::new();
        for (name, catch_up) in [("skip", json!({"catch_up": "skip"})), ("last", json!({"catch_up": "last"})),
            ("all", json!({"catch_up": "all"})), ("two", json!({"catch_up": "all", "catch_up_most": 2}))] {
            let mut config = json!({"every": "1h"});
            config.as_object_mut().unwrap().extend(catch_up.as_object().unwrap().clone());
            ids.push(id_of(&process, name, &scheduled(config)).await);
        }
        process.at(3 * 3_600 + 120).await;
        let (first, second, third) = (3_600, 7_200, 10_800);
        let missed = |seconds: &[i64]| seconds.iter().map(|at| left(*at, "MISSED")).collect::<Vec<_>>();
        assert_eq!(process.ticks(&ids[0]).await, missed(&[first, second, third]));
        assert_eq!(process.ticks(&ids[1]).await, [missed(&[first, second]), fired(&[third])].concat());
        assert_eq!(process.ticks(&ids[2]).await, fired(&[first, second, third]));
        assert_eq!(process.ticks(&ids[3]).await, [missed(&[first]), fired(&[second, third])].concat());
        process.at(4 * 3_600).await;
        assert_eq!(process.ticks(&ids[0]).await.last(), Some(&(14_400, None)));
    }

    async fn a_tick_during_a_run_does_what_the_schedule_says(home: Home) {
        let process = Process::start(&home).await;
        let mut ids = Vec::new();
        for overlap in ["allow", "skip", "queue", "cancel"] {
            ids.push(id_of(&process, overlap, &slow(overlap)).await);
        }
        process.at(60).await;
        let first = process.binding(&ids[2]).await["lastRun"]["id"].clone();
        let canceled = process.binding(&ids[3]).await["lastRun"]["id"].as_str().unwrap().to_owned();
        process.at(121).await;
        assert_eq!(process.ticks(&ids[0]).await, fired(&[60, 120]));
        assert_eq!(process.ticks(&ids[1]).await, [fired(&[60]), vec![left(120, "OVERLAP")]].concat());
        assert_eq!(process.ticks(&ids[2]).await, fired(&[60]));
        assert_eq!(process.ticks(&ids[3]).await, fired(&[60, 120]));
        let binding = process.binding(&ids[2]).await;
        assert_eq!((&binding["waitingSince"], &binding["lastRun"]["id"]), (&json!("2026-05-01T12:02:00+00:00"), &first));
        follow(&process, &canceled).await;
        let query = "query($id: ID!) { run(id: $id) { status } }";
        assert_eq!(process.ask(query, json!({"id": canceled})).await["run"]["status"], json!("CANCELED"));

        process.change("cancelRun", json!({"runId": first})).await;
        follow(&process, first.as_str().unwrap()).await;
        process.at(125).await;
        assert_eq!(process.ticks(&ids[2]).await, fired(&[60, 120]));
        assert_eq!(process.binding(&ids[2]).await["waitingSince"], json!(null));
    }

    async fn a_paused_trigger_starts_nothing_and_goes_on_from_when_it_is_resumed(home: Home) {
        let process = Process::start(&home).await;
        let definition = scheduled(json!({"every": "1m", "catch_up": "all"}));
        let workflow = id_of(&process, "minutely", &definition).await;
        let binding = process.binding(&workflow).await;
        assert_eq!(binding["nextFirings"].as_array().map(Vec::len), Some(10));
        assert_eq!(binding["nextFirings"][1], json!("2026-05-01T12:02:00+00:00"));
        assert_eq!((&binding["kind"], &binding["node"]), (&json!("SCHEDULE"), &json!("clock")));
        let id = json!({"triggerId": binding["id"]});
        process.change("pauseTrigger", id.clone()).await;
        process.change("pauseTrigger", id.clone()).await;
        process.at(150).await;
        // A pause outlives what is deployed.
        process.publish("minutely", &scheduled(json!({"every": "2m"}))).await;
        let binding = process.binding(&workflow).await;
        assert!(binding["pausedAt"].is_string() && binding["pausedBy"].is_string(), "{binding}");
        assert_eq!(binding["nextFirings"], json!([]));
        process.at(290).await;
        assert_eq!(process.ticks(&workflow).await, []);
        process.change("resumeTrigger", id.clone()).await;
        process.at(365).await;
        assert_eq!(process.ticks(&workflow).await, fired(&[360]));
        let audit = process.ask("{ audit(first: 50) { nodes { action entityId } } }", json!({})).await;
        let of_trigger: Vec<_> = audit["audit"]["nodes"].as_array().unwrap().iter()
            .filter(|row| row["entityId"] == binding["id"]).map(|row| row["action"].as_str().unwrap()).collect();
        assert_eq!(of_trigger, ["trigger.resumed", "trigger.paused"]);
    }

    async fn only_what_is_deployed_fires_and_a_new_rule_holds_from_its_deployment_on(home: Home) {
        let process = Process::start(&home).await;
        let by = |every: &str| scheduled(json!({"every": every, "catch_up": "all"}));
        let workflow = id_of(&process, "changing", &by("1m")).await;
        process.at(90).await;
        // Counted from 1970: the next time is three minutes after noon, the one after it ten minutes.
        process.publish("changing", &by("7m")).await;
        process.at(430).await;
        assert_eq!(process.ticks(&workflow).await, fired(&[60, 180]));
        process.change("undeployWorkflow", json!({"workflowId": workflow})).await;
        process.at(2_000).await;
        assert_eq!(process.ticks(&workflow).await, fired(&[60, 180]));
        assert_eq!(process.binding(&workflow).await["version"], json!(null));
        let deployed = process.publish("changing", &by("1m")).await["version"]["id"].clone();
        process.change("archiveWorkflow", json!({"workflowId": workflow})).await;
        process.at(3_000).await;
        process.change("unarchiveWorkflow", json!({"workflowId": workflow})).await;
        assert_eq!(process.binding(&workflow).await["version"]["id"], deployed);
        process.at(3_060).await;
        assert_eq!(process.ticks(&workflow).await, fired(&[60, 180, 3_060]));
        // Without the node nothing is left that could fire.
        process.publish("changing", &crate::app::doubling()).await;
        process.at(9_000).await;
        assert_eq!(process.ticks(&workflow).await.len(), 3);
    }

    async fn a_rule_that_cannot_be_read_is_a_problem_with_its_place(home: Home) {
        let process = Process::start(&home).await;
        let published = process.publish("wrong", &scheduled(json!({"cron": "0 25 * * *", "timezone": "Mars/Base"}))).await;
        let problems = published["problems"].as_array().unwrap();
        let places: Vec<_> = problems.iter().map(|problem| problem["path"].as_str().unwrap()).collect();
        assert_eq!(places, ["/nodes/clock/config/timezone", "/nodes/clock/config/cron"]);
        assert!(problems.iter().all(|problem| problem["code"] == "CONFIG_INVALID" && problem["node"] == "clock"));
        assert!(problems[0]["hint"].as_str().unwrap().contains("Europe/Berlin"), "{problems:?}");
        assert_eq!(published["version"], json!(null));
    }

    async fn a_tick_without_a_run_says_why(home: Home) {
        let process = Process::start(&home).await;
        let mut definition = scheduled(json!({"every": "1m"}));
        definition["input_schema"] = json!({"type": "object", "required": ["order"],
            "properties": {"order": {"type": "integer"}}});
        definition["nodes"]["keep"]["config"] = json!({"value": 1});
        let workflow = id_of(&process, "demanding", &definition).await;
        process.at(60).await;
        assert_eq!(process.ticks(&workflow).await, vec![left(60, "INPUT_INVALID")]);
    }

    async fn only_who_may_deploy_may_pause_and_nobody_else_sees_it(home: Home) {
        let process = Process::start(&home).await;
        let workflow = id_of(&process, "minutely", &scheduled(json!({"every": "1m"}))).await;
        let id = process.binding(&workflow).await["id"].clone();
        let query = "mutation($i: PauseTriggerInput!) { pauseTrigger(input: $i) { userErrors { code } } }";
        for role in [Role::Viewer, Role::Operator] {
            let key = home.key(role).await;
            let answer = process.ask_as(&key, query, json!({"i": {"triggerId": id}})).await;
            assert!(answer.to_string().contains("FORBIDDEN"), "{answer}");
        }
        let strange = json!({"i": {"triggerId": "trg_00000000000070008000000000000001"}});
        let answer = process.ask(query, strange).await;
        assert_eq!(answer["pauseTrigger"]["userErrors"][0]["code"], json!("NOT_FOUND"));
    }
}

/// Reads a run's events to their end.
pub(crate) async fn follow(process: &Process, run: &str) {
    let mut notices = process.app.runtime.bus().subscribe(run.parse().unwrap());
    loop {
        let data = process.ask("query($id: ID!) { run(id: $id) { finishedAt } }", json!({"id": run})).await;
        if data["run"]["finishedAt"].is_string() {
            return;
        }
        tokio::time::timeout(std::time::Duration::from_secs(20), notices.woken()).await.unwrap();
    }
}

/// Binds so many more environments to what the first one runs, as deploying to each of them would.
async fn herd(home: &Home, n: u32) {
    let write = home.database.database.write();
    let copied = "workspace_id, workflow_id, node_key, kind, version_id, definition_hash, config, paused_at, paused_by, \
        decided_at, held_at, next_at, last_tick_at, last_run_id, revision, created_at, updated_at";
    let sql = match write.get_database_backend() {
        sea_orm::DatabaseBackend::Postgres => format!(
            "INSERT INTO trigger_binding (id, environment, {copied})
             SELECT gen_random_uuid(), 'e' || n, {copied} FROM trigger_binding, generate_series(1, {n}) AS n"
        ),
        _ => format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {n})
             INSERT INTO trigger_binding (id, environment, {copied})
             SELECT randomblob(16), 'e' || n, {copied} FROM trigger_binding, numbers"
        ),
    };
    write.execute_unprepared(&sql).await.unwrap();
}

async fn count(home: &Home, sql: &str) -> i64 {
    let read = home.database.database.read();
    let statement = sea_orm::Statement::from_string(read.get_database_backend(), sql);
    read.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[expect(clippy::print_stdout, reason = "whoever measures reads it here")]
fn figure(text: &str) {
    println!("{text}");
}
