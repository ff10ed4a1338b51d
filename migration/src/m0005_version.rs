//! Immutable, numbered definitions.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::digest;

/// Immutable, numbered definitions.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("version")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("workflow_id"))
                    .col(integer("number").check(Expr::col("number").gte(1)))
                    .col(digest("definition_hash", 32))
                    .col(integer("rules_version"))
                    .col(string("note"))
                    .col(string("created_by"))
                    .col(timestamp_with_time_zone("created_at"))
                    .foreign_key(ForeignKey::create().from("version", "workspace_id").to("workspace", "id"))
                    .foreign_key(ForeignKey::create().from("version", "workflow_id").to("workflow", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("version_number")
                    .table("version")
                    .col("workflow_id")
                    .col("number")
                    .unique()
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("version").to_owned()).await
    }
}
