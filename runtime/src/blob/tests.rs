#![allow(clippy::disallowed_methods, reason = "a test joins what it spawns by hand, at the moment that it chooses")]

use std::time::Duration;

use engine::id::RunId;
use engine::value::ValueRef;
use futures::FutureExt as _;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;
use crate::journal::conformance::{Bench, SALT, new_run};
use crate::journal::{Created, NewRun};

const HOUR: Duration = Duration::from_secs(3_600);

/// Stops whoever comes to a point until it is opened; the first one only.
struct Gate {
    point: Point,
    came: Semaphore,
    open: Semaphore,
}

impl Gate {
    fn at(point: Point) -> Arc<Self> {
        Arc::new(Self { point, came: Semaphore::new(0), open: Semaphore::new(0) })
    }

    fn pause(self: &Arc<Self>) -> Pause {
        let gate = self.clone();
        Arc::new(move |point| {
            let gate = gate.clone();
            async move {
                if point == gate.point {
                    gate.came.add_permits(1);
                    // Never closed; a permit stays, so that a second one to come passes.
                    drop(gate.open.acquire().await);
                }
            }
            .boxed()
        })
    }

    async fn reached(&self) {
        self.came.acquire().await.unwrap().forget();
    }

    fn open(&self) {
        self.open.add_permits(1);
    }
}

struct Scene<'a> {
    bench: &'a Bench,
    store: BlobStore,
    value: ValueRef,
    bytes: Bytes,
    folder: TempDir,
}

impl<'a> Scene<'a> {
    /// A blob that is in use by nobody, put 50 hours and marked 25 hours ago.
    async fn with_an_expired_blob(bench: &'a Bench, name: &str) -> Self {
        let scene = Self::new(bench, name);
        scene.put(&scene.store).await;
        scene.later(25 * HOUR);
        let swept = scene.store.sweep(scene.bench.now()).await.unwrap();
        assert_eq!(swept, Swept { marked: 1, deleted: 0 }, "{name}");
        scene.later(25 * HOUR);
        scene
    }

    /// A value of its own, so that scenes can follow each other on one database.
    fn new(bench: &'a Bench, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::folder(folder.path(), bench.test.database.clone(), bench.clock.clone()).unwrap();
        let (value, bytes) = ValueRef::of(&SALT, &serde_json::json!([name, "x".repeat(30_000)]));
        assert!(value.is_blob());
        Self { bench, store, value, bytes, folder }
    }

    fn later(&self, by: Duration) {
        self.bench.clock.set(self.bench.now().plus(by));
    }

    async fn put(&self, store: &BlobStore) {
        store.put(self.bench.workspace, self.value.digest, self.bytes.clone()).await.unwrap();
    }

    /// A run that refers to the blob.
    fn user(&self) -> NewRun {
        NewRun {
            input: self.value.clone(),
            blobs: vec![self.value.digest],
            ..new_run(self.bench.workspace, &self.bench.clock)
        }
    }

    /// Starts a run on the value as production does: the blob first, then the run that refers to it.
    fn start(&self, gate: &Arc<Gate>) -> JoinHandle<Created> {
        let (store, journal) = (self.store.clone().pausing(gate.pause()), self.bench.journal.clone());
        let (new, bytes) = (self.user(), self.bytes.clone());
        tokio::spawn(async move {
            store.put(new.workspace, new.input.digest, bytes).await.unwrap();
            journal.create(None, &[new]).await.unwrap().remove(0)
        })
    }

    fn sweep(&self, gate: &Arc<Gate>) -> JoinHandle<Result<Swept, BlobError>> {
        let (store, now) = (self.store.clone().pausing(gate.pause()), self.bench.now());
        tokio::spawn(async move { store.sweep(now).await })
    }

    /// No reference without a row that is not doomed and the file, now and after more sweeps.
    async fn nothing_dangles(&self, what: &str) {
        for _ in 0..3 {
            let db = self.bench.test.database.read();
            let digest = self.value.digest.0.to_vec();
            let references =
                entity::blob_ref::Entity::find().filter(entity::blob_ref::Column::Digest.eq(digest.clone()));
            if references.count(db).await.unwrap() > 0 {
                let got = self.store.get(self.bench.workspace, self.value.digest).await;
                assert_eq!(got.unwrap_or_else(|error| panic!("{what}: {error}")), self.bytes);
                let row = blob::Entity::find_by_id((self.bench.workspace.0, digest)).one(db).await.unwrap();
                assert!(row.is_some_and(|row| row.doomed_at.is_none()), "{what}");
            }
            self.later(25 * HOUR);
            self.store.sweep(self.bench.now()).await.unwrap();
        }
    }
}

const PUT: [Point; 3] = [Point::PutBegins, Point::PutTouched, Point::PutStored];
const SWEEP: [Point; 8] = [
    Point::SweepBegins,
    Point::SweepMarked,
    Point::SweepListed,
    Point::SweepLookedAgain,
    Point::SweepDoomed,
    Point::SweepLocked,
    Point::SweepUnlinked,
    Point::SweepDeleted,
];

/// Whether the sweep holds the row (on SQLite the writer) at this point, so that putting waits for it.
fn holds_the_row(sweep: Point) -> bool {
    matches!(sweep, Point::SweepLookedAgain | Point::SweepLocked | Point::SweepUnlinked | Point::SweepDeleted)
}

async fn an_expired_blob_that_is_used_at_once_never_dangles(bench: Bench) {
    for sweep_at in SWEEP {
        for put_at in PUT {
            let what = format!("sweep stopped at {sweep_at:?}, put at {put_at:?}");
            let scene = Scene::with_an_expired_blob(&bench, &what).await;
            let (sweep_gate, put_gate) = (Gate::at(sweep_at), Gate::at(put_at));
            let sweep = scene.sweep(&sweep_gate);
            sweep_gate.reached().await;
            let start = scene.start(&put_gate);
            let waits = holds_the_row(sweep_at) && put_at != Point::PutBegins;
            if !waits {
                put_gate.reached().await;
            }
            sweep_gate.open();
            sweep.await.unwrap().unwrap();
            put_gate.open();
            let created = start.await.unwrap();
            assert!(matches!(created, Created::New), "{what}: {created:?}");
            scene.nothing_dangles(&what).await;
        }
    }
}

/// Whoever refers without putting again, as a run that slept for days would, is refused rather than left dangling.
async fn a_reference_to_an_expired_blob_holds_or_is_refused(bench: Bench) {
    for sweep_at in SWEEP {
        let what = format!("sweep stopped at {sweep_at:?}, referred to without putting");
        let scene = Scene::with_an_expired_blob(&bench, &what).await;
        let gate = Gate::at(sweep_at);
        let sweep = scene.sweep(&gate);
        gate.reached().await;
        let (journal, new) = (scene.bench.journal.clone(), scene.user());
        let create = tokio::spawn(async move { journal.create(None, &[new]).await.unwrap().remove(0) });
        let is_early = matches!(sweep_at, Point::SweepBegins | Point::SweepMarked | Point::SweepListed);
        let created = if holds_the_row(sweep_at) {
            gate.open();
            create.await.unwrap()
        } else {
            let created = create.await.unwrap();
            gate.open();
            created
        };
        let swept = sweep.await.unwrap().unwrap();
        assert_eq!(matches!(created, Created::New), is_early, "{what}: {created:?}");
        assert_eq!(swept.deleted, u64::from(!is_early), "{what}");
        scene.nothing_dangles(&what).await;
    }
}

async fn a_put_that_is_overtaken_by_a_whole_sweep_never_dangles(bench: Bench) {
    for put_at in PUT {
        let what = format!("put stopped at {put_at:?}");
        let scene = Scene::with_an_expired_blob(&bench, &what).await;
        let gate = Gate::at(put_at);
        let start = scene.start(&gate);
        gate.reached().await;
        let swept = scene.store.sweep(scene.bench.now()).await.unwrap();
        assert_eq!(swept.deleted, u64::from(put_at == Point::PutBegins), "{put_at:?}");
        gate.open();
        assert!(matches!(start.await.unwrap(), Created::New));
        scene.nothing_dangles(&what).await;
    }
}

async fn a_sweep_that_dies_anywhere_leaves_nothing_dangling(bench: Bench) {
    for sweep_at in SWEEP {
        for puts_again in [true, false] {
            let what = format!("sweep died at {sweep_at:?}, put again: {puts_again}");
            let scene = Scene::with_an_expired_blob(&bench, &what).await;
            let gate = Gate::at(sweep_at);
            let sweep = scene.sweep(&gate);
            gate.reached().await;
            sweep.abort();
            assert!(sweep.await.unwrap_err().is_cancelled());
            if puts_again {
                scene.put(&scene.store).await;
            }
            let created = scene.bench.journal.create(None, &[scene.user()]).await.unwrap().remove(0);
            let is_doomed = matches!(
                sweep_at,
                Point::SweepDoomed | Point::SweepLocked | Point::SweepUnlinked | Point::SweepDeleted
            );
            let is_refused = matches!(created, Created::Refused(_));
            assert_eq!(is_refused, is_doomed && !puts_again, "{what}: {created:?}");
            scene.nothing_dangles(&what).await;
            let is_there = scene.store.exists(scene.bench.workspace, scene.value.digest).await.unwrap();
            assert_eq!(is_there, !is_refused, "{what}: what nobody refers to goes in the end");
        }
    }
}

async fn a_blob_goes_a_day_after_it_was_seen_unused_and_no_earlier(bench: Bench) {
    let scene = Scene::new(&bench, "one");
    scene.put(&scene.store).await;
    let steps = [(23, 0, 0), (2, 1, 0), (23, 0, 0), (2, 0, 1), (25, 0, 0)];
    for (hours, marked, deleted) in steps {
        scene.later(hours * HOUR);
        assert_eq!(scene.store.sweep(scene.bench.now()).await.unwrap(), Swept { marked, deleted });
    }
    assert!(!scene.store.exists(scene.bench.workspace, scene.value.digest).await.unwrap());
    let missing = scene.store.get(scene.bench.workspace, scene.value.digest).await.unwrap_err();
    assert_eq!(missing.code(), "BLOB_MISSING");
}

async fn a_blob_in_use_stays_and_is_held_against_its_digest(bench: Bench) {
    let scene = Scene::new(&bench, "one");
    scene.put(&scene.store).await;
    scene.put(&scene.store).await;
    let user = scene.user();
    let used: RunId = user.run;
    assert!(matches!(scene.bench.journal.create(None, &[user]).await.unwrap()[0], Created::New), "{used}");
    for _ in 0..4 {
        scene.later(25 * HOUR);
        assert_eq!(scene.store.sweep(scene.bench.now()).await.unwrap(), Swept::default());
    }
    let file = find_file(scene.folder.path(), &scene.value.digest.to_string()).unwrap();
    std::fs::write(&file, vec![0; scene.bytes.len()]).unwrap();
    let damaged = scene.store.get(scene.bench.workspace, scene.value.digest).await.unwrap_err();
    assert_eq!(damaged.code(), "BLOB_DAMAGED");
}

fn find_file(folder: &Path, name: &str) -> Option<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find_map(|path| {
        if path.is_dir() { find_file(&path, name) } else { (path.file_name()? == name).then_some(path) }
    })
}

macro_rules! on_both {
    ($($name:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Bench::sqlite().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Bench::postgres().await).await;
            })*
        }
    };
}

on_both! {
    an_expired_blob_that_is_used_at_once_never_dangles,
    a_reference_to_an_expired_blob_holds_or_is_refused,
    a_put_that_is_overtaken_by_a_whole_sweep_never_dangles,
    a_sweep_that_dies_anywhere_leaves_nothing_dangling,
    a_blob_goes_a_day_after_it_was_seen_unused_and_no_earlier,
    a_blob_in_use_stays_and_is_held_against_its_digest,
}
