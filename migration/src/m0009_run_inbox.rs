//! Messages to runs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{by_key, word};

/// Messages to runs.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("run_inbox")
                    .col(uuid("run_id"))
                    .col(uuid("id"))
                    .col(word("kind", &["SIGNAL", "CANCEL", "RESOLVE"]))
                    .col(string("body"))
                    .col(string("created_by"))
                    .col(timestamp_with_time_zone("created_at"))
                    .primary_key(Index::create().col("run_id").col("id"))
                    .extra(by_key(manager))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("run_inbox").to_owned()).await
    }
}
