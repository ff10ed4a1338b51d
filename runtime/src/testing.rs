//! Databases for tests: each its own, migrated, gone afterwards. PostgreSQL is a real server, never a stand-in.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that has no database ends here, saying why")]

use std::str::FromStr as _;

use engine::time::Timestamp;
use migration::{Migrator, MigratorTrait as _};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::database::{Database, DatabaseOptions};

/// The variable that names a running PostgreSQL: the URL of any database that its user may make others from.
pub const POSTGRES_VARIABLE: &str = "FLOWFORGE_TEST_POSTGRES";

/// Databases that a killed test left behind are dropped after this many minutes.
const LEFT_BEHIND_MINUTES: u64 = 60;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A migrated, empty database that is dropped with this value.
pub struct TestDatabase {
    /// The handles.
    pub database: Database,
    /// What to connect another process or pool to.
    pub url: String,
    folder: Option<TempDir>,
    name: Option<String>,
    /// A role that owns the database and goes with it.
    owner: Option<String>,
}

impl TestDatabase {
    /// On SQLite, in a folder of its own.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let database = Database::connect(&url, &few()).await.expect("an SQLite database");
        Migrator::up(database.write(), None).await.expect("the migrations");
        Self { database, url, folder: Some(folder), name: None, owner: None }
    }

    /// On PostgreSQL, from a template that this process migrates once.
    ///
    /// # Panics
    /// When there is no server: such a test must fail rather than be skipped.
    pub async fn postgres() -> Self {
        let template = TEMPLATE.get_or_init(make_template).await;
        let name = fresh_name();
        let mut admin = admin().await;
        run(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let url = url_of(&name);
        let database = Database::connect(&url, &few()).await.expect("the database just made");
        Self { database, url, folder: None, name: Some(name), owner: None }
    }

    /// An unmigrated database on PostgreSQL.
    ///
    /// # Panics
    /// When there is no server.
    pub async fn empty_postgres() -> Self {
        let name = fresh_name();
        run(&mut admin().await, format!("CREATE DATABASE {name}")).await;
        let url = url_of(&name);
        let database = Database::connect(&url, &few()).await.expect("the database just made");
        Self { database, url, folder: None, name: Some(name), owner: None }
    }

    /// An unmigrated database on PostgreSQL that a role of its own owns, with these attributes and no others.
    ///
    /// # Panics
    /// When there is no server.
    pub async fn empty_postgres_of(attributes: &str) -> Self {
        let (name, owner) = (fresh_name(), fresh_name());
        let mut admin = admin().await;
        run(&mut admin, format!("CREATE ROLE {owner} LOGIN PASSWORD '{owner}' {attributes}")).await;
        run(&mut admin, format!("CREATE DATABASE {name} OWNER {owner}")).await;
        let url = url_as(&name, &owner);
        let database = Database::connect(&url, &few()).await.expect("the database just made");
        Self { database, url, folder: None, name: Some(name), owner: Some(owner) }
    }

    /// Another unmigrated database of the same owner; it has to go before this one.
    ///
    /// # Panics
    /// When this one has no owner of its own.
    pub async fn beside(&self) -> Self {
        let (name, owner) = (fresh_name(), self.owner.as_deref().expect("an owner of its own"));
        run(&mut admin().await, format!("CREATE DATABASE {name} OWNER {owner}")).await;
        let url = url_as(&name, owner);
        let database = Database::connect(&url, &few()).await.expect("the database just made");
        Self { database, url, folder: None, name: Some(name), owner: None }
    }

    /// Does what only an administrator of the server may.
    ///
    /// # Panics
    /// When it fails.
    pub async fn as_administrator(&self, sql: &str) {
        run(&mut admin().await, sql.to_owned()).await;
    }

    /// An unmigrated database on SQLite.
    ///
    /// # Panics
    /// When there is no room for it.
    pub async fn empty_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let database = Database::connect(&url, &few()).await.expect("an SQLite database");
        Self { database, url, folder: Some(folder), name: None, owner: None }
    }

    /// The folder of an SQLite database.
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_ref().map(TempDir::path)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(name) = self.name.take() else { return };
        let owner = self.owner.take();
        // A runtime of its own: the test's may be one that cannot block, or be ending.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(async {
                    let mut admin = admin().await;
                    run(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                    if let Some(owner) = owner {
                        run(&mut admin, format!("DROP ROLE IF EXISTS flowforge_app_{owner}, {owner}")).await;
                    }
                });
            }
        });
        // A failed drop is cleared away by a later process.
        let _ = dropped.join();
    }
}

fn few() -> DatabaseOptions {
    DatabaseOptions { max_connections: 4, journal_connections: 4, ..DatabaseOptions::default() }
}

#[expect(clippy::disallowed_methods, reason = "a test has no settings")]
fn base_url() -> String {
    std::env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
        panic!("{POSTGRES_VARIABLE} names no PostgreSQL server; `make test` starts one and sets it")
    })
}

/// The same server as another user, who can show a password of that name.
fn url_as(name: &str, user: &str) -> String {
    let url = url_of(name);
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (before, path) = rest.split_once('/').expect("a database");
    let host = before.rsplit_once('@').map_or(before, |(_, host)| host);
    format!("{scheme}://{user}:{user}@{host}/{path}")
}

fn url_of(name: &str) -> String {
    let base = base_url();
    let (address, query) = base.split_once('?').map_or((base.as_str(), None), |(a, q)| (a, Some(q)));
    let server = address.rsplit_once('/').map_or(address, |(server, _)| server);
    query.map_or_else(|| format!("{server}/{name}"), |query| format!("{server}/{name}?{query}"))
}

async fn admin() -> PgConnection {
    let options = PgConnectOptions::from_str(&base_url()).expect("a PostgreSQL URL");
    PgConnection::connect_with(&options).await.expect("the PostgreSQL server answers")
}

async fn run(connection: &mut PgConnection, sql: String) {
    connection.execute(AssertSqlSafe(sql)).await.expect("an administrator's statement");
}

/// `ff_test_<minutes since 1970>_<random>`: the minutes let a later process tell what was left behind.
fn fresh_name() -> String {
    format!("ff_test_{}_{}", minutes_now(), Clock::system().new_id().simple())
}

fn minutes_now() -> u64 {
    Clock::system().now().since(Timestamp::default()).as_secs() / 60
}

async fn make_template() -> String {
    let mut admin = admin().await;
    drop_left_behind(&mut admin).await;
    let name = fresh_name();
    run(&mut admin, format!("CREATE DATABASE {name}")).await;
    let database = Database::connect(&url_of(&name), &few()).await.expect("the template");
    Migrator::up(database.write(), None).await.expect("the migrations");
    // A template must have no session.
    database.close().await;
    name
}

async fn drop_left_behind(admin: &mut PgConnection) {
    let names: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE 'ff_test_%'")
        .fetch_all(&mut *admin)
        .await
        .expect("the list of databases");
    for name in names {
        let made = name.split('_').nth(2).and_then(|minutes| minutes.parse::<u64>().ok()).unwrap_or(0);
        if made + LEFT_BEHIND_MINUTES < minutes_now() {
            // Another process may be dropping it too.
            let _ = admin.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).await;
        }
    }
    // Those that own nothing any more; the others refuse to go.
    let roles: Vec<String> = sqlx::query_scalar(
        "SELECT rolname::text FROM pg_roles WHERE rolname ~ '^(flowforge_app_)?ff_test_'
             AND NOT EXISTS (SELECT FROM pg_database d WHERE d.datdba = pg_roles.oid)",
    )
    .fetch_all(&mut *admin)
    .await
    .expect("the list of roles");
    for role in roles {
        let made =
            role.trim_start_matches("flowforge_app_").split('_').nth(2).and_then(|made| made.parse::<u64>().ok());
        if made.unwrap_or(0) + LEFT_BEHIND_MINUTES < minutes_now() {
            let _ = admin.execute(AssertSqlSafe(format!("DROP ROLE IF EXISTS {role}"))).await;
        }
    }
}
