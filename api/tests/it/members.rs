//! People in workspaces, without a provider: what they may do follows from what the tables say now.

use api::auth::{Permission, Principal, Role, RoleRef};
use api::service::member::{told_by_provider, viewer_in, viewer_of, workspaces_of};
use api::service::user::{self, Subject};
use api::service::workspace::DEFAULT_SLUG;
use sea_orm::ConnectionTrait as _;

use crate::app::{Home, on_both_databases};
use crate::in_process::{admin, idle_app};

fn ada() -> Subject {
    Subject { issuer: "https://id.test/realms/a".into(), subject: "8f14".into() }
}

on_both_databases! {
    async fn a_person_is_what_the_provider_says_until_it_says_otherwise(home: Home) {
        home.key(Role::Admin).await;
        let app = idle_app(&home).await;
        let workspace = admin(&app, &home).await.workspace;
        let person = user::seen(&app, ada(), "Ada", Some("ada@test")).await.unwrap();
        let again = user::seen(&app, ada(), "Ada L.", None).await.unwrap();
        assert_eq!((again.id, again.name.as_str(), again.email), (person.id, "Ada L.", None));
        let other = user::seen(&app, Subject { issuer: "https://id.test/realms/b".into(), ..ada() }, "Ada", None).await;
        assert_ne!(other.unwrap().id, person.id, "the same subject of another issuer is somebody else");

        assert_eq!(viewer_of(&app, person.id, workspace).await.unwrap_err().code(), "NOT_FOUND");
        assert_eq!(viewer_in(&app, person.id, None).await.unwrap_err().code(), "NOT_FOUND");
        for role in [Role::Editor, Role::Viewer, Role::Editor] {
            told_by_provider(&app, person.id, workspace, Some(RoleRef::BuiltIn(role))).await.unwrap();
            told_by_provider(&app, person.id, workspace, Some(RoleRef::BuiltIn(role))).await.unwrap();
            let viewer = viewer_of(&app, person.id, workspace).await.unwrap();
            assert_eq!((viewer.permissions, viewer.role.as_str()), (role.permissions(), role.as_str()));
            assert_eq!((viewer.principal, viewer.actor()), (Principal::User(person.id), person.id.to_string()));
            assert_eq!(viewer.may(Permission::WorkflowEdit), role == Role::Editor);
        }
        let mine = workspaces_of(&app, person.id).await.unwrap();
        assert_eq!(mine.iter().map(|(home, _)| home.id).collect::<Vec<_>>(), [workspace]);
        for wanted in [None, Some(DEFAULT_SLUG.to_owned()), Some(workspace.to_string())] {
            assert_eq!(viewer_in(&app, person.id, wanted.as_deref()).await.unwrap().workspace, workspace);
        }
        assert_eq!(viewer_in(&app, person.id, Some("elsewhere")).await.unwrap_err().code(), "NOT_FOUND");

        told_by_provider(&app, person.id, workspace, None).await.unwrap();
        assert_eq!(viewer_of(&app, person.id, workspace).await.unwrap_err().code(), "NOT_FOUND");
        app.runtime.stop().await;
    }

    async fn the_workspace_has_the_last_word_over_the_provider_and_nobody_over_a_disabled_person(home: Home) {
        home.key(Role::Admin).await;
        let app = idle_app(&home).await;
        let workspace = admin(&app, &home).await.workspace;
        let person = user::seen(&app, ada(), "Ada", None).await.unwrap();
        told_by_provider(&app, person.id, workspace, Some(RoleRef::BuiltIn(Role::Operator))).await.unwrap();
        let write = home.database.database.write();
        write.execute_unprepared("UPDATE member SET source = 'LOCAL'").await.unwrap();
        for told in [Some(RoleRef::BuiltIn(Role::Owner)), None] {
            told_by_provider(&app, person.id, workspace, told).await.unwrap();
            let viewer = viewer_of(&app, person.id, workspace).await.unwrap();
            assert_eq!(viewer.permissions, Role::Operator.permissions());
        }
        write.execute_unprepared("UPDATE app_user SET disabled_at = created_at").await.unwrap();
        assert_eq!(viewer_of(&app, person.id, workspace).await.unwrap_err().code(), "UNAUTHENTICATED");
        app.runtime.stop().await;
    }
}
