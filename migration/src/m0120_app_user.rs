//! People who sign in.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// People who sign in. A person belongs to the installation, and is a member of workspaces.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("app_user")
                    .col(uuid("id").primary_key())
                    .col(string_null("issuer"))
                    .col(string_null("subject"))
                    .col(string_null("email"))
                    .col(string("name"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("last_seen_at"))
                    .col(timestamp_with_time_zone_null("disabled_at"))
                    .check(Expr::col("issuer").is_null().eq(Expr::col("subject").is_null()))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("app_user_subject")
                    .table("app_user")
                    .col("issuer")
                    .col("subject")
                    .unique()
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("app_user").to_owned()).await
    }
}
