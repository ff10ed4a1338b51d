//! What a cell of PostgreSQL is in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;
use sqlx::postgres::{PgRow, PgTypeKind, PgValueRef};
use sqlx::{Column as _, Decode, Postgres, Row as _, TypeInfo as _, ValueRef as _};

use crate::sql::{SqlError, float, number};

/// The cell at this place of a row.
pub(super) fn read(row: &PgRow, index: usize) -> Result<Value, SqlError> {
    let cell = row.try_get_raw(index)?;
    if cell.is_null() {
        return Ok(Value::Null);
    }
    let unsupported = |r#type: &str| {
        let name = row.columns().get(index).map_or_else(String::new, |column| column.name().to_owned());
        SqlError::Column { name, r#type: r#type.to_owned() }
    };
    let info = cell.type_info().into_owned();
    let mut kind = info.kind();
    let mut name = info.name().to_owned();
    while let PgTypeKind::Domain(base) = kind {
        kind = base.kind();
        base.name().clone_into(&mut name);
    }
    match kind {
        PgTypeKind::Enum(_) => Ok(Value::from(cell.as_str().map_err(sqlx::Error::Decode)?)),
        PgTypeKind::Array(_) => list(cell, &name).and_then(|list| list.ok_or_else(|| unsupported(&name))),
        _ => scalar(cell, &name).and_then(|value| value.ok_or_else(|| unsupported(&name))),
    }
}

fn as_type<'r, T: Decode<'r, Postgres>>(cell: PgValueRef<'r>) -> Result<T, SqlError> {
    T::decode(cell).map_err(|error| SqlError::Driver(sqlx::Error::Decode(error)))
}

/// `None` for a type, or a value, that has no form here.
fn scalar(cell: PgValueRef<'_>, name: &str) -> Result<Option<Value>, SqlError> {
    Ok(Some(match name {
        "BOOL" => as_type::<bool>(cell)?.into(),
        "INT2" => as_type::<i16>(cell)?.into(),
        "INT4" => as_type::<i32>(cell)?.into(),
        "INT8" => as_type::<i64>(cell)?.into(),
        "OID" => as_type::<sqlx::postgres::types::Oid>(cell)?.0.into(),
        "FLOAT4" => return Ok(float(f64::from(as_type::<f32>(cell)?))),
        "FLOAT8" => return Ok(float(as_type::<f64>(cell)?)),
        "NUMERIC" => return Ok(as_type::<BigDecimal>(cell).ok().map(|value| number(&value))),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "\"CHAR\"" | "CITEXT" | "citext" | "XML" | "xml" => {
            as_text(cell)?
        }
        "UUID" => as_type::<uuid::Uuid>(cell)?.to_string().into(),
        "JSON" | "JSONB" => as_type::<sqlx::types::Json<Value>>(cell)?.0,
        "BYTEA" => STANDARD.encode(as_type::<&[u8]>(cell)?).into(),
        "TIMESTAMPTZ" => return Ok(time(&cell).map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true).into())),
        "TIMESTAMP" => {
            return Ok(time(&cell).map(|time| time.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f").to_string().into()));
        }
        "DATE" => return Ok(date(&cell).map(|date| date.to_string().into())),
        "TIME" => as_type::<NaiveTime>(cell)?.format("%H:%M:%S%.f").to_string().into(),
        "VOID" => Value::Null,
        _ => return Ok(None),
    }))
}

fn as_text(cell: PgValueRef<'_>) -> Result<Value, SqlError> {
    Ok(Value::from(cell.as_str().map_err(sqlx::Error::Decode)?))
}

/// Microseconds since 2000; none for `infinity` and what lies beyond our calendar, at which the driver's own reading
/// panics.
fn time(cell: &PgValueRef<'_>) -> Option<DateTime<Utc>> {
    const YEAR_2000: i64 = 946_684_800_000_000;
    let since = i64::from_be_bytes(cell.as_bytes().ok()?.try_into().ok()?);
    DateTime::from_timestamp_micros(since.checked_add(YEAR_2000)?)
}

/// The same for days since 2000.
fn date(cell: &PgValueRef<'_>) -> Option<NaiveDate> {
    let since = i32::from_be_bytes(cell.as_bytes().ok()?.try_into().ok()?);
    NaiveDate::from_ymd_opt(2000, 1, 1)?.checked_add_signed(TimeDelta::try_days(since.into())?)
}

/// Lists of the types that people keep lists of, of one dimension.
fn list(cell: PgValueRef<'_>, name: &str) -> Result<Option<Value>, SqlError> {
    fn each<'r, T>(cell: PgValueRef<'r>, make: impl Fn(T) -> Option<Value>) -> Result<Option<Value>, SqlError>
    where
        Vec<Option<T>>: Decode<'r, Postgres>,
    {
        let items = as_type::<Vec<Option<T>>>(cell)?;
        Ok(items.into_iter().map(|item| item.map_or(Some(Value::Null), &make)).collect())
    }
    match name {
        "BOOL[]" => each(cell, |item: bool| Some(item.into())),
        "INT2[]" => each(cell, |item: i16| Some(item.into())),
        "INT4[]" => each(cell, |item: i32| Some(item.into())),
        "INT8[]" => each(cell, |item: i64| Some(item.into())),
        "FLOAT4[]" => each(cell, |item: f32| float(f64::from(item))),
        "FLOAT8[]" => each(cell, float),
        "NUMERIC[]" => each(cell, |item: BigDecimal| Some(number(&item))),
        "TEXT[]" | "VARCHAR[]" | "CHAR[]" | "NAME[]" => each(cell, |item: String| Some(item.into())),
        "UUID[]" => each(cell, |item: uuid::Uuid| Some(item.to_string().into())),
        "JSON[]" | "JSONB[]" => each(cell, |item: sqlx::types::Json<Value>| Some(item.0)),
        _ => Ok(None),
    }
}
