//! Keys under which a signal is sent at most once. The inbox cannot tell: its rows go when they are read.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{by_key, digest};

/// Keys under which a signal is sent at most once. The inbox cannot tell: its rows go when they are read.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("signal_dedupe")
                    .col(uuid("run_id"))
                    .col(string("key"))
                    .col(digest("message_digest", 32))
                    .col(timestamp_with_time_zone("expires_at"))
                    .primary_key(Index::create().col("run_id").col("key"))
                    .extra(by_key(manager))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("signal_dedupe_expiry").table("signal_dedupe").col("expires_at").to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("signal_dedupe").to_owned()).await
    }
}
