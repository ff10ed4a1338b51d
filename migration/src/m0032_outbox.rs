//! What transactions leave behind for readers; the relay numbers it and takes it away.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// What transactions leave behind for readers; the relay numbers it and takes it away.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("outbox")
                    .col(big_integer("id").auto_increment().primary_key())
                    .col(uuid("workspace_id"))
                    .col(string("kind"))
                    .col(string("entity"))
                    .col(uuid_null("workflow_id"))
                    .col(string_null("actor"))
                    .col(string("data"))
                    .col(timestamp_with_time_zone_null("at"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("outbox").to_owned()).await
    }
}
