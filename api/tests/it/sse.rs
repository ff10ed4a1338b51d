//! GraphQL over server-sent events, and a client of it that hides nothing.

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, doubling, on_both_databases};
use crate::socket::{PATIENCE, RUN_EVENTS, type_of};

/// A stream of server-sent events.
pub(crate) struct Events {
    response: Response,
    read: String,
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: String,
}

impl Events {
    /// Asks for an operation's answers as a stream; `resume` is what was received last.
    pub(crate) async fn open(app: &TestApp, query: &str, variables: Value, resume: Option<&str>) -> Self {
        let body = json!({"query": query, "variables": variables});
        let mut request = app.post(&app.key, &body).header("accept", "text/event-stream");
        if let Some(id) = resume {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        Self { response, read: String::new() }
    }

    /// The next event, comments left out; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Sent> {
        loop {
            while let Some((message, rest)) = self.read.split_once("\n\n") {
                let fields: Vec<(&str, &str)> = message.lines().filter_map(|line| line.split_once(": ")).collect();
                let field =
                    |name: &str| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
                let sent =
                    field("event").map(|name| Sent { name, id: field("id"), data: field("data").unwrap_or_default() });
                self.read = rest.to_owned();
                if sent.is_some() {
                    return sent;
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.unwrap();
            match chunk {
                Ok(Some(bytes)) => self.read.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// The next envelope under this field; `None` when the stream is complete or cut off.
    pub(crate) async fn envelope(&mut self, field: &str) -> Option<Value> {
        let sent = self.next().await?;
        if sent.name == "complete" {
            return None;
        }
        let answer: Value = serde_json::from_str(&sent.data).unwrap();
        assert!(answer.get("errors").is_none(), "{answer:#}");
        let envelope = answer["data"][field].clone();
        assert_eq!(sent.id.as_deref(), envelope["cursor"].as_str(), "the id is the cursor");
        Some(envelope)
    }
}

on_both_databases! {
    async fn a_run_is_followed_to_its_end_and_from_the_last_event_id(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let id = app.start_run("double", json!({"n": 1})).await;
        let mut events = Events::open(&app, RUN_EVENTS, json!({"run": id}), None).await;
        let mut whole = Vec::new();
        while let Some(envelope) = events.envelope("runEvents").await {
            whole.push(envelope);
        }
        assert!(whole.len() > 4, "{whole:#?}");
        assert_eq!(whole.iter().filter(|envelope| type_of(envelope) == "CaughtUp").count(), 1);
        let third = whole[2]["cursor"].as_str();
        // A client that reconnects sends the same body again: what it received goes before `after`.
        let first = whole[0]["cursor"].clone();
        let mut rest = Events::open(&app, RUN_EVENTS, json!({"run": id, "after": first}), third).await;
        assert_eq!(rest.envelope("runEvents").await.as_ref(), Some(&whole[3]));
        app.stop().await;
    }

    async fn a_query_is_one_answer_and_a_refused_request_is_no_stream(home: Home) {
        let app = TestApp::start(&home).await;
        let mut events = Events::open(&app, "{ viewer { role } }", json!({}), None).await;
        let answer = Sent { name: "next".into(), id: None, data: r#"{"data":{"viewer":{"role":"ADMIN"}}}"#.into() };
        assert_eq!(events.next().await, Some(answer));
        assert_eq!(events.next().await, Some(Sent { name: "complete".into(), id: None, data: String::new() }));
        assert_eq!(events.next().await, None);
        let mut invalid = Events::open(&app, "{ nothing }", json!({}), None).await;
        let answer: Value = serde_json::from_str(&invalid.next().await.unwrap().data).unwrap();
        assert_eq!((code(&answer), answer.get("data")), ("GRAPHQL_VALIDATION_FAILED", None));
        let refused = app.post(&app.key, &json!({"query": "{"})).header("accept", "text/event-stream");
        let refused = refused.send().await.unwrap();
        assert_eq!(refused.status(), 400);
        assert_eq!(code(&refused.json().await.unwrap()), "GRAPHQL_PARSE_FAILED");
        let stranger = app.post("ff_nobody", &json!({"query": RUN_EVENTS})).header("accept", "text/event-stream");
        assert_eq!(stranger.send().await.unwrap().status(), 401);
        app.stop().await;
    }

    async fn a_server_that_stops_ends_its_streams(home: Home) {
        let app = TestApp::start(&home).await;
        let query = "subscription { workspaceEvents { cursor payload { __typename } } }";
        let mut events = Events::open(&app, query, json!({}), None).await;
        assert_eq!(type_of(&events.envelope("workspaceEvents").await.unwrap()), "CaughtUp");
        let stopping = std::time::Instant::now();
        app.stop().await;
        assert!(stopping.elapsed() < Duration::from_secs(9), "open streams do not keep a server from stopping");
        assert_eq!(events.next().await, None);
    }
}
