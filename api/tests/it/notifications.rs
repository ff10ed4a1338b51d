//! Telling the outside of runs: what arrives, how often, and what becomes of receivers that do not answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::{notification, notification_delivery};
use sea_orm::EntityTrait as _;
use sea_orm::sea_query::Expr;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::app::{Home, TestApp, code, doubling, on_both_databases};

/// What arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

#[derive(Default)]
struct Book {
    arrived: Mutex<Vec<Arrived>>,
    answer: Mutex<u16>,
    news: Notify,
}

/// Somebody outside who is told.
pub(crate) struct Receiver {
    book: Arc<Book>,
    pub(crate) host: String,
}

async fn take(State(book): State<Arc<Book>>, headers: HeaderMap, body: Bytes) -> Response {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    book.arrived.lock().unwrap().push(Arrived { headers, body: String::from_utf8(body.to_vec()).unwrap() });
    let status = *book.answer.lock().unwrap();
    book.news.notify_one();
    match status {
        307 => Redirect::temporary("/elsewhere").into_response(),
        status => StatusCode::from_u16(status).unwrap().into_response(),
    }
}

impl Receiver {
    /// One that answers with this status.
    pub(crate) async fn answering(status: u16) -> Self {
        let book = Arc::new(Book { answer: Mutex::new(status), ..Book::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(take).with_state(Arc::clone(&book));
        TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
        Self { book, host }
    }

    fn answers(&self, status: u16) {
        *self.book.answer.lock().unwrap() = status;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/told?token=geheim", self.host)
    }

    fn all(&self) -> Vec<Arrived> {
        self.book.arrived.lock().unwrap().clone()
    }

    /// Waits until so many arrived.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Arrived> {
        let enough = async {
            while self.all().len() < count {
                self.book.news.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), enough).await.unwrap();
        self.all()
    }
}

pub(crate) async fn create(app: &TestApp, input: Value) -> Value {
    app.changed("createNotification", input, "notification { id target disabledAt } secret").await
}

/// The latest message of the only notification, once it is as wanted.
async fn until(app: &TestApp, wanted: impl Fn(&Value) -> bool) -> Value {
    let query =
        "{ notifications { id failingSince disabledAt disabledReason deliveries { nodes { id event entity body status
        attemptCount nextAt finishedAt attempts { number status error } } } } }";
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        let found = app.ask(query, json!({})).await["notifications"][0].clone();
        if wanted(&found) {
            return found;
        }
        tokio::task::yield_now().await;
    }
    panic!("{:#}", app.ask(query, json!({})).await)
}

fn first(found: &Value) -> &Value {
    &found["deliveries"]["nodes"][0]
}

fn now() -> engine::time::Timestamp {
    runtime::clock::Clock::system().now()
}

/// Lets everything that waits be due.
async fn hurry(home: &Home) {
    let past = runtime::database::to_column(now().minus(Duration::from_secs(3_600)));
    let due = notification_delivery::Entity::update_many()
        .col_expr(notification_delivery::Column::NextAt, Expr::value(past))
        .filter_pending();
    due.exec(home.database.database.write()).await.unwrap();
}

trait Pending {
    fn filter_pending(self) -> Self;
}

impl Pending for sea_orm::UpdateMany<notification_delivery::Entity> {
    fn filter_pending(self) -> Self {
        use sea_orm::{ColumnTrait as _, QueryFilter as _};
        self.filter(notification_delivery::Column::NextAt.is_not_null())
    }
}

pub(crate) fn is_signed_by(secret: &str, arrived: &Arrived) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let header = |name: &str| arrived.headers[name].clone();
    let text = format!("{}.{}.{}", header("webhook-id"), header("webhook-timestamp"), arrived.body);
    let mac = STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes()).as_ref());
    header("webhook-signature").split(' ').any(|one| one == format!("v1,{mac}"))
}

/// A workflow that fails.
fn failing() -> Value {
    json!({
        "nodes": {"start": {"type": "trigger.manual@1"}, "stop": {"type": "flow.fail@1", "config": {"message": "no stock"}}},
        "edges": [{"from": "start", "to": "stop"}],
    })
}

on_both_databases! {
    async fn the_end_of_a_run_is_told_once_and_signed(home: Home) {
        let receiver = Receiver::answering(204).await;
        let home = home.with("HTTP__ALLOW_HOSTS", &receiver.host);
        let app = TestApp::start(&home).await;
        let input = json!({"name": "alerts", "events": ["run.failed", "run.succeeded"], "url": receiver.url()});
        let made = create(&app, input).await;
        assert_eq!(made["notification"]["target"], format!("http://{}", receiver.host));
        assert!(!made["notification"].to_string().contains("geheim"));
        app.publish("orders", &failing()).await;
        let run = app.start_run("orders", json!(null)).await;
        app.finish(&run).await;
        let arrived = receiver.wait(1).await.remove(0);
        let body: Value = serde_json::from_str(&arrived.body).unwrap();
        assert_eq!((&body["type"], &body["data"]["runId"]), (&json!("run.failed"), &json!(run)));
        assert_eq!((&body["data"]["workflow"], &body["data"]["status"]), (&json!("orders"), &json!("FAILED")));
        assert_eq!(body["data"]["error"]["message"], "no stock");
        assert!(is_signed_by(made["secret"].as_str().unwrap(), &arrived));
        let found = until(&app, |found| first(found)["status"] == "DELIVERED").await;
        assert_eq!(first(&found)["id"], arrived.headers["webhook-id"].as_str());
        assert_eq!(first(&found)["attempts"], json!([{"number": 1, "status": 204, "error": null}]));

        // Sent again by hand, it is the same message.
        app.changed("replayDelivery", json!({"id": first(&found)["id"]}), "delivery { status }").await;
        let again = receiver.wait(2).await.remove(1);
        assert_eq!((&again.body, &again.headers["webhook-id"]), (&arrived.body, &arrived.headers["webhook-id"]));
        app.stop().await;
    }

    async fn a_receiver_that_fails_is_asked_again_later_with_the_same_message(home: Home) {
        let receiver = Receiver::answering(500).await;
        let home = home.with("HTTP__ALLOW_HOSTS", &receiver.host);
        let app = TestApp::start(&home).await;
        create(&app, json!({"name": "alerts", "events": ["run.succeeded"], "url": receiver.url()})).await;
        app.publish("double", &doubling()).await;
        app.start_run("double", json!({"n": 1})).await;
        let tried = |found: &Value| first(found)["attemptCount"] == 1 && !found["failingSince"].is_null();
        let found = until(&app, tried).await;
        assert_eq!((&first(&found)["status"], &first(&found)["attempts"][0]["status"]), (&json!("PENDING"), &json!(500)));
        receiver.answers(307);
        hurry(&home).await;
        let found = until(&app, |found| first(found)["attemptCount"] == 2).await;
        assert_eq!(first(&found)["attempts"][1]["status"], 307, "a redirect is not followed");
        receiver.answers(200);
        hurry(&home).await;
        until(&app, |found| first(found)["status"] == "DELIVERED" && found["failingSince"].is_null()).await;
        let ids: std::collections::BTreeSet<_> =
            receiver.all().into_iter().map(|arrived| (arrived.headers["webhook-id"].clone(), arrived.body)).collect();
        assert_eq!((ids.len(), receiver.all().len()), (1, 3));
        app.stop().await;
    }

    async fn after_five_days_of_failure_nothing_is_sent_until_somebody_switches_it_on(home: Home) {
        let receiver = Receiver::answering(503).await;
        let home = home.with("HTTP__ALLOW_HOSTS", &receiver.host);
        let app = TestApp::start(&home).await;
        let made = create(&app, json!({"name": "alerts", "events": ["run.succeeded"], "url": receiver.url()})).await;
        app.publish("double", &doubling()).await;
        let run = app.start_run("double", json!({"n": 1})).await;
        app.finish(&run).await;
        until(&app, |found| first(found)["attemptCount"] == 1).await;
        let long_ago = runtime::database::to_column(now().minus(Duration::from_secs(6 * 86_400)));
        let failing = notification::Entity::update_many().col_expr(notification::Column::FailingSince, Expr::value(long_ago));
        failing.exec(home.database.database.write()).await.unwrap();
        hurry(&home).await;
        let found = until(&app, |found| found["disabledAt"] != Value::Null).await;
        assert_eq!((&found["disabledReason"], &first(&found)["status"]), (&json!("it took nothing for 5 days"), &json!("FAILED")));
        let since = runtime::database::to_column(now().minus(Duration::from_secs(86_400)));
        let (id, delivery) = (made["notification"]["id"].clone(), first(&found)["id"].clone());
        assert_eq!(app.refused("replayDelivery", json!({"id": delivery})).await, "CONFLICT");

        // What happens meanwhile is kept, and can be sent once somebody is there again.
        app.start_run("double", json!({"n": 2})).await;
        until(&app, |found| found["deliveries"]["nodes"].as_array().map(Vec::len) == Some(2)).await;
        receiver.answers(200);
        let on = app.changed("updateNotification", json!({"id": id, "enabled": true}), "notification { disabledAt }").await;
        assert_eq!(on["notification"]["disabledAt"], Value::Null);
        let input = json!({"notificationId": id, "since": since.to_rfc3339()});
        assert_eq!(app.changed("replayDeliveries", input, "count").await["count"], 2);
        let all = |found: &Value| found["deliveries"]["nodes"].as_array().unwrap().iter().all(|one| one["status"] == "DELIVERED");
        until(&app, all).await;
        app.stop().await;
    }

    async fn slack_and_discord_get_a_line_and_a_project_hears_of_its_own_runs_only(home: Home) {
        let (slack, discord, other) =
            (Receiver::answering(200).await, Receiver::answering(204).await, Receiver::answering(200).await);
        let hosts = format!("{},{},{}", slack.host, discord.host, other.host);
        let home = home.with("HTTP__ALLOW_HOSTS", &hosts);
        let app = TestApp::start(&home).await;
        app.changed("createProject", json!({"slug": "other"}), "").await;
        for (name, format, url, project) in [
            ("slack", "SLACK", slack.url(), Some("default")),
            ("discord", "DISCORD", discord.url(), None),
            ("other", "STANDARD", other.url(), Some("other")),
        ] {
            let input = json!({"name": name, "format": format, "url": url, "project": project, "events": ["run.failed"]});
            create(&app, input).await;
        }
        app.publish("orders", &failing()).await;
        app.start_run("orders", json!(null)).await;
        let line: Value = serde_json::from_str(&slack.wait(1).await[0].body).unwrap();
        let text = line["text"].as_str().unwrap();
        assert!(text.starts_with("`orders` in `default`: run failed: no stock (run_"), "{text}");
        let line: Value = serde_json::from_str(&discord.wait(1).await[0].body).unwrap();
        assert_eq!((&line["content"], &line["allowed_mentions"]), (&json!(text), &json!({"parse": []})));
        assert!(!slack.all()[0].headers.contains_key("webhook-signature"));
        assert!(other.all().is_empty());
        app.stop().await;
    }

    async fn a_replaced_secret_signs_along_for_as_long_as_was_said(home: Home) {
        let receiver = Receiver::answering(200).await;
        let home = home.with("HTTP__ALLOW_HOSTS", &receiver.host);
        let app = TestApp::start(&home).await;
        let old = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let input = json!({"name": "alerts", "events": ["run.succeeded"], "url": receiver.url(), "secret": old});
        let made = create(&app, input).await;
        assert_eq!(made["secret"], Value::Null, "who brought it has it");
        app.publish("double", &doubling()).await;
        let rotate = json!({"id": made["notification"]["id"], "overlapSeconds": 3600});
        let new = app.changed("rotateNotificationSecret", rotate, "secret").await["secret"].as_str().unwrap().to_owned();
        app.start_run("double", json!({"n": 1})).await;
        let arrived = receiver.wait(1).await.remove(0);
        assert!(is_signed_by(old, &arrived) && is_signed_by(&new, &arrived));
        let rotate = json!({"id": made["notification"]["id"], "overlapSeconds": 0});
        let newest = app.changed("rotateNotificationSecret", rotate, "secret").await["secret"].as_str().unwrap().to_owned();
        app.start_run("double", json!({"n": 2})).await;
        let arrived = receiver.wait(2).await.remove(1);
        assert!(is_signed_by(&newest, &arrived) && !is_signed_by(&new, &arrived) && !is_signed_by(old, &arrived));
        app.stop().await;
    }

    async fn nobody_is_told_at_an_address_that_calls_may_not_go_to(home: Home) {
        let receiver = Receiver::answering(200).await;
        let app = TestApp::start(&home).await;
        create(&app, json!({"name": "alerts", "events": ["run.succeeded"], "url": receiver.url()})).await;
        app.publish("double", &doubling()).await;
        app.start_run("double", json!({"n": 1})).await;
        let found = until(&app, |found| first(found)["attemptCount"] == 1).await;
        let error = first(&found)["attempts"][0]["error"].as_str().unwrap();
        assert!(error.starts_with("HTTP_HOST_DENIED") && !error.contains("geheim"), "{error}");
        assert!(receiver.all().is_empty());
        app.stop().await;
    }

    async fn a_run_tells_its_callback_once_how_it_ended_and_a_start_that_is_repeated_tells_no_other(home: Home) {
        let (first_one, second) = (Receiver::answering(204).await, Receiver::answering(204).await);
        let home = home.with("HTTP__ALLOW_HOSTS", &format!("{},{}", first_one.host, second.host));
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        app.publish("orders", &failing()).await;
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let start = async |workflow: &str, key: &str, receiver: &Receiver| {
            let callback = json!({"url": receiver.url(), "secret": secret});
            let input = json!({"workflow": workflow, "idempotencyKey": key, "input": {"n": 1}, "callback": callback});
            app.changed("startRun", input, "run { id callback { target events } } replayed").await
        };
        let started = start("double", "one", &first_one).await;
        let run = started["run"]["id"].as_str().unwrap().to_owned();
        assert_eq!(started["run"]["callback"]["target"], format!("http://{}", first_one.host));
        let arrived = first_one.wait(1).await.remove(0);
        let body: Value = serde_json::from_str(&arrived.body).unwrap();
        assert_eq!((&body["type"], &body["data"]["runId"]), (&json!("run.succeeded"), &json!(run)));
        assert!(is_signed_by(secret, &arrived));
        let repeated = start("double", "one", &second).await;
        assert_eq!((&repeated["run"]["id"], &repeated["replayed"]), (&json!(run), &json!(true)));
        assert_eq!(repeated["run"]["callback"]["target"], format!("http://{}", first_one.host));
        start("orders", "two", &second).await;
        let arrived = second.wait(1).await.remove(0);
        assert_eq!(serde_json::from_str::<Value>(&arrived.body).unwrap()["type"], "run.failed");
        assert_eq!(first_one.all().len(), 1);

        // It is no notification of the workspace, and nobody changes it.
        let query = "query($id: ID!) { notifications { id } run(id: $id) { callback { id
            deliveries { nodes { id status attempts { status } } } } } }";
        let delivered = async || {
            let found = app.ask(query, json!({"id": run})).await;
            (found["run"]["callback"]["deliveries"]["nodes"][0]["status"] == "DELIVERED").then_some(found)
        };
        let found = loop {
            match delivered().await {
                Some(found) => break found,
                None => tokio::task::yield_now().await,
            }
        };
        assert_eq!(found["notifications"], json!([]));
        let callback = &found["run"]["callback"];
        assert_eq!(app.refused("deleteNotification", json!({"id": callback["id"]})).await, "NOT_FOUND");
        app.changed("replayDelivery", json!({"id": callback["deliveries"]["nodes"][0]["id"]}), "delivery { id }").await;
        assert_eq!(first_one.wait(2).await[1].headers["webhook-id"], callback["deliveries"]["nodes"][0]["id"]);
        app.stop().await;
    }

    async fn a_callback_that_cannot_be_used_starts_nothing_and_a_start_that_is_refused_keeps_none(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let good = json!({"url": "https://example.com/x", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
        for (field, value) in [("url", "file:///etc/passwd"), ("secret", "geheim")] {
            let mut callback = good.clone();
            callback[field] = json!(value);
            let input = json!({"workflow": "double", "input": {"n": 1}, "callback": callback});
            assert_eq!(app.refused("startRun", input).await, "BAD_USER_INPUT", "{field}");
        }
        let input = json!({"workflow": "double", "input": {"n": 1}, "labels": {"": "x"}, "callback": good});
        assert_eq!(app.refused("startRun", input).await, "BAD_USER_INPUT");
        assert_eq!(app.ask("{ runs { nodes { id } } }", json!({})).await["runs"]["nodes"], json!([]));
        let kept = notification::Entity::find().all(home.database.database.read()).await.unwrap();
        assert_eq!(kept, []);
        app.stop().await;
    }

    async fn who_may_not_is_refused_and_what_cannot_be_is_said(home: Home) {
        let app = TestApp::start(&home).await;
        let good = json!({"name": "alerts", "events": ["run.failed"], "url": "https://example.com/x"});
        for (field, value) in [
            ("events", json!([])),
            ("events", json!(["run.exploded"])),
            ("url", json!("ftp://example.com")),
            ("url", json!("https://ada:hush@example.com")),
            ("secret", json!("whsec_c2hvcnQ=")),
            ("name", json!("A B")),
        ] {
            let mut input = good.clone();
            input[field] = value.clone();
            assert_eq!(app.refused("createNotification", input).await, "BAD_USER_INPUT", "{field} {value}");
        }
        let id = create(&app, good.clone()).await["notification"]["id"].clone();
        assert_eq!(app.refused("createNotification", good.clone()).await, "NAME_TAKEN");
        let editor = home.key(api::auth::Role::Editor).await;
        let query = "mutation($i: DeleteNotificationInput!) { deleteNotification(input: $i) { deletedId } }";
        assert_eq!(code(&app.ask_as(&editor, query, json!({"i": {"id": id}})).await), "FORBIDDEN");
        assert_eq!(app.refused("deleteNotification", json!({"id": "ntf_00000000000000000000000000000000"})).await, "NOT_FOUND");
        app.changed("deleteNotification", json!({"id": id}), "deletedId").await;
        assert_eq!(app.ask("{ notifications { id } }", json!({})).await["notifications"], json!([]));
        app.stop().await;
    }
}
