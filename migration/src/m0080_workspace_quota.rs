//! What each workspace may use.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// What each workspace may use. One without a row has no bounds.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("workspace_quota")
                    .col(uuid("workspace_id").primary_key())
                    .col(big_integer_null("runs_per_minute"))
                    .col(big_integer_null("active_runs"))
                    .col(big_integer_null("payload_bytes"))
                    .col(string("updated_by"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(ForeignKey::create().from("workspace_quota", "workspace_id").to("workspace", "id"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("workspace_quota").to_owned()).await
    }
}
