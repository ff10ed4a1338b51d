//! Members, invitations and workspaces, as their people see them.

use api::auth::{Role, RoleRef};
use api::service::invitation::accept_as;
use api::service::user::{self, LOCAL_ADMIN, Subject, User};
use api::service::{member, workspace};
use api::{app::App, create_login_link};
use engine::id::WorkspaceId;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, on_both_databases};
use crate::in_process::{admin, idle_app};

const MEMBERS: &str = "{ members { nodes { id role permissions viewerCanChange user { id name email } } } }";

async fn person(app: &App, name: &str) -> User {
    let subject = Subject { issuer: "https://id.test".into(), subject: name.into() };
    user::seen(app, subject, name, Some(&format!("{name}@test"))).await.unwrap()
}

async fn joined(app: &App, name: &str, home: WorkspaceId, role: Role) -> User {
    let person = person(app, name).await;
    member::told_by_provider(app, person.id, home, Some(RoleRef::BuiltIn(role))).await.unwrap();
    person
}

on_both_databases! {
    async fn an_invitation_makes_one_person_a_member_once(home: Home) {
        let app = TestApp::start(&home).await;
        let inside = idle_app(&home).await;
        let offered = app.changed("inviteMember", json!({"role": "operator", "email": "Ada@test"}),
            "invitation { id expiresAt } token").await;
        let token = offered["token"].as_str().unwrap();
        let (ada, eve) = (person(&inside, "ada").await, person(&inside, "eve").await);
        let refused = accept_as(&inside, eve.id, token, None).await.unwrap_err();
        assert_eq!(refused.code(), "NOT_FOUND", "the token is meant for another address");
        let member = accept_as(&inside, ada.id, token, None).await.unwrap();
        assert_eq!(member.role, RoleRef::BuiltIn(Role::Operator));
        assert_eq!(accept_as(&inside, ada.id, token, None).await.unwrap_err().code(), "NOT_FOUND");
        assert_eq!(app.refused("revokeInvitation", json!({"invitationId": offered["invitation"]["id"]})).await, "CONFLICT");

        let open = app.changed("inviteMember", json!({"role": "viewer"}), "invitation { id } token").await;
        app.changed("revokeInvitation", json!({"invitationId": open["invitation"]["id"]}), "invitation { revokedAt }").await;
        let taken_back = accept_as(&inside, eve.id, open["token"].as_str().unwrap(), None).await.unwrap_err();
        assert_eq!(taken_back.code(), "NOT_FOUND");
        let again = app.changed("inviteMember", json!({"role": "viewer"}), "token").await;
        assert_eq!(accept_as(&inside, ada.id, again["token"].as_str().unwrap(), None).await.unwrap_err().code(), "CONFLICT");
        for wrong in [json!({"role": "king"}), json!({"role": "viewer", "expiresIn": "800h"}), json!({"role": "viewer", "email": "x"})] {
            assert_eq!(app.refused("inviteMember", wrong).await, "BAD_USER_INPUT");
        }
        // A key is no person.
        assert_eq!(app.refused("acceptInvitation", json!({"token": token})).await, "CONFLICT");
        inside.runtime.stop().await;
        app.stop().await;
    }

    async fn nobody_changes_who_is_above_them_and_the_last_owner_stays(home: Home) {
        let app = TestApp::start(&home).await;
        let inside = idle_app(&home).await;
        let here = admin(&inside, &home).await.workspace;
        joined(&inside, "olga", here, Role::Owner).await;
        joined(&inside, "otto", here, Role::Owner).await;
        joined(&inside, "emil", here, Role::Editor).await;
        let owner = home.key(Role::Owner).await;
        let members = app.ask(MEMBERS, json!({})).await["members"]["nodes"].clone();
        let of = |name: &str| members.as_array().unwrap().iter().find(|member| member["user"]["name"] == name).unwrap()["id"].clone();
        let changeable: Vec<(&str, bool)> = members.as_array().unwrap().iter()
            .map(|member| (member["role"].as_str().unwrap(), member["viewerCanChange"].as_bool().unwrap())).collect();
        assert_eq!(changeable, [("owner", false), ("owner", false), ("editor", true)], "for an admin");
        let set = |key: String, member: Value, role: &'static str| {
            let query = "mutation($i: UpdateMemberInput!) { it: updateMember(input: $i) { member { role } userErrors { code } } }";
            let app = &app;
            async move { app.ask_as(&key, query, json!({"i": {"memberId": member, "role": role}})).await }
        };
        // An admin is below owners, also when it makes them or lets them go.
        assert_eq!(code(&set(app.key.clone(), of("olga"), "viewer").await), "FORBIDDEN");
        assert_eq!(code(&set(app.key.clone(), of("emil"), "owner").await), "FORBIDDEN");
        let remove = "mutation($i: RemoveMemberInput!) { it: removeMember(input: $i) { removedId userErrors { code } } }";
        let kept = app.ask_as(&app.key, remove, json!({"i": {"memberId": of("otto")}})).await;
        assert_eq!(code(&kept), "FORBIDDEN");
        // B5: an editor has no say, and no field to slip it in by.
        let editor = home.key(Role::Editor).await;
        assert_eq!(code(&set(editor.clone(), of("emil"), "admin").await), "FORBIDDEN");
        for field in ["role", "ownerId", "workspaceId", "permissions"] {
            let query = format!("mutation {{ createWorkflow(input: {{name: \"w\", {field}: \"admin\"}}) {{ workflow {{ id }} }} }}");
            assert_eq!(code(&app.ask_as(&editor, &query, json!({})).await), "GRAPHQL_VALIDATION_FAILED", "{field}");
            let variables = json!({"i": {"name": "w", field: "admin"}});
            let query = "mutation($i: CreateWorkflowInput!) { createWorkflow(input: $i) { workflow { id } } }";
            let answer = app.ask_as(&editor, query, variables).await;
            assert!(answer["errors"].is_array(), "{field}: {answer:#}");
        }

        let demoted = set(owner.clone(), of("otto"), "viewer").await;
        assert_eq!(demoted["data"]["it"]["member"]["role"], "viewer", "{demoted:#}");
        let last = set(owner.clone(), of("olga"), "admin").await;
        assert_eq!(last["data"]["it"]["userErrors"], json!([{"code": "CONFLICT"}]), "{last:#}");
        let last = app.ask_as(&owner, remove, json!({"i": {"memberId": of("olga")}})).await;
        assert_eq!(last["data"]["it"]["userErrors"], json!([{"code": "CONFLICT"}]));
        let gone = app.ask_as(&owner, remove, json!({"i": {"memberId": of("emil")}})).await;
        assert_eq!(gone["data"]["it"]["removedId"], of("emil"));
        inside.runtime.stop().await;
        app.stop().await;
    }

    async fn a_person_makes_a_workspace_owns_it_and_chooses_between_theirs(home: Home) {
        let app = TestApp::start(&home).await;
        // A link makes the local admin a member; the session itself is cut to an admin's rights.
        let link = create_login_link(&home.config(), "default").await.unwrap();
        app.http.post(app.url("/session")).json(&json!({"token": link})).send().await.unwrap();
        let inside = idle_app(&home).await;
        let viewer = member::viewer_in(&inside, LOCAL_ADMIN, None).await.unwrap();
        let made = workspace::create(&inside, &viewer, "second", None).await.unwrap();
        let mine: Vec<String> =
            workspace::mine(&inside, &viewer).await.unwrap().into_iter().map(|found| found.slug).collect();
        assert_eq!(mine, ["default", "second"]);
        let there = member::viewer_in(&inside, LOCAL_ADMIN, Some("second")).await.unwrap();
        assert_eq!((there.workspace, there.permissions), (made.id, Role::Owner.permissions()));
        assert_eq!(workspace::rename(&inside, &there, "Second").await.unwrap().name, "Second");
        let taken = workspace::create(&inside, &viewer, "second", None).await.unwrap_err();
        assert_eq!(taken.code(), "NAME_TAKEN");
        // A key of the new workspace sees the new one only.
        let key = home.key_of("second", Role::Owner).await;
        let seen = app.ask_as(&key, "{ workspaces { slug } viewer { workspace { name } } projects { nodes { slug } } }", json!({})).await;
        assert_eq!(seen["data"], json!({"workspaces": [{"slug": "second"}], "viewer": {"workspace": {"name": "Second"}},
            "projects": {"nodes": [{"slug": "default"}]}}));
        let query = "mutation { createWorkspace(input: {slug: \"third\"}) { userErrors { code } } }";
        assert_eq!(app.ask_as(&key, query, json!({})).await["data"]["createWorkspace"]["userErrors"], json!([{"code": "CONFLICT"}]));
        inside.runtime.stop().await;
        app.stop().await;
    }
}
