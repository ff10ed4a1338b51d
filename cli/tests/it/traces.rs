//! The traces that a server sends, as a collector receives them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Api;
use crate::collector::{Collector, Seen, Service};
use crate::home::{Home, On, Server};

const CALLER: &str = "00f067aa0ba902b7";

/// A trace of somebody else, told apart by a digit.
fn trace(digit: char) -> String {
    format!("{digit}bf92f3577b34da6a3ce929d0e0e4736")
}

fn parent(digit: char, flags: &str) -> String {
    format!("00-{}-{CALLER}-{flags}", trace(digit))
}

/// A run that calls the service three times: once by the way, once within another trace, and once for each of two items.
fn calling(service: &Service) -> Value {
    let call =
        |name: &str| json!({"type": "http.request@1", "config": {"url": format!("{}/{name}?t=geheim1", service.url)}});
    let mut own = call("own");
    own["config"]["headers"] = json!({"TraceParent": parent('9', "01"), "x-secret": "geheim2"});
    let mut each = call("each");
    each["for_each"] = json!({"items": "{{ [1, 2] }}"});
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "plain": call("plain"),
            "own": own,
            "each": each,
            "which": {"type": "flow.if@1", "config": {"condition": "{{ run.input.fails == true }}"}},
            "stop": {"type": "flow.fail@1", "config": {"code": "NOT_TODAY", "message": "geheim3"}},
            "left": {"type": "data.set@1", "config": {"value": 1}},
        },
        "edges": [{"from": "start", "to": "plain"}, {"from": "plain", "to": "own"}, {"from": "own", "to": "each"},
            {"from": "each", "to": "which"}, {"from": "which.true", "to": "stop"}, {"from": "which.false", "to": "left"}],
    })
}

async fn home(on: On, collector: &str, service: &Service) -> Home {
    let home = Home::new(on).await.with("HTTP__ALLOW_HOSTS", service.host());
    let home = home.with("TELEMETRY__SERVICE_NAME", "flowforge-test");
    home.with("TELEMETRY__OTLP_ENDPOINT", collector).with("TELEMETRY__OTLP_HEADERS", "x-collector-key=geheim4")
}

/// The run that a mutation, asked for within this trace, starts.
async fn ask(server: &Server, key: &str, traceparent: Option<&str>, mutation: &str, input: Value) -> String {
    let request = reqwest::Client::new().post(format!("{}/graphql", server.url)).bearer_auth(key);
    let request = match traceparent {
        Some(parent) => request.header("traceparent", parent).header("tracestate", "vendor=1"),
        None => request,
    };
    let input_type = match mutation {
        "startRun" => "StartRunInput",
        _ => "RetryRunInput",
    };
    let query = format!(
        "mutation Begin($i: {input_type}!) {{ it: {mutation}(input: $i) {{ run {{ id }} userErrors {{ code message }} }} }}"
    );
    let answer = request.json(&json!({"query": query, "variables": {"i": input}})).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["data"]["it"]["run"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn start(server: &Server, key: &str, traceparent: Option<&str>, input: Value) -> String {
    let input = json!({"workflow": "called", "input": input});
    ask(server, key, traceparent, "startRun", input).await
}

async fn ended(api: &Api, run: &str) -> String {
    loop {
        let found = api.ask("query($id: ID!) { run(id: $id) { status } }", json!({"id": run})).await;
        let status = found["run"]["status"].as_str().unwrap().to_owned();
        if matches!(status.as_str(), "SUCCEEDED" | "FAILED") {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The spans of a run by what they are called, an item's with its number.
fn of_run(seen: &[Seen], run: &str) -> BTreeMap<String, Seen> {
    let mut found = BTreeMap::new();
    for seen in seen.iter().filter(|seen| seen.says("flowforge.run.id").as_deref() == Some(run)) {
        let item = seen.says("flowforge.node_run.item").map(|item| format!(" {item}")).unwrap_or_default();
        let name = format!("{}{item}", seen.span.name);
        assert!(found.insert(name.clone(), seen.clone()).is_none(), "{name} came twice");
    }
    found
}

/// Every span of a run stands under the right one, in this trace.
fn is_one_trace(spans: &BTreeMap<String, Seen>, trace: &str) {
    for (name, seen) in spans {
        assert_eq!(seen.trace(), trace, "{name}");
        let above = match name.split_whitespace().collect::<Vec<_>>()[..] {
            ["run"] => continue,
            ["node", _] => "run".to_owned(),
            ["node", key, _] => format!("node {key}"),
            ["call", key] => format!("node {key}"),
            ["call", key, item] => format!("node {key} {item}"),
            _ => panic!("{name}"),
        };
        assert_eq!(seen.parent(), spans[&above].id(), "{name} under {above}");
        assert!(seen.span.start_time_unix_nano <= seen.span.end_time_unix_nano, "{name}");
    }
}

async fn a_request_its_run_and_its_node_runs_are_one_trace(on: On) {
    let (collector, service) = (Collector::open().await, Service::open().await);
    let home = home(on, &collector.url, &service).await;
    let mut server = home.serve("server");
    let key = home.key();
    let api = Api::at(&server.url, &key);
    api.publish("called", &calling(&service)).await;
    let secret = json!({"fails": false, "password": "geheim5"});
    let kept = start(&server, &key, Some(&parent('1', "01")), secret).await;
    assert_eq!(ended(&api, &kept).await, "SUCCEEDED");
    let unkept = start(&server, &key, Some(&parent('2', "00")), json!({"fails": false})).await;
    assert_eq!(ended(&api, &unkept).await, "SUCCEEDED");
    let failed = start(&server, &key, None, json!({"fails": true})).await;
    assert_eq!(ended(&api, &failed).await, "FAILED");
    let again = ask(&server, &key, Some(&parent('3', "01")), "retryRun", json!({"runId": failed})).await;
    assert_eq!(ended(&api, &again).await, "FAILED");
    server.signal("TERM");
    assert!(server.ended_within(Duration::from_secs(30)).await);

    let seen = collector.seen();
    let spans = of_run(&seen, &kept);
    is_one_trace(&spans, &trace('1'));
    let names: Vec<&str> = spans.keys().map(String::as_str).collect();
    let wanted = [
        "call each 0",
        "call each 1",
        "call own",
        "call plain",
        "node each",
        "node each 0",
        "node each 1",
        "node left",
        "node own",
        "node plain",
        "node which",
        "run",
    ];
    assert_eq!(names, wanted);
    let request = seen.iter().find(|seen| seen.id() == spans["run"].parent()).unwrap();
    assert_eq!((request.trace(), request.parent().as_str()), (trace('1'), CALLER));
    assert_eq!(request.span.name, "POST /graphql");
    assert_eq!(request.says("http.response.status_code").as_deref(), Some("200"));
    assert_eq!(request.says("graphql.operation.name").as_deref(), Some("Begin"));
    assert_eq!(spans["run"].says("flowforge.run.status").as_deref(), Some("SUCCEEDED"));
    assert_eq!(spans["node plain"].says("flowforge.node.type").as_deref(), Some("http.request@1"));
    assert!(spans.values().all(|seen| seen.span.trace_state == "vendor=1"));

    let header = |name: &str, header: &str| service.header(name, header);
    let called = format!("00-{}-{}-01", trace('1'), spans["call plain"].id());
    assert_eq!(header("plain", "traceparent")[0].as_deref(), Some(called.as_str()));
    assert_eq!(header("plain", "tracestate")[0].as_deref(), Some("vendor=1"));
    assert_eq!(header("own", "traceparent")[0].as_deref(), Some(parent('9', "01").as_str()));
    assert_eq!(header("own", "tracestate")[0], None, "it belongs to the other trace");

    assert!(of_run(&seen, &unkept).is_empty() && !seen.iter().any(|seen| seen.trace() == trace('2')));
    let handed_on = header("plain", "traceparent")[1].clone().unwrap();
    assert!(handed_on.starts_with(&format!("00-{}-", trace('2'))) && handed_on.ends_with("-00"), "{handed_on}");

    let spans = of_run(&seen, &failed);
    is_one_trace(&spans, &spans["run"].trace());
    assert_eq!(spans["node stop"].says("error.type").as_deref(), Some("NOT_TODAY"));
    assert_eq!(spans["run"].says("error.type").as_deref(), Some("NOT_TODAY"));
    assert_eq!(spans["run"].span.status.as_ref().unwrap().code, 2);
    let retried = of_run(&seen, &again);
    is_one_trace(&retried, &trace('3'));
    let links = &retried["run"].span.links;
    assert_eq!((links.len(), &links[0].span_id), (1, &spans["run"].span.span_id));
    assert_eq!(links[0].trace_id, spans["run"].span.trace_id);

    assert!(collector.holds("called") || collector.holds("http.request@1"), "the bytes are looked at");
    assert!(!collector.holds("geheim") && !collector.holds(service.host()));
    assert!(collector.headers().iter().all(|headers| headers["x-collector-key"] == "geheim4"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_request_its_run_and_its_node_runs_are_one_trace() {
    a_request_its_run_and_its_node_runs_are_one_trace(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_request_its_run_and_its_node_runs_are_one_trace() {
    a_request_its_run_and_its_node_runs_are_one_trace(On::Postgres).await;
}

async fn a_run_that_is_taken_over_goes_on_in_its_trace(on: On) {
    let (collector, service) = (Collector::open().await, Service::open().await);
    let home = home(on, &collector.url, &service).await;
    let mut first = home.serve("first");
    let key = home.key();
    Api::at(&first.url, &key).publish("called", &calling(&service)).await;
    service.hold();
    let run = start(&first, &key, Some(&parent('1', "01")), json!({"fails": false})).await;
    service.called().await;
    let request = collector.find(|seen| seen.span.name == "POST /graphql" && seen.trace() == trace('1')).await;
    first.kill();
    let mut second = home.serve("second");
    service.called().await;
    service.let_go();
    assert_eq!(ended(&Api::at(&second.url, &key), &run).await, "SUCCEEDED");
    second.signal("TERM");
    assert!(second.ended_within(Duration::from_secs(30)).await);

    let spans = of_run(&collector.seen(), &run);
    is_one_trace(&spans, &trace('1'));
    assert_eq!(spans["run"].parent(), request.id());
    assert_ne!(spans["run"].process, request.process);
    assert!(spans.contains_key("node plain") && spans.contains_key("call plain") && spans.contains_key("node left"));
    assert_eq!(spans["call plain"].says("flowforge.attempt.number").as_deref(), Some("2"));
    let again = format!("00-{}-{}-01", trace('1'), spans["call plain"].id());
    let [Some(lost), Some(made)] = &service.header("plain", "traceparent")[..] else { panic!("two calls") };
    assert_eq!(*made, again);
    assert!(
        lost.starts_with(&format!("00-{}-", trace('1'))) && *lost != again,
        "an attempt of its own, in the same trace"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_run_that_is_taken_over_goes_on_in_its_trace() {
    a_run_that_is_taken_over_goes_on_in_its_trace(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_run_that_is_taken_over_goes_on_in_its_trace() {
    a_run_that_is_taken_over_goes_on_in_its_trace(On::Postgres).await;
}

/// The spans that were given up because the collector did not take them.
async fn given_up(server: &Server) -> f64 {
    let text = reqwest::get(format!("{}/metrics", server.url)).await.unwrap().text().await.unwrap();
    let line = text.lines().find(|line| line.starts_with("flowforge_spans_dropped_total{reason=\"export_failed\"}"));
    line.unwrap().rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_go_on_while_the_collector_is_away_and_what_it_misses_is_counted() {
    let service = Service::open().await;
    let closed = Collector::open().await.url.clone();
    let home = home(On::Sqlite, &closed, &service).await;
    let mut server = home.serve("server");
    let key = home.key();
    let api = Api::at(&server.url, &key);
    api.publish("called", &calling(&service)).await;
    let run = start(&server, &key, None, json!({"fails": false})).await;
    assert_eq!(ended(&api, &run).await, "SUCCEEDED");
    let counted = async {
        while given_up(&server).await < 1.0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), counted).await.unwrap();
    server.signal("TERM");
    assert!(server.ended_within(Duration::from_secs(30)).await, "a stop does not wait for the collector");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_collector_the_callers_trace_is_handed_on_as_it_came() {
    let service = Service::open().await;
    let home = Home::new(On::Sqlite).await.with("HTTP__ALLOW_HOSTS", service.host());
    let server = home.serve("server");
    let key = home.key();
    let api = Api::at(&server.url, &key);
    api.publish("called", &calling(&service)).await;
    for caller in [Some(parent('1', "01")), None] {
        let run = start(&server, &key, caller.as_deref(), json!({"fails": false})).await;
        assert_eq!(ended(&api, &run).await, "SUCCEEDED");
    }
    assert_eq!(service.header("plain", "traceparent"), [Some(parent('1', "01")), None]);
    assert_eq!(service.header("plain", "tracestate"), [Some("vendor=1".to_owned()), None]);
}
