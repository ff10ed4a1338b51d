//! The second wall on PostgreSQL: queries that name no workspace, over the connections of requests.

use std::time::Duration;

use engine::id::WorkspaceId;
use migration::{Migrator, MigratorTrait as _};
use runtime::Database;
use runtime::clock::Clock;
use runtime::database::wall::{of, of_nobody, of_system, stream_of};
use runtime::database::{DatabaseOptions, WallError};
use runtime::testing::TestDatabase;
use sea_orm::{ConnectionTrait as _, DatabaseBackend, DbErr, Statement, TransactionTrait as _};

/// Two workspaces with a project and a run each.
struct Two {
    test: TestDatabase,
    /// As whatever answers requests has it.
    requests: Database,
    one: WorkspaceId,
    other: WorkspaceId,
}

async fn run(database: &Database, sql: &str) -> Result<u64, DbErr> {
    Ok(database.write().execute_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await?.rows_affected())
}

async fn texts(database: &Database, sql: &str) -> Vec<String> {
    let rows = database.read().query_all_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect()
}

async fn fill(database: &Database) -> WorkspaceId {
    let id = WorkspaceId(Clock::system().new_id());
    let own = id.0;
    for sql in [
        format!("INSERT INTO workspace VALUES ('{own}', '{own}', 'W', decode(repeat('07', 16), 'hex'), now())"),
        format!(
            "INSERT INTO project (id, workspace_id, slug, name, created_at) VALUES ('{own}', '{own}', 'p', 'P', now())"
        ),
        format!(
            "INSERT INTO run (id, workspace_id, project_id, workflow_id, definition_hash, environment, mode, status,
                claim, placement, priority, labels, trigger_node, input_digest, input_len, input_kind, origin_run_id,
                owner_epoch, adoptions, head_seq, head_digest, rules_version, created_by, created_at)
             VALUES ('{own}', '{own}', '{own}', '{own}', sha256(''), 'default', 'LIVE', 'SUCCEEDED', 'DONE', '', 0,
                '{{}}', 'start', sha256(''), 0, 'NULL', '{own}', 0, 0, 1, sha256(''), 1, 'test', now())"
        ),
        format!(
            "INSERT INTO node_run (run_id, node_key, scope, node_type, status, attempt, effect, items_settled)
             VALUES ('{own}', 'start', '', 'trigger.manual@1', 'SUCCEEDED', 1, 'PURE', 0)"
        ),
        format!(
            "INSERT INTO audit (id, workspace_id, seq, actor_kind, action, entity, at)
             VALUES ('{own}', '{own}', 1, 'COMMAND', 'test', 'test', now())"
        ),
    ] {
        run(database, &sql).await.unwrap();
    }
    id
}

impl Two {
    async fn on(test: TestDatabase) -> Self {
        let (one, other) = (fill(&test.database).await, fill(&test.database).await);
        Self { requests: test.database.for_requests(), test, one, other }
    }

    async fn new() -> Self {
        Self::on(TestDatabase::postgres().await).await
    }
}

/// What says whose a row is, in tables of every kind.
const WHOSE: [&str; 5] = [
    "SELECT id::text FROM workspace",
    "SELECT workspace_id::text FROM project",
    "SELECT workspace_id::text FROM run",
    "SELECT run_id::text FROM node_run",
    "SELECT workspace_id::text FROM audit",
];

async fn only_own_rows_are_seen(two: &Two) {
    for whose in WHOSE {
        for own in [two.one, two.other] {
            assert_eq!(of(own, texts(&two.requests, whose)).await, [own.0.to_string()], "{whose}");
        }
        assert_eq!(texts(&two.test.database, whose).await.len(), 2, "the engine sees all: {whose}");
        assert_eq!(of_system(texts(&two.requests, whose)).await.len(), 2, "{whose}");
    }
}

#[tokio::test]
async fn a_query_that_forgets_its_workspace_sees_no_foreign_row() {
    only_own_rows_are_seen(&Two::new().await).await;
}

#[tokio::test]
async fn a_change_that_forgets_its_workspace_touches_no_foreign_row() {
    let two = Two::new().await;
    let (one, other) = (two.one.0, two.other.0);
    of(two.one, async {
        assert_eq!(run(&two.requests, "UPDATE project SET name = 'mine'").await.unwrap(), 1);
        let aimed = format!("UPDATE project SET name = 'mine' WHERE workspace_id = '{other}'");
        assert_eq!(run(&two.requests, &aimed).await.unwrap(), 0);
        for given in [
            format!("UPDATE project SET workspace_id = '{other}'"),
            format!("INSERT INTO project VALUES ('{}', '{other}', 'q', 'Q', now())", Clock::system().new_id()),
        ] {
            let error = run(&two.requests, &given).await.unwrap_err().to_string();
            assert!(error.contains("row-level security"), "{error}");
        }
        assert_eq!(run(&two.requests, "DELETE FROM project").await.unwrap(), 1);
    })
    .await;
    assert_eq!(
        texts(&two.test.database, "SELECT workspace_id::text || name FROM project").await,
        [format!("{other}P")]
    );
    assert_ne!(one, other);
}

#[tokio::test]
async fn who_has_not_said_for_whom_sees_nothing_and_writes_nothing() {
    let two = Two::new().await;
    for whose in WHOSE {
        assert_eq!(texts(&two.requests, whose).await, Vec::<String>::new(), "unsaid: {whose}");
        assert_eq!(of_nobody(texts(&two.requests, whose)).await, Vec::<String>::new(), "{whose}");
        // The engine's own handle, within a request that nobody has signed yet.
        assert_eq!(of_nobody(texts(&two.test.database, whose)).await, Vec::<String>::new(), "{whose}");
    }
    assert_eq!(run(&two.requests, "UPDATE project SET name = 'x'").await.unwrap(), 0);
    assert_eq!(run(&two.requests, "DELETE FROM project").await.unwrap(), 0);
    let insert = format!("INSERT INTO project VALUES ('{0}', '{0}', 'q', 'Q', now())", two.one.0);
    run(&two.requests, &insert).await.unwrap_err();
    let spawned = tokio_util::task::TaskTracker::new();
    let requests = two.requests.clone();
    let task = of(two.one, async move { spawned.spawn(async move { texts(&requests, WHOSE[1]).await }).await });
    assert_eq!(task.await.unwrap(), Vec::<String>::new(), "a task of its own does not know for whom it works");
}

#[tokio::test]
async fn requests_have_a_role_that_owns_nothing_and_passes_no_policy() {
    let two = Two::new().await;
    two.test.database.check_wall().await.unwrap();
    let who = "SELECT concat_ws(' ', current_user = flowforge_viewer_role(), rolsuper, rolbypassrls, rolcanlogin,
            (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid))
        FROM pg_roles r WHERE rolname = current_user";
    assert_eq!(of(two.one, texts(&two.requests, who)).await, ["t f f f 0"]);
    for refused in [
        "UPDATE audit SET action = 'x'",
        "DELETE FROM audit",
        "DELETE FROM workspace",
        "INSERT INTO run SELECT * FROM run",
        "INSERT INTO node_run SELECT * FROM node_run",
        "TRUNCATE project",
        "ALTER TABLE project DISABLE ROW LEVEL SECURITY",
        "DROP POLICY engine ON project",
        "SELECT FROM run_default",
        "SELECT FROM worker",
        "SELECT FROM login_attempt",
    ] {
        let error = of(two.one, run(&two.requests, refused)).await.unwrap_err().to_string();
        assert!(error.contains("permission denied") || error.contains("must be owner"), "{refused}: {error}");
    }
}

#[tokio::test]
async fn a_connection_that_another_workspace_takes_shows_only_that_ones_rows() {
    let two = Two::new().await;
    let one_at_a_time = DatabaseOptions { max_connections: 1, ..DatabaseOptions::default() };
    let narrow = Database::connect(&two.test.url, &one_at_a_time).await.unwrap().for_requests();
    let both = "SELECT pg_backend_pid()::text || ' ' || coalesce(string_agg(slug, ','), '') FROM workspace";
    let seen = async || texts(&narrow, both).await.remove(0);
    let first = of(two.one, seen()).await;
    let pid = first.split(' ').next().unwrap().to_owned();
    let is = |workspace: &str| format!("{pid} {workspace}");
    assert_eq!(first, is(&two.one.0.to_string()));
    assert_eq!(of(two.other, seen()).await, is(&two.other.0.to_string()));
    assert_eq!(seen().await, is(""), "the last one's workspace is not kept for who says nothing");
    // A transaction that is dropped, and one whose statement failed.
    of(two.one, async {
        let open = narrow.begin_write().await.unwrap();
        open.execute_unprepared("UPDATE project SET name = 'dropped'").await.unwrap();
    })
    .await;
    assert_eq!(of(two.other, seen()).await, is(&two.other.0.to_string()));
    of(two.one, async {
        let open = narrow.begin_write().await.unwrap();
        open.execute_unprepared("SELECT 1 / 0").await.unwrap_err();
        open.rollback().await.unwrap();
    })
    .await;
    assert_eq!(of(two.other, seen()).await, is(&two.other.0.to_string()));
    assert_eq!(texts(&two.test.database, "SELECT name FROM project WHERE name <> 'P'").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_requests_of_two_workspaces_at_once_never_mix() {
    let two = Two::new().await;
    let asked = (0..1_000).map(|n| {
        let (database, own) = (two.requests.clone(), if n % 2 == 0 { two.one } else { two.other });
        let work = of(own, async move {
            if n % 10 == 9 {
                // Its asker goes away somewhere on the way.
                let asking = texts(&database, WHOSE[3]);
                let _ = tokio::time::timeout(Duration::from_micros(n * 7), asking).await;
                return vec![own.0.to_string()];
            }
            if n % 3 == 0 {
                let open = database.begin_write().await.unwrap();
                let statement = Statement::from_string(DatabaseBackend::Postgres, WHOSE[1]);
                let rows = open.query_all_raw(statement).await.unwrap();
                open.commit().await.unwrap();
                return rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect();
            }
            texts(&database, WHOSE[usize::try_from(n).unwrap() % WHOSE.len()]).await
        });
        async move { (own, tokio::spawn(work).await.unwrap()) }
    });
    for (own, seen) in futures::future::join_all(asked).await {
        assert_eq!(seen, [own.0.to_string()]);
    }
}

#[tokio::test]
async fn a_stream_works_for_its_workspace_whoever_reads_it() {
    use futures::StreamExt as _;
    let two = Two::new().await;
    let reads = futures::stream::iter(0..3).then(|_| texts(&two.requests, WHOSE[1])).boxed();
    let read: Vec<_> = of(two.other, stream_of(two.one, reads).collect()).await;
    assert_eq!(read, vec![vec![two.one.0.to_string()]; 3]);
}

#[tokio::test]
async fn an_owner_that_is_no_superuser_drives_runs_and_its_requests_are_behind_the_wall() {
    let test = TestDatabase::empty_postgres_of("CREATEROLE").await;
    Migrator::up(test.database.write(), None).await.unwrap();
    test.database.check_wall().await.unwrap();
    only_own_rows_are_seen(&Two::on(test).await).await;
}

#[tokio::test]
async fn an_owner_that_may_make_no_roles_is_told_what_an_administrator_has_to_do() {
    let test = TestDatabase::empty_postgres_of("NOCREATEROLE").await;
    Migrator::up(test.database.write(), None).await.unwrap();
    let error = test.database.check_wall().await.unwrap_err();
    let WallError::NoRole { role, user } = &error else { panic!("{error}") };
    test.as_administrator(&format!("CREATE ROLE \"{role}\" NOLOGIN NOINHERIT")).await;
    let error_then = test.database.check_wall().await.unwrap_err();
    assert!(matches!(error_then, WallError::NotMember { .. }), "{error_then}");
    let grant = format!("GRANT \"{role}\" TO \"{user}\"");
    assert!(error.to_string().contains(&grant), "{error}");
    test.as_administrator(&grant).await;
    migration::stand_wall(test.database.write()).await.unwrap();
    test.database.check_wall().await.unwrap();
    only_own_rows_are_seen(&Two::on(test).await).await;
}

#[tokio::test]
async fn a_role_that_passes_policies_is_not_used() {
    let test = TestDatabase::empty_postgres_of("CREATEROLE").await;
    Migrator::up(test.database.write(), None).await.unwrap();
    let role = texts(&test.database, "SELECT flowforge_viewer_role()").await.remove(0);
    test.as_administrator(&format!("ALTER ROLE \"{role}\" BYPASSRLS")).await;
    assert!(matches!(test.database.check_wall().await, Err(WallError::TooMuch { .. })));
    let refused = test.database.for_requests().read().begin().await;
    assert!(refused.is_err(), "no request is answered over such a connection");
}

#[tokio::test]
async fn databases_of_one_owner_are_migrated_at_the_same_time() {
    let first = TestDatabase::empty_postgres_of("CREATEROLE").await;
    let mut all = vec![first];
    for _ in 0..4 {
        let beside = all[0].beside().await;
        all.push(beside);
    }
    let migrating = all.iter().map(|test| async {
        Migrator::up(test.database.write(), None).await.unwrap();
        test.database.check_wall().await.unwrap();
    });
    futures::future::join_all(migrating).await;
    // The owner goes with the first.
    all.reverse();
}

#[tokio::test]
async fn without_the_setting_there_is_no_second_wall_and_it_can_be_asked() {
    let test = TestDatabase::postgres().await;
    let off = DatabaseOptions { row_security: false, ..DatabaseOptions::default() };
    let open = Database::connect(&test.url, &off).await.unwrap();
    assert!(!open.has_wall() && test.database.has_wall());
    fill(&test.database).await;
    assert_eq!(texts(&open.for_requests(), WHOSE[0]).await.len(), 1);
}
