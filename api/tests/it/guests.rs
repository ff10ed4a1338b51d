//! People who are in no workspace yet, and people who are in several.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, on_both_databases};
use crate::asking::Asking;
use crate::in_process::idle_app;
use crate::oidc::{Browser, Inside};
use crate::policy::{QUERIES, denied, nothing};
use crate::tenancy::other_workspace;

const WHERE: &str = "{ viewer { roleName workspace { slug } } }";

/// The token of an invitation that the key's owner makes.
async fn invited(inside: &Inside, key: &str, role: &str) -> String {
    let query =
        format!("mutation {{ inviteMember(input: {{role: \"{role}\"}}) {{ token userErrors {{ message }} }} }}");
    let made = inside.ask(key, &query).await.body["data"]["inviteMember"].clone();
    made["token"].as_str().unwrap_or_else(|| panic!("{made:#}")).to_owned()
}

async fn accept(browser: &Browser, inside: &Inside, token: &str) -> Value {
    let query = format!(
        "mutation {{ acceptInvitation(input: {{token: \"{token}\"}}) {{ workspaceId userErrors {{ code }} }} }}"
    );
    browser.ask(inside, &query).await.body["data"]["acceptInvitation"].clone()
}

async fn choose(browser: &Browser, inside: &Inside, workspace: &str) -> Value {
    let query = format!(
        "mutation {{ chooseWorkspace(input: {{workspace: \"{workspace}\"}}) {{ workspace {{ slug }} userErrors {{ code }} }} }}"
    );
    browser.ask(inside, &query).await.body["data"]["chooseWorkspace"].clone()
}

/// The role and the workspace that the browser's person has.
async fn place(browser: &Browser, inside: &Inside) -> (String, String) {
    let body = browser.ask(inside, WHERE).await.body;
    let viewer = &body["data"]["viewer"];
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{body:#}")).to_owned();
    (text(&viewer["roleName"]), text(&viewer["workspace"]["slug"]))
}

on_both_databases! {
    async fn a_person_in_no_workspace_can_accept_an_invitation_and_nothing_else(home: Home) {
        let inside = Inside::new(home).await;
        *inside.provider.access.lock().unwrap() = json!({"realm_access": {"roles": []}, "groups": []});
        let admin = inside.key().await;
        let token = invited(&inside, &admin, "operator").await;
        let mut browser = Browser::default();
        let url = browser.visit_provider(&inside, "/runs").await;
        assert_eq!(browser.back(&inside, &url).await.location(), "/sign-in?refused=stranger");
        let url = browser.visit_provider(&inside, "/invitation").await;
        assert_eq!(browser.back(&inside, &url).await.location(), "/invitation");

        let who = browser.ask(&inside, "{ viewer { name role roleName permissions } workspaces { id } }").await;
        let guest = json!({"name": "Ada Lovelace", "role": "VIEWER", "roleName": "guest", "permissions": []});
        assert_eq!(who.body["data"], json!({"viewer": guest, "workspaces": []}), "{}", who.body);
        let told = |body: &Value| (body["data"].clone(), body.get("errors").cloned());
        let nowhere = (json!({"viewer": {"roleName": "guest", "workspace": null}}), None);
        assert_eq!(told(&browser.ask(&inside, WHERE).await.body), nowhere);
        let asking = Asking::read();
        for field in asking.fields("Mutation") {
            let mutation = field.name.node.as_str();
            let input = json!({"i": asking.input(mutation, &nothing)});
            let answer = browser.ask_with(&inside, &asking.mutation(mutation), input).await.body;
            if ["acceptInvitation", "chooseWorkspace"].contains(&mutation) {
                assert_eq!(answer["data"]["it"]["userErrors"][0]["code"], "NOT_FOUND", "{mutation}: {answer:#}");
            } else {
                assert!(denied(&answer).is_some(), "{mutation}: {answer:#}");
            }
        }
        for (name, permission, query) in QUERIES {
            let query = format!("{{ {} }}", query.replace('N', &"0".repeat(32)));
            let answer = browser.ask(&inside, &query).await.body;
            assert_eq!(denied(&answer).is_some(), permission.is_some(), "{name}: {answer:#}");
        }
        for path in [format!("/api/v1/runs/run_{}", "0".repeat(32)), "/api/v1/audit".to_owned()] {
            assert_eq!(browser.get(&inside, &path).await.status, StatusCode::FORBIDDEN, "{path}");
        }

        let accepted = accept(&browser, &inside, &token).await;
        assert_eq!(accepted["userErrors"], json!([]), "{accepted}");
        assert_eq!(place(&browser, &inside).await, ("operator".to_owned(), "default".to_owned()));
        assert_eq!(accept(&browser, &inside, &token).await["userErrors"], json!([{"code": "NOT_FOUND"}]));
        let members = inside.ask(&admin, "{ members { nodes { id user { name } } } }").await.body;
        let ada = members["data"]["members"]["nodes"].as_array().unwrap().iter()
            .find(|member| member["user"]["name"] == "Ada Lovelace").unwrap()["id"].clone();
        let gone = format!("mutation {{ removeMember(input: {{memberId: {ada}}}) {{ removedId }} }}");
        assert_eq!(inside.ask(&admin, &gone).await.body["data"]["removeMember"]["removedId"], ada);
        assert_eq!(told(&browser.ask(&inside, WHERE).await.body), nowhere, "a guest again");
        assert!(denied(&browser.ask(&inside, "{ runs { nodes { id } } }").await.body).is_some());
        browser.sign_out(&inside).await;
        assert_eq!(browser.ask(&inside, WHERE).await.status, StatusCode::UNAUTHORIZED);
    }

    async fn a_session_stays_in_the_workspace_that_was_chosen_in_it(home: Home) {
        let inside = Inside::new(home).await;
        let (_, admin) = other_workspace(inside.home()).await;
        let other = inside.another().await;
        let mut browser = Browser::default();
        browser.sign_in(&inside).await;
        assert_eq!(choose(&browser, &inside, "other").await["userErrors"], json!([{"code": "NOT_FOUND"}]));
        let token = invited(&inside, &admin, "viewer").await;
        assert_eq!(accept(&browser, &inside, &token).await["userErrors"], json!([]));
        assert_eq!(place(&browser, &inside).await, ("editor".to_owned(), "default".to_owned()));
        assert_eq!(choose(&browser, &inside, "other").await["workspace"], json!({"slug": "other"}));
        for process in [&inside, &other] {
            assert_eq!(place(&browser, process).await, ("viewer".to_owned(), "other".to_owned()));
        }
        // Who brings a token names the workspace each time: nothing keeps a choice.
        let query = "mutation { chooseWorkspace(input: {workspace: \"other\"}) { userErrors { code } } }";
        for token in [inside.token(json!({})), inside.key().await] {
            let answer = inside.ask(&token, query).await.body;
            assert_eq!(answer["data"]["chooseWorkspace"]["userErrors"], json!([{"code": "CONFLICT"}]), "{answer}");
        }
        let members = inside.ask(&admin, "{ members { nodes { id } } }").await.body;
        let ada = &members["data"]["members"]["nodes"][0]["id"];
        let gone = format!("mutation {{ removeMember(input: {{memberId: {ada}}}) {{ removedId }} }}");
        assert_eq!(&inside.ask(&admin, &gone).await.body["data"]["removeMember"]["removedId"], ada);
        assert_eq!(place(&browser, &inside).await, ("editor".to_owned(), "default".to_owned()), "back where they are");
    }

    async fn the_local_admin_chooses_too_and_signs_out_from_there(home: Home) {
        let app = TestApp::start(&home).await;
        let link = api::create_login_link(&home.config(), "default").await.unwrap();
        let opened = app.http.post(app.url("/session")).json(&json!({"token": link})).send().await.unwrap();
        let cookie = opened.headers()["set-cookie"].to_str().unwrap().split_once(';').unwrap().0.to_owned();
        let inside = idle_app(&home).await;
        let admin = api::service::user::LOCAL_ADMIN;
        let viewer = api::service::member::viewer_in(&inside, admin, None).await.unwrap();
        api::service::workspace::create(&inside, &viewer, "second", None).await.unwrap();
        let ask = |query: &'static str, header: Option<&'static str>| {
            let request = app.http.post(app.url("/graphql")).header("cookie", &cookie).header("origin", app.url(""));
            let request = header.into_iter().fold(request, |request, slug| request.header("x-flowforge-workspace", slug));
            request.json(&json!({"query": query})).send()
        };
        let place = async |header| {
            let answer: Value = ask(WHERE, header).await.unwrap().json().await.unwrap();
            answer["data"]["viewer"]["workspace"]["slug"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!((place(None).await, place(Some("second")).await), ("default".to_owned(), "second".to_owned()));
        assert_eq!(ask(WHERE, Some("third")).await.unwrap().status(), StatusCode::NOT_FOUND);
        let chosen = ask("mutation { chooseWorkspace(input: {workspace: \"second\"}) { workspace { slug } } }", None).await;
        assert_eq!(chosen.unwrap().status(), StatusCode::OK);
        assert_eq!((place(None).await, place(Some("default")).await), ("second".to_owned(), "default".to_owned()));
        let out = app.http.delete(app.url("/session")).header("cookie", &cookie).header("origin", app.url(""));
        assert_eq!(out.send().await.unwrap().status(), StatusCode::NO_CONTENT);
        assert_eq!(ask(WHERE, None).await.unwrap().status(), StatusCode::UNAUTHORIZED);
        inside.runtime.stop().await;
        app.stop().await;
    }
}
