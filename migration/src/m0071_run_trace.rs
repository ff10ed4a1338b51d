//! The trace that a run was asked for in.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// The trace that a run was asked for in.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A column a statement: SQLite adds no more at once.
        manager.alter_table(Table::alter().table("run").add_column(string_null("traceparent")).to_owned()).await?;
        manager.alter_table(Table::alter().table("run").add_column(string_null("tracestate")).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("run").drop_column("tracestate").to_owned()).await?;
        manager.alter_table(Table::alter().table("run").drop_column("traceparent").to_owned()).await
    }
}
