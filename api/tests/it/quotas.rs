//! What a workspace may use.

use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, on_both_databases};
use crate::tenancy::other_workspace;
use api::auth::Role;

const QUOTA: &str = "quota { runsPerMinute activeRuns payloadBytes }";

/// A run that waits until somebody says so.
fn waiting() -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "hook": {"type": "trigger.webhook@1", "config": {"verify": "none"}},
            "join": {"type": "flow.merge@1", "config": {"mode": "first"}, "join": "any"},
            "hold": {"type": "flow.wait@1", "config": {"signal": {"name": "go"}}},
        },
        "edges": [{"from": "start", "to": "join"}, {"from": "hook", "to": "join"}, {"from": "join", "to": "hold"}],
    })
}

async fn start(app: &TestApp, key: Option<&str>, input: Value) -> Value {
    let asked = json!({"workflow": "wait", "trigger": "start", "input": input, "idempotencyKey": key});
    app.change("startRun", asked, "run { id } replayed").await
}

on_both_databases! {
    async fn a_workspace_starts_no_more_runs_than_it_may(home: Home) {
        let app = TestApp::start(&home).await;
        let published = app.publish("wait", &waiting()).await;
        assert_eq!(published["userErrors"], json!([]), "{published:#}");
        let set = json!({"activeRuns": 2, "payloadBytes": 100});
        let quota = app.changed("setQuota", set, QUOTA).await["quota"].clone();
        assert_eq!(quota, json!({"runsPerMinute": null, "activeRuns": 2, "payloadBytes": 100}));

        let large = start(&app, None, json!("x".repeat(99))).await;
        assert_eq!(large["userErrors"][0]["details"]["quota"], "payloadBytes");
        assert_eq!(large["userErrors"][0]["details"]["used"], 101);
        let first = start(&app, Some("one"), json!(1)).await;
        assert_eq!(start(&app, None, json!(2)).await["userErrors"], json!([]));
        let third = start(&app, None, json!(3)).await;
        let told = json!({"quota": "activeRuns", "limit": 2, "used": 2, "resetAt": null});
        assert_eq!((&third["userErrors"][0]["code"], &third["userErrors"][0]["details"]), (&json!("QUOTA_EXCEEDED"), &told));
        let again = start(&app, Some("one"), json!(1)).await;
        assert_eq!((&again["replayed"], &again["run"]), (&json!(true), &first["run"]), "a repeat makes no run");
        let many = json!({"workflow": "wait", "trigger": "start", "runs": [{"input": 1}, {"input": 2}]});
        let many = app.change("startRuns", many, "results { run { id } userErrors { code } }").await;
        assert_eq!(many["results"][1]["userErrors"][0]["code"], "QUOTA_EXCEEDED", "{many}");

        let usage = app.ask("{ viewer { workspace { usage { runsLastMinute activeRuns storedBytes } } } }", json!({})).await;
        let used = json!({"runsLastMinute": 2, "activeRuns": 2, "storedBytes": 0});
        assert_eq!(usage["viewer"]["workspace"]["usage"], used);

        app.changed("setQuota", json!({"runsPerMinute": 3}), QUOTA).await;
        assert_eq!(start(&app, None, json!(4)).await["userErrors"], json!([]));
        let url = app.url("/hooks/default/default/wait/hook");
        let answer = app.http.post(url).json(&json!({"a": 1})).send().await.unwrap();
        assert_eq!(answer.status(), 429);
        let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!((&problem["code"], &problem["quota"]["limit"]), (&json!("QUOTA_EXCEEDED"), &json!(3)));
        assert!(problem["quota"]["resetAt"].is_string(), "{problem}");

        app.changed("setQuota", json!({}), QUOTA).await;
        assert_eq!(start(&app, None, json!(5)).await["userErrors"], json!([]));
        app.stop().await;
    }

    async fn only_admins_change_what_a_workspace_may_use_and_each_has_its_own(home: Home) {
        let app = TestApp::start(&home).await;
        let query = "mutation { setQuota(input: {activeRuns: 0}) { userErrors { code } } }";
        let editor = home.key(Role::Editor).await;
        assert_eq!(code(&app.ask_as(&editor, query, json!({})).await), "FORBIDDEN");
        app.changed("setQuota", json!({"activeRuns": 0}), QUOTA).await;
        let audit = app.ask("{ audit(first: 1) { nodes { action before after } } }", json!({})).await;
        let row = &audit["audit"]["nodes"][0];
        assert_eq!((&row["action"], &row["after"]["activeRuns"]), (&json!("quota.updated"), &json!(0)), "{audit}");
        let stranger = other_workspace(&home).await.1;
        let theirs = app.ask_as(&stranger, "{ viewer { workspace { quota { activeRuns } } } }", json!({})).await;
        assert_eq!(theirs["data"]["viewer"]["workspace"]["quota"]["activeRuns"], json!(null));
        app.stop().await;
    }

    async fn a_workspace_says_which_hosts_its_nodes_may_call(home: Home) {
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        // The tests' servers may call this machine; another port than the server's own is another server.
        let service = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = service.local_addr().unwrap();
        let answers = axum::Router::new().fallback(|| async { axum::Json("here") });
        let serving = tokio_util::task::TaskTracker::new().spawn(async move { axum::serve(service, answers).await });
        let call = |url: String| json!({
            "nodes": {
                "start": {"type": "trigger.manual@1"},
                "ask": {"type": "http.request@1", "config": {"url": url}}
            },
            "edges": [{"from": "start", "to": "ask"}],
            "output": "{{ nodes.ask.output.body }}"
        });
        app.publish("call", &call(format!("http://{place}/"))).await;
        app.publish("own", &call(format!("http://{}/health", app.address))).await;
        let ended = async |workflow: &str| {
            let run = app.start_run(workflow, json!({})).await;
            app.finish(&run).await
        };
        let first = ended("call").await;
        assert_eq!(first["output"]["json"], "here", "{first:#}");
        let own = ended("own").await;
        assert_eq!(own["error"]["code"], "HTTP_HOST_DENIED", "{own}");
        assert!(own["error"]["message"].as_str().unwrap().contains("this server itself"), "{own}");

        let set = async |hosts: Value| app.changed("setAllowedHosts", json!({"hosts": hosts}), "hosts").await["hosts"].clone();
        assert_eq!(set(json!(["API.example.com", "*.corp.example:8443"])).await, json!(["api.example.com", "*.corp.example:8443"]));
        let denied = ended("call").await;
        assert_eq!(denied["error"]["code"], "HTTP_HOST_DENIED");
        assert!(denied["error"]["message"].as_str().unwrap().contains("setAllowedHosts"), "{denied}");
        assert_eq!(set(json!([place.to_string()])).await, json!([place.to_string()]));
        assert_eq!(ended("call").await["status"], "SUCCEEDED");
        assert_eq!(set(json!([])).await, json!([]));
        assert_eq!(ended("call").await["error"]["code"], "HTTP_HOST_DENIED");
        let shown = app.ask("{ viewer { workspace { allowedHosts } } }", json!({})).await;
        assert_eq!(shown["viewer"]["workspace"]["allowedHosts"], json!([]));
        assert_eq!(set(json!(null)).await, json!(null));
        assert_eq!(ended("call").await["status"], "SUCCEEDED");

        assert_eq!(app.refused("setAllowedHosts", json!({"hosts": ["http://example.com"]})).await, "BAD_USER_INPUT");
        let editor = home.key(Role::Editor).await;
        let query = "mutation { setAllowedHosts(input: {hosts: []}) { userErrors { code } } }";
        assert_eq!(code(&app.ask_as(&editor, query, json!({})).await), "FORBIDDEN");
        let stranger = other_workspace(&home).await.1;
        set(json!(["a.example"])).await;
        let theirs = app.ask_as(&stranger, "{ viewer { workspace { allowedHosts } } }", json!({})).await;
        assert_eq!(theirs["data"]["viewer"]["workspace"]["allowedHosts"], json!(null));
        serving.abort();
        app.stop().await;
    }
}
