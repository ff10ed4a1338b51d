//! Against real servers: FLOWFORGE_TEST_POSTGRES and FLOWFORGE_TEST_MYSQL name them, as `make test` does.

use std::collections::BTreeMap;

use engine::error::ErrorKind;
use serde_json::json;

use super::query::Query;
use super::*;
use crate::NodeOutcome;
use crate::connection::{SecretText, connection_type};
use crate::outgoing::OutgoingPolicy;
use crate::testing::{attempt, execute_with, outgoing, server_of, silent};

/// What a test does to the connection of a server.
fn connection(kind: &str, changes: Value, password: &str) -> Option<Connection> {
    let (variable, usual) = match kind {
        "postgres" => ("FLOWFORGE_TEST_POSTGRES", 5432),
        _ => ("FLOWFORGE_TEST_MYSQL", 3306),
    };
    let server = server_of(variable)?;
    let mut plain = json!({
        "host": server.host_str().unwrap(), "port": server.port().unwrap_or(usual).to_string(),
        "username": server.username(), "database": server.path().trim_start_matches('/'), "tls": "off"
    });
    for (name, value) in changes.as_object().unwrap() {
        plain[name] = value.clone();
    }
    let kind = connection_type(kind).unwrap();
    let plain = kind.plain_fields(plain.as_object().unwrap().clone()).unwrap();
    let password = if password.is_empty() { server.password().unwrap_or("none needed") } else { password };
    let secrets = BTreeMap::from([("password".to_owned(), SecretText::new(password.to_owned()))]);
    Some(Connection::new("db", kind, plain, secrets))
}

async fn ask_with(connection: Connection, outgoing: Outgoing, config: Value) -> Result<Value, ErrorInfo> {
    match execute_with(&Query, outgoing, connection, &attempt(config, json!({}))).await? {
        NodeOutcome::Done { port, output } if port == "out" => Ok(output),
        other => panic!("{other:?}"),
    }
}

/// `None` where the machine has no such server.
async fn ask(kind: &str, config: Value) -> Option<Result<Value, ErrorInfo>> {
    let connection = connection(kind, json!({}), "")?;
    Some(ask_with(connection, outgoing(&["127.0.0.1"]), config).await)
}

const KINDS: [&str; 2] = ["postgres", "mysql"];

/// The placeholder of a kind of database.
fn place(kind: &str, number: u32) -> String {
    if kind == "postgres" { format!("${number}") } else { "?".to_owned() }
}

#[tokio::test]
async fn values_of_postgres_have_their_forms_in_json() {
    let statement = "select true as b, 7::int2 as i, 9223372036854775807 as l, 1.5::float8 as f, 12.34::numeric as n,
        123456789012345678.123456789::numeric as exact, 'ä'::text as t, null as nothing, '{\"a\": [1]}'::jsonb as j,
        '\\x00ff'::bytea as bytes, timestamptz '2030-01-31 09:00:00.5+01' as at, timestamp '2030-01-31 09:00:00' as local,
        date '2030-01-31' as day, array[1, null, 3] as list, '6f1d4f0a-1111-4222-8333-444455556666'::uuid as id";
    let Some(answer) = ask("postgres", json!({"statement": statement, "read_only": true})).await else { return };
    assert_eq!(
        answer.unwrap()["rows"],
        json!([{
            "b": true, "i": 7, "l": 9_223_372_036_854_775_807_i64, "f": 1.5, "n": 12.34,
            "exact": "123456789012345678.123456789", "t": "ä", "nothing": null, "j": {"a": [1]}, "bytes": "AP8=",
            "at": "2030-01-31T08:00:00.500Z", "local": "2030-01-31T09:00:00", "day": "2030-01-31", "list": [1, null, 3],
            "id": "6f1d4f0a-1111-4222-8333-444455556666"
        }])
    );
    for statement in [
        "select '1.2.3.4'::inet as a",
        "select 'infinity'::timestamptz as a",
        "select '-infinity'::timestamp as a",
        "select 'infinity'::date as a",
        "select 'NaN'::float8 as a",
        "select 'NaN'::numeric as a",
        "select array['infinity'::timestamptz] as a",
        "select array[array[1, 2], array[3, 4]] as a",
    ] {
        let error = ask("postgres", json!({"statement": statement})).await.unwrap().unwrap_err();
        assert_eq!(error.code, "SQL_TYPE_UNSUPPORTED", "{statement}: {error}");
    }
    let error = ask("postgres", json!({"statement": "select 1 as a, 2 as a"})).await.unwrap().unwrap_err();
    assert_eq!(error.code, "SQL_COLUMN_REPEATED");
}

#[tokio::test]
async fn values_of_mysql_have_their_forms_in_json() {
    let statement = "select 7 as i, 18446744073709551615 as u, 1.5e0 as f, cast(12.34 as decimal(10,2)) as n, 'ä' as t,
        null as nothing, x'00ff' as bytes, cast('2030-01-31 09:00:00' as datetime) as local,
        cast('2030-01-31' as date) as day";
    let Some(answer) = ask("mysql", json!({"statement": statement, "read_only": true})).await else { return };
    assert_eq!(
        answer.unwrap()["rows"],
        json!([{
            "i": 7, "u": u64::MAX, "f": 1.5, "n": 12.34, "t": "ä", "nothing": null, "bytes": "AP8=",
            "local": "2030-01-31T09:00:00", "day": "2030-01-31"
        }])
    );
}

#[tokio::test]
async fn data_stands_for_placeholders_and_never_becomes_part_of_the_statement() {
    for kind in KINDS {
        let text = "x'; drop table a; -- \" ` \\";
        let cast = if kind == "postgres" { "$1::text" } else { "?" };
        let config = json!({"statement": format!("select {cast} as t"), "parameters": [text]});
        let Some(answer) = ask(kind, config).await else { continue };
        assert_eq!(answer.unwrap()["rows"], json!([{"t": text}]), "{kind}");
        let config = json!({"statement": format!("select {cast} as t"), "parameters": []});
        assert_eq!(ask(kind, config).await.unwrap().unwrap_err().code, "SQL_PARAMETER_INVALID", "{kind}");
    }
    let typed = json!({
        "statement": "select $1::int4 + 1 as i, $2::numeric as n, $3::timestamptz as at, $4::jsonb as j, $5::int8[] as l",
        "parameters": [41, "0.1", "2030-01-31T09:00:00+01:00", {"a": 1}, [1, null]]
    });
    let Some(answer) = ask("postgres", typed).await else { return };
    let expected = json!([{"i": 42, "n": 0.1, "at": "2030-01-31T08:00:00Z", "j": {"a": 1}, "l": [1, null]}]);
    assert_eq!(answer.unwrap()["rows"], expected);
    let wrong = json!({"statement": "select $1::int4 as i", "parameters": ["hush"]});
    let error = ask("postgres", wrong).await.unwrap().unwrap_err();
    assert_eq!(error.message, "parameter 1: is a text; expected an integer of 32 bits");
}

#[tokio::test]
async fn several_statements_are_carried_out_together_or_not_at_all() {
    for kind in KINDS {
        let table = format!("together_{}", std::process::id());
        let drop = json!({"statement": format!("drop table if exists {table}")});
        let Some(dropped) = ask(kind, drop.clone()).await else { continue };
        dropped.unwrap();
        ask(kind, json!({"statement": format!("create table {table} (id int primary key)")})).await.unwrap().unwrap();
        let insert = format!("insert into {table} values ({})", place(kind, 1));
        let both = |first: u32, second: u32| {
            json!({"statements": [
                {"statement": insert, "parameters": [first]}, {"statement": insert, "parameters": [second]}
            ]})
        };
        let error = ask(kind, both(1, 1)).await.unwrap().unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("SQL_CONSTRAINT", ErrorKind::Permanent), "{kind}");
        let done = ask(kind, both(1, 2)).await.unwrap().unwrap();
        let one = json!({"rows": [], "affected": 1});
        assert_eq!(done, json!({"results": [one, one]}), "{kind}: the first attempt left nothing behind");
        let refused =
            json!({"statement": format!("with a as (select 1) select * from {table} for update"), "read_only": true});
        let delete = json!({"statement": format!("delete from {table}"), "read_only": true});
        assert_eq!(ask(kind, delete).await.unwrap().unwrap_err().code, "CONFIG_INVALID", "{kind}");
        if kind == "postgres" {
            assert_eq!(ask(kind, refused).await.unwrap().unwrap_err().code, "SQL_REFUSED");
        }
        let rows =
            ask(kind, json!({"statement": format!("select id from {table} order by id")})).await.unwrap().unwrap();
        assert_eq!(rows["rows"], json!([{"id": 1}, {"id": 2}]), "{kind}");
        ask(kind, drop).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_result_that_is_too_large_is_an_error_and_never_a_part() {
    for (kind, many, wide) in [
        ("postgres", "select generate_series(1, 100000) as n", "select repeat('x', 80000000) as t"),
        (
            "mysql",
            "with recursive c as (select 1 as n union all select n + 1 from c where n < 900) select a.n from c a, c b",
            "with recursive c as (select 1 as n union all select n + 1 from c where n < 900)
             select repeat('x', 1000000) as t from c",
        ),
    ] {
        let Some(answer) = ask(kind, json!({"statement": many})).await else { continue };
        let error = answer.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("SQL_TOO_MANY_ROWS", ErrorKind::Permanent), "{kind}: {error}");
        let error = ask(kind, json!({"statement": wide})).await.unwrap().unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.kind),
            ("SQL_RESULT_TOO_LARGE", ErrorKind::Permanent),
            "{kind}: {error}"
        );
    }
}

#[tokio::test]
async fn a_slow_statement_ends_at_its_deadline() {
    for (kind, slow) in [("postgres", "select pg_sleep(60)::text as t"), ("mysql", "select sleep(60) as t")] {
        let began = Instant::now();
        let config = json!({"statement": slow, "timeout": "300ms", "read_only": true});
        let Some(answer) = ask(kind, config).await else { continue };
        // MariaDB lets `sleep` end early and answer that it was interrupted.
        if let Err(error) = answer {
            assert_eq!((error.code.as_str(), error.kind), ("SQL_TIMEOUT", ErrorKind::Transient), "{kind}: {error}");
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{kind}");
    }
}

#[tokio::test]
async fn bad_credentials_dead_servers_silent_servers_and_denied_addresses_say_what_they_are() {
    let silent = silent().await;
    for kind in KINDS {
        let secret = "wrong-hush-wrong";
        let config = || json!({"statement": "select 1 as a", "timeout": "500ms"});
        let Some(stranger) = connection(kind, json!({"username": "nobody_here"}), secret) else { continue };
        let error = ask_with(stranger, outgoing(&["127.0.0.1"]), config()).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("SQL_SIGN_IN", ErrorKind::Permanent), "{kind}: {error}");
        assert!(!error.message.contains(secret), "{error}");
        let dead = connection(kind, json!({"port": "9"}), secret).unwrap();
        let error = ask_with(dead, outgoing(&["127.0.0.1"]), config()).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("SQL_CONNECT", ErrorKind::Transient), "{kind}: {error}");
        let mute = connection(kind, json!({"port": silent.port().to_string()}), secret).unwrap();
        let error = ask_with(mute, outgoing(&["127.0.0.1"]), config()).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("SQL_CONNECT", ErrorKind::Transient), "{kind}: {error}");
        for host in ["127.0.0.1", "2130706433", "::1", "169.254.169.254", "localhost"] {
            let denied = connection(kind, json!({"host": host}), secret).unwrap();
            let error = ask_with(denied, outgoing(&[]), config()).await.unwrap_err();
            assert_eq!((error.code.as_str(), error.kind), ("SQL_HOST_DENIED", ErrorKind::Permanent), "{kind} {host}");
        }
        // One has no encryption here, the other's certificate is of nobody we know.
        let open = connection(kind, json!({"tls": "verify"}), secret).unwrap();
        let error = ask_with(open, outgoing(&["127.0.0.1"]), config()).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("SQL_TLS", ErrorKind::Permanent), "{kind}: {error}");
    }
}

#[tokio::test]
async fn an_encrypted_session_goes_to_the_checked_address_under_the_name_of_the_server() {
    let Some(server) = server_of("FLOWFORGE_TEST_MYSQL") else { return };
    let ca = server.query_pairs().find(|(name, _)| name == "ca").unwrap().1.into_owned();
    let ca = std::fs::read_to_string(ca).unwrap();
    let config = || json!({"statement": "show status like 'Ssl_cipher'", "read_only": true});
    for host in ["127.0.0.1", "localhost"] {
        let encrypted = connection("mysql", json!({"tls": "verify", "ca": ca, "host": host}), "").unwrap();
        let answer = ask_with(encrypted, outgoing(&["127.0.0.1", "::1"]), config()).await.unwrap();
        assert!(answer["rows"][0]["Value"].as_str().unwrap().contains("AES"), "{host}: {answer}");
    }
    let stranger = connection("mysql", json!({"tls": "verify"}), "").unwrap();
    let error = ask_with(stranger, outgoing(&["127.0.0.1"]), config()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.kind), ("SQL_TLS", ErrorKind::Permanent), "{error}");
}

#[tokio::test]
async fn a_connection_is_tested_by_asking_its_database() {
    for kind in KINDS {
        let Some(good) = connection(kind, json!({}), "") else { continue };
        assert_eq!(good.test(&outgoing(&["127.0.0.1"])).await.unwrap(), "the database answered");
        let bad = connection(kind, json!({"username": "nobody_here"}), "wrong").unwrap();
        assert_eq!(bad.test(&outgoing(&["127.0.0.1"])).await.unwrap_err().code, "SQL_SIGN_IN");
    }
}

/// A SQLite file with a table of numbers, and the way out that opens its folder.
async fn file() -> (tempfile::TempDir, Outgoing) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("open")).unwrap();
    for name in ["open/shop.db", "outside.db"] {
        std::fs::File::create(folder.path().join(name)).unwrap();
    }
    std::os::unix::fs::symlink(folder.path().join("outside.db"), folder.path().join("open/link.db")).unwrap();
    let policy = OutgoingPolicy { sqlite_folder: Some(folder.path().join("open")), ..OutgoingPolicy::default() };
    (folder, Outgoing::new(policy).unwrap())
}

async fn ask_file(outgoing: &Outgoing, file: &str, config: Value) -> Result<Value, ErrorInfo> {
    let kind = connection_type("sqlite").unwrap();
    let plain = json!({ "file": file }).as_object().unwrap().clone();
    ask_with(Connection::new("db", kind, plain, BTreeMap::new()), outgoing.clone(), config).await
}

#[tokio::test]
async fn sqlite_reads_and_writes_files_of_the_open_folder_only() {
    let (_folder, out) = file().await;
    let statements = json!([
        {"statement": "create table t (id integer primary key, name text, data blob, price real)"},
        {"statement": "insert into t values (?, ?, x'00ff', 1.5)", "parameters": [1, "ä'; drop table t"]},
        {"statement": "select * from t"}
    ]);
    let done = ask_file(&out, "shop.db", json!({"statements": statements})).await.unwrap();
    let row = json!({"id": 1, "name": "ä'; drop table t", "data": "AP8=", "price": 1.5});
    assert_eq!(done["results"][2]["rows"], json!([row]));
    let denied = |config: Value, file: &'static str| ask_file(&out, file, config);
    let select = || json!({"statement": "select 1 as a"});
    for file in ["../outside.db", "link.db", "none.db", "/etc/passwd", "", "."] {
        let error = denied(select(), file).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("SQL_FILE_DENIED", ErrorKind::Permanent), "{file}: {error}");
        assert!(!error.message.contains("/tmp"), "{error}");
    }
    for statement in [
        "attach '../outside.db' as o",
        "select 1; attach '../outside.db' as o",
        "select 1 as [a'] ; attach '../outside.db' as o -- '",
        "pragma writable_schema = 1",
        "vacuum into '../x.db'",
    ] {
        let error = denied(json!({"statement": statement}), "shop.db").await.unwrap_err();
        assert_eq!(error.code, "CONFIG_INVALID", "{statement}");
    }
    let error = ask_file(&outgoing(&[]), "shop.db", select()).await.unwrap_err();
    assert!(error.message.contains("FLOWFORGE__HTTP__SQLITE_FOLDER"), "{error}");
    let error = denied(json!({"statement": "with a as (select 1) select load_extension('x')"}), "shop.db").await;
    assert_eq!(error.unwrap_err().code, "SQL_REFUSED");
}

#[tokio::test]
async fn sqlite_keeps_its_bounds_its_deadline_and_what_is_only_read() {
    let (_folder, out) = file().await;
    let endless = "with recursive c(n) as (select 1 union all select n + 1 from c) select";
    let rows = ask_file(&out, "shop.db", json!({"statement": format!("{endless} n from c"), "max_rows": 10})).await;
    assert_eq!(rows.unwrap_err().code, "SQL_TOO_MANY_ROWS");
    let wide = json!({"statement": "select zeroblob(20000000) as b"});
    assert_eq!(ask_file(&out, "shop.db", wide).await.unwrap_err().code, "SQL_RESULT_TOO_LARGE");
    let began = Instant::now();
    let slow = json!({"statement": format!("{endless} max(n) from c"), "timeout": "200ms"});
    let error = ask_file(&out, "shop.db", slow).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.kind), ("SQL_TIMEOUT", ErrorKind::Transient));
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
    ask_file(&out, "shop.db", json!({"statement": "create table t (id int)"})).await.unwrap();
    let write = json!({"statement": "with a as (select 1) insert into t select * from a", "read_only": true});
    assert_eq!(ask_file(&out, "shop.db", write).await.unwrap_err().code, "SQL_REFUSED");
}

#[test]
fn decimals_are_numbers_only_where_they_stay_the_same() {
    for (text, expected) in [
        ("12.34", json!(12.34)),
        ("0.1", json!(0.1)),
        ("100", json!(100)),
        ("9223372036854775807", json!(i64::MAX)),
        ("9223372036854775808", json!("9223372036854775808")),
        ("0.10000000000000000001", json!("0.10000000000000000001")),
    ] {
        assert_eq!(number(&BigDecimal::from_str(text).unwrap()), expected);
    }
}

#[test]
fn only_statements_that_read_by_a_constant_may_be_repeated() {
    use engine::catalog::EffectClass::{Effectful, Idempotent};
    for (config, effect) in [
        (json!({"statement": "select 1", "read_only": true}), Idempotent),
        (json!({"statement": "select 1"}), Effectful),
        (json!({"statement": "select 1", "read_only": false}), Effectful),
        (json!({"statement": "select 1", "read_only": "{{ input.read }}"}), Effectful),
    ] {
        assert_eq!(crate::NodeType::effect(&Query, &config), effect, "{config}");
    }
}
