use entity::workspace_event;
use futures::future::join_all;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::*;
use crate::testing::TestDatabase;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

fn row(workspace: u128, entity: &str, kind: &str) -> outbox::ActiveModel {
    outbox::ActiveModel {
        id: NotSet,
        workspace_id: Set(Uuid::from_u128(workspace)),
        kind: Set(kind.to_owned()),
        entity: Set(entity.to_owned()),
        workflow_id: Set(None),
        actor: Set(None),
        data: Set("{}".to_owned()),
        at: Set(None),
    }
}

async fn leave(database: &Database, rows: Vec<outbox::ActiveModel>) {
    let write = database.begin_write().await.unwrap();
    for row in rows {
        outbox::Entity::insert(row).exec_without_returning(&write).await.unwrap();
    }
    write.commit().await.unwrap();
}

async fn fed(database: &Database, workspace: u128) -> Vec<(i64, String, String)> {
    let rows = workspace_event::Entity::find()
        .filter(workspace_event::Column::WorkspaceId.eq(Uuid::from_u128(workspace)))
        .order_by_asc(workspace_event::Column::Seq);
    rows.all(database.read()).await.unwrap().into_iter().map(|row| (row.seq, row.entity, row.kind)).collect()
}

/// Twelve writers with ten transactions each, in two workspaces, and three relays that never rest.
async fn many_writers_and_relays_number_every_row_once_and_in_order(test: TestDatabase) {
    let database = &test.database;
    let writers = join_all((0..12_u128).map(|writer| async move {
        for step in 0..10 {
            let entity = format!("run_{writer}");
            let rows =
                vec![row(writer % 2, &entity, &format!("{step}.a")), row(writer % 2, &entity, &format!("{step}.b"))];
            leave(database, rows).await;
        }
    }));
    let relays = join_all((0..3).map(|_| async {
        while fed(database, 0).await.len() + fed(database, 1).await.len() < 240 {
            pass(database, 7, NOW).await.unwrap();
        }
    }));
    tokio::join!(writers, relays);
    assert_eq!(pass(database, 7, NOW).await.unwrap().fed, BTreeSet::new());
    for workspace in [0, 1] {
        let events = fed(database, workspace).await;
        let numbers: Vec<i64> = events.iter().map(|(seq, ..)| *seq).collect();
        assert_eq!(numbers, (1..=120).collect::<Vec<_>>());
        for writer in (0..12).filter(|writer| writer % 2 == workspace) {
            let entity = format!("run_{writer}");
            let kinds: Vec<&str> =
                events.iter().filter(|(_, of, _)| *of == entity).map(|(.., kind)| kind.as_str()).collect();
            let wanted: Vec<String> = (0..10).flat_map(|step| [format!("{step}.a"), format!("{step}.b")]).collect();
            assert_eq!(kinds, wanted);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_many_writers_and_relays_number_every_row_once_and_in_order() {
    many_writers_and_relays_number_every_row_once_and_in_order(TestDatabase::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_many_writers_and_relays_number_every_row_once_and_in_order() {
    many_writers_and_relays_number_every_row_once_and_in_order(TestDatabase::postgres().await).await;
}

/// What a pass that was cut off before its commit leaves is what was there before it.
#[tokio::test]
async fn a_row_of_a_slower_transaction_gets_a_later_number_and_none_is_left_out() {
    let test = TestDatabase::postgres().await;
    let slow = test.database.begin_write().await.unwrap();
    outbox::Entity::insert(row(1, "slow", "x")).exec_without_returning(&slow).await.unwrap();
    leave(&test.database, vec![row(1, "fast", "x")]).await;
    assert_eq!(pass(&test.database, 10, NOW).await.unwrap().fed.len(), 1);
    slow.commit().await.unwrap();
    pass(&test.database, 10, NOW).await.unwrap();
    let events: Vec<(i64, String)> = fed(&test.database, 1).await.into_iter().map(|(seq, of, _)| (seq, of)).collect();
    assert_eq!(events, [(1, "fast".to_owned()), (2, "slow".to_owned())]);
}

#[tokio::test]
async fn a_process_that_has_not_the_turn_takes_nothing() {
    let test = TestDatabase::postgres().await;
    leave(&test.database, vec![row(1, "a", "x")]).await;
    let other = test.database.begin_write().await.unwrap();
    let lock = Statement::from_string(DatabaseBackend::Postgres, "SELECT pg_advisory_xact_lock(7377440071)");
    other.query_one_raw(lock).await.unwrap();
    assert_eq!(pass(&test.database, 10, NOW).await.unwrap(), Pass { fed: BTreeSet::new(), again: true });
    other.rollback().await.unwrap();
    assert_eq!(pass(&test.database, 10, NOW).await.unwrap().fed.len(), 1);
}
