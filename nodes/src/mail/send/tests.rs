//! Against a real server: FLOWFORGE_TEST_SMTP names it, its folder and its second port, as `make test` does.

use std::collections::BTreeMap;
use std::path::PathBuf;

use engine::error::ErrorKind;

use super::*;
use crate::connection::{Connection, SecretText, connection_type};
use crate::outgoing::Outgoing;
use crate::testing::{attempt, execute_with, outgoing, server_of, silent};

const SERVER: &str = "FLOWFORGE_TEST_SMTP";

fn folder() -> Option<PathBuf> {
    Some(PathBuf::from(server_of(SERVER)?.path()))
}

fn connection(changes: Value, password: &str) -> Option<Connection> {
    let server = server_of(SERVER)?;
    let tls_port = server.query_pairs().find(|(name, _)| name == "tls").unwrap().1.into_owned();
    let ca = std::fs::read_to_string(folder()?.join("cert.pem")).unwrap();
    let encrypted = changes["security"] == json!("tls");
    let port = if encrypted { tls_port } else { server.port().unwrap().to_string() };
    let mut plain = json!({
        "host": "127.0.0.1", "port": port, "username": server.username(), "from": "Shop <shop@example.com>", "ca": ca
    });
    for (name, value) in changes.as_object().unwrap() {
        plain[name] = value.clone();
    }
    let kind = connection_type("smtp").unwrap();
    let plain = kind.plain_fields(plain.as_object().unwrap().clone()).unwrap();
    let password = if password.is_empty() { server.password().unwrap() } else { password };
    let secrets = BTreeMap::from([("password".to_owned(), SecretText::new(password.to_owned()))]);
    Some(Connection::new("mailer", kind, plain, secrets))
}

async fn send(connection: Connection, outgoing: Outgoing, config: Value) -> Result<Value, ErrorInfo> {
    match execute_with(&Send, outgoing, connection, &attempt(config, json!({}))).await? {
        NodeOutcome::Done { output, .. } => Ok(output),
        other => panic!("{other:?}"),
    }
}

fn local() -> Outgoing {
    outgoing(&["127.0.0.1"])
}

/// The mail that arrived with this subject.
fn arrived(subject: &str) -> Value {
    let files = std::fs::read_dir(folder().unwrap().join("mail")).unwrap();
    let texts = files.filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok());
    let mails = texts.filter_map(|text| serde_json::from_str::<Value>(&text).ok());
    let mut found = mails.filter(|mail| mail["content"].as_str().unwrap().contains(&format!("Subject: {subject}\r\n")));
    found.next().unwrap()
}

#[tokio::test]
async fn a_mail_arrives_encrypted_by_either_way_with_all_its_parts() {
    for security in ["starttls", "tls"] {
        let Some(connection) = connection(json!({"security": security}), "") else { return };
        let subject = format!("by {security}");
        let config = json!({
            "to": ["Ada <ada@example.com>", null, "bob@example.com"], "cc": "cy@example.com", "bcc": "dee@example.com",
            "reply_to": "desk@example.com", "subject": subject, "text": "Grüße\n.\nQUIT", "html": "<p>Grüße</p>",
            "attachments": [{"name": "ä.csv", "media_type": "text/csv", "content": "YSxiCg=="}]
        });
        let sent = send(connection, local(), config).await.unwrap();
        assert_eq!(sent["recipients"], json!(4));
        let mail = arrived(&subject);
        assert_eq!(mail["to"], json!(["ada@example.com", "bob@example.com", "cy@example.com", "dee@example.com"]));
        assert_eq!((&mail["from"], &mail["encrypted"]), (&json!("shop@example.com"), &json!(true)));
        let content = mail["content"].as_str().unwrap();
        for part in [
            sent["message_id"].as_str().unwrap(),
            "Reply-To: desk@example.com",
            "Date: Thu, 01 Jan 2026 00:00:00 +0000",
            "multipart/alternative",
            "text/csv",
            "a,b",
        ] {
            assert!(content.contains(part), "{part} in {content}");
        }
        assert!(!content.contains("dee@example.com"), "a blind copy is blind");
    }
}

#[tokio::test]
async fn refusals_for_good_and_for_now_and_a_cut_connection_are_told_apart() {
    for (to, code, kind) in [
        ("refused@example.com", "MAIL_REFUSED", ErrorKind::Permanent),
        ("later@example.com", "MAIL_DEFERRED", ErrorKind::Transient),
        ("broken@example.com", "MAIL_UNCERTAIN", ErrorKind::Unknown),
    ] {
        let Some(connection) = connection(json!({}), "") else { return };
        let config = json!({"to": ["ada@example.com", to], "subject": "no", "text": "x"});
        let error = send(connection, local(), config).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), (code, kind), "{error}");
    }
}

#[tokio::test]
async fn bad_credentials_dead_servers_silent_servers_and_denied_addresses_say_what_they_are() {
    let secret = "wrong-hush-wrong";
    let config = || json!({"to": "ada@example.com", "subject": "never", "text": "x", "timeout": "500ms"});
    let Some(stranger) = connection(json!({}), secret) else { return };
    let error = send(stranger, local(), config()).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.kind), ("MAIL_SIGN_IN", ErrorKind::Permanent), "{error}");
    assert!(!error.message.contains(secret), "{error}");
    let silent = silent().await.port().to_string();
    for port in ["9", &silent] {
        let error = send(connection(json!({"port": port}), "").unwrap(), local(), config()).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("MAIL_CONNECT", ErrorKind::Transient), "{port}: {error}");
    }
    let denied = send(connection(json!({}), "").unwrap(), outgoing(&[]), config()).await.unwrap_err();
    assert_eq!((denied.code.as_str(), denied.kind), ("MAIL_HOST_DENIED", ErrorKind::Permanent));
    for security in ["starttls", "tls"] {
        let unknown = connection(json!({"security": security, "ca": null}), "").unwrap();
        let error = send(unknown, local(), config()).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("MAIL_TLS", ErrorKind::Permanent), "{security}: {error}");
    }
    let good = connection(json!({}), "").unwrap();
    assert!(good.test(&local()).await.is_ok());
    assert_eq!(connection(json!({}), secret).unwrap().test(&local()).await.unwrap_err().code, "MAIL_SIGN_IN");
}

#[tokio::test]
async fn what_is_no_mail_is_refused_before_anybody_is_asked() {
    let kind = connection_type("smtp").unwrap();
    let good = || json!({"to": "ada@example.com", "from": "shop@example.com", "text": "x"});
    for (field, value, code) in [
        ("to", json!("nobody"), "MAIL_ADDRESS_INVALID"),
        ("to", json!("ada@example.com\r\nBcc: eve@example.com"), "MAIL_ADDRESS_INVALID"),
        ("to", json!([]), "MAIL_ADDRESS_INVALID"),
        ("to", json!(vec!["a@example.com"; 101]), "MAIL_ADDRESS_INVALID"),
        ("to", json!(3), "CONFIG_INVALID"),
        ("from", json!(null), "CONFIG_INVALID"),
        ("subject", json!("a\r\nBcc: eve@example.com"), "CONFIG_INVALID"),
        ("text", json!(null), "CONFIG_INVALID"),
        ("attachments", json!([{"name": "../x", "content": ""}]), "CONFIG_INVALID"),
        ("attachments", json!([{"name": "x", "content": "no base64!"}]), "CONFIG_INVALID"),
        ("attachments", json!([{"name": "x", "content": "", "media_type": "a/b\r\nX: y"}]), "CONFIG_INVALID"),
    ] {
        let mut config = good();
        config[field] = value.clone();
        let nowhere = Connection::new("mailer", kind, serde_json::Map::new(), BTreeMap::new());
        let error = send(nowhere, outgoing(&[]), config).await.unwrap_err();
        assert_eq!(error.code, code, "{field} {value}: {error}");
    }
}
