//! What was changed in drafts, by whom.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// What was changed in drafts, by whom.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("draft_change")
                    .col(uuid("draft_id"))
                    .col(big_integer("revision"))
                    .col(uuid("workspace_id"))
                    .col(string("patch"))
                    .col(string("sidecar_patch"))
                    .col(string("changed_by"))
                    .col(timestamp_with_time_zone("changed_at"))
                    .primary_key(Index::create().col("draft_id").col("revision"))
                    .foreign_key(ForeignKey::create().from("draft_change", "draft_id").to("draft", "id"))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("draft_change").to_owned()).await
    }
}
