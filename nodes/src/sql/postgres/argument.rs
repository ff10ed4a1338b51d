//! What a JSON value is to a placeholder of PostgreSQL, by the type that the server gave the placeholder.

use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgTypeInfo, PgTypeKind};
use sqlx::{Arguments as _, Encode, Postgres, Type, TypeInfo as _};

use crate::config::{kind, scalar};

/// Puts a value for a placeholder of this type. The message of an error does not repeat the value.
pub(super) fn add(arguments: &mut PgArguments, r#type: &PgTypeInfo, value: &Value) -> Result<(), String> {
    let mut base = r#type;
    while let PgTypeKind::Domain(inner) = base.kind() {
        base = inner;
    }
    if let PgTypeKind::Enum(_) = base.kind() {
        return put(arguments, text(value)?);
    }
    match base.name() {
        "BOOL" => put(arguments, given(value, Value::as_bool, "true or false")?),
        "INT2" => put(arguments, given(value, |value| i16::try_from(integer(value)?).ok(), "an integer of 16 bits")?),
        "INT4" => put(arguments, given(value, |value| i32::try_from(integer(value)?).ok(), "an integer of 32 bits")?),
        "INT8" => put(arguments, given(value, integer, "an integer of 64 bits")?),
        #[expect(clippy::cast_possible_truncation, reason = "a column of single precision asks for it")]
        "FLOAT4" => put(arguments, given(value, |value| value.as_f64().map(|number| number as f32), "a number")?),
        "FLOAT8" => put(arguments, given(value, Value::as_f64, "a number")?),
        "NUMERIC" => put(arguments, given(value, decimal, "a number, or its digits as text")?),
        "UUID" => put(arguments, given(value, |value| value.as_str()?.parse::<uuid::Uuid>().ok(), "a UUID as text")?),
        "JSON" | "JSONB" => put(arguments, (!value.is_null()).then(|| sqlx::types::Json(value.clone()))),
        "BYTEA" => put(arguments, given(value, |value| STANDARD.decode(value.as_str()?).ok(), "base64")?),
        "TIMESTAMPTZ" => put(arguments, given(value, instant, "a time with zone, such as 2030-01-31T09:00:00Z")?),
        "TIMESTAMP" => put(arguments, given(value, local, "a time without zone, such as 2030-01-31T09:00:00")?),
        "DATE" => {
            put(arguments, given(value, |value| value.as_str()?.parse::<NaiveDate>().ok(), "a date as 2030-01-31")?)
        }
        "TIME" => {
            put(arguments, given(value, |value| value.as_str()?.parse::<NaiveTime>().ok(), "a time as 09:00:00")?)
        }
        "BOOL[]" => put(arguments, list(value, Value::as_bool, "booleans")?),
        "INT2[]" => put(arguments, list(value, |value| i16::try_from(integer(value)?).ok(), "integers of 16 bits")?),
        "INT4[]" => put(arguments, list(value, |value| i32::try_from(integer(value)?).ok(), "integers of 32 bits")?),
        "INT8[]" => put(arguments, list(value, integer, "integers")?),
        "FLOAT8[]" => put(arguments, list(value, Value::as_f64, "numbers")?),
        "NUMERIC[]" => put(arguments, list(value, decimal, "numbers")?),
        "TEXT[]" | "VARCHAR[]" => put(arguments, list(value, |value| value.as_str().map(str::to_owned), "texts")?),
        "UUID[]" => put(arguments, list(value, |value| value.as_str()?.parse::<uuid::Uuid>().ok(), "UUIDs")?),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "\"CHAR\"" => put(arguments, text(value)?),
        other => Err(format!("its type is {other:.80}, which has no form in JSON; write `$n::text::{other:.80}`")),
    }
}

fn put<T>(arguments: &mut PgArguments, value: Option<T>) -> Result<(), String>
where
    T: for<'q> Encode<'q, Postgres> + Type<Postgres> + 'static,
{
    arguments.add(value).map_err(|_| "it cannot be sent".to_owned())
}

/// Null stays null; anything else has to be what is wanted.
fn given<T>(value: &Value, read: impl Fn(&Value) -> Option<T>, wanted: &str) -> Result<Option<T>, String> {
    if value.is_null() {
        return Ok(None);
    }
    read(value).map(Some).ok_or_else(|| format!("is {}; expected {wanted}", kind(value)))
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> Option<T>, wanted: &str) -> Result<Option<Vec<Option<T>>>, String> {
    let wanted = format!("a list of {wanted}");
    let items = |value: &Value| {
        let items = value.as_array()?.iter().map(|item| if item.is_null() { Some(None) } else { read(item).map(Some) });
        items.collect::<Option<Vec<_>>>()
    };
    given(value, items, &wanted)
}

/// Numbers and booleans become texts, as in an expression that joins them.
fn text(value: &Value) -> Result<Option<String>, String> {
    let read = given(value, scalar, "a text; to send JSON, write `$n::jsonb`")?;
    if read.as_ref().is_some_and(|text| text.contains('\0')) {
        return Err("holds a NUL character, which PostgreSQL cannot keep".to_owned());
    }
    Ok(read)
}

/// Also from digits in a text, which is how numbers beyond 2^53 come.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => crate::data::order::integer(number).and_then(|number| i64::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn decimal(value: &Value) -> Option<BigDecimal> {
    match value {
        Value::Number(number) => BigDecimal::from_str(&number.to_string()).ok(),
        // An exponent could ask for more digits than there is memory for.
        Value::String(text) if text.len() <= 1_000 && !text.contains(['e', 'E']) => BigDecimal::from_str(text).ok(),
        _ => None,
    }
}

fn instant(value: &Value) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(value.as_str()?).ok()?.to_utc())
}

fn local(value: &Value) -> Option<NaiveDateTime> {
    let text = value.as_str()?;
    text.parse().ok().or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok())
}
