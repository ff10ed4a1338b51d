//! What code of a workspace may use.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// What code of a workspace may use.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [&str; 2] = ["code_time_ms", "code_memory_bytes"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One at a time: SQLite adds no two columns in one statement.
        for column in COLUMNS {
            let table = Table::alter().table("workspace_quota").add_column(big_integer_null(column)).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            manager.alter_table(Table::alter().table("workspace_quota").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
