use sea_orm::{ConnectionTrait as _, Statement, TransactionTrait as _};

use super::*;
use crate::testing::TestDatabase;

async fn pragma(database: &Database, name: &str) -> i64 {
    let statement = Statement::from_string(sea_orm::DatabaseBackend::Sqlite, format!("PRAGMA {name}"));
    database.write().query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_new_sqlite_database_is_durable_and_can_give_space_back() {
    let test = TestDatabase::sqlite().await;
    assert_eq!(pragma(&test.database, "synchronous").await, 2, "FULL");
    assert_eq!(pragma(&test.database, "auto_vacuum").await, 2, "INCREMENTAL");
    assert_eq!(pragma(&test.database, "foreign_keys").await, 1);
    let refused = test.database.read().execute_unprepared("DELETE FROM workspace").await;
    assert!(refused.is_err(), "a reader cannot write");
}

#[tokio::test]
async fn a_folder_is_served_once_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let lock = lock_folder(folder.path()).unwrap();
    let refused = lock_folder(folder.path()).unwrap_err();
    assert_eq!(refused.code(), "DATA_FOLDER_IN_USE");
    drop(lock);
    lock_folder(folder.path()).unwrap();
}

#[tokio::test]
async fn a_second_process_writes_to_sqlite_while_the_first_serves() {
    let test = TestDatabase::sqlite().await;
    let _lock = lock_folder(test.folder().unwrap()).unwrap();
    let other = Database::connect(&test.url, &DatabaseOptions::default()).await.unwrap();
    let insert = "INSERT INTO worker (id, name, beat, lease_ms, state, version, started_at, beat_at) \
                  VALUES (x'01', 'w', 1, 1, 'ACTIVE', '0', '2026-01-01', '2026-01-01')";
    other.write().execute_unprepared(insert).await.unwrap();
    let open = test.database.begin_write().await.unwrap();
    open.execute_unprepared("UPDATE worker SET beat = 2").await.unwrap();
    open.commit().await.unwrap();
    let seen = other.read().begin().await.unwrap();
    let statement = Statement::from_string(sea_orm::DatabaseBackend::Sqlite, "SELECT beat FROM worker");
    let beat: i64 = seen.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    assert_eq!(beat, 2);
}

#[tokio::test]
async fn what_is_no_database_url_is_refused_without_repeating_it() {
    for url in
        ["mysql://user:secret@host/db", "sqlite::memory:", "sqlite://", "postgres://user:secret@host:notaport/db"]
    {
        let error = Database::connect(url, &DatabaseOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), "DATABASE_URL_INVALID", "{url}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn a_postgres_session_commits_durably_and_does_not_hold_locks_while_it_idles() {
    let test = TestDatabase::postgres().await;
    let JournalPool::Postgres(pool) = test.database.journal() else { unreachable!("it is PostgreSQL") };
    for (name, wanted) in [
        ("idle_in_transaction_session_timeout", "2s"),
        ("synchronous_commit", "on"),
        ("statement_timeout", "10s"),
        ("plan_cache_mode", "force_generic_plan"),
    ] {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(pool).await.unwrap();
        assert_eq!(value, wanted, "{name}");
    }
}

#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_does_not_stop_the_next_one() {
    let test = TestDatabase::sqlite().await;
    for commits in [true, false] {
        let write = test.database.begin_write().await.unwrap();
        // What SQLite does by itself when the disk is full.
        write.execute_unprepared("ROLLBACK").await.unwrap();
        if commits {
            write.commit().await.unwrap_err();
        } else {
            drop(write);
        }
        let next = test.database.begin_write().await.unwrap();
        next.execute_unprepared("CREATE TABLE kept (n INTEGER)").await.unwrap();
        next.execute_unprepared("DROP TABLE kept").await.unwrap();
        next.commit().await.unwrap();
    }
}
