use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Request as Incoming;
use axum::http::{StatusCode, header};
use axum::routing::get;
use serde_json::{Value, json};

use super::*;
use crate::NodeOutcome;
use crate::http::request::Request;
use crate::testing::{attempt, execute_with, outgoing, serve};

fn connection(kind: &str, plain: Value, secrets: &[(&str, &str)]) -> Connection {
    let kind = connection_type(kind).unwrap();
    let plain = kind.plain_fields(plain.as_object().unwrap().clone()).unwrap();
    let secrets: BTreeMap<String, SecretText> = secrets
        .iter()
        .map(|(name, value)| {
            kind.check_secret(name, value).unwrap();
            ((*name).to_owned(), SecretText::new((*value).to_owned()))
        })
        .collect();
    Connection::new("shop", kind, plain, secrets)
}

/// The headers and the URI of a request, as JSON.
async fn echo(request: Incoming) -> axum::Json<Value> {
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: serde_json::Map<_, _> =
        request.headers().iter().map(|(name, value)| (name.to_string(), json!(text(value)))).collect();
    axum::Json(json!({"uri": request.uri().to_string(), "headers": headers}))
}

/// What a service sees of a call with this connection.
async fn seen(connection: Connection, config: Value) -> Result<Value, ErrorInfo> {
    let address = serve(Router::new().fallback(echo)).await;
    let mut config = config;
    config["url"] = json!(format!("http://{address}/x?a=1"));
    let outcome = execute_with(&Request, outgoing(&["127.0.0.1"]), connection, &attempt(config, json!({}))).await?;
    match outcome {
        NodeOutcome::Done { output, .. } => Ok(output["body"].clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_type_puts_its_credentials_where_it_says() {
    let bearer = seen(connection("http.bearer", json!({}), &[("token", "s3cret-ä")]), json!({})).await.unwrap();
    assert_eq!(bearer["headers"]["authorization"], "Bearer s3cret-ä");
    let basic = connection("http.basic", json!({"username": "ada"}), &[("password", "pass:word")]);
    let basic = seen(basic, json!({})).await.unwrap();
    assert_eq!(basic["headers"]["authorization"], "Basic YWRhOnBhc3M6d29yZA==");
    let header = connection("http.header", json!({"name": "X-Api-Key"}), &[("value", "Token abcd")]);
    assert_eq!(seen(header, json!({})).await.unwrap()["headers"]["x-api-key"], "Token abcd");
    let custom = connection("http.custom", json!({}), &[("headers", "X-App: 1700\n\n x-key :  abcd ")]);
    let custom = seen(custom, json!({})).await.unwrap();
    assert_eq!((&custom["headers"]["x-app"], &custom["headers"]["x-key"]), (&json!("1700"), &json!("abcd")));
    let query = connection("http.query", json!({"name": "api_key"}), &[("value", "a b&c")]);
    assert_eq!(seen(query, json!({})).await.unwrap()["uri"], "/x?a=1&api_key=a+b%26c");
}

#[tokio::test]
async fn what_the_author_filled_is_not_overwritten_in_silence() {
    let bearer = || connection("http.bearer", json!({}), &[("token", "hush-hush")]);
    let error = seen(bearer(), json!({"headers": {"Authorization": "Bearer mine"}})).await.unwrap_err();
    assert_eq!(error.code, "CONFIG_INVALID");
    assert!(error.message.contains("`authorization`") && !error.message.contains("hush"), "{error}");
    let query = connection("http.query", json!({"name": "a"}), &[("value", "hush-hush")]);
    let error = seen(query, json!({})).await.unwrap_err();
    assert!(error.code == "CONFIG_INVALID" && !error.message.contains("hush"), "{error}");
    let idempotency = connection("http.header", json!({"name": "X-Id"}), &[("value", "hush-hush")]);
    let error = seen(idempotency, json!({"method": "PUT", "idempotency_header": "X-Id"})).await.unwrap_err();
    assert_eq!(error.code, "CONFIG_INVALID");
}

#[tokio::test]
async fn credentials_stay_where_the_connection_says() {
    let at = |host: &str| connection("http.bearer", json!({"hosts": [host]}), &[("token", "hush-hush")]);
    let error = seen(at("*.example.com"), json!({})).await.unwrap_err();
    assert_eq!(error.code, "CONNECTION_HOST_DENIED");
    assert!(seen(at("127.0.0.1"), json!({})).await.is_ok());
    assert!(seen(at("127.0.0.0/8"), json!({})).await.is_ok());
}

#[tokio::test]
async fn a_redirect_to_another_origin_takes_no_credentials_along() {
    let there = serve(Router::new().fallback(echo)).await;
    let away = move || async move { (StatusCode::FOUND, [(header::LOCATION, format!("http://{there}/y"))]) };
    let here = serve(Router::new().route("/", get(away))).await;
    for connection in [
        connection("http.bearer", json!({}), &[("token", "hush-hush")]),
        connection("http.header", json!({"name": "X-Api-Key"}), &[("value", "hush-hush")]),
        connection("http.query", json!({"name": "key"}), &[("value", "hush-hush")]),
    ] {
        let config = json!({"url": format!("http://{here}/")});
        let done = execute_with(&Request, outgoing(&["127.0.0.1"]), connection, &attempt(config, json!({}))).await;
        let seen = format!("{:?}", done.unwrap());
        assert!(seen.contains("/y") && !seen.contains("hush"), "{seen}");
    }
}

#[test]
fn a_field_that_does_not_fit_is_named_and_its_value_is_not() {
    let kind = |name: &str| connection_type(name).unwrap();
    for (name, fields, field) in [
        ("http.bearer", json!({"token": "hush-hush"}), "token"),
        ("http.bearer", json!({"other": "hush-hush"}), "other"),
        ("http.bearer", json!({"test_url": "ftp://hush/"}), "test_url"),
        ("http.bearer", json!({"test_url": "https://u:hush@h/"}), "test_url"),
        ("http.bearer", json!({"hosts": "hush"}), "hosts"),
        ("http.bearer", json!({"hosts": ["a.example"], "test_url": "https://hush.example/"}), "test_url"),
        ("http.basic", json!({}), "username"),
        ("http.basic", json!({"username": "a:hush"}), "username"),
        ("http.header", json!({"name": "a b"}), "name"),
        ("http.header", json!({"name": "Host"}), "name"),
        ("http.header", json!({"name": "User-Agent"}), "name"),
        ("http.query", json!({"name": "a\nhush"}), "name"),
        ("http.query", json!({"name": 3}), "name"),
    ] {
        let fault = kind(name).plain_fields(fields.as_object().unwrap().clone()).unwrap_err();
        assert_eq!(fault.field, field, "{fields}");
        assert!(!fault.message.contains("hush"), "{fault:?}");
    }
    for (name, field, value) in [
        ("http.bearer", "token", "abc"),
        ("http.bearer", "token", "hush\nhush"),
        ("http.bearer", "hosts", "hush-hush"),
        ("http.custom", "headers", "hush-hush"),
        ("http.custom", "headers", "Host: hush-hush"),
        ("http.custom", "headers", "X-A: hush\nx-a: hush"),
        ("http.custom", "headers", "X-A:"),
    ] {
        let fault = kind(name).check_secret(field, value).unwrap_err();
        assert!(fault.field == field && !fault.message.contains("hush"), "{fault:?}");
    }
}

#[test]
fn every_type_has_a_schema_and_words_in_each_language() {
    let names: Vec<&str> = connection_types().map(|kind| kind.name).collect();
    let others = ["mysql", "oauth2", "oauth2.code", "postgres", "redis", "smtp", "sqlite", "webhook.signing"];
    let by_name: Vec<&str> = HTTP.iter().copied().filter(|name| !others.contains(name)).chain(others).collect();
    assert_eq!(names, by_name);
    for kind in connection_types() {
        for locale in ["en", "de", "de-CH", "fr"] {
            let schema = kind.schema(locale);
            jsonschema::meta::validate(&schema).unwrap();
            for field in kind.fields() {
                let property = &schema["properties"][field.name];
                assert_eq!(property.get("x-secret").is_some(), field.secret);
                assert_eq!(property["title"], field.title.in_language(locale));
            }
        }
        assert_ne!(kind.summary.en, kind.summary.de);
        assert_eq!(kind.summary.in_language("fr"), kind.summary.en);
    }
}

#[test]
fn what_must_not_be_written_down_is_also_what_services_see_by_itself() {
    let custom = connection("http.custom", json!({}), &[("headers", "X-A: 1700\nX-B: Token abcd-efgh")]);
    assert_eq!(custom.hidden(), ["X-A: 1700\nX-B: Token abcd-efgh", "1700", "Token abcd-efgh", "abcd-efgh"]);
    assert_eq!(connection("http.bearer", json!({}), &[("token", "a word more")]).hidden(), ["a word more"]);
}

#[test]
fn an_opened_connection_does_not_print_its_secrets() {
    let printed = format!("{:?}", connection("http.bearer", json!({}), &[("token", "hush-hush")]));
    assert!(!printed.contains("hush"), "{printed}");
}

#[tokio::test]
async fn a_test_calls_its_url_with_the_credentials() {
    let guarded = |request: Incoming| async move {
        let right = request.headers().get(header::AUTHORIZATION).is_some_and(|value| value == "Bearer right-token");
        if right { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
    };
    let address = serve(Router::new().fallback(guarded)).await;
    let url = json!({"test_url": format!("http://{address}/me")});
    let with = |token: &str| connection("http.bearer", url.clone(), &[("token", token)]);
    let way_out = outgoing(&["127.0.0.1"]);
    assert_eq!(with("right-token").test(&way_out).await.unwrap(), "the service answered 204 No Content");
    let error = with("wrong-token").test(&way_out).await.unwrap_err();
    assert!(error.code == "CONNECTION_TEST_FAILED" && error.message.contains("401"), "{error}");
    let error = with("right-token").test(&outgoing(&[])).await.unwrap_err();
    assert_eq!(error.code, "HTTP_HOST_DENIED");
    let error = connection("http.bearer", json!({}), &[("token", "hush-hush")]).test(&way_out).await.unwrap_err();
    assert!(error.message.contains("test_url"), "{error}");
}
