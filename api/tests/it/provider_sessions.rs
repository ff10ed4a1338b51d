//! Sessions of people whom a provider vouches for: how they begin, go on and end, under a clock that tests move.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use engine::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::app::{Home, on_both_databases};
use crate::oidc::{Browser, Inside, PUBLIC, WHO};

const MINUTE: Duration = Duration::from_secs(60);

/// The role that the browser's person has, or none when nobody is signed in.
async fn role(browser: &Browser, inside: &Inside) -> Option<String> {
    let answer = browser.ask(inside, WHO).await;
    if answer.status == StatusCode::UNAUTHORIZED {
        return None;
    }
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    Some(answer.body["data"]["viewer"]["role"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned())
}

on_both_databases! {
    async fn a_person_signs_in_at_the_provider_and_out_again(home: Home) {
        let inside = Inside::new(home).await;
        let mut browser = Browser::default();
        let begun = browser.go(&inside, "/auth/sign-in?return_to=/runs").await;
        let (cookie, how) = begun.cookies()["__Host-flowforge-sign-in"].clone();
        assert_eq!((cookie.len(), how.as_str()), (43, "Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"));
        assert_eq!(browser.go(&inside, "/auth").await.body, json!({"provider": {"name": "the test"}}));

        let opened = browser.sign_in(&inside).await;
        let cookies = opened.cookies();
        let (cookie, how) = &cookies["__Host-flowforge"];
        assert!(cookie.starts_with("ffs_") && cookie.len() == 47, "{cookie}");
        assert_eq!(how, "Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Strict");
        assert_eq!(cookies["__Host-flowforge-sign-in"].0, "");
        assert_eq!(opened.headers["cache-control"], "no-store");
        assert_eq!(opened.headers["referrer-policy"], "no-referrer");
        let answer = browser.ask(&inside, WHO).await;
        let viewer = json!({"name": "Ada Lovelace", "role": "EDITOR", "workspace": {"slug": "default"}});
        assert_eq!(answer.body["data"]["viewer"], viewer);

        let out = browser.sign_out(&inside).await;
        let next = reqwest::Url::parse(out.body["signOutUrl"].as_str().unwrap()).unwrap();
        assert_eq!(next.path(), "/realm/logout");
        let asked: std::collections::HashMap<_, _> = next.query_pairs().into_owned().collect();
        assert_eq!(asked["post_logout_redirect_uri"], format!("{PUBLIC}/sign-in"));
        assert_eq!(asked["id_token_hint"].split('.').count(), 3);
        assert_eq!(role(&browser, &inside).await, None);
        let mut stolen = Browser::default();
        stolen.cookies.insert("__Host-flowforge".to_owned(), cookie.clone());
        assert_eq!(role(&stolen, &inside).await, None, "the cookie opens nothing after signing out");
    }

    async fn somebody_whom_the_table_gives_nothing_is_not_let_in(home: Home) {
        let inside = Inside::new(home).await;
        *inside.provider.access.lock().unwrap() = json!({"realm_access": {"roles": ["admin"]}, "groups": ["/other"]});
        let mut browser = Browser::default();
        let url = browser.visit_provider(&inside, "/").await;
        assert_eq!(browser.back(&inside, &url).await.location(), "/sign-in?refused=stranger");
        assert_eq!(browser.session(), None);
        assert_eq!(inside.ask(&inside.token(json!({})), WHO).await.status, StatusCode::UNAUTHORIZED);
    }

    async fn an_access_token_for_somebody_else_gives_no_role(home: Home) {
        let inside = Inside::new(home).await;
        *inside.provider.access.lock().unwrap() = json!({"aud": "account"});
        let mut browser = Browser::default();
        let url = browser.visit_provider(&inside, "/").await;
        assert_eq!(browser.back(&inside, &url).await.location(), "/sign-in?refused=stranger");
        // The ID token says it too: that one is for us.
        *inside.provider.identity.lock().unwrap() = json!({"groups": ["/flowforge/people"]});
        browser.sign_in(&inside).await;
        assert_eq!(role(&browser, &inside).await.as_deref(), Some("VIEWER"));
    }

    async fn many_tabs_refresh_once(home: Home) {
        let inside = Inside::new(home).await;
        let other = inside.another().await;
        let mut browser = Browser::default();
        browser.sign_in(&inside).await;
        for round in 1..=3 {
            inside.later(Duration::from_secs(271));
            let asked = (0..20).map(|n| {
                let (browser, process) = (browser.clone(), if n % 2 == 0 { &inside } else { &other });
                async move { role(&browser, process).await }
            });
            let roles: HashSet<_> = futures::future::join_all(asked).await.into_iter().collect();
            assert_eq!(roles, HashSet::from([Some("EDITOR".to_owned())]));
            assert_eq!(inside.provider.asked_refresh.load(Ordering::Relaxed), round);
        }
    }

    async fn a_provider_that_is_away_for_an_hour_signs_nobody_out(home: Home) {
        let inside = Inside::new(home).await;
        let mut browser = Browser::default();
        browser.sign_in(&inside).await;
        inside.provider.down.store(true, Ordering::Relaxed);
        for _ in 0..60 {
            inside.later(MINUTE);
            assert_eq!(role(&browser, &inside).await.as_deref(), Some("EDITOR"));
        }
        assert_eq!(inside.provider.asked_refresh.load(Ordering::Relaxed), 0);
        inside.provider.down.store(false, Ordering::Relaxed);
        inside.later(MINUTE);
        assert_eq!(role(&browser, &inside).await.as_deref(), Some("EDITOR"));
        assert_eq!(inside.provider.asked_refresh.load(Ordering::Relaxed), 1);
    }

    async fn a_session_ends_when_nobody_asks_and_after_half_a_day(home: Home) {
        let inside = Inside::new(home).await;
        let mut browser = Browser::default();
        browser.sign_in(&inside).await;
        inside.later(MINUTE * 29);
        assert_eq!(role(&browser, &inside).await.as_deref(), Some("EDITOR"));
        inside.later(MINUTE * 29);
        assert_eq!(role(&browser, &inside).await.as_deref(), Some("EDITOR"));
        inside.later(MINUTE * 30);
        assert_eq!(role(&browser, &inside).await, None);
        browser.sign_in(&inside).await;
        for _ in 0..35 {
            inside.later(MINUTE * 20);
            assert_eq!(role(&browser, &inside).await.as_deref(), Some("EDITOR"));
        }
        inside.later(MINUTE * 20);
        assert_eq!(role(&browser, &inside).await, None);
    }

    async fn a_person_is_what_the_provider_says_when_it_is_asked_again(home: Home) {
        let inside = Inside::new(home).await;
        let mut browser = Browser::default();
        browser.sign_in(&inside).await;
        let says = |roles: serde_json::Value, groups: serde_json::Value| {
            *inside.provider.access.lock().unwrap() = json!({"realm_access": {"roles": roles}, "groups": groups});
        };
        says(json!([]), json!(["/flowforge/people"]));
        assert_eq!(role(&browser, &inside).await.as_deref(), Some("EDITOR"));
        inside.later(MINUTE * 5);
        assert_eq!(role(&browser, &inside).await.as_deref(), Some("VIEWER"));
        says(json!([]), json!([]));
        inside.later(MINUTE * 5);
        assert_eq!(role(&browser, &inside).await, None, "no member of anything any more");
        // New tokens of somebody else end the session.
        says(json!(["flow-editor"]), json!([]));
        browser.sign_in(&inside).await;
        *inside.provider.identity.lock().unwrap() = json!({"sub": "somebody else"});
        inside.later(MINUTE * 5);
        assert_eq!(role(&browser, &inside).await, None);
    }

    async fn a_program_by_its_own_credentials_is_what_the_table_says(home: Home) {
        let inside = Inside::new(home).await;
        let program = |client: &str| {
            inside.token(json!({
                "sid": null, "sub": format!("sub-of-{client}"), "azp": client, "name": null,
                "preferred_username": format!("service-account-{client}"),
            }))
        };
        let answer = inside.ask(&program("robot"), WHO).await;
        let viewer = json!({"name": "robot", "role": "OPERATOR", "workspace": {"slug": "default"}});
        assert_eq!(answer.body["data"]["viewer"], viewer, "{}", answer.body);
        // Whatever roles its user has: it is not in the table.
        assert_eq!(inside.ask(&program("stranger"), WHO).await.status, StatusCode::UNAUTHORIZED);
        // A person's own token, for an integration.
        let answer = inside.ask(&inside.token(json!({})), WHO).await;
        assert_eq!(answer.body["data"]["viewer"]["role"], "EDITOR");
        // An older token takes nothing back.
        let older = inside.token(json!({"realm_access": null, "iat": inside.provider.now() - 60}));
        assert_eq!(inside.ask(&older, WHO).await.body["data"]["viewer"]["role"], "EDITOR");
    }

    async fn a_request_names_a_workspace_that_its_person_is_in(home: Home) {
        let inside = Inside::new(home).await;
        let token = inside.token(json!({}));
        let answer = inside.ask_in(&token, "default", WHO).await;
        assert_eq!(answer.body["data"]["viewer"]["workspace"]["slug"], "default");
        for elsewhere in ["other", "ws_00000000000000000000000000000000", ""] {
            let answer = inside.ask_in(&token, elsewhere, WHO).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{elsewhere}: {}", answer.body);
            assert_eq!(answer.body["errors"][0]["extensions"]["code"], "NOT_FOUND");
        }
    }

    async fn a_login_link_is_for_the_embedded_home_only(home: Home) {
        let inside = Inside::new(home).await;
        let config = inside.config();
        assert_eq!(api::create_login_link(&config, "default").await.is_ok(), config.database.url.is_sqlite());
    }

    async fn many_who_wait_for_a_provider_that_was_never_reached_ask_it_once(home: Home) {
        let inside = Inside::new(home).await;
        inside.provider.down.store(true, Ordering::Relaxed);
        let asked = || inside.provider.asked_in_vain.load(Ordering::Relaxed);
        let go = || async {
            let begun = (0..30).map(|_| async { Browser::default().go(&inside, "/auth/sign-in").await });
            for answer in futures::future::join_all(begun).await {
                assert_eq!(answer.location(), "/sign-in?refused=unavailable");
            }
        };
        go().await;
        assert_eq!(asked(), 1);
        inside.later(Duration::from_millis(1_900));
        go().await;
        assert_eq!(asked(), 1, "it has just not answered");
        inside.later(Duration::from_millis(100));
        go().await;
        assert_eq!(asked(), 2);
        inside.provider.down.store(false, Ordering::Relaxed);
        inside.later(Duration::from_secs(2));
        Browser::default().sign_in(&inside).await;
    }

    async fn sign_ins_that_do_not_end_are_bounded_by_address_and_in_all(home: Home) {
        let inside = Inside::new(home.with("SERVER__CLIENT_ADDRESS_HEADER", "x-real-ip")).await;
        let begin = async |from: &'static str| {
            let mut browser = Browser { from: Some(from), ..Browser::default() };
            browser.go(&inside, "/auth/sign-in").await.location().to_owned()
        };
        for _ in 0..100 {
            assert!(begin("203.0.113.9").await.starts_with(&inside.provider.issuer()));
        }
        assert_eq!(begin("203.0.113.9").await, "/sign-in?refused=busy");
        assert!(begin("203.0.113.10").await.starts_with(&inside.provider.issuer()), "others can");
        // What is over does not count.
        inside.later(MINUTE * 10);
        assert!(begin("203.0.113.9").await.starts_with(&inside.provider.issuer()));
        // Nor do very many addresses fill the table.
        let row = |n: u32| entity::login_attempt::ActiveModel {
            state_digest: Set(Sha256::digest(n.to_be_bytes()).to_vec()),
            browser_digest: Set(vec![0; 32]),
            nonce: Set(String::new()),
            verifier: Set(String::new()),
            return_to: Set("/".to_owned()),
            expires_at: Set(runtime::database::to_column(Timestamp(4_000_000_000_000_000))),
            address: Set(Some(format!("198.51.100.{n}"))),
        };
        let rows: Vec<u32> = (0..9_999).collect();
        for some in rows.chunks(500) {
            let some = some.iter().copied().map(row);
            let insert = entity::login_attempt::Entity::insert_many(some);
            insert.exec_without_returning(inside.home().database.database.write()).await.unwrap();
        }
        assert_eq!(begin("192.0.2.1").await, "/sign-in?refused=busy");
    }

    async fn a_server_starts_while_its_provider_is_away(home: Home) {
        let inside = Inside::new(home).await;
        inside.provider.down.store(true, Ordering::Relaxed);
        let mut browser = Browser::default();
        assert_eq!(browser.go(&inside, "/auth/sign-in").await.location(), "/sign-in?refused=unavailable");
        let answer = inside.ask(&inside.token(json!({})), WHO).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "nobody can say that the token is wrong");
        inside.provider.down.store(false, Ordering::Relaxed);
        inside.later(MINUTE);
        browser.sign_in(&inside).await;
        assert_eq!(inside.ask(&inside.token(json!({})), WHO).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn without_a_provider_nobody_signs_in_that_way() {
    let home = Home::sqlite().await;
    let app = crate::app::TestApp::start(&home).await;
    assert_eq!(app.get("/auth").await.json::<serde_json::Value>().await.unwrap(), json!({"provider": null}));
    for path in ["/auth/sign-in", "/auth/callback?state=x&code=y"] {
        assert_eq!(app.get(path).await.status(), 404, "{path}");
    }
    app.stop().await;
}
