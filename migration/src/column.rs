//! Columns and table options that several steps share. A released step's part of this file is as fixed as the step.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// Largest payload of a row in bytes; larger values are blobs.
const ROW_LIMIT: i32 = 64 * 1024;

pub(crate) const RUN_STATUS: &[&str] =
    &["QUEUED", "RUNNING", "WAITING", "PAUSED", "SUCCEEDED", "FAILED", "CANCELED", "TIMED_OUT"];

pub(crate) const NODE_RUN_STATUS: &[&str] = &[
    "PENDING",
    "QUEUED",
    "RUNNING",
    "WAITING",
    "RETRYING",
    "SUCCEEDED",
    "FAILED",
    "SKIPPED",
    "CANCELED",
    "TIMED_OUT",
    "COMPENSATING",
    "COMPENSATED",
    "UNCERTAIN",
];

pub(crate) const VALUE_KIND: &[&str] = &["NULL", "BOOLEAN", "NUMBER", "STRING", "LIST", "OBJECT"];

/// A column that holds one of `words`.
pub(crate) fn word(name: &'static str, words: &[&'static str]) -> ColumnDef {
    string(name).check(Expr::col(name).is_in(words.iter().copied())).take()
}

/// A column that holds one of `words` or nothing.
pub(crate) fn word_null(name: &'static str, words: &[&'static str]) -> ColumnDef {
    string_null(name).check(Expr::col(name).is_in(words.iter().copied())).take()
}

/// Exactly `len` bytes.
pub(crate) fn digest(name: &'static str, len: i32) -> ColumnDef {
    var_bytes(name).not_null().check(length(name).eq(len)).take()
}

/// Exactly `len` bytes or nothing.
pub(crate) fn digest_null(name: &'static str, len: i32) -> ColumnDef {
    var_bytes(name).null().check(length(name).eq(len)).take()
}

/// At most [`ROW_LIMIT`] bytes.
pub(crate) fn bytes(name: &'static str) -> ColumnDef {
    var_bytes(name).not_null().check(length(name).lte(ROW_LIMIT)).take()
}

/// At most [`ROW_LIMIT`] bytes or nothing.
pub(crate) fn bytes_null(name: &'static str) -> ColumnDef {
    var_bytes(name).null().check(length(name).lte(ROW_LIMIT)).take()
}

/// A run is OWNED exactly while it names an owner.
pub(crate) fn owned() -> SimpleExpr {
    Expr::col("claim").eq("OWNED").eq(Expr::col("owner_id").is_not_null())
}

/// The table option of a hot table. PostgreSQL: partitions by range of the run's id, which is ordered by time. SQLite:
/// nothing; rows over a quarter of a page would spill from a table without rowid.
pub(crate) fn ranged_by(manager: &SchemaManager<'_>, column: &str) -> String {
    match manager.get_database_backend() {
        DatabaseBackend::Postgres => format!("PARTITION BY RANGE ({column})"),
        _ => String::new(),
    }
}

/// The table option of small rows that are mostly reached by their key: on SQLite one tree instead of two.
pub(crate) fn by_key(manager: &SchemaManager<'_>) -> &'static str {
    match manager.get_database_backend() {
        DatabaseBackend::Postgres => "",
        _ => "WITHOUT ROWID",
    }
}

/// The partition for every run until there are others. Some room in its pages keeps an updated row on its page.
pub(crate) async fn first_partition(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DatabaseBackend::Postgres {
        let sql = format!("CREATE TABLE {table}_default PARTITION OF {table} DEFAULT WITH (fillfactor = 80)");
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}

fn var_bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new_with_type(name, ColumnType::VarBinary(StringLen::None)).take()
}

fn length(name: &'static str) -> SimpleExpr {
    Func::cust("length").arg(Expr::col(name)).into()
}
