//! A hundred `kill -9` at random moments on each database, under a load that mixes everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Api, Fleet};
use crate::home::{Home, On, Server};
use crate::ledger::{Effect, Ledger, Manners};
use crate::random::Random;
use crate::verdict::{self, Kills};
use crate::witness::Witness;
use crate::workload::{Kind, by_hand};

/// Runs that are neither ended nor parked at a time.
const OPEN: usize = 8;
/// Runs in all; the load pauses there.
const MOST: u64 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_random_kills_on_sqlite_lose_and_repeat_nothing() {
    kill_anywhere(On::Sqlite, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_random_kills_of_two_servers_on_postgresql_lose_and_repeat_nothing() {
    kill_anywhere(On::Postgres, 2).await;
}

/// How many kills; fewer while looking for a fault.
fn kills_wanted() -> usize {
    std::env::var("FLOWFORGE_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// What was started: key, kind and number by run id.
type Started = BTreeMap<String, (String, Kind, u64)>;

async fn kill_anywhere(on: On, servers: usize) {
    let random = Arc::new(Random::printed(&format!("random kills on {on:?}")));
    let manners = Manners { delay: 2..70, refused: 8 };
    let ledger = Ledger::open(manners, random.number(0..u64::MAX), None).await;
    let home = Home::new(on).await.with("HTTP__ALLOW_HOSTS", &ledger.host).with("RUNTIME__LEASE", "1500ms");
    // One for all, whose folders are apart.
    let home = home.with("SECRETS__MASTER_KEY", &runtime::secret::new_key().unwrap());
    let fleet = Fleet::of(servers);
    let api = Api::new(Arc::clone(&fleet), home.key());
    let mut alive: Vec<Server> = (0..servers).map(|place| serve(&home, &fleet, place)).collect();
    for kind in Kind::ALL {
        api.publish(kind.name(), &kind.definition(&ledger.host)).await;
    }

    let witness = Arc::new(Witness::new(api.clone()));
    let started: Arc<Mutex<Started>> = Arc::default();
    let enough = Arc::new(AtomicBool::new(false));
    let feeder = tokio::spawn(feed(
        api.clone(),
        Arc::clone(&random),
        Arc::clone(&witness),
        Arc::clone(&started),
        Arc::clone(&enough),
    ));
    let mut kills = Kills::of(servers);
    for number in 0..kills_wanted() {
        progress(&ledger).await;
        tokio::time::sleep(random.millis(20..400)).await;
        let place = number % servers;
        kills.kill(&mut alive[place]);
        fleet.set(place, None);
        alive[place] = serve(&home, &fleet, place);
    }
    enough.store(true, Ordering::Relaxed);
    feeder.await.unwrap();
    witness.all(Duration::from_secs(90), |standing| standing.is_settled()).await;

    let started = started.lock().unwrap().clone();
    let uncertain = judge(&ledger, &kills, &witness, &started);
    resolve(&home, &alive[0], &api, &random, &witness, &uncertain).await;
    let witness = Arc::into_inner(witness).unwrap();
    finish(&ledger, &kills, witness, &api, &started, &uncertain).await;
}

fn serve(home: &Home, fleet: &Fleet, place: usize) -> Server {
    let server = home.serve_with(
        &format!("server-{place}"),
        // Each process has a folder of its own; blobs lie in the one that they share.
        &[
            ("DATA_DIR", home.folder().join(format!("data-{place}")).to_str().unwrap()),
            ("ARTIFACT__URL", &format!("file://{}", home.folder().join("artifacts").display())),
            ("DATABASE__URL", &home.database_url()),
            ("RUNTIME__WORKER_NAME", &format!("server-{place}")),
        ],
    );
    fleet.set(place, Some(server.url.clone()));
    server
}

/// Waits until something was done since now; a load that only waits for signals may take a moment.
async fn progress(ledger: &Ledger) {
    let before = ledger.count();
    let began = Instant::now();
    while ledger.count() == before && began.elapsed() < Duration::from_secs(3) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn feed(
    api: Api,
    random: Arc<Random>,
    witness: Arc<Witness>,
    started: Arc<Mutex<Started>>,
    enough: Arc<AtomicBool>,
) {
    let mut signals = Vec::new();
    for number in 0..MOST {
        while witness.open() >= OPEN && !enough.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if enough.load(Ordering::Relaxed) {
            break;
        }
        let kind = Kind::ALL[usize::try_from(random.number(0..5)).unwrap()];
        let key = format!("{}-{number}", kind.name());
        let n = random.number(0..50);
        let run = api.start(kind.name(), &key, kind.input(&key, n)).await;
        let again = random.chance(10);
        if again {
            let same = api.start(kind.name(), &key, kind.input(&key, n)).await;
            assert_eq!(same, run, "the same idempotency key started another run");
        }
        started.lock().unwrap().insert(run.clone(), (key, kind, n));
        witness.watch(&run);
        if kind == Kind::Waits {
            let (api, pause) = (api.clone(), random.millis(0..600));
            signals.push(tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                api.signal(&run, "go", json!({ "answer": "yes" })).await;
            }));
        }
    }
    for signal in signals {
        signal.await.unwrap();
    }
}

/// Node run id and effect of everything that waits for a person, after the ledger was asked about each.
fn judge(ledger: &Ledger, kills: &Kills, witness: &Witness, started: &Started) -> BTreeMap<String, Effect> {
    let mut uncertain = BTreeMap::new();
    for (run, standing) in witness.standings() {
        for node_run in standing.uncertain {
            let text = |name: &str| node_run[name].as_str().unwrap().to_owned();
            let item = Some(text("scope")).filter(|scope| !scope.is_empty()).unwrap_or_else(|| "-".to_owned());
            uncertain.insert(text("id"), Effect { run: started[&run].0.clone(), node: text("node"), item });
        }
    }
    let effects: BTreeSet<Effect> = uncertain.values().cloned().collect();
    let (counted, complaints) = verdict::of_uncertain(ledger, kills, &effects);
    println!("{} runs, {} calls, {} kills; uncertain: {counted:?}", started.len(), ledger.count(), kills.all.len());
    verdict::none("uncertain node runs", &complaints);
    verdict::none("calls", &verdict::of_calls(ledger, kills, &BTreeSet::new()));
    uncertain
}

/// A person looks at each uncertain call and says what happened; then every run ends.
async fn resolve(
    home: &Home,
    server: &Server,
    api: &Api,
    random: &Random,
    witness: &Witness,
    uncertain: &BTreeMap<String, Effect>,
) {
    let key = home.key();
    for (id, effect) in uncertain {
        let result = by_hand(&effect.node).to_string().replace('-', &effect.item);
        let how: &[&str] = if random.chance(50) { &["retry"] } else { &["succeed", "--result", &result] };
        let connection = ["--url", &server.url, "--api-key", &key];
        home.json(&[&["run", "resolve", id], how, &connection].concat());
    }
    witness.all(Duration::from_secs(60), |standing| standing.has_ended()).await;
    let runs = api.ask(
        "{ runs(first: 1, filter: { status: [RUNNING, WAITING, QUEUED, PAUSED] }) { edges { node { id } } } }",
        json!({}),
    );
    assert_eq!(runs.await["runs"]["edges"], json!([]), "some run that nobody watched is left");
}

async fn finish(
    ledger: &Ledger,
    kills: &Kills,
    witness: Witness,
    api: &Api,
    started: &Started,
    uncertain: &BTreeMap<String, Effect>,
) {
    let keys: BTreeMap<String, String> = started.iter().map(|(run, (key, ..))| (run.clone(), key.clone())).collect();
    verdict::none("shown and done again", &verdict::of_shown(ledger, &witness.shown(), &keys));
    let retried: BTreeSet<Effect> = uncertain.values().cloned().collect();
    verdict::none("calls after people spoke", &verdict::of_calls(ledger, kills, &retried));
    let (told, complaints) = witness.close().await;
    verdict::none("readers", &complaints);
    for (run, (key, kind, n)) in started {
        assert_eq!(told[run], api.events(run).await, "{run}: what was told is not what is stored");
        let found = api.run(run).await;
        assert_eq!(found["status"], "SUCCEEDED", "{key} {found}");
        assert_eq!(found["output"]["json"], kind.output(*n), "{key}");
        let same = api.ask(
            "query($key: String) { runs(first: 2, filter: { key: $key }) { edges { node { id } } } }",
            json!({ "key": key }),
        );
        let runs = same.await["runs"]["edges"].take();
        assert_eq!(runs.as_array().map(Vec::len), Some(1), "{key} was started as {runs}");
        assert_ne!(runs, Value::Null);
    }
}
