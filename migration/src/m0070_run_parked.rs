//! Dead letters are few, and counted again and again.

use sea_orm_migration::prelude::*;

/// Dead letters are few, and counted again and again.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_index(
                Index::create()
                    .name("run_parked")
                    .table("run")
                    .col("id")
                    .and_where(Expr::col("claim").eq("PARKED"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("run_parked").table("run").to_owned()).await
    }
}
