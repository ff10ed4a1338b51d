//! API keys and service accounts: what they open, for how long, and what is told to those who guess.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use api::auth::api_key::Secret;
use api::auth::{Permission, Role};
use futures::future::join_all;
use sea_orm::{ConnectionTrait as _, EntityTrait as _};
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, on_both_databases};
use crate::socket::{Follow, Socket};

const VIEWER: &str = "{ viewer { id name role roleName permissions } }";
const KEY: &str = "apiKey { id shown role permissions serviceAccountId expiresAt revokedAt successorId } secret";

impl TestApp {
    /// A key of these words, and what is told of it.
    async fn make_key(&self, input: Value) -> (String, Value) {
        let made = self.changed("createApiKey", input, KEY).await;
        (made["secret"].as_str().unwrap().to_owned(), made["apiKey"].clone())
    }

    async fn who(&self, key: &str) -> Value {
        self.ask_as(key, VIEWER, json!({})).await["data"]["viewer"].clone()
    }
}

#[expect(clippy::print_stdout, reason = "whoever measures reads it here")]
fn say(text: &str) {
    println!("{text}");
}

on_both_databases! {
    async fn a_key_is_kept_under_a_pepper_and_an_older_one_is_still_read(home: Home) {
        let app = TestApp::start(&home).await;
        let rows = entity::api_key::Entity::find().all(home.database.database.read()).await.unwrap();
        let of_app = Secret::parse(&app.key).unwrap();
        let kept = rows.iter().find(|row| row.prefix == of_app.shown()).unwrap();
        assert_eq!(kept.scheme, entity::word::KeyScheme::Hmac);
        assert_ne!(kept.hash, of_app.hash().0, "nobody with the table alone can check a key");
        // A key of before the pepper.
        let old = Secret::draw("default").unwrap();
        let mut row: entity::api_key::ActiveModel = kept.clone().into();
        row.id = sea_orm::ActiveValue::Set(uuid::Uuid::from_u128(77));
        row.hash = sea_orm::ActiveValue::Set(old.hash().0.to_vec());
        row.lookup = sea_orm::ActiveValue::Set(Some(old.hash().lookup().to_vec()));
        row.scheme = sea_orm::ActiveValue::Set(entity::word::KeyScheme::Sha256);
        entity::api_key::Entity::insert(row).exec_without_returning(home.database.database.write()).await.unwrap();
        assert_eq!(app.who(old.expose()).await["role"], "ADMIN");
        app.stop().await;
    }

    async fn a_key_has_only_the_permissions_that_it_was_given(home: Home) {
        let app = TestApp::start(&home).await;
        let input = json!({"name": "ci", "role": "editor", "permissions": ["read", "run:start"]});
        let (secret, key) = app.make_key(input).await;
        let who = app.who(&secret).await;
        assert_eq!((&who["id"], &who["permissions"]), (&key["id"], &json!(["read", "run:start"])));
        assert_eq!(app.refused("createApiKey", json!({"name": "x", "role": "editor", "permissions": ["fly"]})).await,
            "BAD_USER_INPUT");
        assert_eq!(app.refused("createApiKey", json!({"name": "x", "role": "editor", "permissions": ["run:start"]})).await,
            "BAD_USER_INPUT");
        // An admin is no owner, and makes none.
        let query = "mutation($i: CreateApiKeyInput!) { createApiKey(input: $i) { secret } }";
        let answer = app.ask_as(&app.key, query, json!({"i": {"name": "x", "role": "owner"}})).await;
        assert_eq!((code(&answer), &answer["errors"][0]["extensions"]["permission"]), ("FORBIDDEN", &json!("workspace:own")));
        app.stop().await;
    }

    async fn a_key_of_the_foreman_kind_opens_only_what_the_table_says(home: Home) {
        let app = TestApp::start(&home).await;
        let input = json!({"name": "f", "role": "viewer", "form": "FOREMAN", "environment": "live"});
        let (secret, _) = app.make_key(input).await;
        assert!(secret.starts_with("fmn_live_default_"), "{secret}");
        assert_eq!(app.who(&secret).await["role"], "VIEWER");
        // The right form and checksum, for the right org, and made by nobody.
        let forged = Secret::draw_as(&api::auth::api_key::Form::like(&secret[..secret.len() - 32])).unwrap();
        assert!(forged.expose().starts_with("fmn_live_default_"));
        assert_eq!(code(&app.ask_as(forged.expose(), VIEWER, json!({})).await), "UNAUTHENTICATED");
        app.stop().await;
    }

    async fn a_rotated_key_and_its_successor_both_work_for_a_while(home: Home) {
        let app = TestApp::start(&home).await;
        let (old, key) = app.make_key(json!({"name": "ci", "role": "operator"})).await;
        let rotated = app.changed("rotateApiKey", json!({"keyId": key["id"], "overlap": "1h"}), KEY).await;
        let new = rotated["secret"].as_str().unwrap();
        assert_eq!((&app.who(&old).await["role"], &app.who(new).await["role"]), (&json!("OPERATOR"), &json!("OPERATOR")));
        assert_eq!(app.refused("rotateApiKey", json!({"keyId": key["id"]})).await, "CONFLICT");
        let at_once = app.changed("rotateApiKey", json!({"keyId": rotated["apiKey"]["id"], "overlap": "0s"}), KEY).await;
        assert_eq!(code(&app.ask_as(new, VIEWER, json!({})).await), "UNAUTHENTICATED");
        let third = at_once["secret"].as_str().unwrap();
        assert_eq!(app.who(third).await["role"], "OPERATOR");
        let revoked = app.changed("revokeApiKey", json!({"keyId": at_once["apiKey"]["id"]}), KEY.trim_end_matches(" secret")).await;
        assert!(revoked["apiKey"]["revokedAt"].is_string());
        assert_eq!(code(&app.ask_as(third, VIEWER, json!({})).await), "UNAUTHENTICATED");
        app.stop().await;
    }

    async fn a_service_account_has_a_role_that_all_its_keys_follow(home: Home) {
        let app = TestApp::start(&home).await;
        let made = app.changed("createServiceAccount", json!({"name": "deployer", "role": "editor"}),
            "serviceAccount { id role }").await;
        let account = made["serviceAccount"]["id"].clone();
        let (secret, key) = app.make_key(json!({"name": "one", "serviceAccountId": account})).await;
        let who = app.who(&secret).await;
        assert_eq!((&who["id"], &who["name"], &who["role"]), (&account, &json!("deployer"), &json!("EDITOR")));
        assert_eq!(key["serviceAccountId"], account);
        app.changed("updateServiceAccount", json!({"serviceAccountId": account, "role": "viewer"}), "").await;
        assert_eq!(app.who(&secret).await["role"], "VIEWER");
        let query = "mutation($i: CreateWorkflowInput!) { createWorkflow(input: $i) { workflow { id } } }";
        assert_eq!(code(&app.ask_as(&secret, query, json!({"i": {"name": "w"}})).await), "FORBIDDEN");
        let audit = app.ask("{ audit(first: 1, filter: {result: DENIED}) { nodes {
            actorKind actorId action entityId after result times } } }", json!({})).await["audit"]["nodes"][0].clone();
        assert_eq!(audit, json!({"actorKind": "SERVICE_ACCOUNT", "actorId": account, "action": "access.denied",
            "entityId": "createWorkflow", "after": {"permission": "workflow:edit"}, "result": "DENIED", "times": 1}));
        app.changed("disableServiceAccount", json!({"serviceAccountId": account}), "serviceAccount { disabledAt }").await;
        assert_eq!(code(&app.ask_as(&secret, VIEWER, json!({})).await), "UNAUTHENTICATED");
        assert_eq!(app.refused("createApiKey", json!({"name": "two", "serviceAccountId": account})).await, "CONFLICT");
        app.stop().await;
    }

    async fn a23_whoever_guesses_waits_and_others_do_not(home: Home) {
        let home = home.with("SERVER__CLIENT_ADDRESS_HEADER", "x-forwarded-for");
        let app = TestApp::start(&home).await;
        let known = home.key(Role::Viewer).await;
        let ask = |key: String, from: &'static str| {
            let request = app.http.post(app.url("/graphql")).bearer_auth(key).json(&json!({"query": VIEWER}));
            request.header("x-forwarded-for", from)
        };
        let wrong = || Secret::draw("default").unwrap().expose().to_owned();
        assert_eq!(ask(known.clone(), "203.0.113.9").send().await.unwrap().status(), 200);
        let mut statuses = BTreeSet::new();
        for _ in 0..60 {
            let answer = ask(wrong(), "198.51.100.1, 203.0.113.9").send().await.unwrap();
            statuses.insert(answer.status().as_u16());
            if answer.status() == 429 {
                assert!(answer.headers().contains_key("retry-after"));
            }
        }
        assert_eq!(statuses, BTreeSet::from([401, 429]));
        let last = ask(wrong(), "203.0.113.9").send().await.unwrap();
        assert_eq!(code(&last.json::<Value>().await.unwrap()), "RATE_LIMITED");
        // Those who are known keep working from there, and everybody else from elsewhere.
        assert_eq!(ask(known, "203.0.113.9").send().await.unwrap().status(), 200);
        assert_eq!(ask(home.key(Role::Viewer).await, "203.0.113.10").send().await.unwrap().status(), 200);
        assert_eq!(ask(wrong(), "203.0.113.10").send().await.unwrap().status(), 401);
        app.stop().await;
    }

    async fn a23_ten_thousand_wrong_keys_from_one_address_harm_nobody_else(home: Home) {
        const AT_ONCE: usize = 100;
        let home = home.with("SERVER__CLIENT_ADDRESS_HEADER", "x-forwarded-for");
        let app = TestApp::start(&home).await;
        let ask = |key: String, from: String| {
            let request = app.http.post(app.url("/graphql")).bearer_auth(key).json(&json!({"query": VIEWER}));
            let request = request.header("x-forwarded-for", from);
            async move { request.send().await.unwrap().status().as_u16() }
        };
        let began = Instant::now();
        let mut counts = BTreeMap::new();
        for round in 0..100 {
            let wrong = (0..AT_ONCE).map(|_| {
                ask(Secret::draw("default").unwrap().expose().to_owned(), "203.0.113.9".to_owned())
            });
            // A key that no process has seen so far, every few rounds, and one that is known.
            let key = if round % 10 == 0 { home.key(Role::Viewer).await } else { app.key.clone() };
            let (wrong, good) = tokio::join!(join_all(wrong), ask(key, format!("203.0.113.{}", 10 + round)));
            assert_eq!(good, 200, "in round {round}");
            wrong.into_iter().for_each(|status| *counts.entry(status).or_insert(0_usize) += 1);
        }
        let looked_at = counts.get(&401).copied().unwrap_or_default();
        assert_eq!(looked_at + counts.get(&429).copied().unwrap_or_default(), 100 * AT_ONCE, "{counts:?}");
        // Twenty, those that were under way together with them, and one more in three seconds.
        let forgiven = usize::try_from(began.elapsed().as_secs() / 3 + 1).unwrap();
        assert!(looked_at <= 20 + AT_ONCE + forgiven, "{counts:?}");
        assert_eq!(ask(app.key.clone(), "203.0.113.9".to_owned()).await, 200, "who is known there goes on");
        app.stop().await;
    }

    async fn the_last_use_of_a_key_is_written_beside_the_requests(home: Home) {
        let app = TestApp::start(&home).await;
        for _ in 0..3 {
            app.ask(VIEWER, json!({})).await;
        }
        app.stop().await;
        let rows = entity::api_key::Entity::find().all(home.database.database.read()).await.unwrap();
        assert!(rows.iter().any(|row| row.last_used_at.is_some()), "written at the latest when the process ends");
    }

    async fn a_role_of_a_workspace_allows_what_it_says_and_nobody_gives_away_more_than_they_have(home: Home) {
        let app = TestApp::start(&home).await;
        let role = app.changed("createRole", json!({"name": "night shift", "permissions": ["read", "run:control"]}),
            "role { key permissions viewerCanGrant }").await["role"].clone();
        assert_eq!(role["viewerCanGrant"], true);
        let (secret, _) = app.make_key(json!({"name": "night", "role": role["key"]})).await;
        let who = app.who(&secret).await;
        assert_eq!((&who["roleName"], &who["role"]), (&json!("night shift"), &json!("VIEWER")));
        assert_eq!(who["permissions"], json!(["read", "run:control"]));
        assert_eq!(app.refused("deleteRole", json!({"roleId": role["key"]})).await, "CONFLICT");
        assert_eq!(app.refused("createRole", json!({"name": "owner", "permissions": ["read"]})).await, "NAME_TAKEN");
        app.changed("updateRole", json!({"roleId": role["key"], "name": "night", "permissions": ["read"]}), "").await;
        assert_eq!(app.who(&secret).await["permissions"], json!(["read"]));
        let query = "mutation($i: CreateRoleInput!) { createRole(input: $i) { role { key } } }";
        let answer = app.ask_as(&app.key, query, json!({"i": {"name": "x", "permissions": ["read", "workspace:own"]}})).await;
        assert_eq!(code(&answer), "FORBIDDEN");
        let matrix = app.ask("{ roles { key isBuiltIn permissions } }", json!({})).await["roles"].clone();
        assert_eq!(matrix.as_array().unwrap().len(), Role::ALL.len() + 1);
        assert_eq!(matrix[0]["permissions"].as_array().unwrap().len(), Permission::ALL.len());
        app.stop().await;
    }
}

on_both_databases! {
    async fn b6_what_is_open_ends_within_five_seconds_when_rights_are_lost(home: Home) {
        let app = TestApp::start(&home).await;
        let role = app.changed("createRole", json!({"name": "r", "permissions": ["read", "run:start"]}), "role { key }").await;
        let role = role["role"]["key"].clone();
        let account = app.changed("createServiceAccount", json!({"name": "s", "role": role}), "serviceAccount { id }").await;
        let account = account["serviceAccount"]["id"].clone();
        for (lost, input) in [
            ("updateRole", json!({"roleId": role, "name": "r", "permissions": ["read"]})),
            ("updateServiceAccount", json!({"serviceAccountId": account, "role": "approver"})),
            ("disableServiceAccount", json!({"serviceAccountId": account})),
        ] {
            let (secret, _) = app.make_key(json!({"name": lost, "serviceAccountId": account})).await;
            let mut socket = Socket::open(&app, &[("authorization", &format!("Bearer {secret}"))]).await.unwrap();
            socket.send(&json!({"type": "connection_init"})).await;
            assert_eq!(socket.next().await, Ok(json!({"type": "connection_ack"})));
            let follow = Follow::workspace(json!({}));
            socket.subscribe("1", follow.query, follow.variables).await;
            assert_eq!(socket.next().await.unwrap()["type"], "next");
            let began = std::time::Instant::now();
            app.changed(lost, input, "").await;
            while socket.next().await.is_ok() {}
            let took = began.elapsed();
            assert!(took < std::time::Duration::from_secs(5), "{lost}: {took:?}");
        }
        app.stop().await;
    }

    async fn authenticating_by_key_costs_far_less_than_a_tenth_of_a_millisecond(home: Home) {
        let token = home.key(Role::Admin).await;
        let app = crate::in_process::idle_app(&home).await;
        api::service::key::authenticate(&app, &token).await.unwrap();
        let many = 20_000;
        let began = std::time::Instant::now();
        for _ in 0..many {
            api::service::key::authenticate(&app, &token).await.unwrap();
        }
        let known = began.elapsed() / many;
        let few = 200;
        let began = std::time::Instant::now();
        for _ in 0..few {
            app.keys.clear();
            api::service::key::authenticate(&app, &token).await.unwrap();
        }
        let unknown = began.elapsed() / few;
        say(&format!("a key that was right within 5 s: {known:?}; one that is looked up: {unknown:?}"));
        assert!(known.as_micros() < 100, "{known:?}");
        app.runtime.stop().await;
    }

    async fn a22_every_wrong_key_is_refused_after_the_same_work(home: Home) {
        let app = TestApp::start(&home).await;
        let (revoked, key) = app.make_key(json!({"name": "r", "role": "viewer"})).await;
        app.changed("revokeApiKey", json!({"keyId": key["id"]}), "").await;
        let (expired, _) = app.make_key(json!({"name": "e", "role": "viewer"})).await;
        let past = "UPDATE api_key SET expires_at = created_at WHERE name = 'e'";
        home.database.database.write().execute_unprepared(past).await.unwrap();
        let forged = Secret::draw("default").unwrap().expose().to_owned();
        let other = app.key.replacen("ff_default_", "ff_live_", 1);
        let cut = app.key[..app.key.len() - 1].to_owned();
        for wrong in [revoked, expired, forged, other, cut, "ff_".to_owned(), "x".repeat(5_000)] {
            let answer = app.post(&wrong, &json!({"query": VIEWER})).send().await.unwrap();
            assert_eq!(answer.status(), 401);
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(code(&answer), "UNAUTHENTICATED");
        }
        app.stop().await;
    }
}
