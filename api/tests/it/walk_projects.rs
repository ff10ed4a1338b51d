//! The walk over the schema once more, by a credential of the same workspace that is limited to another project: what
//! belongs to the first project is not there for it.

use std::collections::BTreeMap;

use api::auth::Permission;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, doubling, on_both_databases};
use crate::asking::{Asking, kind};
use crate::policy::{MUTATIONS, denied};
use crate::socket::Socket;
use crate::walk::{one_of_each, state};
use crate::walk_routes::nothing_is_told;

/// What belongs to a project, of what [`one_of_each`] makes.
const OF_PROJECTS: [&str; 13] =
    ["wf", "ver", "run", "nrun", "drf", "trg", "prj", "env", "evt", "bkf", "con", "ntf", "var"];

/// A key that sees the project `elsewhere` alone.
async fn limited(app: &TestApp, role: &str) -> String {
    let wanted = json!({"name": format!("limited {role}"), "role": role, "projects": ["elsewhere"]});
    let made = app.changed("createApiKey", wanted, "secret apiKey { projects { slug } }").await;
    assert_eq!(made["apiKey"]["projects"], json!([{"slug": "elsewhere"}]));
    made["secret"].as_str().unwrap().to_owned()
}

async fn elsewhere(app: &TestApp) -> String {
    app.changed("createProject", json!({"slug": "elsewhere"}), "project { id }").await;
    limited(app, "admin").await
}

/// The permission over the workspace that a mutation takes: whoever is limited is told that, whatever the ids.
fn over_workspace(mutation: &str) -> Option<&'static str> {
    let (_, permissions) = MUTATIONS.iter().find(|(name, _)| *name == mutation).unwrap();
    permissions.iter().find(|permission| permission.is_of_workspace()).map(|permission| Permission::as_str(*permission))
}

/// Mutations that name a project or a workflow by its name.
fn by_name() -> Vec<(&'static str, Value)> {
    let secrets = json!({"token": "hush-hush"});
    vec![
        ("createConnection", json!({"project": "default", "name": "d", "type": "http.bearer", "secrets": secrets})),
        (
            "createNotification",
            json!({"project": "default", "name": "d", "url": "https://example.com/", "events": ["run.failed"]}),
        ),
        ("createVariable", json!({"project": "default", "name": "d", "value": 1})),
        ("createWorkflow", json!({"project": "default", "name": "d"})),
        ("publishWorkflow", json!({"project": "default", "name": "hold", "definition": doubling()})),
        ("startRun", json!({"project": "default", "workflow": "hold", "input": {}})),
        ("startRuns", json!({"project": "default", "workflow": "hold", "runs": [{"input": {}}]})),
    ]
}

fn of_projects<'a>(things: &'a BTreeMap<&'static str, String>) -> Vec<&'a str> {
    OF_PROJECTS.iter().map(|kind| things[kind].as_str()).collect()
}

on_both_databases! {
    async fn no_mutation_reaches_another_project(home: Home) {
        let app = TestApp::start(&home).await;
        let things = one_of_each(&app, &home).await;
        let key = elsewhere(&app).await;
        let before = state(&app).await;
        let asking = Asking::read();
        let foreign = |mutation: &str, field: &str| things[kind(mutation, field)].clone();
        let (mut asked, mut wrong) = (0, Vec::new());
        for field in asking.fields("Mutation") {
            let mutation = field.name.node.as_str();
            for id in asking.ids(mutation) {
                let mut input = asking.input(mutation, &foreign);
                if mutation.starts_with("startRun") {
                    input.as_object_mut().unwrap().remove("workflow");
                }
                if mutation == "createApiKey" {
                    input.as_object_mut().unwrap().remove("role");
                }
                input[&id] = json!(foreign(mutation, &id));
                let answer = app.ask_as(&key, &asking.mutation(mutation), json!({"i": input})).await;
                let right = match over_workspace(mutation) {
                    Some(permission) => denied(&answer) == Some(permission),
                    None => answer["data"]["it"]["userErrors"][0]["code"] == "NOT_FOUND",
                };
                if !right {
                    wrong.push(format!("{mutation}.{id}: {answer}"));
                }
                asked += 1;
            }
        }
        for (mutation, input) in by_name() {
            let answer = app.ask_as(&key, &asking.mutation(mutation), json!({"i": input})).await;
            if answer["data"]["it"]["userErrors"][0]["code"] != "NOT_FOUND" {
                wrong.push(format!("{mutation} by name: {answer}"));
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert!(asked > 40, "{asked}");
        assert_eq!(state(&app).await, before, "nothing was changed, started or told");
        app.stop().await;
    }

    async fn every_query_is_blind_for_another_project(home: Home) {
        let app = TestApp::start(&home).await;
        let things = one_of_each(&app, &home).await;
        let key = elsewhere(&app).await;
        let hidden = of_projects(&things);
        for (kind, id) in &things {
            let answer = app.ask_as(&key, "query($id: ID!) { node(id: $id) { id } }", json!({"id": id})).await;
            match *kind {
                // The workspace is theirs too, and its members' names are no secret among editors.
                "ws" | "mbr" => assert_eq!(answer["data"]["node"]["id"], json!(id), "{kind}"),
                "key" => assert_eq!(denied(&answer), Some("key:manage")),
                "svc" => assert_eq!(denied(&answer), Some("key:manage")),
                "aud" => assert_eq!(denied(&answer), Some("audit:read")),
                _ => assert_eq!(code(&answer), "NOT_FOUND", "{kind}"),
            }
        }
        for (query, id) in [
            ("query($id: ID!) { diffVersions(from: $id, to: $id) { __typename } }", "ver"),
            ("query($id: ID!) { run(id: $id) { id } }", "run"),
            ("query($id: ID!) { triggerBackfills(triggerId: $id) { nodes { id } } }", "trg"),
            ("query($id: ID!) { triggerEvent(id: $id) { id } }", "evt"),
            ("query($id: ID!) { testPlan(input: {workflowId: $id}) { nodes { node } userErrors { code } } }", "wf"),
            ("query($id: ID!) { runs(filter: {retryOfId: $id}) { nodes { id } } }", "run"),
            ("query($id: ID!) { runs(filter: {workflowId: $id}) { nodes { id } } }", "wf"),
            ("query($id: ID!) { triggerEvents(filter: {workflowId: $id}) { nodes { id } } }", "wf"),
        ] {
            let answer = app.ask_as(&key, query, json!({"id": things[id]})).await;
            let empty = answer["data"].as_object().is_some_and(|data| data.values().all(|list| list["nodes"] == json!([])));
            let absent = answer["data"]["testPlan"]["userErrors"] == json!([{"code": "NOT_FOUND"}]);
            assert!(empty || absent || code(&answer) == "NOT_FOUND", "{query}: {answer:#}");
        }
        for query in [
            "{ project { id } }",
            "{ workflow(name: \"hold\") { id } }",
            "{ variables { nodes { id } } }",
            "{ checkExpression(input: {expression: \"1\", definition: {}, project: \"default\"}) { __typename } }",
        ] {
            assert_eq!(code(&app.ask_as(&key, query, json!({})).await), "NOT_FOUND", "{query}");
        }
        let asking = Asking::read();
        let lists: Vec<String> = asking.fields("Query").iter()
            .filter(|field| field.ty.node.to_string().ends_with("Connection!"))
            .map(|field| field.name.node.to_string())
            .filter(|name| !["triggerBackfills", "variables"].contains(&name.as_str())).collect();
        for list in lists {
            let answer = app.ask_as(&key, &format!("{{ {list}(first: 100) {{ nodes {{ id }} totalCount }} }}"), json!({})).await;
            let text = answer.to_string();
            assert!(hidden.iter().all(|id| !text.contains(id)), "{list}: {text}");
            let over = ["apiKeys", "audit", "invitations", "serviceAccounts"].contains(&list.as_str());
            assert_eq!(denied(&answer).is_some(), over, "{list}: {text}");
            if !over && !["members", "projects"].contains(&list.as_str()) {
                assert_eq!(answer["data"][&list], json!({"nodes": [], "totalCount": 0}), "{list}");
            }
        }
        let rest = app.ask_as(&key, "{ notifications { id } projects { nodes { slug } } }", json!({})).await;
        assert_eq!(rest["data"], json!({"notifications": [], "projects": {"nodes": [{"slug": "elsewhere"}]}}));
        nothing_is_told(&app, &key, &things, &hidden).await;
        app.stop().await;
    }

    async fn subscriptions_are_silent_about_another_project(home: Home) {
        let app = TestApp::start(&home).await;
        let things = one_of_each(&app, &home).await;
        let key = elsewhere(&app).await;
        let bearer = format!("Bearer {key}");
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
        let query = "subscription { workspaceEvents { seq payload { __typename ... on WorkspaceEvent { kind entityId } } } }";
        socket.subscribe("all", query, json!({})).await;
        // Of every kind that is told: a variable, a title, a workflow, an environment, a run.
        app.changed("createVariable", json!({"name": "mine", "value": 1}), "").await;
        app.changed("updateProject", json!({"projectId": things["prj"], "title": "Mine"}), "").await;
        app.changed("updateWorkflow", json!({"workflowId": things["wf"], "title": "Mine"}), "").await;
        app.environment("mine").await;
        app.start_run("hold", json!({})).await;
        app.changed("pauseTrigger", json!({"triggerId": things["trg"]}), "").await;
        let theirs = json!({"project": "elsewhere", "name": "theirs", "value": 2});
        app.changed("createVariable", theirs, "").await;
        let published = json!({"project": "elsewhere", "name": "theirs", "definition": doubling()});
        let published = app.changed("publishWorkflow", published, "workflow { id }").await["workflow"]["id"].clone();
        let mut told = Vec::new();
        while !told.iter().any(|(_, entity)| *entity == published) {
            let next = socket.next().await.unwrap();
            assert!(next["payload"]["errors"].is_null(), "{next:#}");
            let payload = &next["payload"]["data"]["workspaceEvents"]["payload"];
            if payload["entityId"].is_string() {
                told.push((payload["kind"].clone(), payload["entityId"].clone()));
            }
        }
        // That their own project was made may be told late.
        let kinds = told.iter().map(|(kind, _)| kind.as_str().unwrap());
        let kinds: Vec<&str> = kinds.filter(|kind| *kind != "project.created").collect();
        assert_eq!(kinds, ["variable.created", "workflow.created"], "{told:?}");
        app.stop().await;
    }

    async fn whoever_is_limited_does_there_what_their_role_says_and_gives_nothing_away(home: Home) {
        let app = TestApp::start(&home).await;
        let key = elsewhere(&app).await;
        let who = "{ viewer { role permissions projects { slug } } }";
        let viewer = app.ask_as(&key, who, json!({})).await["data"]["viewer"].clone();
        assert_eq!((viewer["role"].as_str(), &viewer["projects"]), (Some("EDITOR"), &json!([{"slug": "elsewhere"}])));
        let words = viewer["permissions"].to_string();
        assert!(words.contains("connection:manage") && !words.contains("key:manage"), "{words}");
        let publish = "mutation($i: PublishWorkflowInput!) { it: publishWorkflow(input: $i) {
            workflow { id } userErrors { code } } }";
        let input = json!({"i": {"project": "elsewhere", "name": "own", "definition": doubling()}});
        let made = app.ask_as(&key, publish, input).await["data"]["it"].clone();
        assert_eq!(made["userErrors"], json!([]), "{made}");
        let start = "mutation { it: startRun(input: {project: \"elsewhere\", workflow: \"own\", input: {n: 1}}) {
            run { id workflow { name } } userErrors { code } } }";
        let run = app.ask_as(&key, start, json!({})).await["data"]["it"]["run"].clone();
        assert_eq!(run["workflow"]["name"], "own", "{run}");
        let runs = app.ask_as(&key, "{ runs { nodes { id } } workflows { nodes { name } } }", json!({})).await;
        assert_eq!(runs["data"], json!({"runs": {"nodes": [{"id": run["id"]}]}, "workflows": {"nodes": [{"name": "own"}]}}));
        let moved = "mutation($i: MoveWorkflowInput!) { it: moveWorkflow(input: $i) { userErrors { code } } }";
        let out = json!({"i": {"workflowId": made["workflow"]["id"], "project": "default"}});
        let out = app.ask_as(&key, moved, out).await;
        assert_eq!(out["data"]["it"]["userErrors"], json!([{"code": "NOT_FOUND"}]), "nothing leaves for where they are not");
        let more = "mutation { it: createApiKey(input: {name: \"x\", role: \"viewer\"}) { userErrors { code } } }";
        assert_eq!(denied(&app.ask_as(&key, more, json!({})).await), Some("key:manage"));
        // Who may give a limit names projects that are there.
        for projects in [json!([]), json!(["elsewhere", "nowhere"])] {
            let wanted = json!({"name": "x", "role": "viewer", "projects": projects});
            let code = app.refused("createApiKey", wanted).await;
            assert_eq!(code, if projects == json!([]) { "BAD_USER_INPUT" } else { "NOT_FOUND" });
        }
        // What a workflow has goes along with it.
        app.publish("later", &doubling()).await;
        let later = app.ask("{ workflow(name: \"later\") { id } }", json!({})).await["workflow"]["id"].clone();
        app.start_run("later", json!({"n": 2})).await;
        app.changed("moveWorkflow", json!({"workflowId": later, "project": "elsewhere"}), "").await;
        let runs = app.ask_as(&key, "{ runs { totalCount } workflows { totalCount } }", json!({})).await;
        assert_eq!(runs["data"], json!({"runs": {"totalCount": 2}, "workflows": {"totalCount": 2}}));
        app.stop().await;
    }

    async fn a_key_of_a_machine_sees_what_both_may_see_and_a_successor_the_same(home: Home) {
        let app = TestApp::start(&home).await;
        for slug in ["one", "two", "three"] {
            app.changed("createProject", json!({"slug": slug}), "").await;
        }
        let machine = json!({"name": "m", "role": "editor", "projects": ["one", "two"]});
        let machine = app.changed("createServiceAccount", machine, "serviceAccount { id projects { slug } }").await;
        let machine = &machine["serviceAccount"];
        assert_eq!(machine["projects"], json!([{"slug": "one"}, {"slug": "two"}]));
        let key = json!({"name": "k", "serviceAccountId": machine["id"], "projects": ["three", "two"]});
        let key = app.changed("createApiKey", key, "secret apiKey { id }").await;
        let seen = async |secret: &Value| {
            let answer = app.ask_as(secret.as_str().unwrap(), "{ projects { nodes { slug } } }", json!({})).await;
            let slugs: Vec<String> = answer["data"]["projects"]["nodes"].as_array().unwrap().iter()
                .map(|project| project["slug"].as_str().unwrap().to_owned()).collect();
            slugs.join(" ")
        };
        assert_eq!(seen(&key["secret"]).await, "two");
        let successor = app.changed("rotateApiKey", json!({"keyId": key["apiKey"]["id"]}), "secret").await;
        assert_eq!(seen(&successor["secret"]).await, "two");
        let machine = &machine["id"];
        app.changed("updateServiceAccount", json!({"serviceAccountId": machine, "projects": ["three"]}), "").await;
        assert_eq!(seen(&successor["secret"]).await, "three");
        app.changed("updateServiceAccount", json!({"serviceAccountId": machine, "projects": null}), "").await;
        assert_eq!(seen(&successor["secret"]).await, "three two");
        // Nothing said of projects changes nothing.
        app.changed("updateServiceAccount", json!({"serviceAccountId": machine, "role": "viewer"}), "").await;
        assert_eq!(seen(&successor["secret"]).await, "three two");
        app.stop().await;
    }
}
