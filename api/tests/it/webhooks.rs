//! Who may call a webhook, at which address, how often, and what is left of those who may not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::start_dedupe;
use reqwest::{Response, StatusCode};
use sea_orm::EntityTrait as _;
use sea_orm::sea_query::Expr;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, on_both_databases};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A webhook with this config and connection, and what came.
fn hooked(config: Value, connection: Option<&str>) -> Value {
    json!({
        "nodes": {
            "hook": {"type": "trigger.webhook@1", "config": config, "connection": connection},
            "keep": {"type": "data.set@1", "config": {"value": "{{ input }}"}},
        },
        "edges": [{"from": "hook", "to": "keep"}],
    })
}

/// Publishes it with a signing secret, and gives back the workflow's only binding.
pub(crate) async fn deployed(app: &TestApp, name: &str, config: Value, connection: Option<&str>) -> Value {
    if let Some(connection) = connection {
        let input = json!({"name": connection, "type": "webhook.signing", "secrets": {"secret": SECRET}});
        app.changed("createConnection", input, "").await;
    }
    let published = app.publish(name, &hooked(config, connection)).await;
    assert_eq!(published["problems"], json!([]), "{published:#}");
    binding(app, name).await
}

async fn binding(app: &TestApp, name: &str) -> Value {
    let query = "query($n: String!) { workflow(name: $n) { triggerBindings { id kind node environment pausedAt
        webhook { urls { path secret validUntil } } } } }";
    let found = app.ask(query, json!({"n": name})).await;
    found["workflow"]["triggerBindings"][0].clone()
}

pub(crate) fn path(binding: &Value, index: usize) -> String {
    binding["webhook"]["urls"][index]["path"].as_str().unwrap_or_else(|| panic!("{binding:#}")).to_owned()
}

async fn call(app: &TestApp, path: &str) -> Response {
    app.http.post(app.url(path)).json(&json!({"n": 1})).send().await.unwrap()
}

pub(crate) async fn problem(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body)
}

async fn runs(app: &TestApp) -> i64 {
    app.ask("{ runs { totalCount } }", json!({})).await["runs"]["totalCount"].as_i64().unwrap()
}

/// What became of the last deliveries, the latest first.
async fn events(app: &TestApp) -> Vec<Value> {
    let query = "{ triggerEvents(first: 50) { nodes { outcome reason explanation refusedRequest run { id } } } }";
    app.ask(query, json!({})).await["triggerEvents"]["nodes"].as_array().unwrap().clone()
}

pub(crate) fn now() -> i64 {
    runtime::clock::Clock::system().now().0 / 1_000_000
}

/// The three headers of Standard Webhooks.
fn signed(id: &str, at: i64, body: &str) -> [(&'static str, String); 3] {
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("{id}.{at}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.as_ref()));
    [("webhook-id", id.to_owned()), ("webhook-timestamp", at.to_string()), ("webhook-signature", signature)]
}

async fn deliver(app: &TestApp, path: &str, headers: &[(&str, String)], body: &str) -> Response {
    let mut request = app.http.post(app.url(path)).header("content-type", "application/json").body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.send().await.unwrap()
}

on_both_databases! {
    async fn without_a_word_the_url_is_a_secret_that_editors_are_told(home: Home) {
        let app = TestApp::start(&home).await;
        let bound = deployed(&app, "inbox", json!({}), None).await;
        assert_eq!((&bound["kind"], &bound["webhook"]["urls"][0]["secret"]), (&json!("WEBHOOK"), &json!(true)));
        let secret = path(&bound, 0);
        assert!(secret.starts_with("/hooks/whk_"), "{secret}");
        let answer = call(&app, &secret).await;
        assert_eq!(answer.status(), 202);
        let run = answer.json::<Value>().await.unwrap()["runId"].as_str().unwrap().to_owned();
        let seen = app.finish(&run).await;
        assert_eq!(seen["output"]["json"]["path"], "/hooks/…", "a run does not tell the secret");
        assert!(!seen.to_string().contains("whk_"));
        assert_eq!(call(&app, "/hooks/default/default/inbox/hook").await.status(), 404, "there is no readable one");
        assert_eq!(call(&app, "/hooks/whk_000000000000000000000000000000000000000000000000").await.status(), 404);

        let viewer = home.key(api::auth::Role::Viewer).await;
        let query = "{ workflow(name: \"inbox\") { triggerBindings { webhook { urls { path } } } } }";
        let told = app.ask_as(&viewer, query, json!({})).await;
        assert_eq!(told["data"]["workflow"]["triggerBindings"][0]["webhook"]["urls"], json!([]), "{told}");
        app.stop().await;
    }

    async fn a_secret_url_is_replaced_at_once_or_after_an_overlap(home: Home) {
        let app = TestApp::start(&home).await;
        let bound = deployed(&app, "inbox", json!({}), None).await;
        let (id, first) = (bound["id"].clone(), path(&bound, 0));
        let rotate = async |overlap: i64| {
            let input = json!({"triggerId": id, "overlapSeconds": overlap});
            let changed = app.changed("rotateTriggerUrl", input, "trigger { webhook { urls { path validUntil } } }").await;
            changed["trigger"].clone()
        };
        let bound = rotate(3600).await;
        let second = path(&bound, 0);
        assert_eq!(path(&bound, 1), first);
        assert_eq!(bound["webhook"]["urls"][0]["validUntil"], Value::Null);
        assert_ne!(bound["webhook"]["urls"][1]["validUntil"], Value::Null);
        assert_eq!((call(&app, &first).await.status(), call(&app, &second).await.status()), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
        let bound = rotate(0).await;
        assert_eq!(call(&app, &second).await.status(), 410);
        assert_eq!(call(&app, &path(&bound, 0)).await.status(), 202);
        let refused = app.refused("rotateTriggerUrl", json!({"triggerId": id, "overlapSeconds": 604_801})).await;
        assert_eq!(refused, "BAD_USER_INPUT");
        assert_eq!(app.refused("rotateTriggerUrl", json!({"triggerId": "trg_00000000000000000000000000000000"})).await, "NOT_FOUND");
        app.stop().await;
    }

    async fn a_webhook_with_its_own_path_takes_its_methods_only(home: Home) {
        let app = TestApp::start(&home).await;
        let config = json!({"verify": "none", "path": "orders/new", "methods": ["POST", "PUT"]});
        let bound = deployed(&app, "inbox", config.clone(), None).await;
        let url = "/hooks/default/default/orders/new";
        assert_eq!(path(&bound, 0), url);
        assert_eq!(call(&app, url).await.status(), 202);
        let answer = app.http.get(app.url(url)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "POST, PUT"));
        assert_eq!(problem(answer).await.1["code"], "METHOD_NOT_ALLOWED");
        assert_eq!(events(&app).await[0]["reason"], "METHOD_NOT_ALLOWED");

        let query = "mutation($i: PublishWorkflowInput!) { publishWorkflow(input: $i) { userErrors { code message } } }";
        let other = json!({"i": {"name": "other", "definition": hooked(config, None)}});
        let taken = app.ask(query, other.clone()).await;
        assert_eq!(taken["publishWorkflow"]["userErrors"][0]["code"], "CONFLICT", "{taken}");
        let workflow = app.ask("{ workflow(name: \"inbox\") { id } }", json!({})).await["workflow"]["id"].clone();
        app.changed("undeployWorkflow", json!({"workflowId": workflow, "environment": "default"}), "").await;
        assert_eq!(call(&app, url).await.status(), 410);
        assert_eq!(app.ask(query, other).await["publishWorkflow"]["userErrors"], json!([]), "who is gone has no path");
        assert_eq!(call(&app, url).await.status(), 202);
        app.stop().await;
    }

    async fn every_environment_has_urls_of_its_own(home: Home) {
        let app = TestApp::start(&home).await;
        app.environment("staging").await;
        let published = app.publish("inbox", &hooked(json!({"verify": "none"}), None)).await;
        let input = json!({"versionId": published["version"]["id"], "environment": "staging"});
        app.changed("deployVersion", input, "").await;
        for (path, environment) in
            [("/hooks/default/default/@staging/inbox/hook", "staging"), ("/hooks/default/default/inbox/hook", "default")]
        {
            let answer = call(&app, path).await;
            assert_eq!(answer.status(), 202, "{path}");
            let run = answer.json::<Value>().await.unwrap()["runId"].clone();
            let run = app.ask("query($id: ID!) { run(id: $id) { environment } }", json!({"id": run})).await;
            assert_eq!(run["run"]["environment"], environment);
        }
        app.stop().await;
    }

    async fn a_signed_delivery_is_taken_once_and_everything_else_refused_with_its_reason(home: Home) {
        let app = TestApp::start(&home).await;
        let url = path(&deployed(&app, "signed", json!({"verify": "standard"}), Some("sender")).await, 0);
        let body = "{\"n\": 5}";
        let at = now();
        let good = signed("msg_1", at, body);
        let answer = deliver(&app, &url, &good, body).await;
        assert_eq!(answer.status(), 202);
        let first = answer.json::<Value>().await.unwrap()["runId"].clone();

        // Sent again by its sender, who signs again: the same run. Sent again by somebody who recorded it: refused.
        let again = deliver(&app, &url, &signed("msg_1", at - 1, body), body).await;
        assert_eq!(again.headers()["idempotent-replayed"], "true");
        assert_eq!(again.json::<Value>().await.unwrap()["runId"], first);
        let mut duplicate = signed("msg_2", now(), body).to_vec();
        duplicate.push(duplicate[2].clone());
        let upper: Vec<_> = good.iter().map(|(name, value)| (*name, value.to_uppercase())).collect();
        type Attack<'a> = (&'a str, Vec<(&'a str, String)>, &'a str);
        let attacks: [Attack<'_>; 8] = [
            ("REPLAYED", good.to_vec(), body),
            ("SIGNATURE_WRONG", signed("msg_3", now(), body).to_vec(), "{\"n\": 6}"),
            ("TIMESTAMP_OLD", signed("msg_4", now() - 360, body).to_vec(), body),
            ("TIMESTAMP_FUTURE", signed("msg_5", now() + 360, body).to_vec(), body),
            ("HEADER_DUPLICATE", duplicate, body),
            ("CREDENTIAL_MISSING", Vec::new(), body),
            ("HEADER_MALFORMED", vec![good[0].clone(), good[1].clone(), ("webhook-signature", String::new())], body),
            ("HEADER_MALFORMED", upper, body),
        ];
        for (reason, headers, body) in &attacks {
            let (status, told) = problem(deliver(&app, &url, headers, body).await).await;
            assert_eq!((status, &told["code"], &told["reason"]), (401, &json!("DELIVERY_REFUSED"), &json!(reason)));
            let event = events(&app).await[0].clone();
            assert_eq!((&event["outcome"], &event["reason"], &event["run"]), (&json!("REFUSED"), &json!(reason), &json!(null)));
            assert_eq!(event["refusedRequest"].get("body"), None, "nothing of a body that nobody vouches for: {event}");
        }
        assert_eq!(runs(&app).await, 1);
        app.stop().await;
    }

    async fn a_signature_without_a_time_is_not_taken_under_another_id(home: Home) {
        let app = TestApp::start(&home).await;
        let url = path(&deployed(&app, "pushes", json!({"verify": "github"}), Some("github")).await, 0);
        let body = "{\"ref\": \"main\"}";
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
        let push = |id: &str| {
            vec![("x-github-delivery", id.to_owned()), ("x-hub-signature-256", format!("sha256={}", hex::encode(mac.as_ref())))]
        };
        let first = deliver(&app, &url, &push("d-1"), body).await;
        assert_eq!(first.status(), 202);
        let run = first.json::<Value>().await.unwrap()["runId"].clone();
        let again = deliver(&app, &url, &push("d-1"), body).await;
        assert_eq!(again.json::<Value>().await.unwrap()["runId"], run, "GitHub's own `Redeliver`");
        assert_eq!(problem(deliver(&app, &url, &push("d-2"), body).await).await.1["reason"], "REPLAYED");
        assert_eq!(runs(&app).await, 1);
        app.stop().await;
    }

    async fn an_id_from_the_body_makes_one_run_whatever_else_is_in_it(home: Home) {
        let app = TestApp::start(&home).await;
        let config = json!({"verify": "none", "delivery_id": "body.event.id", "delivery_window": "1h"});
        let url = path(&deployed(&app, "inbox", config, None).await, 0);
        let send = async |body: Value| {
            let answer = app.http.post(app.url(&url)).json(&body).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["runId"].clone())
        };
        let first = send(json!({"event": {"id": 7}, "try": 1})).await;
        assert_eq!(first.0, 202);
        assert_eq!(send(json!({"event": {"id": 7}, "try": 2})).await, first);
        assert_ne!(send(json!({"event": {"id": 8}})).await, first);
        assert_eq!(send(json!({"event": {"id": [1]}})).await.0, 400);
        assert_eq!(runs(&app).await, 2);
        app.stop().await;
    }

    async fn an_id_counts_again_when_its_window_is_over(home: Home) {
        let app = TestApp::start(&home).await;
        let config = json!({"verify": "none", "delivery_window": "1m"});
        let url = path(&deployed(&app, "inbox", config, None).await, 0);
        let send = async || {
            let request = app.http.post(app.url(&url)).header("idempotency-key", "d-1").json(&json!({}));
            request.send().await.unwrap().json::<Value>().await.unwrap()["runId"].clone()
        };
        let first = send().await;
        assert_eq!(send().await, first);
        // Its minute is over, as far as the database knows.
        let over = start_dedupe::Column::ExpiresAt;
        let past = runtime::clock::Clock::system().now().minus(std::time::Duration::from_secs(3_600));
        let past = runtime::database::to_column(past);
        let past = start_dedupe::Entity::update_many().col_expr(over, Expr::value(past));
        assert_eq!(past.exec(home.database.database.write()).await.unwrap().rows_affected, 1);
        assert_ne!(send().await, first);
        app.stop().await;
    }

    async fn a_webhook_takes_so_many_a_minute_and_says_when_to_come_again(home: Home) {
        let app = TestApp::start(&home).await;
        let url = path(&deployed(&app, "inbox", json!({"verify": "none", "most_per_minute": 2}), None).await, 0);
        assert_eq!((call(&app, &url).await.status(), call(&app, &url).await.status()), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
        let answer = call(&app, &url).await;
        let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=61).contains(&wait), "{wait}");
        assert_eq!(problem(answer).await, (429, json!({"type": "about:blank", "title": "Too Many Requests", "status": 429,
            "code": "RATE_LIMITED", "detail": "the webhook takes 2 deliveries a minute"})));
        let event = events(&app).await[0].clone();
        assert_eq!((&event["reason"], &event["refusedRequest"]["body"]), (&json!("RATE_LIMITED"), &json!("{\"n\":1}")));
        assert_eq!(runs(&app).await, 2);
        app.stop().await;
    }

    async fn refusals_are_written_down_within_a_bound(home: Home) {
        let app = TestApp::start(&home).await;
        let url = path(&deployed(&app, "signed", json!({"verify": "standard"}), Some("sender")).await, 0);
        for _ in 0..30 {
            assert_eq!(deliver(&app, &url, &[], "x").await.status(), 401);
        }
        assert_eq!(events(&app).await.len(), 20);
        app.stop().await;
    }

    async fn a_paused_webhook_asks_its_senders_to_come_again(home: Home) {
        let app = TestApp::start(&home).await;
        let bound = deployed(&app, "inbox", json!({"verify": "none"}), None).await;
        app.changed("pauseTrigger", json!({"triggerId": bound["id"]}), "").await;
        let answer = call(&app, &path(&bound, 0)).await;
        assert!(answer.headers().contains_key("retry-after"));
        assert_eq!(problem(answer).await.1["code"], "TRIGGER_PAUSED");
        assert_eq!(events(&app).await[0]["reason"], "PAUSED");
        app.changed("resumeTrigger", json!({"triggerId": bound["id"]}), "").await;
        assert_eq!(call(&app, &path(&bound, 0)).await.status(), 202);
        app.stop().await;
    }

    async fn a_removed_webhook_is_gone_for_good_and_comes_back_where_it_was(home: Home) {
        let app = TestApp::start(&home).await;
        let bound = deployed(&app, "inbox", json!({}), None).await;
        let url = path(&bound, 0);
        let workflow = app.ask("{ workflow(name: \"inbox\") { id } }", json!({})).await["workflow"]["id"].clone();
        app.changed("undeployWorkflow", json!({"workflowId": workflow, "environment": "default"}), "").await;
        assert_eq!(problem(call(&app, &url).await).await.1["code"], "GONE");
        app.publish("inbox", &hooked(json!({}), None)).await;
        assert_eq!(call(&app, &url).await.status(), 202, "a rollback finds its senders");
        app.changed("archiveWorkflow", json!({"workflowId": workflow}), "").await;
        assert_eq!(call(&app, &url).await.status(), 410);
        app.stop().await;
    }

    async fn a_deployment_in_a_loop_never_loses_a_sender(home: Home) {
        let app = TestApp::start(&home).await;
        let version = |n: i64| {
            let mut definition = hooked(json!({"verify": "none"}), None);
            definition["nodes"]["keep"]["config"]["value"] = json!(n);
            definition
        };
        let mut versions = Vec::new();
        for n in 0..2 {
            versions.push(app.publish("busy", &version(n)).await["version"]["id"].clone());
        }
        let url = path(&binding(&app, "busy").await, 0);
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let tasks = tokio_util::task::TaskTracker::new();
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let (http, url) = (app.http.clone(), app.url(&url));
                let (stop, calls) = (Arc::clone(&stop), Arc::clone(&calls));
                tasks.spawn(async move {
                    while !stop.load(Ordering::SeqCst) {
                        let answer = http.post(&url).json(&json!({})).send().await.unwrap();
                        assert_eq!(answer.status(), 202);
                        calls.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for n in 0..30 {
            let before = calls.load(Ordering::SeqCst);
            let input = json!({"versionId": versions[n % 2], "environment": "default"});
            app.changed("deployVersion", input, "").await;
            while calls.load(Ordering::SeqCst) < before + 2 {
                tokio::task::yield_now().await;
            }
        }
        stop.store(true, Ordering::SeqCst);
        for sender in senders {
            sender.await.unwrap();
        }
        app.stop().await;
    }

    async fn the_end_of_the_run_may_be_the_answer(home: Home) {
        let app = TestApp::start(&home).await;
        let mut definition = hooked(json!({"verify": "none", "answer": "run_end"}), None);
        definition["nodes"]["keep"]["config"]["value"] = json!("{{ {'sum': input.body.a + input.body.b} }}");
        assert_eq!(app.publish("sum", &definition).await["problems"], json!([]));
        let url = app.url("/hooks/default/default/sum/hook");
        let answer = app.http.post(&url).json(&json!({"a": 2, "b": 3})).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "application/json"));
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({"sum": 5}));
        let answer = app.http.post(&url).json(&json!({"a": [], "b": {}})).send().await.unwrap();
        assert_eq!(problem(answer).await.1["code"], "RUN_FAILED");

        let mut slow = hooked(json!({"verify": "none", "answer": "run_end", "answer_within": "1s"}), None);
        slow["nodes"]["keep"] = json!({"type": "flow.wait@1", "config": {"for": "1h"}});
        assert_eq!(app.publish("slow", &slow).await["problems"], json!([]));
        let answer = app.http.post(app.url("/hooks/default/default/slow/hook")).json(&json!({})).send().await.unwrap();
        assert_eq!(answer.status(), 202, "after its time is up");
        app.stop().await;
    }

    async fn a_sample_delivery_is_what_the_webhook_takes(home: Home) {
        let app = TestApp::start(&home).await;
        for (name, config, connection) in [
            ("plain", json!({}), None),
            ("standard", json!({"verify": "standard"}), Some("standard")),
            ("github", json!({"verify": "github"}), Some("github")),
            ("stripe", json!({"verify": "stripe"}), Some("stripe")),
            ("slack", json!({"verify": "slack"}), Some("slack")),
            ("own", json!({"verify": "hmac", "signature_header": "x-sig", "timestamp_header": "x-time"}), Some("own")),
        ] {
            let bound = deployed(&app, name, config, connection).await;
            let input = json!({"triggerId": bound["id"], "body": "{\"id\": \"x\", \"n\": 7}"});
            let selection = "delivery { method path headers { name value } body }";
            let sample = app.changed("sampleDelivery", input, selection).await["delivery"].clone();
            let mut request = app.http.post(app.url(sample["path"].as_str().unwrap()));
            for header in sample["headers"].as_array().unwrap() {
                request = request.header(header["name"].as_str().unwrap(), header["value"].as_str().unwrap());
            }
            let answer = request.body(sample["body"].as_str().unwrap().to_owned()).send().await.unwrap();
            assert_eq!(answer.status(), 202, "{name}: {sample:#}");
        }
        let operator = home.key(api::auth::Role::Operator).await;
        let query = "mutation($i: SampleDeliveryInput!) { sampleDelivery(input: $i) { delivery { body } } }";
        let id = binding(&app, "standard").await["id"].clone();
        let refused = app.ask_as(&operator, query, json!({"i": {"triggerId": id}})).await;
        assert_eq!(crate::app::code(&refused), "FORBIDDEN");
        app.stop().await;
    }

    async fn a_way_to_verify_needs_its_kind_of_connection(home: Home) {
        let app = TestApp::start(&home).await;
        app.changed("createConnection", json!({"name": "key", "type": "http.bearer", "secrets": {"token": "right-token"}}), "").await;
        for (config, connection, code) in [
            (json!({"verify": "github"}), None, "CONNECTION_UNKNOWN"),
            (json!({"verify": "github"}), Some("key"), "CONNECTION_NOT_ACCEPTED"),
            (json!({"verify": "none"}), Some("key"), "CONNECTION_NOT_ACCEPTED"),
            (json!({"verify": "hmac"}), Some("key"), "CONFIG_INVALID"),
        ] {
            let published = app.publish("no", &hooked(config.clone(), connection)).await;
            let codes: Vec<_> = published["problems"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
            assert!(codes.contains(&json!(code)), "{config} {codes:?}");
        }
        let url = path(&deployed_with(&app, "bearer", json!({"verify": "bearer"}), "key").await, 0);
        let send = async |token: &str| app.http.post(app.url(&url)).bearer_auth(token).send().await.unwrap();
        assert_eq!(send("wrong-token").await.status(), 401);
        let answer = send("right-token").await;
        assert_eq!(answer.status(), 202);
        let run = answer.json::<Value>().await.unwrap()["runId"].as_str().unwrap().to_owned();
        assert!(!app.finish(&run).await.to_string().contains("right-token"));
        app.stop().await;
    }
}

/// The same with a connection that is there.
async fn deployed_with(app: &TestApp, name: &str, config: Value, connection: &str) -> Value {
    let published = app.publish(name, &hooked(config, Some(connection))).await;
    assert_eq!(published["problems"], json!([]), "{published:#}");
    binding(app, name).await
}

on_both_databases! {
    async fn the_example_of_a_github_push_says_what_was_pushed_once(home: Home) {
        let app = TestApp::start(&home).await;
        let input = json!({"name": "github", "type": "webhook.signing", "secrets": {"secret": SECRET}});
        app.changed("createConnection", input, "").await;
        let text = include_str!("../../../examples/github.flow.yaml");
        let example: Value = serde_saphyr::from_str::<Value>(text).unwrap()["definition"].take();
        let published = app.publish("github", &example).await;
        assert_eq!(published["problems"], json!([]), "{published:#}");
        let listener = json!({"nodes": {"heard": {"type": "trigger.event@1", "config": {"subject": "code.*"}}}});
        let published = app.publish("listener", &listener).await;
        let listener = published["workflow"]["id"].as_str().unwrap().to_owned();
        let url = path(&binding(&app, "github").await, 0);
        let send = async |event: &str, id: &str, body: Value| {
            let body = body.to_string();
            let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
            let headers = [
                ("x-github-event", event.to_owned()),
                ("x-github-delivery", id.to_owned()),
                ("x-hub-signature-256", format!("sha256={}", hex::encode(mac.as_ref()))),
            ];
            let answer: Value = deliver(&app, &url, &headers, &body).await.json().await.unwrap();
            answer["runId"].as_str().unwrap().to_owned()
        };
        let push = |branch: &str| {
            json!({"ref": format!("refs/heads/{branch}"), "pusher": {"name": "ada"},
                "repository": {"full_name": "ada/engine", "default_branch": "main"},
                "commits": [{"message": "Add a loop\n\nIt ends."}, {"message": "Mend it"}]})
        };
        let run = send("push", "d-1", push("main")).await;
        assert_eq!(send("push", "d-1", push("main")).await, run);
        assert_eq!(app.finish(&run).await["status"], "SUCCEEDED");
        for (event, id, body) in [("push", "d-2", push("try")), ("ping", "d-3", json!({"zen": "Keep it simple."}))] {
            let run = send(event, id, body).await;
            assert_eq!(app.finish(&run).await["status"], "SUCCEEDED", "{id}");
        }
        let query = "query($id: ID!) { runs(filter: {workflowId: $id}) { nodes { id } } }";
        let heard = loop {
            let found = app.ask(query, json!({"id": listener})).await["runs"]["nodes"].clone();
            if found.as_array().is_some_and(|found| !found.is_empty()) {
                break found;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(heard.as_array().map(Vec::len), Some(1), "only the default branch is told of");
        let query = "query($id: ID!) { run(id: $id) { input { json } } }";
        let told = app.ask(query, json!({"id": heard[0]["id"]})).await["run"]["input"]["json"]["data"].clone();
        let titles = json!(["Add a loop", "Mend it"]);
        assert_eq!((&told["branch"], &told["pushed_by"], &told["titles"]), (&json!("main"), &json!("ada"), &titles));
        app.stop().await;
    }
}
