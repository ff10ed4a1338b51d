//! Whose rights changed a moment ago, so that every process ends what was open under them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Whose rights changed a moment ago, so that every process ends what was open under them.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("access_change")
                    .col(uuid("id").primary_key())
                    .col(string("subject"))
                    .col(timestamp_with_time_zone("at"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(Index::create().name("access_change_at").table("access_change").col("at").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("access_change").to_owned()).await
    }
}
