//! The second wall on PostgreSQL. What a request asks goes over connections of another role, for which every table holds
//! only the rows of the request's workspace. Whoever works for no workspace says so here, or sees nothing.
//!
//! The workspace travels with the task. A pool asks for it whenever it hands out a connection, so nobody can be handed
//! one that still works for somebody else.

use std::pin::Pin;
use std::task::{Context, Poll};

use engine::id::WorkspaceId;
use futures::Stream;
use futures::stream::BoxStream;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, SqlxPostgresConnector, Statement};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};

use super::{Database, DatabaseOptions};

/// For whom a task works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// It is a part of the installation and may have to do with any workspace.
    System,
    /// For somebody in this workspace.
    Of(WorkspaceId),
    /// Nobody has said who they are.
    Nobody,
}

tokio::task_local! {
    static SCOPE: Scope;
}

/// Does `work` for a workspace: on PostgreSQL there are no other rows for it.
pub fn of<F: Future>(workspace: WorkspaceId, work: F) -> impl Future<Output = F::Output> {
    SCOPE.scope(Scope::Of(workspace), work)
}

/// Does `work` for nobody in particular: on PostgreSQL there are no rows for it, until a part of it says for whom it is.
pub fn of_nobody<F: Future>(work: F) -> impl Future<Output = F::Output> {
    SCOPE.scope(Scope::Nobody, work)
}

/// Does `work` for the installation itself, over all workspaces: to find out who asks, or what is meant before there is
/// a workspace. Each use of it is a hole in the wall and needs its reason.
pub fn of_system<F: Future>(work: F) -> impl Future<Output = F::Output> {
    SCOPE.scope(Scope::System, work)
}

/// The same as [`of`] for what is read bit by bit, by whichever task.
pub fn stream_of<T>(workspace: WorkspaceId, stream: BoxStream<'_, T>) -> impl Stream<Item = T> + Send {
    Walled { scope: Scope::Of(workspace), stream }
}

struct Walled<'a, T> {
    scope: Scope,
    stream: BoxStream<'a, T>,
}

impl<T> Stream for Walled<'_, T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let Self { scope, stream } = self.get_mut();
        SCOPE.sync_scope(*scope, || stream.as_mut().poll_next(context))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

/// Whether the task that asks stands outside of the wall; `unsaid` when nobody ever said.
pub(super) fn is_outside(unsaid: bool) -> bool {
    SCOPE.try_with(|scope| *scope == Scope::System).unwrap_or(unsaid)
}

/// What a connection is told. An empty text is no workspace.
fn here() -> String {
    let scope = SCOPE.try_with(|scope| *scope).unwrap_or(Scope::Nobody);
    match scope {
        Scope::Of(workspace) => workspace.0.to_string(),
        Scope::System | Scope::Nobody => String::new(),
    }
}

/// The connections of requests. None is opened before one is needed.
pub(super) fn pool(base: PgConnectOptions, options: &DatabaseOptions) -> DatabaseConnection {
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        // Telling it the workspace shows as well that it lives.
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async move { enter(connection).await }))
        .before_acquire(|connection, _| {
            Box::pin(async move { tell(connection, "SELECT set_config('flowforge.workspace', $1, false)").await })
        })
        .connect_lazy_with(base);
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

async fn tell(connection: &mut PgConnection, statement: &'static str) -> Result<bool, sqlx::Error> {
    sqlx::query(statement).bind(here()).execute(connection).await.map(|_| true)
}

/// Takes on the role of requests for as long as the connection lives. One whose role could do more than it should is
/// not used.
async fn enter(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let told: bool = sqlx::query_scalar(
        "SELECT set_config('role', flowforge_viewer_role(), false) = flowforge_viewer_role()
            AND set_config('flowforge.workspace', $1, false) = $1",
    )
    .bind(here())
    .fetch_one(&mut *connection)
    .await?;
    let weak: bool = sqlx::query_scalar(
        "SELECT NOT rolsuper AND NOT rolbypassrls AND rolname = flowforge_viewer_role() FROM pg_roles
         WHERE rolname = current_user",
    )
    .fetch_one(connection)
    .await?;
    if told && weak {
        Ok(())
    } else {
        Err(sqlx::Error::Protocol("the role of requests may do more than it should".to_owned()))
    }
}

/// What is missing of the wall.
#[derive(Debug, thiserror::Error)]
pub enum WallError {
    /// The tables are not there, or older.
    #[error("the database's tables are older than this program; run `flowforge migrate up`")]
    NotMigrated(#[source] DbErr),
    /// There is no role, and the owner could not make it.
    #[error(
        "requests need the role {role}, which this database user may not make. An administrator of the server adds it \
         by\n  CREATE ROLE \"{role}\" NOLOGIN NOINHERIT;\n  GRANT \"{role}\" TO \"{user}\";\nor \
         `database.row_security = false` goes without the second wall between workspaces"
    )]
    NoRole {
        /// Its name.
        role: String,
        /// Who has to be its member.
        user: String,
    },
    /// The role is there, and the owner may not take it on.
    #[error(
        "this database user may not take on the role {role}. An administrator of the server allows it by\n  \
         GRANT \"{role}\" TO \"{user}\";\nor `database.row_security = false` goes without the second wall between \
         workspaces"
    )]
    NotMember {
        /// Its name.
        role: String,
        /// Who has to be its member.
        user: String,
    },
    /// The role goes past every policy.
    #[error("the role {role} reaches every row: take SUPERUSER, BYPASSRLS and its membership in the owner away")]
    TooMuch {
        /// Its name.
        role: String,
    },
    /// A row was seen where there should be none, or a right is missing.
    #[error("requests without a workspace see rows of workspaces; the second wall does not stand")]
    Open,
    /// The database failed.
    #[error("whether the second wall stands could not be found out")]
    Failed(#[source] DbErr),
}

impl WallError {
    /// The stable word.
    pub fn code(&self) -> &'static str {
        "ROW_SECURITY_INCOMPLETE"
    }
}

impl Database {
    /// The same database for whatever answers requests: a task that has not said for whom it works sees nothing.
    #[must_use]
    pub fn for_requests(&self) -> Self {
        Self { unsaid_is_outside: false, ..self.clone() }
    }

    /// Whether requests go over connections that see only their workspace.
    pub fn has_wall(&self) -> bool {
        self.walled.is_some()
    }

    /// Looks whether the wall stands: who requests are, and that they see nothing without a workspace.
    ///
    /// # Errors
    /// What is missing, and how it is added.
    pub async fn check_wall(&self) -> Result<(), WallError> {
        let Some(walled) = &self.walled else { return Ok(()) };
        let statement = |sql| Statement::from_string(sea_orm::DatabaseBackend::Postgres, sql);
        let sql = "SELECT flowforge_viewer_role(), session_user::text, r.oid IS NOT NULL,
                coalesce(pg_has_role(session_user, r.oid,
                    CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END), false),
                coalesce(r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, c.relowner, 'MEMBER'), false)
            FROM pg_class c LEFT JOIN pg_roles r ON r.rolname = flowforge_viewer_role()
            WHERE c.oid = 'workspace'::regclass";
        let found = self.write.query_one_raw(statement(sql)).await.map_err(WallError::NotMigrated)?;
        let missing = || WallError::NotMigrated(DbErr::RecordNotFound("the table workspace".to_owned()));
        let row = found.ok_or_else(missing)?;
        let read = |index| row.try_get_by_index::<String>(index).map_err(WallError::Failed);
        let holds = |index| row.try_get_by_index::<bool>(index).map_err(WallError::Failed);
        let (role, user) = (read(0)?, read(1)?);
        if !holds(2)? {
            return Err(WallError::NoRole { role, user });
        }
        if !holds(3)? {
            return Err(WallError::NotMember { role, user });
        }
        if holds(4)? {
            return Err(WallError::TooMuch { role });
        }
        let seen = of_nobody(walled.query_all_raw(statement("SELECT FROM workspace LIMIT 1"))).await;
        if seen.map_err(WallError::Failed)?.is_empty() { Ok(()) } else { Err(WallError::Open) }
    }
}
