//! Offers to become a member. Only the hash of their token is kept.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::digest;

/// Offers to become a member. Only the hash of their token is kept.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("invitation")
            .col(uuid("id").primary_key())
            .col(uuid("workspace_id"))
            .col(digest("hash", 32).unique_key())
            .col(string_null("email"))
            .col(string("role"))
            .col(string_null("projects"))
            .col(string("created_by"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("expires_at"))
            .col(uuid_null("accepted_by"))
            .col(timestamp_with_time_zone_null("accepted_at"))
            .col(timestamp_with_time_zone_null("revoked_at"))
            .foreign_key(ForeignKey::create().from("invitation", "workspace_id").to("workspace", "id"))
            .to_owned();
        manager.create_table(table).await?;
        let list = Index::create().name("invitation_list").table("invitation").col("workspace_id").col("id").to_owned();
        manager.create_index(list).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("invitation").to_owned()).await
    }
}
