//! People and machines among those who change things, and keys that speak for them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;
use sea_orm_migration::sea_orm::{DatabaseBackend, Statement};

/// People and machines among those who change things, and keys that speak for them.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const BEFORE: &str = "'API_KEY', 'COMMAND'";
const AFTER: &str = "'API_KEY', 'COMMAND', 'USER', 'SERVICE_ACCOUNT'";

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(drop)
}

/// The first column of what a query finds.
async fn texts(manager: &SchemaManager<'_>, sql: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(manager.get_database_backend(), sql);
    let rows = manager.get_connection().query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Changes which words the audit takes for actors.
async fn actors(manager: &SchemaManager<'_>, from: &str, to: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DatabaseBackend::Postgres {
        run(manager, "ALTER TABLE audit DROP CONSTRAINT audit_actor_kind_check").await?;
        let check = format!("ADD CONSTRAINT audit_actor_kind_check CHECK (actor_kind IN ({to}))");
        return run(manager, &format!("ALTER TABLE audit {check}")).await;
    }
    // SQLite cannot change a check: the table is made again.
    let lost = || DbErr::Migration("the table audit is not there".to_owned());
    let made = texts(manager, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'audit'").await?;
    let made = made.into_iter().next().ok_or_else(lost)?;
    let indexes =
        texts(manager, "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'audit' AND sql IS NOT NULL");
    let indexes = indexes.await?;
    run(manager, &made.replacen("audit", "audit_new", 1).replacen(from, to, 1)).await?;
    run(manager, "INSERT INTO audit_new SELECT * FROM audit").await?;
    run(manager, "DROP TABLE audit").await?;
    run(manager, "ALTER TABLE audit_new RENAME TO audit").await?;
    for index in &indexes {
        run(manager, index).await?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        actors(manager, BEFORE, AFTER).await?;
        manager.alter_table(Table::alter().table("api_key").add_column(uuid_null("user_id")).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "ALTER TABLE api_key DROP COLUMN user_id").await?;
        // Rows of actors that are not known any more become the server's own: none is lost.
        let kept = "UPDATE audit SET actor_kind = 'COMMAND' WHERE actor_kind IN ('USER', 'SERVICE_ACCOUNT')";
        run(manager, kept).await?;
        actors(manager, AFTER, BEFORE).await
    }
}
