//! Where sign-ins that were begun come from, so that nobody begins very many.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Where sign-ins that were begun come from, so that nobody begins very many.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEX: &str = "login_attempt_address";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let address = Table::alter().table("login_attempt").add_column(string_null("address")).to_owned();
        manager.alter_table(address).await?;
        manager.create_index(Index::create().name(INDEX).table("login_attempt").col("address").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(INDEX).table("login_attempt").to_owned()).await?;
        manager.alter_table(Table::alter().table("login_attempt").drop_column("address").to_owned()).await
    }
}
