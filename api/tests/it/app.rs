//! A server of its own for each test, and small questions to it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use api::auth::Role;
use api::config::Config;
use reqwest::{Client, RequestBuilder, Response};
use runtime::testing::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// Where a server's data lies; it outlives the server, so that another may start on it.
pub(crate) struct Home {
    pub(crate) database: TestDatabase,
    folder: TempDir,
    settings: Vec<(String, String)>,
}

impl Home {
    pub(crate) async fn sqlite() -> Self {
        Self { database: TestDatabase::sqlite().await, folder: tempfile::tempdir().unwrap(), settings: Vec::new() }
    }

    pub(crate) async fn postgres() -> Self {
        let (database, folder) = (TestDatabase::postgres().await, tempfile::tempdir().unwrap());
        // A server on PostgreSQL makes no master key by itself.
        let key = runtime::secret::new_key().unwrap().to_string();
        let settings = vec![("FLOWFORGE__SECRETS__MASTER_KEY".to_owned(), key)];
        Self { database, folder, settings }
    }

    /// The same with another setting, such as `HTTP__ALLOW_HOSTS`; an empty value unsets it.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        let key = format!("FLOWFORGE__{key}");
        self.settings.retain(|(other, _)| *other != key);
        self.settings.push((key, value.to_owned()));
        self
    }

    pub(crate) fn config(&self) -> Config {
        let mut settings = HashMap::from([
            ("FLOWFORGE__SERVER__BIND".to_owned(), "127.0.0.1:0".to_owned()),
            ("FLOWFORGE__DATABASE__URL".to_owned(), self.database.url.clone()),
            ("FLOWFORGE__DATA_DIR".to_owned(), self.folder.path().display().to_string()),
            ("FLOWFORGE__LOG__LEVEL".to_owned(), "warn".to_owned()),
            ("FLOWFORGE__RUNTIME__LEASE".to_owned(), "2s".to_owned()),
        ]);
        settings.extend(self.settings.iter().cloned());
        Config::from_parts(None, settings).unwrap()
    }

    /// A key that opens the default workspace.
    pub(crate) async fn key(&self, role: Role) -> String {
        self.key_of("default", role).await
    }

    pub(crate) async fn key_of(&self, workspace: &str, role: Role) -> String {
        self.try_key_of(workspace, role).await.unwrap()
    }

    /// The same where there may be none.
    async fn try_key_of(&self, workspace: &str, role: Role) -> Result<String, api::ServeError> {
        let created = api::create_key(&self.config(), workspace, role, "test", &[]).await?;
        Ok(created.secret.expose().to_owned())
    }
}

/// A running server and an admin's key to it.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    pub(crate) http: Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), api::ServeError>>,
}

impl TestApp {
    pub(crate) async fn start(home: &Home) -> Self {
        Self::start_or_refuse(home).await.unwrap_or_else(|error| panic!("the server did not start: {error}"))
    }

    /// The same when a server may refuse to start.
    pub(crate) async fn start_or_refuse(home: &Home) -> Result<Self, api::ServeError> {
        let key = home.try_key_of("default", Role::Admin).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (announce, announced) = oneshot::channel();
        let config = home.config();
        let task = TaskTracker::new().spawn(async move {
            let announce = move |banner: &api::Banner| announce.send(banner.address).unwrap();
            api::serve_until(config, announce, async move { drop(stopped.await) }).await
        });
        let address = match tokio::time::timeout(Duration::from_secs(30), announced).await {
            Ok(Ok(address)) => address,
            _ => match task.await.unwrap() {
                Err(error) => return Err(error),
                Ok(()) => panic!("the server ended before it listened"),
            },
        };
        Ok(Self { address, key, http: Client::new(), stop, task })
    }

    /// Ends it as SIGTERM does.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(30), self.task).await.unwrap().unwrap().unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn post(&self, key: &str, body: &Value) -> RequestBuilder {
        self.http.post(self.url("/graphql")).bearer_auth(key).json(body)
    }

    /// The whole answer to a GraphQL request by this key.
    pub(crate) async fn ask_as(&self, key: &str, query: &str, variables: Value) -> Value {
        let answer = self.post(key, &json!({"query": query, "variables": variables})).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// The data of a GraphQL request that must not fail.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        let answer = self.ask_as(&self.key, query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer:#}");
        answer["data"].clone()
    }

    /// Publishes and deploys a definition; what came of it.
    pub(crate) async fn publish(&self, name: &str, definition: &Value) -> Value {
        let query = "mutation($input: PublishWorkflowInput!) { publishWorkflow(input: $input) {
            created workflow { id name } version { id number hash } problems { code path severity node message }
            userErrors { code field message } } }";
        let data = self.ask(query, json!({"input": {"name": name, "definition": definition}})).await;
        data["publishWorkflow"].clone()
    }

    /// The payload of a mutation with one `input`, of which `selection` is asked.
    pub(crate) async fn change(&self, mutation: &str, input: Value, selection: &str) -> Value {
        let mut input_type = mutation.to_owned();
        input_type[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($i: {input_type}Input!) {{ it: {mutation}(input: $i) {{
            {selection} userErrors {{ code field message details }} }} }}"
        );
        self.ask(&query, json!({"i": input})).await["it"].clone()
    }

    /// The same when it must not fail.
    pub(crate) async fn changed(&self, mutation: &str, input: Value, selection: &str) -> Value {
        let payload = self.change(mutation, input, selection).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload:#}");
        payload
    }

    /// The code of a mutation's only mistake.
    pub(crate) async fn refused(&self, mutation: &str, input: Value) -> String {
        let payload = self.change(mutation, input, "").await;
        assert_eq!(payload["userErrors"].as_array().map(Vec::len), Some(1), "{mutation}: {payload:#}");
        payload["userErrors"][0]["code"].as_str().unwrap().to_owned()
    }

    /// Makes an environment of the project `default`.
    pub(crate) async fn environment(&self, name: &str) {
        let project = self.ask("{ project { id } }", json!({})).await["project"]["id"].clone();
        self.changed("createEnvironment", json!({"projectId": project, "name": name}), "").await;
    }

    /// Starts a run of what is deployed and hands back its id.
    pub(crate) async fn start_run(&self, workflow: &str, input: Value) -> String {
        let payload = self.try_start(json!({"workflow": workflow, "input": input})).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        payload["run"]["id"].as_str().unwrap().to_owned()
    }

    /// The payload of `startRun`.
    pub(crate) async fn try_start(&self, input: Value) -> Value {
        let query = "mutation($input: StartRunInput!) { startRun(input: $input) {
            run { id status key labels trigger } replayed userErrors { code field message } } }";
        self.ask(query, json!({"input": input})).await["startRun"].clone()
    }

    /// Follows a run to its end; then what it came to.
    pub(crate) async fn finish(&self, run: &str) -> Value {
        crate::socket::Socket::follow_to_end(self, run, None).await;
        let query = "query($id: ID!) { run(id: $id) { id status output { json } error { code message node } lastSeq
            nodeRuns(first: 100) { nodes { id node scope type status attempt effect port output { json kind }
            error { code kind } } } } }";
        self.ask(query, json!({"id": run})).await["run"].clone()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }
}

/// The code of an answer's only error.
pub(crate) fn code(answer: &Value) -> &str {
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{answer:#}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap()
}

/// A manual trigger and a `data.set` that doubles `n`.
pub(crate) fn doubling() -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "double": {"type": "data.set@1", "config": {"fields": {"n": "{{ input.n * 2 }}"}}},
        },
        "edges": [{"from": "start", "to": "double"}],
    })
}

/// A manual trigger, a wait for the signal `go`, and a `data.set` of what it carried.
pub(crate) fn waiting() -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "hold": {"type": "flow.wait@1", "config": {"signal": {"name": "go", "timeout": "1h"}}},
            "after": {"type": "data.set@1", "config": {"fields": {"got": "{{ input }}"}}},
        },
        "edges": [{"from": "start", "to": "hold"}, {"from": "hold", "to": "after"}],
    })
}

/// Each test once on SQLite and once on PostgreSQL. PostgreSQL tests fail without a server; they are never skipped.
macro_rules! on_both_databases {
    ($($(#[$doc:meta])* async fn $name:ident($home:ident: Home) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($home: Home) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                // What a test does without a request, it does as the installation.
                runtime::database::wall::of_system(Box::pin(test(Home::sqlite().await))).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                runtime::database::wall::of_system(Box::pin(test(Home::postgres().await))).await;
            }
        }
    )*};
}
pub(crate) use on_both_databases;
