//! What happened in a workspace, numbered without a gap in the order in which readers may see it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::by_key;

/// What happened in a workspace, numbered without a gap in the order in which readers may see it.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("workspace_event")
                    .col(uuid("workspace_id"))
                    .col(big_integer("seq"))
                    .col(string("kind"))
                    .col(string("entity"))
                    .col(uuid_null("workflow_id"))
                    .col(string_null("actor"))
                    .col(string("data"))
                    .col(timestamp_with_time_zone("at"))
                    .primary_key(Index::create().col("workspace_id").col("seq"))
                    .extra(by_key(manager))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(Index::create().name("workspace_event_at").table("workspace_event").col("at").to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("workspace_event").to_owned()).await
    }
}
