use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;
use serde_json::json;

/// JSON as Python writes it.
fn ascii_json(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap();
    let mut units = [0; 2];
    let mut escaped = String::new();
    for c in json[1..json.len() - 1].chars() {
        match c {
            c if c.is_ascii() => escaped.push(c),
            c => c.encode_utf16(&mut units).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    escaped
}

/// The value as other programs write it.
fn written(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let percent = |kept: &str, upper: bool| -> String {
        secret
            .bytes()
            .map(|byte| match char::from(byte) {
                c if c.is_ascii_alphanumeric() || (c.is_ascii() && kept.contains(c)) => c.to_string(),
                _ if upper => format!("%{byte:02X}"),
                _ => format!("%{byte:02x}"),
            })
            .collect()
    };
    vec![
        secret.to_owned(),
        STANDARD.encode(secret),
        URL_SAFE.encode(secret),
        hex::encode(secret),
        hex::encode_upper(secret),
        percent("", true),
        percent("-._~", true),
        // As Go and PHP write JSON.
        json[1..json.len() - 1].replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"),
        json[1..json.len() - 1].replace('/', "\\/"),
        ascii_json(secret),
        {
            let twice = serde_json::to_string(&ascii_json(secret)).unwrap();
            twice[1..twice.len() - 1].to_owned()
        },
        secret.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
        secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
        percent("-_.!~*'()", true),
        percent("-_.!~*'()", false),
        percent("*-._", true).replace("%20", "+"),
        json[1..json.len() - 1].to_owned(),
        secret.bytes().map(char::from).collect(),
    ]
}

#[test]
fn a_secret_is_found_in_every_form_wherever_it_stands() {
    for secret in ["hush-hush", "pässwörd ключ 鍵 🔑", "a\"b\\c/d&e<f>", "0123456789", "two words+plus", "s%C3%A4"]
    {
        let redactor = Redactor::of_values([secret]);
        for form in written(secret) {
            for (before, after) in [("", ""), ("x", "y"), ("token=", "&z=1"), ("\"", "\"}")] {
                let clean = redactor.text(&format!("{before}{form}{after}")).into_owned();
                assert!(!clean.contains(&form), "{secret} as {form}: {clean}");
                assert!(clean.contains(REDACTED));
            }
        }
    }
}

#[test]
fn a_secret_inside_a_longer_base64_text_leaves_nothing_that_can_be_read_back() {
    let secret = "hush-hush-hush";
    let redactor = Redactor::of_values([secret]);
    for before in ["", "a", "ab", "abc", "ada:"] {
        for after in ["", "z", "zz", "zzz"] {
            let clean = redactor.text(&STANDARD.encode(format!("{before}{secret}{after}"))).into_owned();
            let longest = clean.split(REDACTED).map(str::len).max().unwrap();
            assert!(clean.contains(REDACTED) && longest <= 8, "{before}…{after}: {clean}");
        }
    }
}

#[test]
fn names_numbers_and_nested_texts_are_cleaned_and_the_rest_stays() {
    let redactor = Redactor::of_values(["12345678", "hush-hush"]);
    let mut value = json!({"a": [12345678, 1.5, "x hush-hush"], "hush-hush": {"b": null, "c": true}, "d": "fine"});
    redactor.value(&mut value);
    let clean = json!({"a": [REDACTED, 1.5, "x [redacted]"], "[redacted]": {"b": null, "c": true}, "d": "fine"});
    assert_eq!(value, clean);
}

#[test]
fn an_error_that_was_cut_inside_a_secret_shows_no_beginning_of_it() {
    let redactor = Redactor::of_values(["hush-hush-hush"]);
    for (cut, clean) in [
        ("the service answered 401: hush-hush-hu", "the service answered 401: [redacted]"),
        ("the service answered 401: hush-hush-hu…", "the service answered 401: [redacted]…"),
        ("the service answered 401: hush%2Dhush%2", "the service answered 401: [redacted]"),
        ("the service answered 401: aHVzaC1odXNo", "the service answered 401: [redacted]"),
        ("the service answered 401: hus", "the service answered 401: hus"),
        ("hush-hush-hush and hush", "[redacted] and [redacted]"),
    ] {
        let mut error = ErrorInfo::permanent("HTTP_STATUS", cut);
        redactor.error(&mut error);
        assert_eq!(error.message, clean);
    }
}

#[test]
fn log_lines_are_clean_while_a_secret_is_in_use() {
    let (first, second) = (Redactor::of_values(["watched-secret"]), Redactor::of_values(["watched-secret"]));
    let line = b"{\"message\":\"a watched-secret\"}\n";
    let seen = || String::from_utf8(log_line(line).into_owned()).unwrap();
    let (watch, again) = (first.watch(), second.watch());
    assert!(!seen().contains("watched-secret"));
    drop(watch);
    assert!(!seen().contains("watched-secret"));
    drop(again);
    assert!(seen().contains("watched-secret"));
}

#[test]
fn no_text_makes_the_search_slow() {
    let redactor = Redactor::of_values(["\\\\\\\\\\\\\\\\\\\\\\\\z", "%%%%%%%%%%%%%%%%z"]);
    let began = std::time::Instant::now();
    for text in ["\\".repeat(20_000), "%25".repeat(20_000), "&#92;".repeat(20_000)] {
        assert_eq!(redactor.text(&text), text);
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}

proptest! {
    #[test]
    fn whatever_a_secret_is_made_of_it_does_not_survive(secret in "\\PC{6,40}", around in "[a-z ]{0,9}") {
        let redactor = Redactor::of_values([secret.as_str()]);
        for form in written(&secret) {
            // What stands for a secret may hold a short one itself.
            prop_assume!(!REDACTED.contains(&form) && !around.contains(&form));
            let clean = redactor.text(&format!("{around}{form}{around}")).into_owned();
            prop_assert!(!clean.contains(&form), "{form} in {clean}");
        }
    }
}
