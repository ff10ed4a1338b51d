//! What belongs to another workspace is not there.

use api::auth::Role;
use engine::id::WorkspaceId;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, on_both_databases, waiting};
use crate::socket::Socket;

/// A workspace besides the default one, and an admin's key to it.
pub(crate) async fn other_workspace(home: &Home) -> (WorkspaceId, String) {
    let clock = runtime::clock::Clock::system();
    let id = WorkspaceId(clock.new_id());
    let now = runtime::database::to_column(clock.now());
    let workspace = entity::workspace::ActiveModel {
        id: Set(id.0),
        slug: Set("other".to_owned()),
        name: Set("Other".to_owned()),
        salt: Set(vec![7; 16]),
        created_at: Set(now),
    };
    let project = entity::project::ActiveModel {
        id: Set(clock.new_id()),
        workspace_id: Set(id.0),
        slug: Set("default".to_owned()),
        name: Set("Default".to_owned()),
        created_at: Set(now),
    };
    let environment = entity::environment::ActiveModel {
        id: Set(clock.new_id()),
        workspace_id: Set(id.0),
        project_id: project.id.clone(),
        name: Set("default".to_owned()),
        title: Set("Default".to_owned()),
        created_at: Set(now),
    };
    let write = home.database.database.write();
    entity::workspace::Entity::insert(workspace).exec_without_returning(write).await.unwrap();
    entity::project::Entity::insert(project).exec_without_returning(write).await.unwrap();
    entity::environment::Entity::insert(environment).exec_without_returning(write).await.unwrap();
    (id, home.key_of("other", Role::Admin).await)
}

on_both_databases! {
    async fn a_foreign_id_answers_as_one_that_does_not_exist(home: Home) {
        let app = TestApp::start(&home).await;
        let published = app.publish("hold", &waiting()).await;
        let run = app.start_run("hold", json!({})).await;
        let viewer = app.ask("{ viewer { workspace { id } } }", json!({})).await["viewer"].clone();
        let workspace = &viewer["workspace"]["id"];
        let (_, stranger) = other_workspace(&home).await;
        let node_run = run.replacen("run_", "nrun_", 1) + ".start";
        let mine = app
            .ask("{ project { id environments { id } } workflow(name: \"hold\") { draft { id } } }", json!({}))
            .await;
        let (project, environment) = (&mine["project"]["id"], &mine["project"]["environments"][0]["id"]);
        let draft = &mine["workflow"]["draft"]["id"];
        let (workflow, version) = (&published["workflow"]["id"], &published["version"]["id"]);
        let (run_id, node_run_id) = (json!(run), json!(node_run));
        let ids = [workspace, project, environment, workflow, draft, version, &run_id, &node_run_id];
        for id in ids {
            let query = "query($id: ID!) { node(id: $id) { __typename id } }";
            let own = app.ask(query, json!({"id": id})).await;
            assert_eq!(&own["node"]["id"], id);
            let foreign = app.ask_as(&stranger, query, json!({"id": id})).await;
            let absent_id = id.as_str().unwrap().replace(|c: char| c.is_ascii_digit(), "0");
            let absent = app.ask_as(&stranger, query, json!({"id": absent_id})).await;
            assert_eq!((code(&foreign), &foreign["data"]["node"]), ("NOT_FOUND", &Value::Null), "{id}");
            let told = |answer: &Value| {
                let mut extensions = answer["errors"][0]["extensions"].clone();
                assert!(extensions.as_object_mut().unwrap().remove("requestId").is_some_and(|id| id.is_string()));
                extensions
            };
            assert_eq!(told(&foreign), told(&absent));
        }
        for (query, variables) in [
            ("query($id: ID!) { run(id: $id) { id } }", json!({"id": run})),
            ("{ workflow(name: \"hold\") { id } }", json!({})),
            ("query($id: ID!) { diffVersions(from: $id, to: $id) { nodes { key } } }", json!({"id": version})),
        ] {
            assert_eq!(code(&app.ask_as(&stranger, query, variables).await), "NOT_FOUND");
        }
        let lists = app.ask_as(&stranger, "{ runs { nodes { id } } workflows { nodes { id } } }", json!({})).await;
        assert_eq!(lists["data"], json!({"runs": {"nodes": []}, "workflows": {"nodes": []}}));
        for (input_type, mutation, input) in [
            ("CancelRunInput", "cancelRun", json!({"runId": run})),
            ("SignalRunInput", "signalRun", json!({"runId": run, "name": "go"})),
            ("ResolveNodeRunInput", "resolveNodeRun", json!({"nodeRunId": node_run, "resolution": "FAIL"})),
            ("DeployVersionInput", "deployVersion", json!({"versionId": published["version"]["id"]})),
            ("DeployVersionInput", "deployVersion", json!({"versionId": version, "expectedVersionId": version})),
            ("UndeployWorkflowInput", "undeployWorkflow", json!({"workflowId": workflow})),
            ("UpdateProjectInput", "updateProject", json!({"projectId": project, "title": "Mine"})),
            ("CreateEnvironmentInput", "createEnvironment", json!({"projectId": project, "name": "mine"})),
            ("UpdateEnvironmentInput", "updateEnvironment", json!({"environmentId": environment, "title": "Mine"})),
            ("DeleteEnvironmentInput", "deleteEnvironment", json!({"environmentId": environment})),
            ("UpdateWorkflowInput", "updateWorkflow", json!({"workflowId": workflow, "title": "Mine"})),
            ("ArchiveWorkflowInput", "archiveWorkflow", json!({"workflowId": workflow})),
            ("UnarchiveWorkflowInput", "unarchiveWorkflow", json!({"workflowId": workflow})),
            ("DuplicateWorkflowInput", "duplicateWorkflow", json!({"workflowId": workflow, "name": "mine"})),
            ("MoveWorkflowInput", "moveWorkflow", json!({"workflowId": workflow, "project": "default"})),
            ("DeleteWorkflowInput", "deleteWorkflow", json!({"workflowId": workflow})),
            ("SaveDraftInput", "saveDraft", json!({"draftId": draft, "expectedRevision": 1, "patch": []})),
            ("DiscardDraftInput", "discardDraft", json!({"draftId": draft, "expectedRevision": 1})),
            ("PublishDraftInput", "publishDraft", json!({"draftId": draft, "expectedRevision": 1})),
            ("StartRunInput", "startRun", json!({"versionId": published["version"]["id"]})),
            ("StartRunInput", "startRun", json!({"workflowId": published["workflow"]["id"]})),
        ] {
            let selection = format!("it: {mutation}(input: $i) {{ userErrors {{ code }} }}");
            let query = format!("mutation($i: {input_type}!) {{ {selection} }}");
            let answer = app.ask_as(&stranger, &query, json!({"i": input})).await;
            assert_eq!(answer["data"]["it"]["userErrors"], json!([{"code": "NOT_FOUND"}]), "{query}");
        }
        let rest = app.http.get(app.url(&format!("/api/v1/runs/{run}"))).bearer_auth(&stranger).send().await.unwrap();
        assert_eq!(rest.status(), 404);

        let mut socket = Socket::open(&app, &[("authorization", &format!("Bearer {stranger}"))]).await.unwrap();
        socket.send(&json!({"type": "connection_init"})).await;
        assert_eq!(socket.next().await, Ok(json!({"type": "connection_ack"})));
        socket.subscribe("1", "subscription($run: ID!) { runEvents(runId: $run) { seq } }", json!({"run": run})).await;
        let refused = socket.next().await.unwrap();
        assert_eq!(refused["type"], "error");
        assert_eq!(code(&json!({"errors": refused["payload"]})), "NOT_FOUND");
        app.stop().await;
    }

    async fn two_workspaces_have_workflows_of_the_same_name(home: Home) {
        let app = TestApp::start(&home).await;
        let (_, stranger) = other_workspace(&home).await;
        let mine = app.publish("same", &waiting()).await;
        let query = "mutation($i: PublishWorkflowInput!) { publishWorkflow(input: $i) {
            workflow { id } version { number hash } } }";
        let input = json!({"i": {"name": "same", "definition": waiting()}});
        let theirs = app.ask_as(&stranger, query, input).await["data"]["publishWorkflow"].clone();
        assert_ne!(theirs["workflow"]["id"], mine["workflow"]["id"]);
        assert_eq!((&theirs["version"]["number"], &theirs["version"]["hash"]), (&json!(1), &mine["version"]["hash"]));
        app.stop().await;
    }
}
