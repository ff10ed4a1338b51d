use engine::drive::batch::{Claim, FlushOutcome};
use engine::id::{RunId, WorkspaceId};
use sea_orm::{EntityTrait as _, PaginatorTrait as _};

use super::bench::{Bench, Line};
use crate::journal::{NewMessage, Posted};

async fn waiting(bench: &Bench) -> u64 {
    entity::run_inbox::Entity::find().count(bench.test.database.read()).await.unwrap()
}

pub(super) async fn a_message_is_kept_once_and_only_for_a_run_of_its_workspace(bench: Bench) {
    let line = bench.ready(1).await[0];
    let message = bench.message(line.run);
    for _ in 0..2 {
        assert_eq!(bench.journal.post(&message).await.unwrap(), Posted::Stored);
    }
    assert_eq!(waiting(&bench).await, 1);
    let foreign = NewMessage { workspace: WorkspaceId(bench.id()), ..bench.message(line.run) };
    assert_eq!(bench.journal.post(&foreign).await.unwrap(), Posted::NotFound);
    let nowhere = bench.message(RunId(bench.id()));
    assert_eq!(bench.journal.post(&nowhere).await.unwrap(), Posted::NotFound);
    assert_eq!(waiting(&bench).await, 1);
}

pub(super) async fn a_message_around_the_moment_of_going_dormant_is_found(bench: Bench) {
    for round in 0..40 {
        let line = bench.owned(bench.owner, 1).await[0];
        let message = bench.message(line.run);
        let dormant = vec![line.leave(Claim::Dormant)];
        let early = async {
            // Some messages come while the flush is on its way, some after it.
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            bench.journal.post(&message).await
        };
        let (outcome, posted) = tokio::join!(bench.flush(bench.owner, dormant), early);
        assert_eq!((outcome, posted.unwrap()), (vec![FlushOutcome::Committed], Posted::Stored));
        let other = bench.worker().await;
        assert_eq!(bench.journal.claim(other, bench.now(), 10).await.unwrap(), [line.run], "round {round}");
        let mail = bench.journal.inbox_owned(other).await.unwrap();
        assert_eq!(mail.iter().map(|row| row.id).collect::<Vec<_>>(), [message.id]);
        bench.flush(other, vec![Line { epoch: 2, ..line }.moved(&line.flush()).leave(Claim::Done)]).await;
    }
}

pub(super) async fn mail_that_became_events_is_gone_and_the_rest_stays(bench: Bench) {
    let lines = bench.owned(bench.owner, 2).await;
    let messages: Vec<NewMessage> =
        [lines[0].run, lines[0].run, lines[1].run].iter().map(|run| bench.message(*run)).collect();
    for message in &messages {
        bench.journal.post(message).await.unwrap();
    }
    let mut flush = lines[0].flush();
    flush.consumed = vec![messages[0].id];
    bench.flush(bench.owner, vec![flush]).await;
    let left = bench.journal.inbox(&[lines[0].run, lines[1].run]).await.unwrap();
    assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [messages[1].id, messages[2].id]);
}

pub(super) async fn a_run_that_has_ended_takes_no_mail_and_keeps_none(bench: Bench) {
    let line = bench.owned(bench.owner, 1).await[0];
    let messages = [bench.message(line.run), bench.message(line.run)];
    for message in &messages {
        bench.journal.post(message).await.unwrap();
    }
    let mut flush = line.leave(Claim::Done);
    flush.consumed = vec![messages[0].id];
    assert_eq!(bench.flush(bench.owner, vec![flush]).await, [FlushOutcome::Committed]);
    assert_eq!(waiting(&bench).await, 0);
    assert_eq!(bench.journal.post(&bench.message(line.run)).await.unwrap(), Posted::Ended);
    assert_eq!(waiting(&bench).await, 0);
}

pub(super) async fn the_mail_of_owned_runs_comes_with_their_epochs_and_in_order(bench: Bench) {
    let other = bench.worker().await;
    let (own, foreign) = (bench.owned(bench.owner, 70).await, bench.owned(other, 3).await);
    let mut wanted = Vec::new();
    for line in own.iter().chain(&foreign) {
        for _ in 0..2 {
            let message = bench.message(line.run);
            bench.journal.post(&message).await.unwrap();
            if own.iter().any(|own| own.run == line.run) {
                wanted.push((line.run, 1, message.id));
            }
        }
    }
    wanted.sort();
    let mail = bench.journal.inbox_owned(bench.owner).await.unwrap();
    let found: Vec<_> = mail.iter().map(|row| (row.run, row.epoch, row.id)).collect();
    assert_eq!(found, wanted);
    assert!(mail.iter().all(|row| row.kind == "SIGNAL" && row.body == r#"{"name":"paid"}"#));
    let runs: Vec<RunId> = own.iter().map(|line| line.run).collect();
    let mut named: Vec<_> =
        bench.journal.inbox(&runs).await.unwrap().iter().map(|row| (row.run, row.epoch, row.id)).collect();
    named.sort();
    assert_eq!(named, wanted);
}
