//! Connections: what can be written, what can be read, who may, and what a run gets.

use std::sync::{Arc, Mutex};

use api::auth::Role;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use crate::app::{Home, TestApp, code, on_both_databases};
use crate::tenancy::other_workspace;

const SECRET: &str = "hush-hush-hush";

/// A service that keeps what it was shown and answers 204 to the right token only.
async fn service() -> (String, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&seen);
    let answer = move |headers: HeaderMap| {
        let shown = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let right = shown == format!("Bearer {SECRET}");
        kept.lock().unwrap().push(shown);
        async move { if right { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED } }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer);
    TaskTracker::new().spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, seen)
}

impl TestApp {
    async fn write_as(&self, key: &str, field: &str, selection: &str, input: Value) -> Value {
        let kind = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!(
            "mutation($i: {kind}!) {{ it: {field}(input: $i) {{ {selection} userErrors {{ code message field }} }} }}"
        );
        self.ask_as(key, &query, json!({"i": input})).await
    }

    async fn write(&self, field: &str, selection: &str, input: Value) -> Value {
        let answer = self.write_as(&self.key, field, selection, input).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"]["it"].clone()
    }

    async fn create_connection(&self, name: &str, environment: &str, fields: Value, token: &str) -> Value {
        let input = json!({"name": name, "environment": environment, "type": "http.bearer", "fields": fields,
            "secrets": {"token": token}});
        let made = self.write("createConnection", CONNECTION, input).await;
        assert_eq!(made["userErrors"], json!([]), "{made}");
        made["connection"].clone()
    }
}

const CONNECTION: &str = "connection { id name project environment type fields secretFields revision createdBy
    lastTest { passed message } usedBy { name } }";

/// A manual trigger and a call by the connection `shop`.
fn calling(url: &str) -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "call": {"type": "http.request@1", "connection": "shop", "config": {"url": url}},
        },
        "edges": [{"from": "start", "to": "call"}],
    })
}

on_both_databases! {
    async fn a_secret_goes_in_and_never_comes_out(home: Home) {
        let (url, seen) = service().await;
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let types = app.ask("{ connectionTypes(locale: \"de-AT\") { name title schema } }", json!({})).await;
        assert_eq!(types["connectionTypes"][1]["name"], "http.bearer");
        assert_eq!(types["connectionTypes"][0]["schema"]["properties"]["password"]["title"], "Passwort");
        let made = app.create_connection("shop", "default", json!({"test_url": url}), "wrong-at-first").await;
        assert_eq!((&made["secretFields"], &made["revision"]), (&json!(["token"]), &json!(1)));
        assert_eq!(made["fields"], json!({"test_url": url}));

        let id = made["id"].clone();
        let tested = app.write("testConnection", "test { passed message }", json!({"id": id})).await;
        assert_eq!(tested["test"]["passed"], false, "{tested}");
        assert!(tested["test"]["message"].as_str().unwrap().contains("401"), "{tested}");
        let changed = app.write("updateConnection", CONNECTION, json!({"id": id, "secrets": {"token": SECRET}})).await;
        assert_eq!((&changed["connection"]["revision"], &changed["connection"]["fields"]), (&json!(2), &made["fields"]));
        assert_eq!(changed["connection"]["lastTest"], json!(null), "the new token was not tested");
        let tested = app.write("testConnection", "test { passed } connection { lastTest { passed } }", json!({"id": id}));
        assert_eq!(tested.await["connection"]["lastTest"]["passed"], true);
        // Fields alone: the secret stays.
        let fields = json!({"test_url": url, "hosts": ["127.0.0.1"]});
        let stale = json!({"id": id, "fields": fields, "expectedRevision": 1});
        let refused = app.write("updateConnection", CONNECTION, stale).await;
        assert_eq!(refused["userErrors"][0]["code"], "CONFLICT");
        let input = json!({"id": id, "fields": fields, "expectedRevision": 2});
        assert_eq!(app.write("updateConnection", CONNECTION, input).await["connection"]["revision"], 3);
        let tested = app.write("testConnection", "test { passed }", json!({"id": id})).await;
        assert_eq!(tested["test"]["passed"], true);
        let shown: Vec<String> = seen.lock().unwrap().clone();
        assert_eq!(shown, ["Bearer wrong-at-first", &format!("Bearer {SECRET}"), &format!("Bearer {SECRET}")]);

        for (input, part) in [
            (json!({"name": "shop", "type": "http.bearer", "secrets": {"token": SECRET}}), "already"),
            (json!({"name": "a b", "type": "http.bearer", "secrets": {"token": SECRET}}), "name"),
            (json!({"name": "x", "type": "no.such"}), "connectionTypes"),
            (json!({"name": "x", "type": "http.bearer"}), "`token` is missing"),
            (json!({"name": "x", "type": "http.bearer", "secrets": {"token": "abc"}}), "4 characters"),
            (json!({"name": "x", "type": "http.bearer", "secrets": {"token": [SECRET]}}), "object of texts"),
            (json!({"name": "x", "type": "http.bearer", "fields": {"token": SECRET}}), "is a secret"),
            (json!({"name": "x", "type": "http.bearer", "fields": [SECRET]}), "object"),
            (json!({"name": "x", "project": "none", "type": "http.bearer", "secrets": {"token": SECRET}}), "project"),
        ] {
            let refused = app.write("createConnection", CONNECTION, input.clone()).await;
            let message = refused["userErrors"][0]["message"].as_str().unwrap();
            assert!(message.contains(part) && !message.contains(SECRET), "{input}: {message}");
        }
        let audit = entity::audit::Entity::find()
            .filter(entity::audit::Column::Entity.eq(id.as_str().unwrap()))
            .all(home.database.database.read())
            .await
            .unwrap();
        let told = format!("{audit:?}");
        assert_eq!(audit.len(), 3, "{told}");
        assert!(told.contains("connection.updated") && told.contains("secretVersions") && !told.contains(SECRET), "{told}");
        app.stop().await;
    }

    async fn editors_use_connections_and_admins_write_them(home: Home) {
        let app = TestApp::start(&home).await;
        let made = app.create_connection("shop", "default", json!({}), SECRET).await;
        let (editor, viewer) = (home.key(Role::Editor).await, home.key(Role::Viewer).await);
        let list = "{ connections(filter: {type: \"http.bearer\"}) { nodes { name secretFields } } }";
        let seen = app.ask_as(&editor, list, json!({})).await;
        assert_eq!(seen["data"]["connections"]["nodes"], json!([{"name": "shop", "secretFields": ["token"]}]));
        assert_eq!(code(&app.ask_as(&viewer, list, json!({})).await), "FORBIDDEN");
        for (field, selection, input) in [
            ("createConnection", "connection { id }", json!({"name": "x", "type": "http.bearer"})),
            ("updateConnection", "connection { id }", json!({"id": made["id"]})),
            ("deleteConnection", "deletedId", json!({"id": made["id"]})),
        ] {
            assert_eq!(code(&app.write_as(&editor, field, selection, input).await), "FORBIDDEN", "{field}");
        }
        let tested = app.write_as(&editor, "testConnection", "test { passed message }", json!({"id": made["id"]})).await;
        assert_eq!(tested["data"]["it"]["test"]["passed"], false, "there is no test URL: {tested}");

        let (_, stranger) = other_workspace(&home).await;
        let node = app.ask_as(&stranger, "query($id: ID!) { node(id: $id) { id } }", json!({"id": made["id"]})).await;
        assert_eq!(code(&node), "NOT_FOUND");
        for (field, selection, input) in [
            ("updateConnection", "connection { id }", json!({"id": made["id"], "secrets": {"token": "their-own"}})),
            ("deleteConnection", "deletedId", json!({"id": made["id"], "force": true})),
            ("testConnection", "test { passed }", json!({"id": made["id"]})),
        ] {
            let answer = app.write_as(&stranger, field, selection, input).await;
            assert_eq!(answer["data"]["it"]["userErrors"][0]["code"], "NOT_FOUND", "{field}: {answer}");
        }
        assert_eq!(app.ask_as(&stranger, list, json!({})).await["data"]["connections"]["nodes"], json!([]));
        app.stop().await;
    }

    async fn what_is_deployed_has_its_connections_and_each_environment_its_own(home: Home) {
        let (url, seen) = service().await;
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let refused = app.publish("call", &calling(&url)).await;
        let problem = &refused["problems"][0];
        assert_eq!((&problem["code"], &problem["severity"]), (&json!("CONNECTION_UNKNOWN"), &json!("ERROR")));
        assert_eq!((&problem["path"], &problem["node"]), (&json!("/nodes/call/connection"), &json!("call")));
        let publish = json!({"name": "call", "definition": calling(&url), "deploy": false});
        let published = app.write("publishWorkflow", "version { id } problems { code severity }", publish).await;
        assert_eq!(published["problems"], json!([{"code": "CONNECTION_UNKNOWN", "severity": "WARNING"}]));
        let version = published["version"]["id"].clone();
        let deploy = |environment: &str| json!({"versionId": version, "environment": environment});
        let refused = app.write("deployVersion", "deployment { environment }", deploy("default")).await;
        assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains("CONNECTION_UNKNOWN"), "{refused}");
        let early = app.try_start(json!({"versionId": version})).await;
        assert!(early["userErrors"][0]["message"].as_str().unwrap().contains("CONNECTION_UNKNOWN"), "{early}");

        let projects = app.ask("{ projects { nodes { id } } }", json!({})).await;
        let place = json!({"projectId": projects["projects"]["nodes"][0]["id"], "name": "staging"});
        assert_eq!(app.write("createEnvironment", "environment { name }", place).await["userErrors"], json!([]));
        let shop = app.create_connection("shop", "default", json!({}), SECRET).await;
        let staging = app.create_connection("shop", "staging", json!({}), "staging-token").await;
        for environment in ["default", "staging"] {
            let deployed = app.write("deployVersion", "deployment { environment }", deploy(environment)).await;
            assert_eq!(deployed["userErrors"], json!([]));
            let run = app.try_start(json!({"workflow": "call", "environment": environment})).await;
            let run = app.finish(run["run"]["id"].as_str().unwrap()).await;
            assert_eq!(run["status"], if environment == "default" { "SUCCEEDED" } else { "FAILED" }, "{run}");
        }
        assert_eq!(*seen.lock().unwrap(), [format!("Bearer {SECRET}"), "Bearer staging-token".to_owned()]);

        let kept = app.write("deleteConnection", "deletedId", json!({"id": shop["id"]})).await;
        assert!(kept["userErrors"][0]["message"].as_str().unwrap().contains("call"), "{kept}");
        let users = app.ask("query($id: ID!) { node(id: $id) { ... on Connection { usedBy { name } } } }",
            json!({"id": staging["id"]})).await;
        assert_eq!(users["node"]["usedBy"], json!([{"name": "call"}]));
        let gone = app.write("deleteConnection", "deletedId", json!({"id": shop["id"], "force": true})).await;
        assert_eq!(gone["deletedId"], shop["id"]);
        let secrets = entity::secret::Entity::find().all(home.database.database.read()).await.unwrap();
        assert_eq!(secrets.len(), 1, "the secret of staging");

        // The same name, of a type that the node takes as little as one of another project.
        let basic = json!({"name": "shop", "type": "http.basic", "fields": {"username": "u"}, "secrets": {"password": SECRET}});
        app.write("createConnection", CONNECTION, basic).await;
        assert_eq!(app.publish("call", &calling(&url)).await["problems"], json!([]), "every HTTP type fits");
        app.stop().await;
    }

    async fn a_connection_of_another_project_is_not_there_for_a_run(home: Home) {
        let (url, seen) = service().await;
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let made = app.create_connection("shop", "default", json!({}), SECRET).await;
        let mut held = calling(&url);
        held["nodes"]["hold"] = json!({"type": "flow.wait@1", "config": {"signal": {"name": "go"}}});
        held["edges"] = json!([{"from": "start", "to": "hold"}, {"from": "hold", "to": "call"}]);
        app.publish("call", &held).await;
        let run = app.start_run("call", json!({})).await;
        // Behind the checks' back, as nobody can through the API: the row goes to a project of its own.
        let database = &home.database.database;
        let row = entity::connection::Entity::find().one(database.read()).await.unwrap().unwrap();
        let other = entity::project::Model {
            id: runtime::clock::Clock::system().new_id(),
            workspace_id: row.workspace_id,
            slug: "other".to_owned(),
            name: "Other".to_owned(),
            created_at: row.created_at,
        };
        let project = other.id;
        entity::project::Entity::insert(entity::project::ActiveModel::from(other).reset_all())
            .exec_without_returning(database.write())
            .await
            .unwrap();
        entity::connection::Entity::update_many()
            .col_expr(entity::connection::Column::ProjectId, sea_orm::sea_query::Expr::value(project))
            .exec(database.write())
            .await
            .unwrap();
        let signal = json!({"runId": run, "name": "go"});
        app.write("signalRun", "run { id }", signal).await;
        let run = app.finish(&run).await;
        assert_eq!((&run["status"], &run["error"]["code"]), (&json!("FAILED"), &json!("CONNECTION_UNKNOWN")), "{run}");
        let moved = app.ask("query($id: ID!) { node(id: $id) { ... on Connection { project } } }", json!({"id": made["id"]}));
        assert_eq!(moved.await["node"]["project"], "other");
        assert_eq!(seen.lock().unwrap().len(), 0, "nothing was sent");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_master_key_postgres_keeps_no_secret_and_opens_none() {
    let home = Home::postgres().await.with("SECRETS__MASTER_KEY", "");
    let app = TestApp::start(&home).await;
    let input = json!({"name": "shop", "type": "http.bearer", "secrets": {"token": SECRET}});
    let refused = app.write_as(&app.key, "createConnection", CONNECTION, input.clone()).await;
    assert_eq!(code(&refused), "UNAVAILABLE");
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("FLOWFORGE__SECRETS__MASTER_KEY_FILE"));
    app.stop().await;

    let key = runtime::secret::new_key().unwrap();
    let home = home.with("SECRETS__MASTER_KEY", &key);
    let app = TestApp::start(&home).await;
    assert_eq!(app.write("createConnection", CONNECTION, input).await["userErrors"], json!([]));
    app.stop().await;
    let home = home.with("SECRETS__MASTER_KEY", "");
    let error = TestApp::start_or_refuse(&home).await.err().unwrap().to_string();
    assert!(error.contains("there is no master key"), "{error}");
    let home = home.with("SECRETS__MASTER_KEY", &runtime::secret::new_key().unwrap());
    let error = TestApp::start_or_refuse(&home).await.err().unwrap().to_string();
    assert!(error.contains("this process does not have"), "{error}");
}
