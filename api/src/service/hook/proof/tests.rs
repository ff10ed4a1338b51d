use std::collections::BTreeMap;

use nodes::connection::{SecretText, connection_type};
use serde_json::{Map, Value, json};

use super::*;

fn signing(secrets: &[(&str, &str)]) -> Connection {
    let secrets: BTreeMap<String, SecretText> =
        secrets.iter().map(|(name, text)| ((*name).to_owned(), SecretText::new((*text).to_owned()))).collect();
    Connection::new("sender", connection_type("webhook.signing").unwrap(), Map::new(), secrets)
}

fn of_type(kind: &str, plain: Value, secrets: &[(&str, &str)]) -> Connection {
    let Value::Object(plain) = plain else { panic!("no object") };
    let secrets: BTreeMap<String, SecretText> =
        secrets.iter().map(|(name, text)| ((*name).to_owned(), SecretText::new((*text).to_owned()))).collect();
    Connection::new("sender", connection_type(kind).unwrap(), plain, secrets)
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    Headers(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000_000)
}

/// Whether it is believed, or the code of why not.
fn judged(
    config: &Value,
    connection: &Connection,
    sent: &[(&str, &str)],
    body: &[u8],
    now: i64,
) -> Result<(), &'static str> {
    let settings = WebhookSettings::read(config).unwrap();
    let headers = headers(sent);
    let shown = Shown { headers: &headers, body, now: at(now) };
    check(&settings, Some(connection), shown).map(drop).map_err(|refusal| refusal.code())
}

fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from));
    text.replacen(from, to, 1)
}

/// The example of docs.github.com, "Validating webhook deliveries".
mod github {
    use super::*;

    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn judge(sent: &[(&str, &str)], body: &[u8]) -> Result<(), &'static str> {
        judged(&json!({"verify": "github"}), &signing(&[("secret", SECRET)]), sent, body, 0)
    }

    #[test]
    fn the_published_example_is_believed() {
        assert_eq!(judge(&[("x-hub-signature-256", SIGNATURE)], BODY), Ok(()));
    }

    #[test]
    fn anything_else_is_not() {
        assert_eq!(judge(&[], BODY), Err("CREDENTIAL_MISSING"));
        assert_eq!(judge(&[("x-hub-signature-256", SIGNATURE)], b"Hello, World?"), Err("SIGNATURE_WRONG"));
        let other = changed(SIGNATURE, "757107", "757108");
        assert_eq!(judge(&[("x-hub-signature-256", &other)], BODY), Err("SIGNATURE_WRONG"));
        let twice = [("x-hub-signature-256", SIGNATURE), ("x-hub-signature-256", SIGNATURE)];
        assert_eq!(judge(&twice, BODY), Err("HEADER_DUPLICATE"));
        let upper = changed(&SIGNATURE.to_uppercase(), "SHA256", "sha256");
        for malformed in [&upper, "sha256=", "757107ea", "sha1=757107ea", "sha256=zz", "sha256=757"] {
            assert_eq!(judge(&[("x-hub-signature-256", malformed)], BODY), Err("HEADER_MALFORMED"), "{malformed}");
        }
    }
}

/// The example of docs.slack.dev, "Verifying requests from Slack".
mod slack {
    use super::*;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const AT: i64 = 1_531_420_618;
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn judge(signature: &str, time: &str, body: &[u8], now: i64) -> Result<(), &'static str> {
        let sent = [("x-slack-signature", signature), ("x-slack-request-timestamp", time)];
        judged(&json!({"verify": "slack"}), &signing(&[("secret", SECRET)]), &sent, body, now)
    }

    #[test]
    fn the_published_example_is_believed() {
        assert_eq!(judge(SIGNATURE, "1531420618", BODY, AT), Ok(()));
        assert_eq!(judge(SIGNATURE, "1531420618", BODY, AT + 300), Ok(()));
    }

    #[test]
    fn anything_else_is_not() {
        assert_eq!(judge(SIGNATURE, "1531420618", BODY, AT + 301), Err("TIMESTAMP_OLD"));
        assert_eq!(judge(SIGNATURE, "1531420618", BODY, AT - 301), Err("TIMESTAMP_FUTURE"));
        assert_eq!(judge(SIGNATURE, "1531420619", BODY, AT), Err("SIGNATURE_WRONG"));
        assert_eq!(judge(SIGNATURE, "1531420618", &BODY[1..], AT), Err("SIGNATURE_WRONG"));
        for malformed in ["", "+1531420618", "1531420618.0", "1e9", "９"] {
            assert_eq!(judge(SIGNATURE, malformed, BODY, AT), Err("HEADER_MALFORMED"), "{malformed}");
        }
    }
}

/// The example is the one that Stripe's own libraries are tested with.
mod stripe {
    use super::*;

    const SECRET: &str = "webhook_secret";
    const AT: i64 = 1_533_204_620;
    const EXAMPLE: &str = include_str!("stripe.json");

    #[test]
    fn the_published_example_is_believed() {
        let v1 = "f0bdba6d4eacbd8ad8a3bbadd7248e633ec1477f7899c124c51b39405fa36613";
        let v0 = "63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef";
        assert_eq!(judge(&format!("t={AT},v1={v1},v0={v0}"), EXAMPLE.as_bytes(), AT + 100), Ok(()));
    }

    fn signature(body: &[u8], seconds: i64, secret: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let text = [seconds.to_string().as_bytes(), b".", body].concat();
        hex::encode(hmac::sign(&key, &text).as_ref())
    }

    fn judge(header: &str, body: &[u8], now: i64) -> Result<(), &'static str> {
        let connection = signing(&[("secret", SECRET), ("previous", "whsec_previous")]);
        judged(&json!({"verify": "stripe"}), &connection, &[("stripe-signature", header)], body, now)
    }

    #[test]
    fn any_of_several_signatures_is_enough() {
        let right = signature(b"{}", AT, SECRET);
        for header in [
            format!("t={AT},v1={right}"),
            format!(
                "t={AT},v1={},v1={right},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39",
                "0".repeat(64)
            ),
            format!("v1={right},t={AT}"),
            format!("t={AT},v1={}", signature(b"{}", AT, "whsec_previous")),
        ] {
            assert_eq!(judge(&header, b"{}", AT), Ok(()), "{header}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        let right = signature(b"{}", AT, SECRET);
        let good = format!("t={AT},v1={right}");
        assert_eq!(judge(&good, b"{} ", AT), Err("SIGNATURE_WRONG"));
        assert_eq!(judge(&good, b"{}", AT + 301), Err("TIMESTAMP_OLD"));
        assert_eq!(judge(&good, b"{}", AT - 301), Err("TIMESTAMP_FUTURE"));
        assert_eq!(judge(&format!("t={},v1={right}", AT + 1), b"{}", AT), Err("SIGNATURE_WRONG"));
        for malformed in [
            format!("v1={right}"),
            format!("t={AT}"),
            format!("t={AT},v0={right}"),
            format!("t={AT},t={AT},v1={right}"),
            format!("t={AT},v1={}", right.to_uppercase()),
            String::new(),
        ] {
            assert_eq!(judge(&malformed, b"{}", AT), Err("HEADER_MALFORMED"), "{malformed}");
        }
    }
}

/// The example of the Standard Webhooks specification's reference libraries.
mod standard {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const AT: i64 = 1_614_265_330;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn judge(id: &str, signature: &str, body: &[u8], now: i64) -> Result<(), &'static str> {
        let sent = [("webhook-id", id), ("webhook-timestamp", "1614265330"), ("webhook-signature", signature)];
        let connection = signing(&[("secret", "whsec_bmV3IHNlY3JldCBvZiAyNCBieXRlcyE="), ("previous", SECRET)]);
        judged(&json!({"verify": "standard"}), &connection, &sent, body, now)
    }

    #[test]
    fn the_published_example_is_believed_also_among_others() {
        assert_eq!(judge(ID, SIGNATURE, BODY, AT), Ok(()));
        let several = format!("v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,abc {SIGNATURE} v1a,xyz");
        assert_eq!(judge(ID, &several, BODY, AT), Ok(()));
    }

    #[test]
    fn anything_else_is_not() {
        assert_eq!(judge(ID, SIGNATURE, br#"{"test": 2432232315}"#, AT), Err("SIGNATURE_WRONG"));
        assert_eq!(judge("msg_other", SIGNATURE, BODY, AT), Err("SIGNATURE_WRONG"));
        assert_eq!(judge(ID, SIGNATURE, BODY, AT + 360), Err("TIMESTAMP_OLD"));
        assert_eq!(judge(ID, SIGNATURE, BODY, AT - 360), Err("TIMESTAMP_FUTURE"));
        for malformed in ["", "v1", "v1,", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,%%%"] {
            let judged = judge(ID, malformed, BODY, AT);
            assert!(matches!(judged, Err("HEADER_MALFORMED" | "SIGNATURE_WRONG")), "{malformed}: {judged:?}");
        }
        assert_eq!(judge("", SIGNATURE, BODY, AT), Err("HEADER_MALFORMED"));
    }
}

#[test]
fn a_described_signature_is_checked_as_it_is_described() {
    let key = hmac::Key::new(hmac::HMAC_SHA512, b"hush-hush");
    let mac = STANDARD.encode(hmac::sign(&key, b"1000:{\"a\":1}!").as_ref());
    let config = json!({"verify": "hmac", "signature_header": "X-Sig", "signature_algorithm": "sha512",
        "signature_encoding": "base64", "signature_prefix": "mac ", "timestamp_header": "X-Time",
        "signed_text": "{timestamp}:{body}!", "tolerance": "1m"});
    let connection = signing(&[("secret", "hush-hush")]);
    let judge = |mac: &str, body: &[u8], now| {
        judged(&config, &connection, &[("x-sig", &format!("mac {mac}")), ("x-time", "1000")], body, now)
    };
    assert_eq!(judge(&mac, br#"{"a":1}"#, 1_060), Ok(()));
    assert_eq!(judge(&mac, br#"{"a":2}"#, 1_000), Err("SIGNATURE_WRONG"));
    assert_eq!(judge(&mac, br#"{"a":1}"#, 1_061), Err("TIMESTAMP_OLD"));
    assert_eq!(judge("=", br#"{"a":1}"#, 1_000), Err("HEADER_MALFORMED"));
}

#[test]
fn the_old_hash_is_there_for_senders_that_know_no_better() {
    // RFC 2202, test case 2, with its key and data as texts.
    let config = json!({"verify": "hmac", "signature_header": "x-sig", "signature_algorithm": "sha1"});
    let sent = [("x-sig", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")];
    let body = b"what do ya want for nothing?";
    assert_eq!(judged(&config, &signing(&[("secret", "Jefe")]), &sent, body, 0), Ok(()));
}

#[test]
fn tokens_passwords_and_keys_are_compared_whole() {
    let bearer = of_type("http.bearer", json!({}), &[("token", "right-token")]);
    let judge = |kind: &str, connection: &Connection, sent: &[(&str, &str)]| {
        judged(&json!({"verify": kind}), connection, sent, b"", 0)
    };
    assert_eq!(judge("bearer", &bearer, &[("authorization", "Bearer right-token")]), Ok(()));
    assert_eq!(judge("bearer", &bearer, &[("authorization", "bearer right-token")]), Ok(()));
    for wrong in ["Bearer right-toke", "Bearer right-token2", "Bearer "] {
        assert_eq!(judge("bearer", &bearer, &[("authorization", wrong)]), Err("CREDENTIAL_WRONG"), "{wrong}");
    }
    assert_eq!(judge("bearer", &bearer, &[("authorization", "right-token")]), Err("HEADER_MALFORMED"));
    assert_eq!(judge("bearer", &bearer, &[]), Err("CREDENTIAL_MISSING"));
    let twice = [("authorization", "Bearer right-token"), ("authorization", "Bearer right-token")];
    assert_eq!(judge("bearer", &bearer, &twice), Err("HEADER_DUPLICATE"));

    let basic = of_type("http.basic", json!({"username": "ada"}), &[("password", "hush:hush")]);
    let pair = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    assert_eq!(judge("basic", &basic, &[("authorization", &pair("ada:hush:hush"))]), Ok(()));
    assert_eq!(judge("basic", &basic, &[("authorization", &pair("eve:hush:hush"))]), Err("CREDENTIAL_WRONG"));
    assert_eq!(judge("basic", &basic, &[("authorization", "Basic !")]), Err("HEADER_MALFORMED"));

    let key = of_type("http.header", json!({"name": "X-Gitlab-Token"}), &[("value", "right-key")]);
    assert_eq!(judge("header", &key, &[("x-gitlab-token", "right-key")]), Ok(()));
    assert_eq!(judge("header", &key, &[("x-gitlab-token", "wrong-key")]), Err("CREDENTIAL_WRONG"));
    assert_eq!(judge("header", &key, &[]), Err("CREDENTIAL_MISSING"));
}

#[test]
fn without_its_connection_nothing_is_believed() {
    let settings = WebhookSettings::read(&json!({"verify": "bearer"})).unwrap();
    let sent = headers(&[("authorization", "Bearer ")]);
    let shown = Shown { headers: &sent, body: b"", now: at(0) };
    assert_eq!(check(&settings, None, shown), Err(Refusal::WrongCredential));
}
