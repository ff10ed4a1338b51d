use std::collections::BTreeSet;
use std::time::Duration;

use engine::drive::batch::{Claim, FlushOutcome};
use engine::error::ErrorInfo;
use engine::id::{RunId, WorkerId};
use engine::run::status::NodeRunStatus;
use engine::time::Timestamp;
use entity::word::{RunClaim, RunStatus};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::bench::{Bench, Line, new_run};
use crate::journal::{NewRun, WorkerState};

async fn claim_all(bench: &Bench, owner: WorkerId) -> BTreeSet<RunId> {
    let mut claimed = BTreeSet::new();
    loop {
        let more = bench.journal.claim(owner, bench.now(), 7).await.unwrap();
        if more.is_empty() {
            return claimed;
        }
        assert!(more.len() <= 7);
        claimed.extend(more);
    }
}

pub(super) async fn of_two_who_claim_at_once_each_run_goes_to_one(bench: Bench) {
    let runs: BTreeSet<RunId> = bench.ready(100).await.iter().map(|line| line.run).collect();
    let (one, other) = (bench.owner, bench.worker().await);
    let (mut first, mut second) = tokio::join!(claim_all(&bench, one), claim_all(&bench, other));
    assert!(first.is_disjoint(&second));
    for (owner, claimed) in [(one, &first), (other, &second)] {
        for head in bench.journal.heads(&claimed.iter().copied().collect::<Vec<_>>()).await.unwrap() {
            assert_eq!((head.owner, head.epoch), (Some(owner), 1));
        }
    }
    first.append(&mut second);
    // Of two that look at the same moment one may see nothing left for it; a later look finds the rest.
    first.append(&mut claim_all(&bench, one).await);
    assert_eq!(first, runs);
}

pub(super) async fn only_what_is_free_is_claimed_and_higher_priority_first(bench: Bench) {
    let lines = bench.owned(bench.owner, 5).await;
    let mut flushes: Vec<_> = [Claim::Owned, Claim::Dormant, Claim::Dormant, Claim::Parked, Claim::Done]
        .into_iter()
        .zip(&lines)
        .map(|(claim, line)| line.leave(claim))
        .collect();
    let due = bench.now().plus(Duration::from_secs(60));
    flushes[1].row.wake_at = Some(due);
    flushes[3].row.wake_at = Some(due);
    bench.flush(bench.owner, flushes).await;
    let urgent = NewRun { priority: 5, ..new_run(bench.workspace, &bench.clock) };
    let calm = new_run(bench.workspace, &bench.clock);
    bench.journal.create(None, &[calm.clone(), urgent.clone()]).await.unwrap();

    let other = bench.worker().await;
    assert_eq!(bench.journal.claim(other, bench.now(), 1).await.unwrap(), [urgent.run]);
    assert_eq!(bench.journal.claim(other, bench.now(), 10).await.unwrap(), [calm.run]);
    let early = Timestamp(due.0 - 1);
    assert_eq!(bench.journal.claim(other, early, 10).await.unwrap(), []);
    assert_eq!(bench.journal.claim(other, due, 10).await.unwrap(), [lines[1].run]);
    let head = bench.journal.heads(&[lines[1].run]).await.unwrap()[0];
    assert_eq!((head.owner, head.epoch, head.claim), (Some(other), 2, Claim::Owned));
}

pub(super) async fn of_two_who_adopt_at_once_each_run_goes_to_one(bench: Bench) {
    let lost = bench.worker().await;
    let runs: BTreeSet<RunId> = bench.owned(lost, 100).await.iter().map(|line| line.run).collect();
    let (one, other) = (bench.owner, bench.worker().await);
    let adopt_all = async |owner| {
        let mut taken = BTreeSet::new();
        loop {
            let adopted = bench.journal.adopt(owner, lost, bench.now(), 9, false).await.unwrap();
            assert!(adopted.parked.is_empty());
            if adopted.taken.is_empty() {
                return taken;
            }
            taken.extend(adopted.taken);
        }
    };
    let (mut first, mut second) = tokio::join!(adopt_all(one), adopt_all(other));
    assert!(first.is_disjoint(&second));
    first.append(&mut second);
    first.append(&mut adopt_all(one).await);
    assert_eq!(first, runs);
    for run in &runs {
        let row = bench.row(*run).await;
        assert_eq!((row.owner_epoch, row.adoptions), (2, 1));
    }
}

pub(super) async fn an_adopted_run_is_written_by_its_adopter_only(bench: Bench) {
    let lost = bench.worker().await;
    let line = bench.owned(lost, 1).await[0];
    bench.journal.adopt(bench.owner, lost, bench.now(), 9, false).await.unwrap();
    assert_eq!(bench.flush(lost, vec![line.flush()]).await, [FlushOutcome::Refused]);
    let adopted = Line { epoch: 2, ..line };
    assert_eq!(bench.flush(bench.owner, vec![adopted.flush()]).await, [FlushOutcome::Committed]);
    assert_eq!(bench.journal.load(line.run).await.unwrap().records.len(), 2);
}

async fn set_adoptions(bench: &Bench, line: &Line, adoptions: i32) {
    entity::run::Entity::update_many()
        .col_expr(entity::run::Column::Adoptions, Expr::value(adoptions))
        .filter(entity::run::Column::Id.eq(line.run.0))
        .exec(bench.test.database.write())
        .await
        .unwrap();
}

pub(super) async fn suspects_are_taken_one_at_a_time_the_least_lost_first(bench: Bench) {
    let lost = bench.worker().await;
    let lines = bench.owned(lost, 4).await;
    for (line, adoptions) in lines.iter().zip([3, 0, 2, 1]) {
        set_adoptions(&bench, line, adoptions).await;
    }
    let innocent = bench.journal.adopt(bench.owner, lost, bench.now(), 9, false).await.unwrap();
    assert_eq!(BTreeSet::from_iter(innocent.taken), BTreeSet::from([lines[1].run, lines[3].run]));
    for wanted in [2, 0] {
        let suspect = bench.journal.adopt(bench.owner, lost, bench.now(), 9, true).await.unwrap();
        assert_eq!((suspect.taken, suspect.parked), (vec![lines[wanted].run], vec![]));
    }
    assert_eq!(bench.row(lines[0].run).await.adoptions, 4);
    let none = bench.journal.adopt(bench.owner, lost, bench.now(), 9, true).await.unwrap();
    assert_eq!((none.taken, none.parked), (vec![], vec![]));
}

pub(super) async fn a_run_lost_too_often_is_parked_and_names_its_node(bench: Bench) {
    let lost = bench.worker().await;
    let line = bench.owned(lost, 1).await[0];
    let mut flush = line.flush();
    flush.node_runs[0].status = NodeRunStatus::Running;
    bench.flush(lost, vec![flush]).await;
    let limit = i32::try_from(crate::journal::PARKED_AT).unwrap();
    set_adoptions(&bench, &line, limit - 1).await;
    let adopted = bench.journal.adopt(bench.owner, lost, bench.now(), 9, true).await.unwrap();
    assert_eq!((adopted.taken, adopted.parked), (vec![], vec![line.run]));
    let row = bench.row(line.run).await;
    assert_eq!((row.claim, row.status, row.owner_id), (RunClaim::Parked, RunStatus::Paused, None));
    assert_eq!((row.adoptions, row.owner_epoch), (limit, 2));
    let error: ErrorInfo = serde_json::from_str(&row.error.unwrap()).unwrap();
    assert_eq!((error.code.as_str(), error.node.as_deref()), ("POISONED", Some("fetch")));
    assert_eq!(bench.journal.claim(bench.owner, bench.now(), 9).await.unwrap(), []);
}

pub(super) async fn of_two_who_take_a_suspect_one_wins(bench: Bench) {
    let (lost, other) = (bench.worker().await, bench.worker().await);
    let lines = bench.owned(lost, 10).await;
    for line in &lines {
        set_adoptions(&bench, line, 2).await;
    }
    let mut taken = Vec::new();
    for _ in 0..lines.len() {
        let (one, two) = tokio::join!(
            bench.journal.adopt(bench.owner, lost, bench.now(), 9, true),
            bench.journal.adopt(other, lost, bench.now(), 9, true),
        );
        taken.extend(one.unwrap().taken);
        taken.extend(two.unwrap().taken);
    }
    let distinct: BTreeSet<RunId> = taken.iter().copied().collect();
    assert_eq!((taken.len(), distinct.len()), (lines.len(), lines.len()));
    assert_eq!(bench.row(lines[0].run).await.adoptions, 3);
}

pub(super) async fn progress_clears_a_runs_record(bench: Bench) {
    let line = bench.owned(bench.owner, 1).await[0];
    set_adoptions(&bench, &line, 2).await;
    let first = line.flush();
    bench.flush(bench.owner, vec![first.clone()]).await;
    assert_eq!(bench.row(line.run).await.adoptions, 2);
    let mut second = line.moved(&first).flush();
    second.row.progress = true;
    bench.flush(bench.owner, vec![second]).await;
    assert_eq!(bench.row(line.run).await.adoptions, 0);
}

pub(super) async fn only_its_owner_parks_a_run(bench: Bench) {
    let line = bench.owned(bench.owner, 1).await[0];
    let error = ErrorInfo::permanent("RUN_UNREADABLE", "a record is broken");
    let stranger = bench.worker().await;
    bench.journal.park(stranger, line.run, &error).await.unwrap();
    assert_eq!(bench.row(line.run).await.claim, RunClaim::Owned);
    bench.journal.park(bench.owner, line.run, &error).await.unwrap();
    let row = bench.row(line.run).await;
    assert_eq!((row.claim, row.status), (RunClaim::Parked, RunStatus::Paused));
    assert_eq!(bench.flush(bench.owner, vec![line.flush()]).await, [FlushOutcome::Refused]);
}

pub(super) async fn workers_are_seen_while_they_own_runs(bench: Bench) {
    let busy = bench.worker().await;
    let idle = bench.worker().await;
    let line = bench.owned(busy, 1).await[0];
    let seen = bench.journal.workers().await.unwrap();
    assert_eq!(seen.iter().map(|worker| worker.id).collect::<Vec<_>>(), [busy]);
    assert_eq!((seen[0].lease, seen[0].state), (Duration::from_secs(5), WorkerState::Active));

    for worker in [busy, idle] {
        bench.journal.stopped(worker).await.unwrap();
    }
    assert_eq!(bench.journal.workers().await.unwrap()[0].state, WorkerState::Stopped);
    bench.worker().await;
    let rows = async || entity::worker::Entity::find().all(bench.test.database.read()).await.unwrap();
    let known: BTreeSet<_> = rows().await.iter().map(|row| WorkerId(row.id)).collect();
    assert!(known.contains(&busy), "it still owns a run");
    assert!(!known.contains(&idle));

    bench.flush(busy, vec![line.leave(Claim::Done)]).await;
    assert_eq!(bench.journal.workers().await.unwrap(), []);
    bench.clock.set(bench.now().plus(Duration::from_secs(8 * 86_400)));
    let last = bench.worker().await;
    assert_eq!(rows().await.iter().map(|row| WorkerId(row.id)).collect::<Vec<_>>(), [last]);
}
