//! Who changed what: append-only, numbered in each workspace without a gap.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::word;

/// Who changed what: append-only, numbered in each workspace without a gap.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(big_integer("seq"))
                    .col(word("actor_kind", &["API_KEY", "COMMAND"]))
                    .col(string_null("actor_id"))
                    .col(string("action"))
                    .col(string("entity"))
                    .col(string_null("before"))
                    .col(string_null("after"))
                    .col(string_null("request_id"))
                    .col(timestamp_with_time_zone("at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("audit_seq").table("audit").col("workspace_id").col("seq").unique().to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("audit_entity")
                    .table("audit")
                    .col("workspace_id")
                    .col("entity")
                    .col("seq")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit").to_owned()).await
    }
}
