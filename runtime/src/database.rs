//! The connections: one writer and several readers on SQLite, pools on PostgreSQL, and apart from both the small pool
//! that the journal writes through.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode, SqlxPostgresConnector,
    SqlxSqliteConnector, TransactionOptions, TransactionTrait as _,
};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

mod lock;
mod time;
pub mod wall;

pub use lock::{FolderLock, lock_folder};
pub use time::{from_column, to_column};
pub use wall::WallError;

/// Whether the database was asked with a text that it can neither keep nor compare: PostgreSQL takes no U+0000, which it
/// says by `character_not_in_repertoire` (22021).
pub fn is_unusable_text(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return false;
    };
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "22021")
}

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL names no database that FlowForge can use.
    #[error("a database URL starts with `sqlite://` or `postgres://`")]
    UnknownScheme,
    /// The URL cannot be read. The URL itself is left out: it may hold a password.
    #[error("the database URL cannot be read")]
    UnreadableUrl(#[source] sqlx::Error),
    /// A database in memory would lose every run at the end of the process.
    #[error("an SQLite database needs a path: `sqlite://data/flowforge.db`")]
    InMemory,
    /// Nobody answered, or not as a database.
    #[error("the database does not answer")]
    Unreachable(#[source] sqlx::Error),
    /// A folder or file could not be made or opened.
    #[error("{path} cannot be opened")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Another `serve` runs on the same folder.
    #[error("{path} is in use by another process; only one may serve a folder at a time")]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
}

impl DatabaseError {
    /// The stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownScheme | Self::UnreadableUrl(_) | Self::InMemory => "DATABASE_URL_INVALID",
            Self::Unreachable(_) => "DATABASE_UNREACHABLE",
            Self::Folder { .. } => "DATA_FOLDER_UNUSABLE",
            Self::InUse { .. } => "DATA_FOLDER_IN_USE",
        }
    }
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// PostgreSQL 15 or later.
    Postgres,
    /// SQLite in a file of its own.
    Sqlite,
}

/// How large the pools are and how long anybody waits for a connection.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// Connections for everything but the journal: on PostgreSQL the pool, and as many again for requests; on SQLite the
    /// readers.
    pub max_connections: u32,
    /// Connections of the journal on PostgreSQL; on SQLite it shares the one writer.
    pub journal_connections: u32,
    /// Longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// Whether requests go over connections of their own, which see only their workspace. PostgreSQL only.
    pub row_security: bool,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self { max_connections: 8, journal_connections: 4, acquire_timeout: Duration::from_secs(5), row_security: true }
    }
}

/// The pool that journals are written through, for statements that no query builder makes.
#[derive(Debug, Clone)]
pub enum JournalPool {
    /// Its sessions plan for index lookups only, whatever the statistics of the moment say.
    Postgres(PgPool),
    /// The one writer of the process.
    Sqlite(SqlitePool),
}

/// How full a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// `main`, `journal` and `requests` on PostgreSQL, `readers` and `writer` on SQLite.
    pub name: &'static str,
    /// Open connections that nobody uses.
    pub idle: u32,
    /// Open connections in use.
    pub used: u32,
    /// Most that it opens.
    pub most: u32,
}

/// How to open another connection later.
#[derive(Debug, Clone)]
enum Source {
    Postgres(Box<PgConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

/// Handles to one database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    kind: DatabaseKind,
    read: DatabaseConnection,
    write: DatabaseConnection,
    journal: JournalPool,
    source: Source,
    /// The connections of requests, where there are such.
    walled: Option<DatabaseConnection>,
    /// Whether a task that never said for whom it works is a part of the engine.
    unsaid_is_outside: bool,
}

/// The SQLite writer waits this long for another process, such as `flowforge key create`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl Database {
    /// Opens the database at `url`: `sqlite://path` (made when it is not there) or `postgres://…` (TLS as its
    /// `sslmode` says). Migrates nothing.
    ///
    /// # Errors
    /// When the URL is no such URL, or nobody answers.
    pub async fn connect(url: &str, options: &DatabaseOptions) -> Result<Self, DatabaseError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::connect_postgres(url, options).await
        } else if url.starts_with("sqlite:") {
            Self::connect_sqlite(url, options).await
        } else {
            Err(DatabaseError::UnknownScheme)
        }
    }

    async fn connect_postgres(url: &str, options: &DatabaseOptions) -> Result<Self, DatabaseError> {
        let base = PgConnectOptions::from_str(url)
            .map_err(DatabaseError::UnreadableUrl)?
            .application_name("flowforge")
            // A process that stops inside a transaction must not hold its locks.
            .options([
                ("idle_in_transaction_session_timeout", "2s"),
                ("lock_timeout", "5s"),
                ("synchronous_commit", "on"),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_with(base.clone().options([("statement_timeout", "30s")]))
            .await
            .map_err(DatabaseError::Unreachable)?;
        let journal = PgPoolOptions::new()
            .max_connections(options.journal_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_with(base.clone().options([
                ("statement_timeout", "10s"),
                // Every lookup of the journal is by a key. A plan made while the tables were small would scan them,
                // and be kept long after they are large.
                ("plan_cache_mode", "force_generic_plan"),
                ("enable_seqscan", "off"),
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
                ("jit", "off"),
            ]))
            .await
            .map_err(DatabaseError::Unreachable)?;
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        let walled =
            options.row_security.then(|| wall::pool(base.clone().options([("statement_timeout", "30s")]), options));
        Ok(Self {
            kind: DatabaseKind::Postgres,
            read: connection.clone(),
            write: connection,
            journal: JournalPool::Postgres(journal),
            source: Source::Postgres(Box::new(base.options([("statement_timeout", "2s")]))),
            walled,
            unsaid_is_outside: true,
        })
    }

    async fn connect_sqlite(url: &str, options: &DatabaseOptions) -> Result<Self, DatabaseError> {
        let base = SqliteConnectOptions::from_str(url).map_err(DatabaseError::UnreadableUrl)?;
        let path = base.get_filename().to_owned();
        if path.as_os_str().is_empty() || url.contains(":memory:") || url.contains("mode=memory") {
            return Err(DatabaseError::InMemory);
        }
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let base = base
            .create_if_missing(true)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = Self::sqlite_pool()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(options.acquire_timeout)
            .connect_with(base.clone())
            .await
            .map_err(DatabaseError::Unreachable)?;
        let readers = Self::sqlite_pool()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_with(base.clone().pragma("query_only", "ON"))
            .await
            .map_err(DatabaseError::Unreachable)?;
        Ok(Self {
            kind: DatabaseKind::Sqlite,
            read: SqlxSqliteConnector::from_sqlx_sqlite_pool(readers),
            write: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer.clone()),
            journal: JournalPool::Sqlite(writer),
            source: Source::Sqlite(Box::new(base)),
            walled: None,
            unsaid_is_outside: true,
        })
    }

    /// Which database this is.
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// For reads. On SQLite its connections refuse to write.
    pub fn read(&self) -> &DatabaseConnection {
        self.walled().unwrap_or(&self.read)
    }

    /// For single statements that write. On SQLite this is the one writer that the journal needs too.
    pub fn write(&self) -> &DatabaseConnection {
        self.walled().unwrap_or(&self.write)
    }

    /// The connections behind the wall, for tasks that belong there.
    fn walled(&self) -> Option<&DatabaseConnection> {
        self.walled.as_ref().filter(|_| !wall::is_outside(self.unsaid_is_outside))
    }

    /// A transaction that may write. On SQLite it holds the one writer from its start, so that a read in it stays true
    /// until its end; nothing but SQL may be awaited in it.
    ///
    /// # Errors
    /// When there is no connection in time.
    pub async fn begin_write(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite_transaction_mode = match self.kind {
            DatabaseKind::Postgres => None,
            DatabaseKind::Sqlite => Some(SqliteTransactionMode::Immediate),
        };
        self.write().begin_with_options(TransactionOptions { sqlite_transaction_mode, ..Default::default() }).await
    }

    /// The journal's pool.
    pub fn journal(&self) -> &JournalPool {
        &self.journal
    }

    /// Pools give no connection out again that still counts a transaction when it comes back. A full disk, or one that
    /// fails, makes SQLite end a transaction by itself; the client's own rollback then fails, it counts on, and nothing
    /// could ever be begun on that connection again. The next one is opened anew.
    fn sqlite_pool() -> SqlitePoolOptions {
        SqlitePoolOptions::new().after_release(|connection, _| {
            Box::pin(async move {
                // Behind a rollback that is on its way.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
    }

    /// A connection of its own that waits for nothing else here. It belongs to the tokio runtime it is first used in,
    /// so a thread with a runtime of its own calls this itself.
    pub fn separate(&self) -> DatabaseConnection {
        match &self.source {
            Source::Postgres(options) => SqlxPostgresConnector::from_sqlx_postgres_pool(
                PgPoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(Duration::from_secs(2))
                    .connect_lazy_with(options.as_ref().clone()),
            ),
            Source::Sqlite(options) => SqlxSqliteConnector::from_sqlx_sqlite_pool(
                Self::sqlite_pool()
                    .max_connections(1)
                    .acquire_timeout(Duration::from_secs(2))
                    .connect_lazy_with(options.as_ref().clone()),
            ),
        }
    }

    /// Whether the database answers a question now.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        let answer = match &self.journal {
            JournalPool::Postgres(pool) => match pool.acquire().await {
                Ok(mut connection) => connection.ping().await,
                Err(error) => Err(error),
            },
            JournalPool::Sqlite(_) => self.read.ping().await.map_err(|error| sqlx::Error::Protocol(error.to_string())),
        };
        answer.map_err(DatabaseError::Unreachable)
    }

    /// How `LISTEN` gets its own connections; `None` on SQLite.
    pub(crate) fn listen_options(&self) -> Option<PgConnectOptions> {
        match &self.source {
            Source::Postgres(options) => Some(options.as_ref().clone()),
            Source::Sqlite(_) => None,
        }
    }

    /// How full each pool is at this moment.
    pub fn pools(&self) -> Vec<PoolUse> {
        let of = |name, size: u32, idle: usize, most| {
            let idle = u32::try_from(idle).unwrap_or(size).min(size);
            PoolUse { name, idle, used: size - idle, most }
        };
        match &self.journal {
            JournalPool::Postgres(journal) => {
                let requests = self.walled.as_ref().map(|walled| ("requests", walled.get_postgres_connection_pool()));
                let pools = [("main", self.read.get_postgres_connection_pool()), ("journal", journal)];
                let pools = pools.into_iter().chain(requests);
                pools
                    .map(|(name, pool)| of(name, pool.size(), pool.num_idle(), pool.options().get_max_connections()))
                    .collect()
            }
            JournalPool::Sqlite(writer) => {
                let readers = self.read.get_sqlite_connection_pool();
                vec![
                    of("readers", readers.size(), readers.num_idle(), readers.options().get_max_connections()),
                    of("writer", writer.size(), writer.num_idle(), writer.options().get_max_connections()),
                ]
            }
        }
    }

    /// Closes every pool: what was begun is finished, and on SQLite the write-ahead log is folded into the file.
    pub async fn close(&self) {
        match &self.journal {
            JournalPool::Postgres(pool) => pool.close().await,
            JournalPool::Sqlite(pool) => pool.close().await,
        }
        for connection in [&self.read, &self.write].into_iter().chain(&self.walled) {
            if let Err(error) = connection.close_by_ref().await {
                tracing::warn!(%error, "a database pool did not close");
            }
        }
    }
}

fn make_folder(folder: &Path) -> Result<(), DatabaseError> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    make_private_folder(folder).map_err(|source| DatabaseError::Folder { path: folder.to_owned(), source })
}

/// Makes a folder, and those above it, that only this user may read: it holds inputs, results and keys. One that is
/// there keeps its mode.
///
/// # Errors
/// As [`std::fs::DirBuilder::create`].
pub fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

#[cfg(test)]
mod tests;
