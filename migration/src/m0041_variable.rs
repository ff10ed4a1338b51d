//! Plain values of a project, by environment, that expressions read as `vars`.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::bytes;

/// Plain values of a project, by environment, that expressions read as `vars`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("variable")
                    .col(uuid("id").primary_key())
                    .col(uuid("workspace_id"))
                    .col(uuid("project_id"))
                    .col(string("environment"))
                    .col(string("name"))
                    .col(bytes("value"))
                    .col(string("updated_by"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("unique_variable_name")
                    .table("variable")
                    .col("workspace_id")
                    .col("project_id")
                    .col("environment")
                    .col("name")
                    .unique()
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("variable").to_owned()).await
    }
}
