//! Another workspace's ids, everywhere that an id can be said: NOT_FOUND, no row, no event. The places are read off the
//! schema, so that none is forgotten.

use std::collections::BTreeMap;

use api::service::member;
use api::service::user::{self, Subject};
use nodes::file::FileName;
use runtime::artifact::NewArtifact;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, on_both_databases, waiting};
use crate::asking::{Asking, kind};
use crate::in_process::{admin, idle_app};
use crate::schedules::scheduled;
use crate::socket::Socket;
use crate::tenancy::other_workspace;

/// One thing of each kind, by the prefix of its id.
pub(crate) async fn one_of_each(app: &TestApp, home: &Home) -> BTreeMap<&'static str, String> {
    let mut things = BTreeMap::new();
    let mut put = |kind: &'static str, id: &Value| {
        things.insert(kind, id.as_str().unwrap_or_else(|| panic!("{kind}: {id}")).to_owned());
    };
    let held = app.publish("hold", &waiting()).await;
    put("wf", &held["workflow"]["id"]);
    put("ver", &held["version"]["id"]);
    let run = app.start_run("hold", json!({})).await;
    put("run", &json!(run));
    put("nrun", &json!(format!("nrun_{}.start", run.trim_start_matches("run_"))));
    app.publish("hourly", &scheduled(json!({"every": "1h"}))).await;
    let query = "{ hold: workflow(name: \"hold\") { draft { id } }
        hourly: workflow(name: \"hourly\") { triggerBindings { id } }
        project { id environments { id } } triggerEvents { nodes { id } } viewer { workspace { id } } }";
    let data = app.ask(query, json!({})).await;
    put("drf", &data["hold"]["draft"]["id"]);
    put("trg", &data["hourly"]["triggerBindings"][0]["id"]);
    put("prj", &data["project"]["id"]);
    put("env", &data["project"]["environments"][0]["id"]);
    put("evt", &data["triggerEvents"]["nodes"][0]["id"]);
    put("ws", &data["viewer"]["workspace"]["id"]);
    let backfill = json!({"triggerId": data["hourly"]["triggerBindings"][0]["id"], "from": "2026-05-01T10:00:00Z",
        "until": "2026-05-01T11:00:00Z", "perMinute": 1});
    put("bkf", &app.changed("backfillTrigger", backfill, "backfill { id }").await["backfill"]["id"]);
    // Its one tick starts a run at a moment of its own; nothing must move while a stranger tries.
    while app.ask("{ runs { totalCount } }", json!({})).await["runs"]["totalCount"] != 2 {
        tokio::task::yield_now().await;
    }
    let connection = json!({"name": "c", "type": "http.bearer", "secrets": {"token": "hush-hush"}});
    put("con", &app.changed("createConnection", connection, "connection { id }").await["connection"]["id"]);
    let notification = json!({"name": "n", "url": "https://example.com/", "events": ["run.failed"]});
    put("ntf", &app.changed("createNotification", notification, "notification { id }").await["notification"]["id"]);
    // One that nobody has: a delivery takes a receiver outside, and the tests of deliveries have it.
    put("dlv", &json!(format!("dlv_{}", "1".repeat(32))));
    let variable = json!({"name": "v", "value": 1});
    put("var", &app.changed("createVariable", variable, "variable { id }").await["variable"]["id"]);
    let role = json!({"name": "r", "permissions": ["read"]});
    put("rol", &app.changed("createRole", role, "role { key }").await["role"]["key"]);
    let invitation = app.changed("inviteMember", json!({"role": "viewer"}), "invitation { id } token").await;
    put("inv", &invitation["invitation"]["id"]);
    let account = json!({"name": "s", "role": "viewer"});
    let account =
        app.changed("createServiceAccount", account, "serviceAccount { id }").await["serviceAccount"]["id"].clone();
    put("svc", &account);
    let key = app.changed("createApiKey", json!({"name": "k", "serviceAccountId": account}), "apiKey { id }").await;
    put("key", &key["apiKey"]["id"]);
    put("aud", &app.ask("{ audit(first: 1) { nodes { id } } }", json!({})).await["audit"]["nodes"][0]["id"]);
    let inside = idle_app(home).await;
    let here = admin(&inside, home).await.workspace;
    let subject = Subject { issuer: "https://id.test".into(), subject: "m".into() };
    let person = user::seen(&inside, subject, "M", None).await.unwrap();
    let role = api::auth::RoleRef::BuiltIn(api::auth::Role::Viewer);
    member::told_by_provider(&inside, person.id, here, Some(role)).await.unwrap();
    let new = NewArtifact {
        id: None,
        workspace: here,
        project: things["prj"].parse().unwrap(),
        run: Some(things["run"].parse().unwrap()),
        node: None,
        name: FileName::tame("a"),
        media_type: "text/plain".to_owned(),
        created_by: "test".to_owned(),
        expires_at: None,
    };
    let bytes = futures::stream::iter([Ok::<_, std::io::Error>("bytes".into())]);
    let file = inside.runtime.artifacts().keep(new, bytes).await.unwrap().handle.id;
    things.insert("art", file.to_string());
    let mut put = |kind: &'static str, id: &Value| drop(things.insert(kind, id.as_str().unwrap().to_owned()));
    inside.runtime.stop().await;
    put("mbr", &app.ask("{ members { nodes { id } } }", json!({})).await["members"]["nodes"][0]["id"]);
    things
}

/// What somebody changed, and what readers were told: nothing may be added by a stranger.
pub(crate) async fn state(app: &TestApp) -> Value {
    app.ask(
        "{ audit(first: 1, filter: {result: DONE}) { nodes { seq } } runs { totalCount } workflows { totalCount }
        triggerEvents { totalCount } apiKeys { totalCount } members { totalCount } }",
        json!({}),
    )
    .await
}

on_both_databases! {
    async fn b1_every_mutation_answers_not_found_to_another_workspaces_ids(home: Home) {
        let app = TestApp::start(&home).await;
        let things = one_of_each(&app, &home).await;
        let (_, stranger) = other_workspace(&home).await;
        let before = state(&app).await;
        let asking = Asking::read();
        let foreign = |mutation: &str, field: &str| things[kind(mutation, field)].clone();
        let (mut asked, mut wrong) = (0, Vec::new());
        for field in asking.fields("Mutation") {
            let mutation = field.name.node.as_str();
            for id in asking.ids(mutation) {
                let mut input = asking.input(mutation, &foreign);
                // A run starts from a workflow's name, its id or a version: one at a time.
                if mutation.starts_with("startRun") {
                    input.as_object_mut().unwrap().remove("workflow");
                }
                if mutation == "createApiKey" {
                    input.as_object_mut().unwrap().remove("role");
                }
                input[&id] = json!(foreign(mutation, &id));
                let answer = app.ask_as(&stranger, &asking.mutation(mutation), json!({"i": input})).await;
                if answer["data"]["it"]["userErrors"][0]["code"] != "NOT_FOUND" {
                    wrong.push(format!("{mutation}.{id}: {answer}"));
                }
                asked += 1;
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert!(asked > 40, "{asked}");
        assert_eq!(state(&app).await, before, "nothing was changed, started or told");
        app.stop().await;
    }

    async fn b1_b7_every_query_is_blind_for_another_workspaces_ids(home: Home) {
        let app = TestApp::start(&home).await;
        let things = one_of_each(&app, &home).await;
        let (_, stranger) = other_workspace(&home).await;
        for (kind, id) in &things {
            let query = "query($id: ID!) { node(id: $id) { id } }";
            let answer = app.ask_as(&stranger, query, json!({"id": id})).await;
            assert_eq!(code(&answer), "NOT_FOUND", "{kind}");
            // The same id with another kind's prefix is of nothing.
            let (_, rest) = id.split_once('_').unwrap();
            for other in things.keys().filter(|other| *other != kind && **other != "nrun") {
                let mixed = format!("{other}_{rest}");
                let answer = app.ask_as(&app.key, query, json!({"id": mixed})).await;
                assert_eq!(code(&answer), "NOT_FOUND", "{mixed}");
            }
        }
        // Each query with an id of its own, or with a filter by one.
        let asking = Asking::read();
        let with_ids: Vec<&str> = asking.fields("Query").iter()
            .filter(|field| field.arguments.iter().any(|argument| argument.node.ty.node.to_string().starts_with("ID")))
            .map(|field| field.name.node.as_str()).collect();
        assert_eq!(with_ids, ["diffVersions", "node", "run", "triggerBackfills", "triggerEvent"], "ask the new one below too");
        for (query, id) in [
            ("query($id: ID!) { diffVersions(from: $id, to: $id) { __typename } }", "ver"),
            ("query($id: ID!) { run(id: $id) { id } }", "run"),
            ("query($id: ID!) { triggerBackfills(triggerId: $id) { nodes { id } } }", "trg"),
            ("query($id: ID!) { triggerEvent(id: $id) { id } }", "evt"),
        ] {
            let answer = app.ask_as(&stranger, query, json!({"id": things[id]})).await;
            assert_eq!(code(&answer), "NOT_FOUND", "{query}");
        }
        let query = "query($id: ID!) { testPlan(input: {workflowId: $id}) { nodes { node } userErrors { code } } }";
        let answer = app.ask_as(&stranger, query, json!({"id": things["wf"]})).await;
        assert_eq!(answer["data"]["testPlan"], json!({"nodes": [], "userErrors": [{"code": "NOT_FOUND"}]}));
        let lists: Vec<String> = asking.fields("Query").iter()
            .filter(|field| field.ty.node.to_string().ends_with("Connection!"))
            .filter(|field| field.name.node != "triggerBackfills")
            .map(|field| field.name.node.to_string()).collect();
        assert!(lists.len() > 9, "{lists:?}");
        for list in lists {
            let filter: &[(&str, &str)] = match list.as_str() {
                "audit" => &[("entityId", "run"), ("actorId", "key"), ("entityId", "wf")],
                "runs" => &[("retryOfId", "run")],
                "triggerEvents" => &[("workflowId", "wf")],
                _ => &[],
            };
            let rows = format!("{{ {list} {{ nodes {{ id }} }} }}");
            let answer = app.ask_as(&stranger, &rows, json!({})).await;
            assert!(answer["errors"].is_null(), "{list}: {answer:#}");
            let text = answer.to_string();
            assert!(things.values().all(|id| !text.contains(id.as_str())), "{list}: {text}");
            for (field, id) in filter {
                let rows = format!("{{ {list}(filter: {{{field}: \"{}\"}}) {{ nodes {{ id }} }} }}", things[*id]);
                let answer = app.ask_as(&stranger, &rows, json!({})).await;
                let empty = answer["data"][list.as_str()]["nodes"] == json!([]);
                assert!(empty || code(&answer) == "NOT_FOUND", "{list} by {field}: {answer:#}");
            }
        }
        app.stop().await;
    }

    async fn b2_a_stranger_is_told_nothing(home: Home) {
        let app = TestApp::start(&home).await;
        let things = one_of_each(&app, &home).await;
        let (_, stranger) = other_workspace(&home).await;
        let bearer = format!("Bearer {stranger}");
        let mut socket = Socket::open(&app, &[("authorization", &bearer)]).await.unwrap();
        socket.send(&json!({"type": "connection_init"})).await;
        assert_eq!(socket.next().await, Ok(json!({"type": "connection_ack"})));
        for (number, (query, id)) in [
            ("subscription($id: ID!) { runEvents(runId: $id) { seq } }", "run"),
            ("subscription($id: ID!) { draftEvents(workflowId: $id) { seq } }", "wf"),
        ].into_iter().enumerate() {
            socket.subscribe(&number.to_string(), query, json!({"id": things[id]})).await;
            let refused = socket.next().await.unwrap();
            assert_eq!(code(&json!({"errors": refused["payload"]})), "NOT_FOUND", "{query}");
        }
        let query = "subscription { workspaceEvents { seq payload { __typename ... on WorkspaceEvent { entityId } } } }";
        socket.subscribe("all", query, json!({})).await;
        app.changed("createVariable", json!({"name": "mine", "value": 1}), "").await;
        let input = json!({"i": {"name": "theirs", "value": 2}});
        let query = "mutation($i: CreateVariableInput!) { createVariable(input: $i) { variable { id } } }";
        let theirs = app.ask_as(&stranger, query, input).await["data"]["createVariable"]["variable"]["id"].clone();
        loop {
            let told = socket.next().await.unwrap();
            let payload = &told["payload"]["data"]["workspaceEvents"]["payload"];
            assert!(told["payload"]["errors"].is_null(), "{told:#}");
            if payload["entityId"].is_string() {
                assert_eq!(payload["entityId"], theirs, "the first that happens for a stranger is their own");
                break;
            }
        }
        app.stop().await;
    }
}
