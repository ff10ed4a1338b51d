//! Processes that drive runs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::word;

/// Processes that drive runs.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("worker")
                    .col(uuid("id").primary_key())
                    .col(string("name"))
                    .col(big_integer("beat"))
                    .col(big_integer("lease_ms"))
                    .col(word("state", &["ACTIVE", "DRAINING", "STOPPED"]))
                    .col(string("version"))
                    .col(timestamp_with_time_zone("started_at"))
                    .col(timestamp_with_time_zone("beat_at"))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("worker").to_owned()).await
    }
}
