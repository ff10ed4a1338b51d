//! Who vouches for versions.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Who vouches for versions. Apart from the version: lists of versions need none of it.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("version_signature")
                    .col(uuid("version_id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("workspace_key_id"))
                    .col(binary("signature"))
                    .foreign_key(ForeignKey::create().from("version_signature", "version_id").to("version", "id"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("version_signature").to_owned()).await
    }
}
