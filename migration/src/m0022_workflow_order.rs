//! The orders in which workflows are listed.

use sea_orm_migration::prelude::*;

/// The orders in which workflows are listed.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["name", "created_at", "updated_at"] {
            manager
                .create_index(
                    Index::create()
                        .name(format!("workflow_by_{column}"))
                        .table("workflow")
                        .col("workspace_id")
                        .col(column)
                        .col("id")
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["name", "created_at", "updated_at"] {
            let name = format!("workflow_by_{column}");
            manager.drop_index(Index::drop().name(name).table("workflow").to_owned()).await?;
        }
        Ok(())
    }
}
