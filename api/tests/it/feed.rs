//! What happens in a workspace, by number; and who did it.

use engine::time::Timestamp;
use entity::{outbox, workspace_event};
use sea_orm::{ConnectionTrait as _, EntityTrait as _, PaginatorTrait as _, QueryOrder as _};
use serde_json::{Value, json};

use api::auth::Role;

use crate::app::{Home, TestApp, code, doubling, on_both_databases, waiting};
use crate::socket::{Follow, seqs, type_of};
use crate::sse::Events;

/// Numbers that look random and are the same in every run of the test.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

const CUTS: usize = 50;
/// Servers end and others begin after so many cuts.
const RESTART_EVERY: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Over {
    WebSocket,
    Sse,
}

/// A reader of either transport.
enum Reader {
    WebSocket(Box<crate::socket::Socket>),
    Sse(Events),
}

impl Reader {
    async fn open(app: &TestApp, over: Over, follow: &Follow, after: Option<&str>) -> Self {
        match over {
            Over::WebSocket => Self::WebSocket(Box::new(follow.open(app, after).await)),
            Over::Sse => Self::Sse(Events::open(app, follow.query, follow.variables.clone(), after).await),
        }
    }

    async fn next(&mut self, follow: &Follow) -> Option<Value> {
        match self {
            Self::WebSocket(socket) => socket.envelope_of(follow.field).await.unwrap(),
            Self::Sse(events) => events.envelope(follow.field).await,
        }
    }
}

/// What a reader has, over all its connections.
#[derive(Default)]
struct Seen {
    events: Vec<Value>,
    cursor: Option<String>,
}

impl Seen {
    /// Takes a delivery; whether it was the marker.
    fn take(&mut self, envelope: Value) -> bool {
        self.cursor = envelope["cursor"].as_str().map(str::to_owned);
        let is_marker = type_of(&envelope) == "CaughtUp";
        if !is_marker && type_of(&envelope) != "Heartbeat" {
            self.events.push(envelope);
        }
        is_marker
    }
}

/// Reads a few deliveries and is cut; when there is nothing more to read, something is made to happen.
async fn one_life(
    app: &TestApp,
    over: Over,
    follow: &Follow,
    seen: &mut Seen,
    deliveries: usize,
    happen: impl AsyncFnOnce(&TestApp) -> bool,
) {
    let mut reader = Reader::open(app, over, follow, seen.cursor.as_deref()).await;
    for _ in 0..deliveries {
        let Some(envelope) = reader.next(follow).await else { return };
        if seen.take(envelope) {
            if happen(app).await
                && let Some(envelope) = reader.next(follow).await
            {
                seen.take(envelope);
            }
            return;
        }
    }
}

/// `waits` nodes that wait for a signal each.
fn patient(waits: usize) -> Value {
    let mut chain = json!({"nodes": {"n0": {"type": "trigger.manual@1"}}, "edges": []});
    for n in 1..=waits {
        chain["nodes"][format!("n{n}")] =
            json!({"type": "flow.wait@1", "config": {"signal": {"name": "go", "timeout": "1h"}}});
        chain["edges"].as_array_mut().unwrap().push(json!({"from": format!("n{}", n - 1), "to": format!("n{n}")}));
    }
    chain
}

async fn signal(app: &TestApp, run: &str) {
    let query = "mutation($input: SignalRunInput!) { signalRun(input: $input) { userErrors { code } } }";
    let payload = app.ask(query, json!({"input": {"runId": run, "name": "go", "payload": 1}})).await;
    assert_eq!(payload["signalRun"]["userErrors"], json!([]));
}

async fn fifty_cuts_of_a_run(home: Home, over: Over) {
    let mut app = TestApp::start(&home).await;
    let waits = 15;
    app.publish("patient", &patient(waits)).await;
    let run = app.start_run("patient", json!({})).await;
    let follow = Follow::run(&run);
    let (mut draw, mut seen, mut signals) = (Draw(11), Seen::default(), 0);
    for cut in 1..=CUTS {
        let deliveries = draw.below(5);
        let is_due = signals < waits;
        one_life(&app, over, &follow, &mut seen, deliveries, async |app| {
            if is_due {
                signal(app, &run).await;
                signals += 1;
            }
            is_due
        })
        .await;
        if cut % RESTART_EVERY == 0 {
            app.stop().await;
            app = TestApp::start(&home).await;
        }
    }
    while signals < waits {
        signal(&app, &run).await;
        signals += 1;
    }
    let mut reader = Reader::open(&app, over, &follow, seen.cursor.as_deref()).await;
    while let Some(envelope) = reader.next(&follow).await {
        seen.take(envelope);
    }
    let last = app.finish(&run).await["lastSeq"].as_u64().unwrap();
    assert_eq!(seqs(&seen.events), (1..=last).collect::<Vec<_>>());
    assert_eq!(seen.events.last().unwrap()["payload"]["kind"], "RUN_FINISHED");
    app.stop().await;
}

async fn fifty_cuts_of_a_workspace(home: Home, over: Over) {
    let mut app = TestApp::start(&home).await;
    let follow = Follow::workspace(json!(null));
    let (mut draw, mut seen) = (Draw(13), Seen::default());
    // Without a cursor a reader begins now.
    one_life(&app, over, &follow, &mut seen, 1, async |_| false).await;
    assert!(seen.cursor.is_some() && seen.events.is_empty());
    for cut in 1..=CUTS {
        let (deliveries, version) = (draw.below(6), cut % 5);
        one_life(&app, over, &follow, &mut seen, deliveries, async |app| {
            let mut document = doubling();
            document["nodes"]["double"]["config"]["fields"]["v"] = json!(version);
            app.publish("double", &document).await;
            app.start_run("double", json!({"n": cut})).await;
            true
        })
        .await;
        if cut % RESTART_EVERY == 0 {
            app.stop().await;
            app = TestApp::start(&home).await;
        }
    }
    let run = app.start_run("double", json!({"n": 0})).await;
    app.finish(&run).await;
    let mut reader = Reader::open(&app, over, &follow, seen.cursor.as_deref()).await;
    let is_last = |seen: &Seen| {
        let last = &seen.events.last().map_or(&Value::Null, |envelope| &envelope["payload"]);
        last["runId"] == json!(run) && last["kind"] == "run.finished"
    };
    while !is_last(&seen) {
        seen.take(reader.next(&follow).await.unwrap());
    }
    let stored = workspace_event::Entity::find().order_by_asc(workspace_event::Column::Seq);
    let stored = stored.all(home.database.database.read()).await.unwrap();
    let stored: Vec<(u64, String)> =
        stored.into_iter().map(|row| (u64::try_from(row.seq).unwrap(), row.kind)).collect();
    let kind = |envelope: &Value| match type_of(envelope) {
        "DraftUpdate" => "draft.updated".to_owned(),
        _ => envelope["payload"]["kind"].as_str().unwrap().to_owned(),
    };
    let told: Vec<(u64, String)> =
        seen.events.iter().map(|envelope| (envelope["seq"].as_u64().unwrap(), kind(envelope))).collect();
    assert!(told.len() > 30, "{}", told.len());
    assert_eq!(told[..], stored[..told.len()]);
    assert_eq!(told.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (1..=told.len() as u64).collect::<Vec<_>>());
    assert_eq!(outbox::Entity::find().count(home.database.database.read()).await.unwrap(), 0);
    app.stop().await;
}

on_both_databases! {
    async fn a_reader_of_a_run_cut_fifty_times_over_websocket_sees_everything_once(home: Home) {
        fifty_cuts_of_a_run(home, Over::WebSocket).await;
    }

    async fn a_reader_of_a_run_cut_fifty_times_over_sse_sees_everything_once(home: Home) {
        fifty_cuts_of_a_run(home, Over::Sse).await;
    }

    async fn a_reader_of_a_workspace_cut_fifty_times_over_websocket_sees_everything_once(home: Home) {
        fifty_cuts_of_a_workspace(home, Over::WebSocket).await;
    }

    async fn a_reader_of_a_workspace_cut_fifty_times_over_sse_sees_everything_once(home: Home) {
        fifty_cuts_of_a_workspace(home, Over::Sse).await;
    }

    async fn a_run_tells_its_workspace_of_every_status_that_it_had(home: Home) {
        let app = TestApp::start(&home).await;
        let follow = Follow::workspace(json!({"kinds": ["run.*"]}));
        let mut reader = follow.open(&app, None).await;
        assert_eq!(type_of(&reader.envelope_of(follow.field).await.unwrap().unwrap()), "CaughtUp");
        app.publish("hold", &waiting()).await;
        let run = app.start_run("hold", json!({})).await;
        let mut told = Vec::new();
        while told.last().map(String::as_str) != Some("run.finished SUCCEEDED") {
            let payload = reader.envelope_of(follow.field).await.unwrap().unwrap()["payload"].clone();
            assert_eq!((&payload["runId"], &payload["environment"]), (&json!(run), &json!("default")), "{payload}");
            told.push(format!("{} {}", payload["kind"].as_str().unwrap(), payload["status"].as_str().unwrap()));
            if payload["kind"] == "run.waiting" {
                signal(&app, &run).await;
            }
        }
        assert_eq!(told[0], "run.created QUEUED");
        assert!(told.contains(&"run.waiting WAITING".to_owned()), "{told:?}");
        app.stop().await;
    }

    async fn an_editor_sees_the_changes_of_others_in_order_and_can_make_them_in_a_copy(home: Home) {
        let app = TestApp::start(&home).await;
        let made = async |name: &str| {
            let input = json!({"name": name, "document": {"nodes": {}}});
            let workflow = app.changed("createWorkflow", input, "workflow { id draft { id } }").await["workflow"].clone();
            (workflow["id"].clone(), workflow["draft"]["id"].clone())
        };
        let ((mine, draft), (_, other)) = (made("mine").await, made("other").await);
        let follow = Follow::draft(&mine);
        let mut reader = follow.open(&app, None).await;
        assert_eq!(type_of(&reader.envelope_of(follow.field).await.unwrap().unwrap()), "CaughtUp");
        for revision in 1..=3 {
            for draft in [&other, &draft] {
                let patch = json!([{"op": "add", "path": format!("/nodes/n{revision}"), "value": {}}]);
                let input = json!({"draftId": draft, "expectedRevision": revision, "patch": patch});
                app.changed("saveDraft", input, "").await;
            }
        }
        let mut cursors = Vec::new();
        for revision in 2..=4 {
            let envelope = reader.envelope_of(follow.field).await.unwrap().unwrap();
            let payload = &envelope["payload"];
            assert_eq!((&payload["draftId"], &payload["revision"]), (&draft, &json!(revision)), "{envelope}");
            assert_eq!(payload["change"]["patch"][0]["path"], format!("/nodes/n{}", revision - 1));
            cursors.push(envelope["cursor"].as_str().unwrap().to_owned());
        }
        let mut again = follow.open(&app, Some(&cursors[0])).await;
        assert_eq!(again.envelope_of(follow.field).await.unwrap().unwrap()["payload"]["revision"], 3);
        let nowhere = Follow::draft(&json!("wf_01920000000070008000000000000001"));
        assert_eq!(code(&nowhere.open(&app, None).await.error_of(nowhere.field).await), "NOT_FOUND");
        app.stop().await;
    }

    async fn what_nobody_keeps_any_more_is_said_with_the_oldest_place(home: Home) {
        let app = TestApp::start(&home).await;
        let follow = Follow::workspace(json!(null));
        let mut reader = follow.open(&app, None).await;
        let start = reader.envelope_of(follow.field).await.unwrap().unwrap()["cursor"].as_str().unwrap().to_owned();
        app.publish("double", &doubling()).await;
        let mut last = Value::Null;
        while last["payload"]["kind"] != "deployment.changed" {
            last = reader.envelope_of(follow.field).await.unwrap().unwrap();
        }
        let gone = "DELETE FROM workspace_event WHERE seq <= 2";
        home.database.database.write().execute_unprepared(gone).await.unwrap();
        let refused = follow.open(&app, Some(&start)).await.error_of(follow.field).await;
        assert_eq!(code(&refused), "CURSOR_EXPIRED");
        let oldest = refused["errors"][0]["extensions"]["oldestCursor"].as_str().unwrap();
        let mut reader = follow.open(&app, Some(oldest)).await;
        assert_eq!(reader.envelope_of(follow.field).await.unwrap().unwrap()["seq"], 3);

        let id = app.start_run("double", json!({"n": 1})).await;
        app.finish(&id).await;
        let gone = "DELETE FROM journal WHERE first_seq = 1";
        home.database.database.write().execute_unprepared(gone).await.unwrap();
        let follow = Follow::run(&id);
        let refused = follow.open(&app, None).await.error_of(follow.field).await;
        assert_eq!(code(&refused), "CURSOR_EXPIRED");
        app.stop().await;
    }

    async fn a_filter_that_nothing_passes_and_cursors_of_others_are_refused(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let id = app.start_run("double", json!({"n": 1})).await;
        let whole = crate::socket::Socket::follow_to_end(&app, &id, None).await;
        let of_run = whole[0]["cursor"].as_str().unwrap();
        let follow = Follow::workspace(json!(null));
        for after in [of_run, "AAAA", ""] {
            let refused = follow.open(&app, Some(after)).await.error_of(follow.field).await;
            assert_eq!(code(&refused), "BAD_USER_INPUT", "{after}");
        }
        let follow = Follow::workspace(json!({"kinds": ["run.finnished"]}));
        let refused = follow.open(&app, None).await.error_of(follow.field).await;
        assert_eq!(code(&refused), "BAD_USER_INPUT");
        app.stop().await;
    }

    async fn events_of_a_week_ago_are_not_kept(home: Home) {
        let app = TestApp::start(&home).await;
        let follow = Follow::workspace(json!(null));
        let mut reader = follow.open(&app, None).await;
        reader.envelope_of(follow.field).await.unwrap();
        app.publish("double", &doubling()).await;
        let first = reader.envelope_of(follow.field).await.unwrap().unwrap();
        assert_eq!(first["seq"], 1);
        let database = &home.database.database;
        let at = |days: i64| Timestamp(chrono::DateTime::parse_from_rfc3339(first["at"].as_str().unwrap()).unwrap().timestamp_micros() + days * 86_400_000_000);
        assert_eq!(runtime::store::feed::forget(database, at(6)).await.unwrap(), 0);
        assert!(runtime::store::feed::forget(database, at(8)).await.unwrap() >= 1);
        app.stop().await;
    }

    async fn every_change_has_its_audit_row_and_only_admins_read_it(home: Home) {
        let app = TestApp::start(&home).await;
        let published = app.publish("hold", &waiting()).await;
        let run = app.start_run("hold", json!({})).await;
        let cancel = "mutation($id: ID!) { cancelRun(input: {runId: $id, reason: \"enough\"}) { userErrors { code } } }";
        let request = json!({"query": cancel, "variables": {"id": run}});
        app.post(&app.key, &request).header("x-request-id", "req-7").send().await.unwrap();
        app.publish("hold", &waiting()).await;
        let query = "query($filter: AuditFilter, $first: Int, $after: String) {
            audit(filter: $filter, first: $first, after: $after) { pageInfo { hasNextPage endCursor }
            nodes { id seq action entityId actorKind actorId before after requestId at } } }";
        let all = app.ask(query, json!({})).await["audit"]["nodes"].clone();
        let rows = all.as_array().unwrap();
        let actions: Vec<&str> = rows.iter().map(|row| row["action"].as_str().unwrap()).collect();
        let wanted = ["run.cancel_requested", "deployment.changed", "version.published", "workflow.created", "api_key.created"];
        assert_eq!(actions, wanted);
        assert_eq!(rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
        assert_eq!((&rows[0]["requestId"], &rows[0]["entityId"]), (&json!("req-7"), &json!(run)));
        assert_eq!(rows[0]["after"], json!({"reason": "enough", "force": false}));
        assert_eq!(rows[1]["after"]["version"], published["version"]["id"]);
        assert_eq!((&rows[4]["actorKind"], &rows[4]["actorId"]), (&json!("COMMAND"), &json!(null)));
        assert_eq!(rows[0]["actorKind"], "API_KEY");

        let page = app.ask(query, json!({"first": 2})).await["audit"].clone();
        assert_eq!(page["pageInfo"]["hasNextPage"], true);
        let rest = app.ask(query, json!({"after": page["pageInfo"]["endCursor"]})).await;
        assert_eq!(rest["audit"]["nodes"].as_array().unwrap()[..], rows[2..]);
        let of = async |filter: Value| {
            let found = app.ask(query, json!({"filter": filter})).await["audit"]["nodes"].clone();
            found.as_array().unwrap().iter().map(|row| row["seq"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(of(json!({"entityId": run})).await, [5]);
        assert_eq!(of(json!({"actions": ["version.published", "workflow.created"]})).await, [3, 2]);
        assert_eq!(of(json!({"actorId": rows[0]["actorId"]})).await, [5, 4, 3, 2]);
        assert_eq!(of(json!({"since": rows[0]["at"]})).await, [5]);
        assert_eq!(of(json!({"until": rows[3]["at"]})).await, [1]);
        let one = app.ask("query($id: ID!) { node(id: $id) { __typename id } }", json!({"id": rows[0]["id"]})).await;
        assert_eq!(one["node"], json!({"__typename": "AuditEntry", "id": rows[0]["id"]}));

        let editor = home.key(Role::Editor).await;
        assert_eq!(code(&app.ask_as(&editor, query, json!({})).await), "FORBIDDEN");
        app.stop().await;
    }
}

/// Both processes relay; each reader goes from one to the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_one_process_sees_what_happens_in_another() {
    let home = Home::postgres().await;
    let (here, there) = (TestApp::start(&home).await, TestApp::start(&home).await);
    let follow = Follow::workspace(json!(null));
    let mut seen = Seen::default();
    one_life(&here, Over::WebSocket, &follow, &mut seen, 1, async |_| false).await;
    for round in 0..10 {
        let (reads, works) = if round % 2 == 0 { (&here, &there) } else { (&there, &here) };
        one_life(reads, Over::Sse, &follow, &mut seen, 100, async |_| {
            let mut document = doubling();
            document["nodes"]["double"]["config"]["fields"]["v"] = json!(round);
            works.publish("double", &document).await;
            works.start_run("double", json!({"n": 1})).await;
            true
        })
        .await;
    }
    let count = seen.events.len() as u64;
    assert!(count >= 20, "{count}");
    assert_eq!(seqs(&seen.events), (1..=count).collect::<Vec<_>>());
    here.stop().await;
    there.stop().await;
}
