//! That runs refer to blobs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{by_key, digest};

/// That runs refer to blobs.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("blob_ref")
                    .col(uuid("run_id"))
                    .col(digest("digest", 32))
                    .col(uuid("workspace_id"))
                    .primary_key(Index::create().col("run_id").col("digest"))
                    .extra(by_key(manager))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("blob_ref_blob").table("blob_ref").col("workspace_id").col("digest").to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("blob_ref").to_owned()).await
    }
}
