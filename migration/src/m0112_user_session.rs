//! Sessions of people who signed in at the provider, with the provider's tokens, and logout tokens that came before.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::column::{bytes, digest};

/// Sessions of people who signed in at the provider, with the provider's tokens, and logout tokens that came before.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("user_session")
                    .col(uuid("id").primary_key())
                    .col(digest("hash", 32).unique_key())
                    .col(uuid("user_id"))
                    .col(uuid("workspace_id"))
                    .col(string("issuer"))
                    .col(string("subject"))
                    .col(string_null("provider_session"))
                    .col(integer("version"))
                    .col(uuid("workspace_key_id"))
                    .col(bytes("wrapped_key"))
                    .col(bytes("ciphertext"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("seen_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone("refresh_at"))
                    .col(uuid_null("holder"))
                    .col(timestamp_with_time_zone_null("held_until"))
                    .foreign_key(ForeignKey::create().from("user_session", "workspace_id").to("workspace", "id"))
                    .to_owned(),
            )
            .await?;
        for (name, column) in [
            ("user_session_subject", "subject"),
            ("user_session_provider_session", "provider_session"),
            ("user_session_expiry", "expires_at"),
        ] {
            let index = Index::create().name(name).table("user_session").col(column).to_owned();
            manager.create_index(index).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("logout_token")
                    .col(digest("id_digest", 32).primary_key())
                    .col(timestamp_with_time_zone("expires_at"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("logout_token").to_owned()).await?;
        manager.drop_table(Table::drop().table("user_session").to_owned()).await
    }
}
