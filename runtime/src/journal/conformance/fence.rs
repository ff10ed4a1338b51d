use engine::drive::batch::{Claim, FlushOutcome, RunFlush};
use engine::error::ErrorInfo;
use engine::run::event::SignalName;
use engine::scope::Scope;
use engine::time::Timestamp;
use engine::value::{Digest, ValueRef};
use entity::word::{RunClaim, RunStatus};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};

use super::bench::{Bench, Line, SALT, node_run};
use crate::database::to_column;

async fn counts(bench: &Bench, line: &Line) -> (u64, u64, u64, u64) {
    let db = bench.test.database.read();
    let run = line.run.0;
    (
        entity::journal::Entity::find().filter(entity::journal::Column::RunId.eq(run)).count(db).await.unwrap(),
        entity::node_run::Entity::find().filter(entity::node_run::Column::RunId.eq(run)).count(db).await.unwrap(),
        entity::run_inbox::Entity::find().filter(entity::run_inbox::Column::RunId.eq(run)).count(db).await.unwrap(),
        entity::blob_ref::Entity::find().filter(entity::blob_ref::Column::RunId.eq(run)).count(db).await.unwrap(),
    )
}

pub(super) async fn a_flush_whose_fence_does_not_hold_writes_nothing_while_others_commit(bench: Bench) {
    let lines = bench.owned(bench.owner, 4).await;
    let blob = put_blob(&bench, 9, false).await;
    let mut flushes = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let mail = bench.message(line.run);
        bench.journal.post(&mail).await.unwrap();
        let mut flush = line.flush();
        flush.consumed.push(mail.id);
        flush.blobs.push(blob);
        match index {
            0 => {}
            1 => flush.epoch += 1,
            2 => flush.expected_head += 1,
            _ => flush.expected_head -= 1,
        }
        flushes.push(flush);
    }
    let before = bench.journal.heads(&[lines[1].run]).await.unwrap();
    let outcomes = bench.flush(bench.owner, flushes).await;
    use FlushOutcome::{Committed, Refused};
    assert_eq!(outcomes, [Committed, Refused, Refused, Refused]);
    assert_eq!(counts(&bench, &lines[0]).await, (2, 1, 0, 1));
    for line in &lines[1..] {
        assert_eq!(counts(&bench, line).await, (1, 0, 1, 0));
    }
    assert_eq!(bench.journal.heads(&[lines[1].run]).await.unwrap(), before);

    let stranger = bench.worker().await;
    let next = lines[0].moved(&lines[0].flush()).flush();
    assert_eq!(bench.flush(stranger, vec![next]).await, [Refused]);
    assert_eq!(counts(&bench, &lines[0]).await, (2, 1, 0, 1));
}

/// Everything committed once, but the one that is fenced and the one that is malformed.
async fn a_hundred_with(bench: &Bench, spoil: impl Fn(&mut RunFlush)) {
    const FENCED: usize = 17;
    const MALFORMED: usize = 61;
    let lines = bench.owned(bench.owner, 100).await;
    let flushes = lines.iter().enumerate().map(|(index, line)| {
        let mut flush = line.flush();
        match index {
            FENCED => flush.epoch += 1,
            MALFORMED => spoil(&mut flush),
            _ => {}
        }
        flush
    });
    let outcomes = bench.flush(bench.owner, flushes.collect()).await;
    for (index, (line, outcome)) in lines.iter().zip(outcomes).enumerate() {
        let (wanted, rows) = match index {
            FENCED => (FlushOutcome::Refused, (1, 0, 0, 0)),
            MALFORMED => (FlushOutcome::Parked, (1, 0, 0, 0)),
            _ => (FlushOutcome::Committed, (2, 1, 0, 0)),
        };
        assert_eq!(outcome, wanted, "{index}");
        assert_eq!(counts(bench, line).await, rows, "{index}");
    }
    let parked = bench.row(lines[MALFORMED].run).await;
    assert_eq!((parked.claim, parked.status, parked.owner_id), (RunClaim::Parked, RunStatus::Paused, None));
    let error: ErrorInfo = serde_json::from_str(&parked.error.unwrap()).unwrap();
    assert_eq!(error.code, "DATA_REFUSED");
    assert_eq!(bench.row(lines[FENCED].run).await.claim, RunClaim::Owned);
}

pub(super) async fn of_a_hundred_runs_a_fenced_and_a_malformed_one_do_not_harm_the_others(bench: Bench) {
    a_hundred_with(&bench, |flush| flush.records[0].body = vec![0; 64 * 1024 + 1]).await;
    if bench.test.database.kind() == crate::database::DatabaseKind::Postgres {
        // SQLite keeps a NUL in a text; PostgreSQL has none.
        a_hundred_with(&bench, |flush| flush.node_runs[0].port = Some("\0".to_owned())).await;
    }
}

pub(super) async fn a_run_whose_record_is_there_already_is_parked_alone(bench: Bench) {
    a_hundred_with(&bench, |flush| flush.records[0].first_seq = 1).await;
}

pub(super) async fn a_batch_over_one_statement_commits_as_a_whole(bench: Bench) {
    let lines = bench.owned(bench.owner, 300).await;
    let large = |line: &Line| {
        let mut flush = line.flush();
        flush.records[0].body = vec![1; 48 * 1024];
        flush
    };
    let outcomes = bench.flush(bench.owner, lines.iter().map(large).collect()).await;
    assert!(outcomes.iter().all(|outcome| *outcome == FlushOutcome::Committed));
}

pub(super) async fn a_flush_shows_what_it_says_and_the_run_loads_as_it_was_written(bench: Bench) {
    let line = bench.owned(bench.owner, 1).await[0];
    let mut first = line.flush();
    first.node_runs = (0..150).map(|index| node_run("each", Scope::item(index))).collect();
    first.node_runs[0].signal = Some(SignalName { name: "paid".into(), key: "7".into() });
    first.node_runs[0].error = Some(ErrorInfo::transient("HTTP_STATUS", "503 \0 from the other side"));
    first.node_runs[0].due_at = Some(Timestamp(i64::MAX));
    first.node_runs[0].items = Some(150);
    let line = line.moved(&first);
    let mut second = line.flush();
    let (output, bytes) = ValueRef::of(&SALT, &serde_json::json!({"total": 1}));
    second.row.output = Some(output.clone());
    second.node_runs = vec![node_run("each", Scope::item(0))];
    for flush in [first, second.clone()] {
        assert_eq!(bench.flush(bench.owner, vec![flush]).await, [FlushOutcome::Committed]);
    }

    let loaded = bench.journal.load(line.run).await.unwrap();
    assert_eq!((loaded.workspace, loaded.epoch, loaded.head_seq), (bench.workspace, 1, 3));
    assert_eq!(loaded.head_digest, second.head_digest);
    let mut prev = Digest([0; 32]);
    for (index, record) in loaded.records.iter().enumerate() {
        assert_eq!((record.first_seq, record.last_seq, record.prev), (index as u64 + 1, index as u64 + 1, prev));
        prev = record.digest;
    }
    assert_eq!((loaded.records.len(), prev), (3, loaded.head_digest));
    assert_eq!(loaded.inline.get(&output.digest), Some(&bytes));
    assert_eq!(loaded.inline.len(), 152, "150 items, input and output");

    let head = bench.journal.heads(&[line.run]).await.unwrap()[0];
    assert_eq!((head.owner, head.epoch, head.head_seq, head.claim), (Some(bench.owner), 1, 3, Claim::Owned));
    assert_eq!(head.head_digest, second.head_digest);

    let rows = entity::node_run::Entity::find().all(bench.test.database.read()).await.unwrap();
    assert_eq!(rows.len(), 150);
    let shown = rows.iter().find(|row| row.scope == "0").unwrap();
    assert_eq!((shown.error.as_ref(), shown.signal_name.as_ref(), shown.items), (None, None, None));
    assert_eq!(shown.started_at, Some(to_column(Timestamp(1_800_000_000_000_002))));
}

pub(super) async fn a_flush_that_leaves_the_owner_clears_it(bench: Bench) {
    for (claim, kept) in [
        (Claim::Ready, RunClaim::Ready),
        (Claim::Dormant, RunClaim::Dormant),
        (Claim::Parked, RunClaim::Parked),
        (Claim::Done, RunClaim::Done),
    ] {
        let line = bench.owned(bench.owner, 1).await[0];
        let flush = line.leave(claim);
        assert_eq!(bench.flush(bench.owner, vec![flush.clone()]).await, [FlushOutcome::Committed]);
        let row = bench.row(line.run).await;
        assert_eq!((row.claim, row.owner_id), (kept, None));
        let again = line.moved(&flush).flush();
        assert_eq!(bench.flush(bench.owner, vec![again]).await, [FlushOutcome::Refused]);
    }
}

async fn put_blob(bench: &Bench, number: u8, is_doomed: bool) -> Digest {
    let row = entity::blob::ActiveModel {
        workspace_id: Set(bench.workspace.0),
        digest: Set(vec![number; 32]),
        size: Set(30_000),
        touched_at: Set(to_column(bench.now())),
        marked_at: Set(is_doomed.then(|| to_column(bench.now()))),
        doomed_at: Set(is_doomed.then(|| to_column(bench.now()))),
    };
    entity::blob::Entity::insert(row).exec_without_returning(bench.test.database.write()).await.unwrap();
    Digest([number; 32])
}

pub(super) async fn a_reference_needs_a_blob_that_is_there_and_not_doomed(bench: Bench) {
    let lines = bench.owned(bench.owner, 4).await;
    let (there, doomed) = (put_blob(&bench, 1, false).await, put_blob(&bench, 2, true).await);
    let mut flushes: Vec<RunFlush> = lines.iter().map(Line::flush).collect();
    flushes[0].blobs = vec![there, there];
    flushes[1].blobs = vec![there, doomed];
    flushes[2].blobs = vec![Digest([3; 32])];
    let outcomes = bench.flush(bench.owner, flushes).await;
    use FlushOutcome::{Committed, Parked};
    assert_eq!(outcomes, [Committed, Parked, Parked, Committed]);
    assert_eq!(counts(&bench, &lines[0]).await, (2, 1, 0, 1));
    assert_eq!(counts(&bench, &lines[1]).await, (1, 0, 0, 0));
    let error: ErrorInfo = serde_json::from_str(&bench.row(lines[1].run).await.error.unwrap()).unwrap();
    assert_eq!(error.code, "BLOB_EXPIRED");
}
