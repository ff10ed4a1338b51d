//! The migrations and the entities, held against each other on both databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

use std::collections::{BTreeMap, BTreeSet};

use migration::{Migrator, MigratorTrait as _};
use runtime::testing::TestDatabase;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, EntityTrait, Schema, Statement};

/// Table and column to type, whether it may be null, and whether it is part of the key.
type Columns = BTreeMap<(String, String), (String, bool, bool)>;

async fn rows(db: &DatabaseConnection, sql: &str) -> Vec<Vec<String>> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await.unwrap();
    let cells = |row: &sea_orm::QueryResult| {
        (0..row.column_names().len()).map(|index| row.try_get_by_index::<String>(index).unwrap()).collect()
    };
    rows.iter().map(cells).collect()
}

async fn columns(db: &DatabaseConnection) -> Columns {
    let sql = match db.get_database_backend() {
        DatabaseBackend::Postgres => {
            "SELECT c.table_name::text, c.column_name::text, c.udt_name::text, lower(c.is_nullable)::text,
                CASE WHEN k.column_name IS NULL THEN 'no' ELSE 'yes' END
             FROM information_schema.columns c
             LEFT JOIN (information_schema.table_constraints t
                 JOIN information_schema.key_column_usage k USING (constraint_name, table_schema))
                 ON t.constraint_type = 'PRIMARY KEY' AND t.table_name = c.table_name AND k.column_name = c.column_name
             WHERE c.table_schema = 'public' AND c.table_name NOT LIKE '%\\_default'"
        }
        _ => {
            "SELECT m.name, c.name, lower(c.type), CASE WHEN c.\"notnull\" THEN 'no' ELSE 'yes' END,
                CASE WHEN c.pk > 0 THEN 'yes' ELSE 'no' END
             FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
        }
    };
    let mut found = Columns::new();
    for row in rows(db, sql).await {
        let [table, column, kind, null, key] = row.try_into().unwrap();
        if table != "seaql_migrations" && !table.starts_with("sqlite_") {
            found.insert((table, column), (kind, null == "yes", key == "yes"));
        }
    }
    found
}

async fn create<E: EntityTrait>(db: &DatabaseConnection, entity: E) {
    let table = Schema::new(db.get_database_backend()).create_table_from_entity(entity);
    db.execute(&table).await.unwrap();
}

async fn create_all(db: &DatabaseConnection) {
    create(db, entity::access_change::Entity).await;
    create(db, entity::api_key::Entity).await;
    create(db, entity::app_user::Entity).await;
    create(db, entity::audit::Entity).await;
    create(db, entity::audit_anchor::Entity).await;
    create(db, entity::audit_head::Entity).await;
    create(db, entity::blob::Entity).await;
    create(db, entity::artifact::Entity).await;
    create(db, entity::blob_ref::Entity).await;
    create(db, entity::callback_cursor::Entity).await;
    create(db, entity::connection::Entity).await;
    create(db, entity::connection_lease::Entity).await;
    create(db, entity::connection_sign_in::Entity).await;
    create(db, entity::custom_role::Entity).await;
    create(db, entity::definition::Entity).await;
    create(db, entity::deployment::Entity).await;
    create(db, entity::deployment_change::Entity).await;
    create(db, entity::draft::Entity).await;
    create(db, entity::draft_change::Entity).await;
    create(db, entity::environment::Entity).await;
    create(db, entity::event_outbox::Entity).await;
    create(db, entity::feed::Entity).await;
    create(db, entity::invitation::Entity).await;
    create(db, entity::journal::Entity).await;
    create(db, entity::leader::Entity).await;
    create(db, entity::login_attempt::Entity).await;
    create(db, entity::login_link::Entity).await;
    create(db, entity::member::Entity).await;
    create(db, entity::logout_token::Entity).await;
    create(db, entity::node_run::Entity).await;
    create(db, entity::notification::Entity).await;
    create(db, entity::notification_attempt::Entity).await;
    create(db, entity::notification_delivery::Entity).await;
    create(db, entity::outbox::Entity).await;
    create(db, entity::project::Entity).await;
    create(db, entity::run::Entity).await;
    create(db, entity::run_inbox::Entity).await;
    create(db, entity::secret::Entity).await;
    create(db, entity::service_account::Entity).await;
    create(db, entity::signal_dedupe::Entity).await;
    create(db, entity::start_dedupe::Entity).await;
    create(db, entity::trigger_backfill::Entity).await;
    create(db, entity::trigger_binding::Entity).await;
    create(db, entity::trigger_event::Entity).await;
    create(db, entity::user_session::Entity).await;
    create(db, entity::variable::Entity).await;
    create(db, entity::version::Entity).await;
    create(db, entity::version_hashes::Entity).await;
    create(db, entity::version_signature::Entity).await;
    create(db, entity::webhook_seen::Entity).await;
    create(db, entity::webhook_url::Entity).await;
    create(db, entity::worker::Entity).await;
    create(db, entity::workflow::Entity).await;
    create(db, entity::workspace::Entity).await;
    create(db, entity::workspace_egress::Entity).await;
    create(db, entity::workspace_event::Entity).await;
    create(db, entity::workspace_key::Entity).await;
    create(db, entity::workspace_quota::Entity).await;
}

async fn entities_are_what_the_migrations_made(migrated: TestDatabase, empty: TestDatabase) {
    create_all(empty.database.write()).await;
    let (made, wanted) = (columns(migrated.database.read()).await, columns(empty.database.read()).await);
    assert_eq!(made, wanted);
    assert!(made.len() > 150, "{}", made.len());
}

#[tokio::test]
async fn on_sqlite_entities_are_what_the_migrations_made() {
    entities_are_what_the_migrations_made(TestDatabase::sqlite().await, TestDatabase::empty_sqlite().await).await;
}

#[tokio::test]
async fn on_postgres_entities_are_what_the_migrations_made() {
    entities_are_what_the_migrations_made(TestDatabase::postgres().await, TestDatabase::empty_postgres().await).await;
}

async fn objects(db: &DatabaseConnection) -> BTreeSet<Vec<String>> {
    let sql = match db.get_database_backend() {
        DatabaseBackend::Postgres => {
            "SELECT c.relname::text, coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(c.oid), c.relkind::text)
             FROM pg_class c LEFT JOIN pg_constraint k ON k.conrelid = c.oid
             WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'seaql_%'
             UNION SELECT polrelid::regclass::text, polname || coalesce(pg_get_expr(polqual, polrelid), '') FROM pg_policy
             UNION SELECT proname::text, 'function' FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        }
        _ => {
            "SELECT name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE '%seaql_%' AND name NOT LIKE 'sqlite_s%'"
        }
    };
    rows(db, sql).await.into_iter().collect()
}

async fn every_step_goes_forth_back_and_forth(test: TestDatabase) {
    let db = test.database.write();
    assert_eq!(objects(db).await, BTreeSet::new());
    Migrator::up(db, None).await.unwrap();
    let whole = objects(db).await;
    let steps = u32::try_from(Migrator::migrations().len()).unwrap();
    for _ in 0..steps {
        Migrator::down(db, Some(1)).await.unwrap();
    }
    assert_eq!(objects(db).await, BTreeSet::new(), "a way back leaves nothing");
    for _ in 0..steps {
        Migrator::up(db, Some(1)).await.unwrap();
    }
    assert_eq!(objects(db).await, whole);
}

#[tokio::test]
async fn on_sqlite_every_step_goes_forth_back_and_forth() {
    every_step_goes_forth_back_and_forth(TestDatabase::empty_sqlite().await).await;
}

#[tokio::test]
async fn on_postgres_every_step_goes_forth_back_and_forth() {
    every_step_goes_forth_back_and_forth(TestDatabase::empty_postgres().await).await;
}

async fn what_a_column_cannot_mean_is_refused(test: TestDatabase) {
    let db = test.database.write();
    let (bytes, empty) = match db.get_database_backend() {
        DatabaseBackend::Postgres => ("'\\x00'::bytea", "'00000000-0000-0000-0000-000000000000'"),
        _ => ("x'00'", "x'00000000000000000000000000000000'"),
    };
    let workspace = format!("INSERT INTO workspace VALUES ({empty}, 'a', 'a', {bytes}, '2026-01-01T00:00:00+00:00')");
    let worker = format!(
        "INSERT INTO worker VALUES ({empty}, 'w', 1, 1, 'TIRED', '0', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')"
    );
    for (sql, why) in [(workspace, "a salt has 16 bytes"), (worker, "TIRED is no word")] {
        let error = db.execute_unprepared(&sql).await.unwrap_err().to_string().to_lowercase();
        assert!(error.contains("check"), "{why}: {error}");
    }
}

#[tokio::test]
async fn on_sqlite_what_a_column_cannot_mean_is_refused() {
    what_a_column_cannot_mean_is_refused(TestDatabase::sqlite().await).await;
}

#[tokio::test]
async fn on_postgres_what_a_column_cannot_mean_is_refused() {
    what_a_column_cannot_mean_is_refused(TestDatabase::postgres().await).await;
}

/// Tables that requests have nothing to do with: no workspace in them, and no right on them.
const BESIDE_THE_WALL: [(&str, &str); 5] = [
    ("leader", "which process leads"),
    ("login_attempt", "a sign-in that was begun, before anybody is known"),
    ("logout_token", "tokens that the provider has shown already"),
    ("seaql_migrations", "which steps were carried out"),
    ("worker", "the installation's processes"),
];

/// What is wrong with a table's place behind the wall.
fn out_of_place(row: &[String]) -> Option<&'static str> {
    let [table, closed, policies, rights, partition, workspace] = row else { return Some("it cannot be read") };
    let is_beside = BESIDE_THE_WALL.iter().any(|(name, _)| name == table);
    let for_requests = policies.contains("workspace_");
    match (partition.as_str(), is_beside) {
        _ if workspace == "yes" && is_beside => Some("it has a workspace and belongs behind the wall"),
        ("yes", _) if closed == "yes" && policies == "engine" && rights == "no" => None,
        ("yes", _) => Some("nobody but the engine reaches a partition by itself"),
        (_, true) if rights == "no" => None,
        (_, true) => Some("requests have a right on it"),
        _ if closed == "yes" && for_requests && policies.contains("engine") && rights == "yes" => None,
        _ => Some(
            "call `wall::protect` for it in its migration step, or say in BESIDE_THE_WALL why requests have nothing to do \
             with it",
        ),
    }
}

#[tokio::test]
async fn on_postgres_every_table_is_behind_the_wall_or_beside_it_with_a_reason() {
    let test = TestDatabase::postgres().await;
    let sql = "SELECT c.relname::text,
            CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'yes' ELSE 'no' END,
            coalesce((SELECT string_agg(p.polname, ' ' ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid), ''),
            CASE WHEN has_table_privilege(flowforge_viewer_role(), c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
                THEN 'yes' ELSE 'no' END,
            CASE WHEN c.relispartition THEN 'yes' ELSE 'no' END,
            CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id')
                THEN 'yes' ELSE 'no' END
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')";
    let tables = rows(test.database.read(), sql).await;
    let wrong: Vec<String> =
        tables.iter().filter_map(|row| out_of_place(row).map(|why| format!("{}: {why}", row[0]))).collect();
    assert_eq!(wrong, Vec::<String>::new());
    assert!(tables.len() > 50, "{}", tables.len());
}
