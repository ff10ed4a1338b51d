//! Keys that start at most one run. A table of its own: a unique key cannot span the partitions of `run`.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{by_key, digest};

/// Keys that start at most one run. A table of its own: a unique key cannot span the partitions of `run`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("start_dedupe")
                    .col(uuid("workspace_id"))
                    .col(uuid("workflow_id"))
                    .col(string("key"))
                    .col(uuid("run_id"))
                    .col(digest("input_digest", 32))
                    .col(uuid_null("event_id"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .primary_key(Index::create().col("workspace_id").col("workflow_id").col("key"))
                    .extra(by_key(manager))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("start_dedupe_expiry").table("start_dedupe").col("expires_at").to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("start_dedupe").to_owned()).await
    }
}
