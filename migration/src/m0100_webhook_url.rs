//! Addresses of webhooks, what came to them before, and what is known of a delivery that started nothing.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;
use sea_orm_migration::sea_orm::{DatabaseBackend, Statement};

use crate::column::{by_key, bytes_null, digest, digest_null};

/// Addresses of webhooks, what came to them before, and what is known of a delivery that started nothing.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const KIND: &str = "'WEBHOOK'";

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(drop)
}

/// The first column of what a query finds.
async fn texts(manager: &SchemaManager<'_>, sql: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(manager.get_database_backend(), sql);
    let rows = manager.get_connection().query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Lets bindings be of webhooks, or not any more. Whatever else the check says stays.
async fn allow(manager: &SchemaManager<'_>, allowed: bool) -> Result<(), DbErr> {
    if !allowed {
        run(manager, &format!("DELETE FROM trigger_binding WHERE kind = {KIND}")).await?;
    }
    let lost = || DbErr::Migration("trigger_binding has no check of its kinds".to_owned());
    if manager.get_database_backend() == DatabaseBackend::Postgres {
        let sql = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'trigger_binding_kind_check'";
        let check = texts(manager, sql).await?.pop().ok_or_else(lost)?;
        let words =
            check.split('\'').skip(1).step_by(2).filter(|word| *word != "WEBHOOK").map(|word| format!("'{word}'"));
        let mut words: Vec<String> = words.collect();
        words.extend(allowed.then(|| KIND.to_owned()));
        run(manager, "ALTER TABLE trigger_binding DROP CONSTRAINT trigger_binding_kind_check").await?;
        let words = words.join(", ");
        let check = format!("ADD CONSTRAINT trigger_binding_kind_check CHECK (kind IN ({words}))");
        return run(manager, &format!("ALTER TABLE trigger_binding {check}")).await;
    }
    // SQLite cannot change a check: the table is made again.
    let made = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'trigger_binding'";
    let made = texts(manager, made).await?.pop().ok_or_else(lost)?;
    let indexes =
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'trigger_binding' AND sql IS NOT NULL";
    let indexes = texts(manager, indexes).await?;
    let (before, after) = match allowed {
        true => ("'SCHEDULE'".to_owned(), format!("'SCHEDULE', {KIND}")),
        false => (format!("'SCHEDULE', {KIND}"), "'SCHEDULE'".to_owned()),
    };
    let made = made.replacen("trigger_binding", "trigger_binding_new", 1).replacen(&before, &after, 1);
    run(manager, &made).await?;
    run(manager, "INSERT INTO trigger_binding_new SELECT * FROM trigger_binding").await?;
    run(manager, "DROP TABLE trigger_binding").await?;
    // Triggers of other tables may read this one, which is not there for a moment.
    run(manager, "PRAGMA legacy_alter_table = ON").await?;
    run(manager, "ALTER TABLE trigger_binding_new RENAME TO trigger_binding").await?;
    run(manager, "PRAGMA legacy_alter_table = OFF").await?;
    for index in &indexes {
        run(manager, index).await?;
    }
    Ok(())
}

fn urls() -> TableCreateStatement {
    Table::create()
        .table("webhook_url")
        .col(uuid("id").primary_key())
        .col(uuid("workspace_id"))
        .col(uuid("project_id"))
        .col(string("environment"))
        .col(uuid("binding_id"))
        .col(string_null("path"))
        .col(digest_null("digest", 32))
        .col(uuid_null("workspace_key_id"))
        .col(bytes_null("wrapped_key"))
        .col(bytes_null("ciphertext"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("valid_until"))
        .check(Expr::col("path").is_null().ne(Expr::col("digest").is_null()))
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        allow(manager, true).await?;
        run(manager, "ALTER TABLE trigger_event ADD COLUMN request text").await?;
        manager.create_table(urls()).await?;
        let unique = |name: &'static str, columns: &[&'static str], set: &'static str| {
            let mut index = Index::create().name(name).table("webhook_url").unique().to_owned();
            for column in columns {
                index.col(*column);
            }
            index.and_where(Expr::col(set).is_not_null()).to_owned()
        };
        manager.create_index(unique("webhook_url_secret", &["digest"], "digest")).await?;
        manager.create_index(unique("webhook_url_path", &["project_id", "environment", "path"], "path")).await?;
        let binding = Index::create().name("webhook_url_binding").table("webhook_url").col("binding_id").to_owned();
        manager.create_index(binding).await?;
        let seen = Table::create()
            .table("webhook_seen")
            .col(uuid("binding_id"))
            .col(digest("digest", 32))
            .col(string_null("delivery"))
            .col(timestamp_with_time_zone("expires_at"))
            .primary_key(Index::create().col("binding_id").col("digest"))
            .extra(by_key(manager))
            .to_owned();
        manager.create_table(seen).await?;
        let expiry = Index::create().name("webhook_seen_expiry").table("webhook_seen").col("expires_at").to_owned();
        manager.create_index(expiry).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("webhook_seen").to_owned()).await?;
        manager.drop_table(Table::drop().table("webhook_url").to_owned()).await?;
        run(manager, "ALTER TABLE trigger_event DROP COLUMN request").await?;
        allow(manager, false).await
    }
}
