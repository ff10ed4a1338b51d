//! A client of its own, so that the command's client is not what judges the server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// The addresses of the servers that live now.
#[derive(Default)]
pub(crate) struct Fleet {
    urls: Mutex<Vec<Option<String>>>,
    next: AtomicUsize,
}

impl Fleet {
    pub(crate) fn of(servers: usize) -> Arc<Self> {
        Arc::new(Self { urls: Mutex::new(vec![None; servers]), next: AtomicUsize::new(0) })
    }

    pub(crate) fn set(&self, place: usize, url: Option<String>) {
        self.urls.lock().unwrap()[place] = url;
    }

    /// One of them, each in turn.
    pub(crate) fn one(&self) -> Option<String> {
        let urls = self.urls.lock().unwrap();
        let alive: Vec<&String> = urls.iter().flatten().collect();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        alive.get(turn.checked_rem(alive.len())?).map(|url| (*url).clone())
    }
}

#[derive(Clone)]
pub(crate) struct Api {
    fleet: Arc<Fleet>,
    key: String,
    http: reqwest::Client,
}

/// No answer, or one that says to ask later: nobody knows whether it was done.
#[derive(Debug)]
pub(crate) struct Lost(pub(crate) String);

impl Api {
    pub(crate) fn new(fleet: Arc<Fleet>, key: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Self { fleet, key, http }
    }

    /// A client of one server.
    pub(crate) fn at(url: &str, key: &str) -> Self {
        let fleet = Fleet::of(1);
        fleet.set(0, Some(url.to_owned()));
        Self::new(fleet, key.to_owned())
    }

    /// Asks once.
    pub(crate) async fn try_ask(&self, query: &str, variables: &Value) -> Result<Value, Lost> {
        let lost = |error: reqwest::Error| Lost(format!("{error:?}"));
        let url = self.fleet.one().ok_or_else(|| Lost("no server lives".to_owned()))?;
        let request = self.http.post(format!("{url}/graphql")).bearer_auth(&self.key);
        let response = request.json(&json!({ "query": query, "variables": variables })).send().await.map_err(lost)?;
        let mut answer: Value = response.json().await.map_err(lost)?;
        match answer.pointer("/errors/0") {
            Some(error) => {
                let code = error.pointer("/extensions/code").and_then(Value::as_str).unwrap_or_default();
                assert!(matches!(code, "UNAVAILABLE" | "TIMEOUT"), "{query}\n{variables}\n{answer}");
                Err(Lost(answer.to_string()))
            }
            None => Ok(answer["data"].take()),
        }
    }

    /// Asks until somebody answers.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        let began = Instant::now();
        loop {
            match self.try_ask(query, &variables).await {
                Ok(data) => return data,
                Err(Lost(why)) => assert!(began.elapsed() < Duration::from_secs(60), "nobody answers: {why}"),
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Asks for a change until somebody answers; no user error may come.
    pub(crate) async fn change(&self, field: &str, query: &str, input: Value) -> Value {
        let mut data = self.ask(query, json!({ "input": input })).await;
        let payload = data[field].take();
        assert_eq!(payload["userErrors"], json!([]), "{field} {input}");
        payload
    }

    pub(crate) async fn publish(&self, name: &str, definition: &Value) {
        let query = "mutation($input: PublishWorkflowInput!) { publishWorkflow(input: $input) {
            version { id } problems { code path message } userErrors { code message } } }";
        let payload = self.change("publishWorkflow", query, json!({ "name": name, "definition": definition })).await;
        assert!(payload["version"].is_object(), "{payload}");
    }

    /// Starts a run, as often as it takes; the idempotency key makes it one.
    pub(crate) async fn start(&self, workflow: &str, key: &str, input: Value) -> String {
        let query = "mutation($input: StartRunInput!) { startRun(input: $input) {
            run { id } userErrors { code message } } }";
        let input = json!({ "workflow": workflow, "key": key, "idempotencyKey": key, "input": input });
        let payload = self.change("startRun", query, input).await;
        payload["run"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn signal(&self, run: &str, name: &str, payload: Value) {
        let query = "mutation($input: SignalRunInput!) { signalRun(input: $input) {
            run { id } userErrors { code message } } }";
        let input = json!({ "runId": run, "name": name, "payload": payload, "idempotencyKey": name });
        self.change("signalRun", query, input).await;
    }

    pub(crate) async fn run(&self, run: &str) -> Value {
        let query = "query($id: ID!) { run(id: $id) {
            id status key lastSeq output { json } error { code message node } } }";
        self.ask(query, json!({ "id": run })).await["run"].take()
    }

    /// The run's status and its node runs; the tests' runs have at most a hundred.
    pub(crate) async fn try_node_runs(&self, run: &str) -> Result<(String, Vec<Value>), Lost> {
        let query = "query($id: ID!) { run(id: $id) { status nodeRuns(first: 100) { edges { node {
            id node scope status attempt effect items finishedAt output { sha256 } error { code } } } } } }";
        let mut data = self.try_ask(query, &json!({ "id": run })).await?;
        let status = data["run"]["status"].as_str().unwrap().to_owned();
        let edges = data["run"]["nodeRuns"]["edges"].take();
        Ok((status, edges.as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect()))
    }

    pub(crate) async fn node_runs(&self, run: &str) -> Vec<Value> {
        let began = Instant::now();
        loop {
            match self.try_node_runs(run).await {
                Ok((_, node_runs)) => return node_runs,
                Err(Lost(why)) => assert!(began.elapsed() < Duration::from_secs(60), "nobody answers: {why}"),
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Asks for the run until it is as wanted.
    pub(crate) async fn until(&self, run: &str, patience: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let found = self.run(run).await;
            if wanted(&found) {
                return found;
            }
            assert!(began.elapsed() < patience, "{found}\n{:#?}", self.node_runs(run).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// One connection that follows a run: calls `each` with every envelope until the server has no more to say or the
    /// connection ends. `true` when it was the server that completed.
    pub(crate) async fn follow(
        &self,
        run: &str,
        after: Option<&str>,
        mut each: impl FnMut(&Value),
    ) -> Result<bool, Lost> {
        let lost = |why: &dyn std::fmt::Display| Lost(why.to_string());
        let url = self.fleet.one().ok_or_else(|| lost(&"no server lives"))?;
        let mut request = format!("{}/graphql", url.replacen("http", "ws", 1)).into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        headers.insert("authorization", format!("Bearer {}", self.key).parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.map_err(|error| lost(&error))?;
        let query = "subscription($id: ID!, $after: String) { runEvents(runId: $id, after: $after) {
            cursor seq at payload { __typename ... on CaughtUp { lastSeq }
                ... on RunEvent { kind node scope attempt port status message dueAt signal error { code } } } } }";
        let payload = json!({ "query": query, "variables": { "id": run, "after": after } });
        for message in
            [json!({ "type": "connection_init" }), json!({ "type": "subscribe", "id": "1", "payload": payload })]
        {
            socket.send(Message::text(message.to_string())).await.map_err(|error| lost(&error))?;
        }
        while let Some(message) = socket.next().await {
            let Message::Text(text) = message.map_err(|error| lost(&error))? else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            match message["type"].as_str() {
                Some("next") if message["payload"]["errors"].is_array() => return Err(lost(&message)),
                Some("next") => each(&message["payload"]["data"]["runEvents"]),
                Some("error") => return Err(lost(&message)),
                Some("complete") => return Ok(true),
                Some("ping") => {
                    let pong = Message::text(r#"{"type":"pong"}"#);
                    socket.send(pong).await.map_err(|error| lost(&error))?;
                }
                _ => {}
            }
        }
        Ok(false)
    }

    /// Every event of a run that has ended, each as text.
    pub(crate) async fn events(&self, run: &str) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let mut events = Vec::new();
            let took = |envelope: &Value| {
                if envelope["payload"]["__typename"] == "RunEvent" {
                    events.push(envelope.clone());
                }
            };
            match self.follow(run, None, took).await {
                Ok(true) => return events,
                other => assert!(began.elapsed() < Duration::from_secs(60), "{run}: {other:?}"),
            }
        }
    }
}
