//! Row-level security on PostgreSQL: the second wall around a workspace. Queries name their workspace by themselves; one
//! that forgets to still reaches no foreign row. SQLite has nothing like it, and nothing here does anything there.
//!
//! A new table says in its own step who may reach which of its rows: `wall::protect(manager, "…", Rows::…, MAY_ALL)`.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

/// The workspace that a connection works for. Without one it is NULL, which no row equals. In a query of its own, so
/// that it is read once and not for each row.
const HERE: &str = "(SELECT nullif(current_setting('flowforge.workspace', true), '')::uuid)";

/// What the role of requests may do with the rows that it sees.
pub(crate) const MAY_ALL: &[&str] = &["ALL"];
pub(crate) const MAY_READ: &[&str] = &["SELECT"];
/// What was written stays as it is.
pub(crate) const MAY_APPEND: &[&str] = &["SELECT", "INSERT"];
/// Written for others to read.
pub(crate) const MAY_DROP_IN: &[&str] = &["INSERT"];

/// Which rows belong to a workspace.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rows {
    /// Those whose column is its id.
    Of(&'static str),
    /// Those whose column names a row of another table that carries the workspace: column, table, its key.
    Under(&'static str, &'static str, &'static str),
    /// Those that this condition holds for.
    Where(&'static str),
}

impl Rows {
    fn condition(self, table: &str) -> String {
        match self {
            Self::Of(column) => format!("{table}.{column} = {HERE}"),
            // Looked up row by row: PostgreSQL may turn an EXISTS into a list of everything that the workspace has.
            Self::Under(column, parent, key) => {
                format!("(SELECT p.workspace_id FROM {parent} p WHERE p.{key} = {table}.{column}) = {HERE}")
            }
            Self::Where(condition) => condition.to_owned(),
        }
    }
}

/// Puts a table behind the wall, its partitions too: whoever is not its owner reaches `rows` of the workspace that the
/// connection works for, and the role of requests may do `may` with them. The owner, which drives runs, reaches all.
pub(crate) async fn protect(manager: &SchemaManager<'_>, table: &str, rows: Rows, may: &[&str]) -> Result<(), DbErr> {
    if manager.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    let mut sql = close(table);
    for part in partitions(manager, table).await? {
        sql.push_str(&close(&part));
    }
    let condition = rows.condition(table);
    for command in may {
        let name = format!("workspace_{}", command.to_lowercase());
        let bounds = match *command {
            "INSERT" => format!("WITH CHECK ({condition})"),
            "SELECT" | "DELETE" => format!("USING ({condition})"),
            _ => format!("USING ({condition}) WITH CHECK ({condition})"),
        };
        sql.push_str(&format!("CREATE POLICY {name} ON {table} FOR {command} {bounds};\n"));
    }
    let connection = manager.get_connection();
    connection.execute_unprepared(&sql).await?;
    connection.execute_unprepared(STAND).await.map(drop)
}

/// Takes the wall away again.
pub(crate) async fn unprotect(manager: &SchemaManager<'_>, table: &str, may: &[&str]) -> Result<(), DbErr> {
    if manager.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    let mut sql = String::new();
    for command in may {
        sql.push_str(&format!("DROP POLICY workspace_{} ON {table};\n", command.to_lowercase()));
    }
    let mut tables = partitions(manager, table).await?;
    tables.push(table.to_owned());
    for table in tables {
        sql.push_str(&format!(
            "DROP POLICY engine ON {table}; ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
             ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;\n"
        ));
    }
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}

fn close(table: &str) -> String {
    format!(
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
         CREATE POLICY engine ON {table} TO CURRENT_USER USING (true) WITH CHECK (true);\n"
    )
}

async fn partitions(manager: &SchemaManager<'_>, table: &str) -> Result<Vec<String>, DbErr> {
    let sql = format!("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass");
    let found = manager.get_connection().query_all_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await?;
    found.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// The role that requests take on. Each owner has one of its own: roles belong to all databases of a server, and owners
/// of different installations must not meet in one. Roles' names have 63 bytes.
pub(crate) const NAME_ROLE: &str = "CREATE FUNCTION flowforge_viewer_role() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'flowforge_app_' || CASE WHEN octet_length(r.rolname::text) <= 49 THEN r.rolname::text ELSE md5(r.rolname) END
    FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = 'workspace'::regclass $$";

pub(crate) const FORGET_ROLE: &str = "DROP FUNCTION flowforge_viewer_role()";

/// Takes every right on this database's tables from the role. The role stays: other databases may use it.
pub(crate) const REVOKE: &str = "DO $wall$
DECLARE viewer text := flowforge_viewer_role(); it record;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = viewer) THEN
        FOR it IN SELECT DISTINCT c.oid::regclass AS name, c.relkind FROM pg_class c, aclexplode(c.relacl) a
            WHERE c.relnamespace = current_schema()::regnamespace AND a.grantee = viewer::regrole
        LOOP
            EXECUTE format('REVOKE ALL ON %s %s FROM %I', CASE it.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                it.name, viewer);
        END LOOP;
    END IF;
END $wall$";

/// Makes what is missing of the wall: the role, the owner's membership, its rights (as the policies say), and the
/// owner's own way in where the tables have another owner than they had. Roles belong to the whole server, so that two
/// databases may do this at once; whoever comes second takes what is there. An owner that may not make roles leaves
/// that to an administrator; the server does not start without.
const STAND: &str = "DO $wall$
DECLARE
    viewer text; it record;
    entry text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    IF to_regproc('flowforge_viewer_role') IS NULL THEN RETURN; END IF;
    PERFORM pg_advisory_xact_lock(7377440165);
    viewer := flowforge_viewer_role();
    FOR it IN SELECT c.oid::regclass AS name, c.relowner::regrole AS owner
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
        WHERE p.polname = 'engine' AND c.relnamespace = current_schema()::regnamespace
            AND p.polroles <> ARRAY[c.relowner]
    LOOP
        EXECUTE format('ALTER POLICY engine ON %s TO %s', it.name, it.owner);
    END LOOP;
    FOR it IN SELECT c.oid::regclass AS name, c.relowner::regrole AS owner FROM pg_class c
        WHERE c.relforcerowsecurity AND c.relnamespace = current_schema()::regnamespace
            AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'engine')
    LOOP
        EXECUTE format('CREATE POLICY engine ON %s TO %s USING (true) WITH CHECK (true)', it.name, it.owner);
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = viewer) THEN
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', viewer);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN RETURN;
        END;
    END IF;
    IF NOT pg_has_role(viewer, entry) THEN
        BEGIN
            EXECUTE format('GRANT %I TO CURRENT_USER', viewer);
        EXCEPTION WHEN unique_violation OR internal_error OR insufficient_privilege THEN NULL;
        END;
    END IF;
    IF NOT has_schema_privilege(viewer, current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), viewer);
    END IF;
    FOR it IN SELECT c.oid::regclass AS name, command
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
        CROSS JOIN LATERAL unnest(CASE p.polcmd
            WHEN 'r' THEN ARRAY['SELECT'] WHEN 'a' THEN ARRAY['INSERT']
            WHEN 'w' THEN ARRAY['UPDATE'] WHEN 'd' THEN ARRAY['DELETE']
            ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'] END) AS command
        WHERE p.polname LIKE 'workspace\\_%' AND c.relnamespace = current_schema()::regnamespace
            AND NOT has_table_privilege(viewer, c.oid, command)
    LOOP
        EXECUTE format('GRANT %s ON %s TO %I', it.command, it.name, viewer);
    END LOOP;
    FOR it IN SELECT DISTINCT s.oid::regclass AS name
        FROM pg_policy p JOIN pg_depend d ON d.refobjid = p.polrelid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_class s ON s.oid = d.objid AND d.classid = 'pg_class'::regclass
        WHERE p.polname LIKE 'workspace\\_%' AND p.polcmd IN ('*', 'a')
            AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(viewer, s.oid, 'USAGE') END
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO %I', it.name, viewer);
    END LOOP;
END $wall$";

/// Makes what is missing of the wall after every step was carried out: an administrator may have made the role since, or
/// the tables have come from a backup under another owner. Does nothing on SQLite.
///
/// # Errors
/// When the database fails, or the tables belong to somebody else.
pub async fn stand(database: &impl ConnectionTrait) -> Result<(), DbErr> {
    if database.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    database.execute_unprepared(STAND).await.map(drop)
}
