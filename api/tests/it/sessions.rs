//! A browser's session: a link opens it once, a cookie carries it, and other sites cannot use it.

use api::create_login_link;
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;

use crate::app::{Home, TestApp, on_both_databases};

const QUESTION: &str = "{ viewer { role } }";
const WHO: &str = "{ viewer { id name role } audit(first: 5) { nodes { action actorKind actorId } } }";

async fn sign_in(app: &TestApp, token: &str) -> reqwest::Response {
    app.http.post(app.url("/session")).json(&json!({"token": token})).send().await.unwrap()
}

/// The cookie of an answer as a browser sends it back, and how it is to be kept.
fn cookie(answer: &reqwest::Response) -> (String, String) {
    let line = answer.headers()[SET_COOKIE].to_str().unwrap();
    let (pair, how) = line.split_once("; ").unwrap();
    (pair.to_owned(), how.to_owned())
}

fn ask(app: &TestApp, cookie: &str) -> RequestBuilder {
    app.http.post(app.url("/graphql")).header(COOKIE, cookie).json(&json!({"query": QUESTION}))
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

on_both_databases! {
    async fn a_link_opens_one_session_and_signing_out_ends_it(home: Home) {
        let app = TestApp::start(&home).await;
        let link = create_login_link(&home.config(), "default").await.unwrap();
        let (first, second) = tokio::join!(sign_in(&app, &link), sign_in(&app, &link));
        let mut statuses = [first.status(), second.status()];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::NO_CONTENT, StatusCode::UNAUTHORIZED]);
        let opened = if first.status() == StatusCode::NO_CONTENT { first } else { second };
        let (cookie, how) = cookie(&opened);
        assert!(cookie.starts_with("__Host-flowforge=ff_session_"), "{cookie}");
        assert_eq!(how, "Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Strict");

        let own = app.url("");
        let answer: serde_json::Value =
            ask(&app, &cookie).header(ORIGIN, &own).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["data"], json!({"viewer": {"role": "ADMIN"}}));
        assert_eq!(status(ask(&app, &cookie).header("sec-fetch-site", "same-origin")).await, StatusCode::OK);
        let page = app.http.delete(app.url("/session")).header(COOKIE, &cookie);
        assert_eq!(status(page.header(ORIGIN, "http://evil.test")).await, StatusCode::NO_CONTENT);
        assert_eq!(status(ask(&app, &cookie).header(ORIGIN, &own)).await, StatusCode::OK, "somebody else signed out");

        let out = app.http.delete(app.url("/session")).header(COOKIE, &cookie).header(ORIGIN, &own).send().await.unwrap();
        assert!(out.headers()[SET_COOKIE].to_str().unwrap().starts_with("__Host-flowforge=; Path=/; Max-Age=0;"));
        assert_eq!(status(ask(&app, &cookie).header(ORIGIN, &own)).await, StatusCode::UNAUTHORIZED);
        app.stop().await;
    }

    async fn a_session_speaks_for_the_local_admin_while_they_are_a_member(home: Home) {
        use sea_orm::ConnectionTrait as _;
        let app = TestApp::start(&home).await;
        let link = create_login_link(&home.config(), "default").await.unwrap();
        let (pair, _) = cookie(&sign_in(&app, &link).await);
        let own = app.url("");
        let who = app.http.post(app.url("/graphql")).header(COOKIE, &pair).json(&json!({"query": WHO}));
        let answer: serde_json::Value = who.header(ORIGIN, &own).send().await.unwrap().json().await.unwrap();
        let id = "usr_00000000000000000000000000000001";
        assert_eq!(answer["data"]["viewer"], json!({"id": id, "name": "Local admin", "role": "ADMIN"}));
        let by = |action: &str| json!({"action": action, "actorKind": "USER", "actorId": id});
        let rows = answer["data"]["audit"]["nodes"].as_array().unwrap();
        assert_eq!(rows[..2], [by("api_key.created"), by("member.added")]);
        app.stop().await;
        // A process that has not seen the session yet takes nothing on trust.
        home.database.database.write().execute_unprepared("DELETE FROM member").await.unwrap();
        let app = TestApp::start(&home).await;
        assert_eq!(status(ask(&app, &pair).header(ORIGIN, app.url(""))).await, StatusCode::UNAUTHORIZED);
        let link = create_login_link(&home.config(), "default").await.unwrap();
        let (pair, _) = cookie(&sign_in(&app, &link).await);
        assert_eq!(status(ask(&app, &pair).header(ORIGIN, app.url(""))).await, StatusCode::OK, "the way back in");
        app.stop().await;
    }

    async fn other_sites_cannot_use_a_session(home: Home) {
        let app = TestApp::start(&home).await;
        let link = create_login_link(&home.config(), "default").await.unwrap();
        let foreign = app.http.post(app.url("/session")).header(ORIGIN, "http://evil.test").json(&json!({"token": link}));
        assert_eq!(status(foreign).await, StatusCode::FORBIDDEN);
        let (cookie, _) = cookie(&sign_in(&app, &link).await);
        for origin in ["http://evil.test", "null", "https://127.0.0.1"] {
            assert_eq!(status(ask(&app, &cookie).header(ORIGIN, origin)).await, StatusCode::UNAUTHORIZED, "{origin}");
        }
        for site in ["cross-site", "same-site", "none"] {
            assert_eq!(status(ask(&app, &cookie).header("sec-fetch-site", site)).await, StatusCode::UNAUTHORIZED, "{site}");
        }
        assert_eq!(status(ask(&app, &cookie)).await, StatusCode::UNAUTHORIZED);
        app.stop().await;
    }

    async fn what_is_no_link_opens_nothing(home: Home) {
        let app = TestApp::start(&home).await;
        for token in ["", "x", &"0".repeat(64), &"x".repeat(10_000)] {
            assert_eq!(sign_in(&app, token).await.status(), StatusCode::UNAUTHORIZED);
        }
        let odd = app.http.post(app.url("/session")).json(&json!({"token": 1}));
        assert_eq!(status(odd).await, StatusCode::BAD_REQUEST);
        app.stop().await;
    }
}
