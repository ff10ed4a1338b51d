//! Sign-ins at the provider that browsers began and have not come back from.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::digest;

/// Sign-ins at the provider that browsers began and have not come back from.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("login_attempt")
                    .col(digest("state_digest", 32).primary_key())
                    .col(digest("browser_digest", 32))
                    .col(string("nonce"))
                    .col(string("verifier"))
                    .col(text("return_to"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("login_attempt_expiry").table("login_attempt").col("expires_at").to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("login_attempt").to_owned()).await
    }
}
