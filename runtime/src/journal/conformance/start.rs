use std::collections::BTreeSet;
use std::time::Duration;

use engine::id::{RunId, WorkerId};
use engine::value::ValueRef;
use entity::word::RunClaim;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};

use super::bench::{Bench, SALT, new_run};
use crate::journal::{Created, NewRun, StartKey};

const DAY: Duration = Duration::from_secs(86_400);

fn keyed(bench: &Bench, key: &str) -> NewRun {
    let start_key = Some(StartKey { key: key.to_owned(), asked: None, expires_at: bench.now().plus(DAY) });
    NewRun { start_key, ..new_run(bench.workspace, &bench.clock) }
}

/// The run that each answer names, and whether it had the same input; none of its own.
fn found(created: &[Created]) -> Vec<Option<(RunId, bool)>> {
    created
        .iter()
        .map(|created| match created {
            Created::New => None,
            Created::Exists { run, same_input, .. } => Some((*run, *same_input)),
            Created::Refused(error) => unreachable!("{error}"),
        })
        .collect()
}

async fn runs(bench: &Bench) -> u64 {
    entity::run::Entity::find().count(bench.test.database.read()).await.unwrap()
}

pub(super) async fn a_key_starts_one_run_within_a_call_and_across_calls(bench: Bench) {
    let first = [keyed(&bench, "a"), keyed(&bench, "b"), keyed(&bench, "a"), new_run(bench.workspace, &bench.clock)];
    let created = bench.journal.create(None, &first).await.unwrap();
    assert_eq!(found(&created), [None, None, Some((first[0].run, true)), None]);

    let (other_input, _) = ValueRef::of(&SALT, &serde_json::json!({"order": 8}));
    let mut second = [keyed(&bench, "b"), keyed(&bench, "a"), keyed(&bench, "c")];
    second[1].input = other_input;
    let created = bench.journal.create(None, &second).await.unwrap();
    assert_eq!(found(&created), [Some((first[1].run, true)), Some((first[0].run, false)), None]);
    let Created::Exists { event, .. } = &created[0] else { unreachable!("found above") };
    assert_eq!(*event, first[1].event);
    assert_eq!(runs(&bench).await, 4);
}

pub(super) async fn a_key_starts_another_run_once_it_has_expired(bench: Bench) {
    let first = keyed(&bench, "a");
    bench.journal.create(None, std::slice::from_ref(&first)).await.unwrap();
    bench.clock.set(first.at.plus(DAY - Duration::from_micros(1)));
    let early = bench.journal.create(None, &[keyed(&bench, "a")]).await.unwrap();
    assert_eq!(found(&early), [Some((first.run, true))]);
    bench.clock.set(first.at.plus(DAY));
    let second = keyed(&bench, "a");
    let late = bench.journal.create(None, std::slice::from_ref(&second)).await.unwrap();
    assert_eq!(found(&late), [None]);
    let again = bench.journal.create(None, &[keyed(&bench, "a")]).await.unwrap();
    assert_eq!(found(&again), [Some((second.run, true))]);
}

pub(super) async fn of_many_who_start_with_the_same_keys_at_once_one_wins_each(bench: Bench) {
    let calls: Vec<Vec<NewRun>> = (0..8)
        .map(|call| {
            let mut keys: Vec<usize> = (0..20).collect();
            if call % 2 == 1 {
                keys.reverse();
            }
            keys.iter().map(|key| keyed(&bench, &format!("key {key}"))).collect()
        })
        .collect();
    let answers = futures::future::join_all(calls.iter().map(|call| bench.journal.create(None, call))).await;
    let created: usize = answers
        .iter()
        .map(|answer| found(answer.as_ref().unwrap()).iter().filter(|found| found.is_none()).count())
        .sum();
    assert_eq!((created, runs(&bench).await), (20, 20));
}

pub(super) async fn creating_again_after_an_unknown_outcome_finds_the_run(bench: Bench) {
    let both = [keyed(&bench, "a"), new_run(bench.workspace, &bench.clock)];
    for _ in 0..2 {
        let created = bench.journal.create(None, &both).await.unwrap();
        assert_eq!(found(&created), [None, None]);
    }
    assert_eq!(runs(&bench).await, 2);
    let records = entity::journal::Entity::find().count(bench.test.database.read()).await.unwrap();
    assert_eq!(records, 2);
}

pub(super) async fn a_run_that_cannot_be_kept_is_refused_alone(bench: Bench) {
    let mut new: Vec<NewRun> = (0..20).map(|index| keyed(&bench, &index.to_string())).collect();
    new[3].record.body = vec![0; 64 * 1024 + 1];
    // A blob that nobody put.
    new[11].input.len = 1_000_000;
    new[11].input.inline = None;
    new[11].blobs = vec![new[11].input.digest];
    let created = bench.journal.create(None, &new).await.unwrap();
    for (index, created) in created.iter().enumerate() {
        let is_refused = matches!(created, Created::Refused(_));
        assert_eq!(is_refused, index == 3 || index == 11, "{index}: {created:?}");
    }
    assert_eq!(runs(&bench).await, 18);
    // Their keys are free.
    let again = bench.journal.create(None, &[keyed(&bench, "3"), keyed(&bench, "11")]).await.unwrap();
    assert_eq!(found(&again), [None, None]);
}

pub(super) async fn a_new_run_has_its_event_its_record_and_its_owner(bench: Bench) {
    let owned = NewRun { is_owned: true, ..keyed(&bench, "a") };
    let free = new_run(bench.workspace, &bench.clock);
    bench.journal.create(Some(bench.owner), &[owned.clone(), free.clone()]).await.unwrap();
    let heads = bench.journal.heads(&[owned.run, free.run]).await.unwrap();
    let seen: BTreeSet<(RunId, Option<WorkerId>, i64)> =
        heads.iter().map(|head| (head.run, head.owner, head.epoch)).collect();
    assert_eq!(seen, [(owned.run, Some(bench.owner), 1), (free.run, None, 0)].into());

    let row = bench.row(owned.run).await;
    assert_eq!((row.claim, row.head_seq, row.labels.as_str()), (RunClaim::Owned, 1, r#"{"customer":"Müller"}"#));
    assert_eq!(row.input.as_deref(), owned.input.inline.as_deref());
    let events = entity::trigger_event::Entity::find()
        .filter(entity::trigger_event::Column::RunId.eq(owned.run.0))
        .all(bench.test.database.read())
        .await
        .unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].id, events[0].dedupe_key.as_deref()), (owned.event.0, Some("a")));
    let loaded = bench.journal.load(owned.run).await.unwrap();
    assert_eq!(loaded.records, [owned.record]);
}
