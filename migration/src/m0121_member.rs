//! Which people belong to a workspace, and the roles that it made for itself.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::word;

/// Which people belong to a workspace, and the roles that it made for itself.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let role = Table::create()
            .table("custom_role")
            .col(uuid("id").primary_key())
            .col(uuid("workspace_id"))
            .col(string("name"))
            .col(string("permissions"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("updated_at"))
            .foreign_key(ForeignKey::create().from("custom_role", "workspace_id").to("workspace", "id"))
            .to_owned();
        manager.create_table(role).await?;
        let name = Index::create()
            .name("custom_role_name")
            .table("custom_role")
            .col("workspace_id")
            .col("name")
            .unique()
            .to_owned();
        manager.create_index(name).await?;
        let member = Table::create()
            .table("member")
            .col(uuid("id").primary_key())
            .col(uuid("workspace_id"))
            .col(uuid("user_id"))
            .col(string("role"))
            .col(string_null("projects"))
            .col(word("source", &["LOCAL", "PROVIDER"]))
            .col(string("created_by"))
            .col(timestamp_with_time_zone("created_at"))
            .foreign_key(ForeignKey::create().from("member", "workspace_id").to("workspace", "id"))
            .foreign_key(ForeignKey::create().from("member", "user_id").to("app_user", "id"))
            .to_owned();
        manager.create_table(member).await?;
        let once =
            Index::create().name("member_once").table("member").col("workspace_id").col("user_id").unique().to_owned();
        manager.create_index(once).await?;
        let user = Index::create().name("member_user").table("member").col("user_id").col("workspace_id").to_owned();
        manager.create_index(user).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("member").to_owned()).await?;
        manager.drop_table(Table::drop().table("custom_role").to_owned()).await
    }
}
