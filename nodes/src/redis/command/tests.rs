//! Against a real server: FLOWFORGE_TEST_REDIS names it, as `make test` does.

use std::collections::BTreeMap;

use engine::error::ErrorKind;

use super::*;
use crate::connection::{Connection, SecretText, connection_type};
use crate::outgoing::Outgoing;
use crate::testing::{attempt, execute_with, outgoing, server_of, silent};

fn connection(changes: Value, password: &str) -> Option<Connection> {
    let server = server_of("FLOWFORGE_TEST_REDIS")?;
    let port = server.port().unwrap_or(6379).to_string();
    let mut plain = json!({"host": server.host_str().unwrap(), "port": port, "tls": "off"});
    for (name, value) in changes.as_object().unwrap() {
        plain[name] = value.clone();
    }
    let kind = connection_type("redis").unwrap();
    let plain = kind.plain_fields(plain.as_object().unwrap().clone()).unwrap();
    let password = if password.is_empty() { server.password().unwrap() } else { password };
    let secrets = BTreeMap::from([("password".to_owned(), SecretText::new(password.to_owned()))]);
    Some(Connection::new("cache", kind, plain, secrets))
}

async fn ask_with(connection: Connection, outgoing: Outgoing, config: Value) -> Result<Value, ErrorInfo> {
    match execute_with(&Command, outgoing, connection, &attempt(config, json!({}))).await? {
        NodeOutcome::Done { output, .. } => Ok(output),
        other => panic!("{other:?}"),
    }
}

async fn ask(command: &str, arguments: Value) -> Option<Result<Value, ErrorInfo>> {
    let config = json!({"command": command, "arguments": arguments});
    Some(ask_with(connection(json!({}), "")?, outgoing(&["127.0.0.1"]), config).await)
}

#[tokio::test]
async fn commands_are_sent_and_their_answers_are_json() {
    let (key, hash, list) = ("t:text \r\n*1\r\n$8\r\nFLUSHALL", "t:hash", "t:list");
    for key in [key, hash, list] {
        let Some(done) = ask("DEL", json!([key])).await else { return };
        done.unwrap();
    }
    for (command, arguments, answer) in [
        ("PING", json!([]), json!("PONG")),
        ("GET", json!([key]), json!(null)),
        ("SET", json!([key, "ä", "EX", 60]), json!("OK")),
        ("GET", json!([key]), json!("ä")),
        ("HSET", json!([hash, "a", 1, "b", true]), json!(2)),
        ("HMGET", json!([hash, "a", "b", "c"]), json!(["1", "true", null])),
        ("RPUSH", json!([list, "x", "y"]), json!(2)),
        ("LRANGE", json!([list, 0, -1]), json!(["x", "y"])),
        ("INCRBY", json!([hash, 1]), json!("SERVER")),
    ] {
        match ask(command, arguments.clone()).await.unwrap() {
            Ok(value) => assert_eq!(value, answer, "{command} {arguments}"),
            Err(error) => assert_eq!((error.code.as_str(), command), ("REDIS_REFUSED", "INCRBY"), "{error}"),
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_given_in_base64_only_when_asked_for() {
    let Some(set) = ask("SETRANGE", json!(["t:bytes", 3, "x"])).await else { return };
    set.unwrap();
    assert_eq!(ask("GET", json!(["t:bytes"])).await.unwrap().unwrap(), json!("\0\0\0x"));
    let config = json!({"command": "GET", "arguments": ["t:bytes"], "response": "base64"});
    let answer = ask_with(connection(json!({}), "").unwrap(), outgoing(&["127.0.0.1"]), config).await;
    assert_eq!(answer.unwrap(), json!("AAAAeA=="));
    assert_eq!(value(Answer::BulkString(vec![0xff]), false).unwrap_err().code, "REDIS_NOT_TEXT");
}

#[tokio::test]
async fn an_answer_without_end_is_stopped() {
    let Some(set) = ask("SETRANGE", json!(["t:large", 17 * 1024 * 1024, "x"])).await else { return };
    set.unwrap();
    let error = ask("GET", json!(["t:large"])).await.unwrap().unwrap_err();
    ask("DEL", json!(["t:large"])).await.unwrap().unwrap();
    assert_eq!((error.code.as_str(), error.kind), ("REDIS_ANSWER_TOO_LARGE", ErrorKind::Permanent), "{error}");
}

#[tokio::test]
async fn bad_credentials_dead_servers_silent_servers_and_denied_addresses_say_what_they_are() {
    let secret = "wrong-hush-wrong";
    let config = || json!({"command": "GET", "arguments": ["a"], "timeout": "500ms"});
    let Some(stranger) = connection(json!({}), secret) else { return };
    let local = || outgoing(&["127.0.0.1"]);
    let error = ask_with(stranger, local(), config()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.kind), ("REDIS_SIGN_IN", ErrorKind::Permanent), "{error}");
    assert!(!error.message.contains(secret), "{error}");
    let silent = silent().await.port().to_string();
    for port in ["9", &silent] {
        let error = ask_with(connection(json!({"port": port}), secret).unwrap(), local(), config()).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("REDIS_CONNECT", ErrorKind::Transient), "{port}: {error}");
    }
    let denied = ask_with(connection(json!({}), secret).unwrap(), outgoing(&[]), config()).await.unwrap_err();
    assert_eq!((denied.code.as_str(), denied.kind), ("REDIS_HOST_DENIED", ErrorKind::Permanent));
    let encrypted = connection(json!({"tls": "verify"}), secret).unwrap();
    let error = ask_with(encrypted, local(), config()).await.unwrap_err();
    assert_eq!(error.code, "REDIS_CONNECT", "this port waits for the end of a command: {error}");
    let good = connection(json!({}), "").unwrap();
    assert_eq!(good.test(&local()).await.unwrap(), "the server answered");
    assert_eq!(connection(json!({}), secret).unwrap().test(&local()).await.unwrap_err().code, "REDIS_SIGN_IN");
}

#[tokio::test]
async fn an_encrypted_session_needs_a_certificate_of_a_known_authority() {
    let Some(server) = server_of("FLOWFORGE_TEST_REDIS") else { return };
    let query: BTreeMap<String, String> = server.query_pairs().into_owned().collect();
    let ca = std::fs::read_to_string(&query["ca"]).unwrap();
    let config = || json!({"command": "PING"});
    let plain = |ca: Value| connection(json!({"tls": "verify", "port": query["tls"], "ca": ca}), "").unwrap();
    let answer = ask_with(plain(json!(ca)), outgoing(&["127.0.0.1"]), config()).await.unwrap();
    assert_eq!(answer, json!("PONG"));
    let error = ask_with(plain(json!(null)), outgoing(&["127.0.0.1"]), config()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.kind), ("REDIS_TLS", ErrorKind::Permanent), "{error}");
}

#[tokio::test]
async fn commands_that_are_not_on_the_list_and_arguments_that_are_none_are_refused() {
    let kind = connection_type("redis").unwrap();
    for config in [
        json!({"command": "FLUSHALL"}),
        json!({"command": "get"}),
        json!({"command": "EVAL", "arguments": ["x", 0]}),
        json!({"command": "KEYS", "arguments": ["*"]}),
        json!({}),
        json!({"command": "GET", "arguments": [null]}),
        json!({"command": "GET", "arguments": [{}]}),
    ] {
        let nowhere = Connection::new("cache", kind, Map::new(), BTreeMap::new());
        let error = ask_with(nowhere, outgoing(&[]), config.clone()).await.unwrap_err();
        assert_eq!(error.code, "CONFIG_INVALID", "{config}");
    }
}

#[test]
fn what_twice_is_as_once_may_be_repeated() {
    use EffectClass::{Effectful, Idempotent};
    for (config, effect) in [
        (json!({"command": "GET", "arguments": ["a"]}), Idempotent),
        (json!({"command": "DEL", "arguments": ["a"]}), Idempotent),
        (json!({"command": "SET", "arguments": ["a", "{{ input }}"]}), Idempotent),
        (json!({"command": "SET", "arguments": ["a", 1, "NX"]}), Effectful),
        (json!({"command": "SET", "arguments": "{{ input }}"}), Effectful),
        (json!({"command": "INCR", "arguments": ["a"]}), Effectful),
        (json!({"command": "{{ input }}"}), Effectful),
        (json!({}), Effectful),
    ] {
        assert_eq!(Command.effect(&config), effect, "{config}");
    }
}
