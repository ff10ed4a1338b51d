//! What the results of a version's nodes depend on.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// What the results of a version's nodes depend on. Apart from the version: lists of versions need none of it.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("version_hashes")
                    .col(uuid("version_id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(string("node_types"))
                    .col(string("node_hashes"))
                    .foreign_key(ForeignKey::create().from("version_hashes", "version_id").to("version", "id"))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("version_hashes").to_owned()).await
    }
}
