//! Ten thousand webhook calls with ids, while the server is killed again and again: whoever was answered has one run, and
//! nobody has two.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{Api, Fleet};
use crate::home::{Home, On};
use crate::random::Random;

const CALLS: u64 = 10_000;
/// Senders at once.
const SENDERS: usize = 48;
/// Calls between two kills, so that a slow machine sees as many of them.
const BETWEEN: std::ops::Range<u64> = 300..700;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_of_a_server_that_is_killed_start_one_run_each_on_sqlite() {
    calls(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_of_a_server_that_is_killed_start_one_run_each_on_postgresql() {
    calls(On::Postgres).await;
}

/// What senders know of their deliveries.
#[derive(Default)]
struct Book {
    /// The runs that each delivery was answered with.
    answered: BTreeMap<u64, Vec<String>>,
    /// Calls that broke off: nobody knows what became of them.
    unknown: u64,
    /// Deliveries that were given up after such a call.
    given_up: u64,
}

#[derive(Clone)]
struct Sender {
    fleet: Arc<Fleet>,
    http: reqwest::Client,
    random: Arc<Random>,
    next: Arc<AtomicU64>,
    book: Arc<Mutex<Book>>,
}

/// What came of one call.
enum Call {
    Answered(String),
    NotSent,
    Unknown,
}

impl Sender {
    async fn work(self) {
        loop {
            let delivery = self.next.fetch_add(1, Ordering::SeqCst);
            if delivery >= CALLS {
                return;
            }
            self.deliver(delivery).await;
            // Some come again although they were answered.
            if delivery.is_multiple_of(10) {
                self.deliver(delivery).await;
            }
        }
    }

    async fn deliver(&self, delivery: u64) {
        let began = Instant::now();
        loop {
            match self.call(delivery).await {
                Call::Answered(run) => {
                    self.book.lock().unwrap().answered.entry(delivery).or_default().push(run);
                    return;
                }
                Call::Unknown => {
                    let mut book = self.book.lock().unwrap();
                    book.unknown += 1;
                    // Every other sender does not try again.
                    if delivery.is_multiple_of(2) {
                        book.given_up += 1;
                        return;
                    }
                }
                Call::NotSent => {}
            }
            assert!(began.elapsed() < Duration::from_secs(60), "nobody takes delivery {delivery}");
            tokio::time::sleep(self.random.millis(10..40)).await;
        }
    }

    async fn call(&self, delivery: u64) -> Call {
        let Some(url) = self.fleet.one() else { return Call::NotSent };
        let request = self.http.post(format!("{url}/hooks/default/default/inbox/hook"));
        let request = request.header("idempotency-key", format!("d-{delivery}")).json(&json!({ "n": delivery }));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Call::NotSent,
            Err(_) => return Call::Unknown,
        };
        let status = answer.status();
        let Ok(body) = answer.json::<Value>().await else { return Call::Unknown };
        match status.as_u16() {
            202 => Call::Answered(body["runId"].as_str().unwrap().to_owned()),
            503 => Call::Unknown,
            other => panic!("delivery {delivery} was answered {other} {body}"),
        }
    }
}

async fn calls(on: On) {
    let random = Arc::new(Random::printed(&format!("webhook calls on {on:?}")));
    let home = Home::new(on).await.with("LOG__LEVEL", "warn");
    let key = home.key();
    let fleet = Fleet::of(1);
    let mut server = home.serve("server");
    fleet.set(0, Some(server.url.clone()));
    let api = Api::new(Arc::clone(&fleet), key);
    let definition = json!({
        "settings": { "key": "{{ input.headers['idempotency-key'] }}" },
        "nodes": { "hook": { "type": "trigger.webhook@1", "config": { "verify": "none" } } },
        "edges": [],
    });
    api.publish("inbox", &definition).await;

    let sender = Sender {
        fleet: Arc::clone(&fleet),
        http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap(),
        random: Arc::clone(&random),
        next: Arc::default(),
        book: Arc::default(),
    };
    let mut senders: JoinSet<()> = (0..SENDERS).map(|_| sender.clone().work()).collect();
    let began = Instant::now();
    let mut kills = 0;
    loop {
        let until = sender.next.load(Ordering::SeqCst) + random.number(BETWEEN);
        while sender.next.load(Ordering::SeqCst) < until.min(CALLS) {
            // Whoever is wrong says so here; nobody is done yet.
            if let Ok(ended) = tokio::time::timeout(Duration::from_millis(5), senders.join_next()).await {
                ended.unwrap().unwrap();
            }
        }
        if until >= CALLS {
            break;
        }
        server.kill();
        fleet.set(0, None);
        kills += 1;
        server = home.serve("server");
        fleet.set(0, Some(server.url.clone()));
    }
    while let Some(ended) = senders.join_next().await {
        ended.unwrap();
    }
    let took = began.elapsed();
    let runs = all_runs(&api).await;
    judge(&sender.book.lock().unwrap(), &runs, kills, took);
}

/// The runs of each delivery.
async fn all_runs(api: &Api) -> BTreeMap<String, Vec<String>> {
    let query = "query($after: String) { runs(first: 100, after: $after) {
        nodes { id key } pageInfo { hasNextPage endCursor } } }";
    let (mut found, mut after) = (BTreeMap::<String, Vec<String>>::new(), Value::Null);
    loop {
        let page = api.ask(query, json!({ "after": after })).await["runs"].take();
        for run in page["nodes"].as_array().unwrap() {
            let text = |name: &str| run[name].as_str().unwrap().to_owned();
            found.entry(text("key")).or_default().push(text("id"));
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return found;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn judge(book: &Book, runs: &BTreeMap<String, Vec<String>>, kills: u32, took: Duration) {
    let twice: Vec<_> = runs.iter().filter(|(_, runs)| runs.len() > 1).collect();
    assert!(twice.is_empty(), "{} deliveries have several runs, such as {:?}", twice.len(), twice[0]);
    for (delivery, answers) in &book.answered {
        let run = runs.get(&format!("d-{delivery}")).unwrap_or_else(|| panic!("delivery {delivery} was lost"));
        assert!(answers.iter().all(|answer| answer == &run[0]), "delivery {delivery}: {answers:?} {run:?}");
    }
    let answered = book.answered.len() as u64;
    assert!(answered + book.given_up >= CALLS, "{answered} answered, {} given up", book.given_up);
    println!(
        "{kills} kills in {took:?}: {answered} answered, {} calls broke off, {} given up, {} runs",
        book.unknown,
        book.given_up,
        runs.len()
    );
    assert!(kills >= 12 && book.unknown > 0, "the kills hit nothing");
}
