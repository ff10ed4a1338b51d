//! Values too large for a row.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{by_key, digest};

/// Values too large for a row.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("blob")
                    .col(uuid("workspace_id"))
                    .col(digest("digest", 32))
                    .col(big_integer("size"))
                    .col(timestamp_with_time_zone("touched_at"))
                    .col(timestamp_with_time_zone_null("marked_at"))
                    .col(timestamp_with_time_zone_null("doomed_at"))
                    .primary_key(Index::create().col("workspace_id").col("digest"))
                    .extra(by_key(manager))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("blob_marked")
                    .table("blob")
                    .col("marked_at")
                    .and_where(Expr::col("marked_at").is_not_null())
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("blob").to_owned()).await
    }
}
