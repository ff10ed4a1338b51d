#![allow(clippy::disallowed_methods, reason = "a test joins what it spawns by hand, at the moment that it chooses")]

use std::time::Duration;

use engine::id::RunId;
use engine::value::ValueRef;
use futures::{FutureExt as _, StreamExt as _};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use sha2::Digest as _;
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

/// Where the bytes of a test lie.
enum Shelf {
    Folder,
    S3(S3Settings),
}

impl Shelf {
    async fn s3() -> Self {
        Self::S3(S3Settings::for_test().await)
    }

    /// A store on it; the folder is its own and goes with it.
    async fn store(&self, bench: &Bench) -> (BlobStore, Option<TempDir>) {
        let (database, clock) = (bench.test.database.clone(), bench.clock.clone());
        match self {
            Self::Folder => {
                let folder = tempfile::tempdir().unwrap();
                (BlobStore::folder(folder.path(), database, clock).unwrap(), Some(folder))
            }
            Self::S3(settings) => (BlobStore::s3(settings, database, clock).await.unwrap(), None),
        }
    }
}

struct Scene<'a> {
    bench: &'a Bench,
    store: BlobStore,
    value: ValueRef,
    bytes: Bytes,
    _folder: Option<TempDir>,
}

impl<'a> Scene<'a> {
    /// A blob that is in use by nobody, put 50 hours and marked 25 hours ago.
    async fn with_an_expired_blob(bench: &'a Bench, shelf: &Shelf, name: &str) -> Self {
        let scene = Self::new(bench, shelf, name).await;
        scene.put(&scene.store).await;
        scene.later(25 * HOUR);
        let swept = scene.store.sweep(scene.bench.now()).await.unwrap();
        assert_eq!(swept, Swept { marked: 1, deleted: 0 }, "{name}");
        scene.later(25 * HOUR);
        scene
    }

    /// A value of its own, so that scenes can follow each other on one database.
    async fn new(bench: &'a Bench, shelf: &Shelf, name: &str) -> Self {
        let (store, folder) = shelf.store(bench).await;
        let (value, bytes) = ValueRef::of(&SALT, &serde_json::json!([name, "x".repeat(30_000)]));
        assert!(value.is_blob());
        Self { bench, store, value, bytes, _folder: folder }
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

async fn an_expired_blob_that_is_used_at_once_never_dangles(bench: Bench, shelf: Shelf) {
    for sweep_at in SWEEP {
        for put_at in PUT {
            let what = format!("sweep stopped at {sweep_at:?}, put at {put_at:?}");
            let scene = Scene::with_an_expired_blob(&bench, &shelf, &what).await;
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
async fn a_reference_to_an_expired_blob_holds_or_is_refused(bench: Bench, shelf: Shelf) {
    for sweep_at in SWEEP {
        let what = format!("sweep stopped at {sweep_at:?}, referred to without putting");
        let scene = Scene::with_an_expired_blob(&bench, &shelf, &what).await;
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

async fn a_put_that_is_overtaken_by_a_whole_sweep_never_dangles(bench: Bench, shelf: Shelf) {
    for put_at in PUT {
        let what = format!("put stopped at {put_at:?}");
        let scene = Scene::with_an_expired_blob(&bench, &shelf, &what).await;
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

async fn a_sweep_that_dies_anywhere_leaves_nothing_dangling(bench: Bench, shelf: Shelf) {
    for sweep_at in SWEEP {
        for puts_again in [true, false] {
            let what = format!("sweep died at {sweep_at:?}, put again: {puts_again}");
            let scene = Scene::with_an_expired_blob(&bench, &shelf, &what).await;
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

async fn a_blob_goes_a_day_after_it_was_seen_unused_and_no_earlier(bench: Bench, shelf: Shelf) {
    let scene = Scene::new(&bench, &shelf, "one").await;
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

async fn a_blob_in_use_stays_and_is_held_against_its_digest(bench: Bench, shelf: Shelf) {
    let scene = Scene::new(&bench, &shelf, "one").await;
    scene.put(&scene.store).await;
    scene.put(&scene.store).await;
    let user = scene.user();
    let used: RunId = user.run;
    assert!(matches!(scene.bench.journal.create(None, &[user]).await.unwrap()[0], Created::New), "{used}");
    for _ in 0..4 {
        scene.later(25 * HOUR);
        assert_eq!(scene.store.sweep(scene.bench.now()).await.unwrap(), Swept::default());
    }
    let at = Address { workspace: bench.workspace, digest: scene.value.digest };
    scene.store.objects.delete(at).await.unwrap();
    scene.store.objects.put(at, vec![0; scene.bytes.len()].into(), bench.clock.new_id()).await.unwrap();
    let damaged = scene.store.get(scene.bench.workspace, scene.value.digest).await.unwrap_err();
    assert_eq!(damaged.code(), "BLOB_DAMAGED");
}

/// Bytes that do not repeat soon, so that a piece in the wrong place shows.
fn noise(len: usize) -> Bytes {
    let mut state = 0x9E37_79B9_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(next).collect()
}

/// As a body comes: in pieces of no regular length.
fn pieces(bytes: &Bytes) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> + Send + Unpin + use<> {
    let (mut left, mut len) = (bytes.clone(), 1);
    futures::stream::iter(std::iter::from_fn(move || {
        len = (len * 7 + 13) % 300_001;
        (!left.is_empty()).then(|| Ok(left.split_to(len.clamp(1, left.len()))))
    }))
}

async fn whole(mut pieces: Pieces) -> Result<Vec<u8>, BlobError> {
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.try_next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// Nothing, a piece, what just fits in memory, more than that, more than a part of an upload, more than several.
const LENGTHS: [usize; 7] = [0, 1, 1024 * 1024, 1024 * 1024 + 1, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1, 27_000_003];

async fn what_was_received_is_read_whole_and_in_parts(bench: Bench, shelf: Shelf) {
    let (store, _folder) = shelf.store(&bench).await;
    let all = noise(LENGTHS[6]);
    for len in LENGTHS {
        let bytes = all.slice(..len);
        let got = store.receive(bench.workspace, pieces(&bytes), u64::MAX).await.unwrap();
        assert_eq!(got.size, len as u64);
        assert_eq!(got.sha256, <[u8; 32]>::from(sha2::Sha256::digest(&bytes)));
        // The same again is the same.
        assert_eq!(store.receive(bench.workspace, pieces(&bytes), u64::MAX).await.unwrap(), got);
        let read = async |range| whole(store.read(bench.workspace, &got, range).await.unwrap()).await.unwrap();
        assert!(read(None).await == bytes, "{len}");
        let (size, middle) = (len as u64, len as u64 / 2);
        for range in [0..size, 0..middle, middle..size, size.saturating_sub(1)..size, middle..middle] {
            let wanted = bytes.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap());
            assert!(read(Some(range.clone())).await == wanted, "{len}: {range:?}");
        }
    }
}

async fn what_breaks_off_or_is_too_large_leaves_nothing(bench: Bench, shelf: Shelf) {
    let (store, _folder) = shelf.store(&bench).await;
    for len in [5, 20_000_000] {
        let bytes = noise(len);
        let broken = pieces(&bytes).chain(futures::stream::iter([Err(std::io::Error::other("gone"))]));
        let error = store.receive(bench.workspace, broken, u64::MAX).await.unwrap_err();
        assert!(matches!(error, ReceiveError::BrokeOff(_)), "{error}");
        let error = store.receive(bench.workspace, pieces(&bytes), len as u64 - 1).await.unwrap_err();
        assert!(matches!(error, ReceiveError::TooLarge { most } if most == len as u64 - 1), "{error}");
        assert!(store.receive(bench.workspace, pieces(&bytes), len as u64).await.is_ok(), "the bound itself is taken");
    }
    let rows = blob::Entity::find().count(bench.test.database.read()).await.unwrap();
    assert_eq!(rows, 2, "only what was taken has a row");
}

async fn a_damaged_stream_never_ends_well(bench: Bench, shelf: Shelf) {
    let (store, _folder) = shelf.store(&bench).await;
    for len in [3, 20_000_000] {
        let bytes = noise(len);
        let got = store.receive(bench.workspace, pieces(&bytes), u64::MAX).await.unwrap();
        let at = Address { workspace: bench.workspace, digest: got.digest };
        let mut other = bytes.to_vec();
        other[len / 2] ^= 1;
        for damaged in [other, bytes[..len - 1].to_vec(), [&bytes[..], b"x"].concat()] {
            store.objects.delete(at).await.unwrap();
            store.objects.put(at, damaged.into(), bench.clock.new_id()).await.unwrap();
            let error = whole(store.read(bench.workspace, &got, None).await.unwrap()).await.unwrap_err();
            assert_eq!(error.code(), "BLOB_DAMAGED");
        }
        store.objects.delete(at).await.unwrap();
        let missing = store.read(bench.workspace, &got, None).await.err().unwrap();
        assert_eq!(missing.code(), "BLOB_MISSING");
    }
}

async fn an_upload_that_is_left_alone_goes_after_a_day(bench: Bench, shelf: Shelf) {
    let (store, _folder) = shelf.store(&bench).await;
    let unique = bench.clock.new_id();
    let mut left = store.objects.begin(unique).await.unwrap();
    left.write(noise(9_000_000)).await.unwrap();
    drop(left);
    // By the time of the store, which is nobody's to set.
    let real = Clock::system().now();
    store.sweep(real.plus(23 * HOUR)).await.unwrap();
    let done = bench.clock.new_id();
    let mut other = store.objects.begin(done).await.unwrap();
    other.write(noise(10)).await.unwrap();
    other.finish().await.unwrap();
    store.sweep(real.plus(25 * HOUR)).await.unwrap();
    let at = Address { workspace: bench.workspace, digest: Digest([7; 32]) };
    for gone in [unique, done] {
        assert!(store.objects.settle(gone, 10, at).await.is_err(), "nothing is left to settle");
    }
    assert_eq!(store.objects.size(at).await.unwrap(), None);
}

macro_rules! on_both {
    ($($name:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Bench::sqlite().await, super::Shelf::Folder).await;
            })*
        }
        mod on_sqlite_and_s3 {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Bench::sqlite().await, super::Shelf::s3().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Bench::postgres().await, super::Shelf::Folder).await;
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
    what_was_received_is_read_whole_and_in_parts,
    what_breaks_off_or_is_too_large_leaves_nothing,
    a_damaged_stream_never_ends_well,
    an_upload_that_is_left_alone_goes_after_a_day,
}
