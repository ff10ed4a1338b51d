//! Projects, environments, workflows and what is deployed where, by GraphQL alone.

use api::auth::Role;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, doubling, on_both_databases, waiting};

/// What runs where, as the workflow tells it.
async fn deployed(app: &TestApp, project: &str, name: &str) -> Value {
    let query = "query($project: String!, $name: String!) { workflow(project: $project, name: $name) {
        deployments { environment version { number } } } }";
    app.ask(query, json!({"project": project, "name": name})).await["workflow"]["deployments"].clone()
}

on_both_databases! {
    async fn from_an_empty_project_to_published_deployed_promoted_and_rolled_back(home: Home) {
        let app = TestApp::start(&home).await;
        let made = app.changed("createProject", json!({"slug": "billing", "title": "Billing"}), "project {
            id slug title environments { name title } }").await["project"].clone();
        assert_eq!(made["environments"], json!([{"name": "default", "title": "Default"}]));
        app.changed("createEnvironment", json!({"projectId": made["id"], "name": "live", "title": "Live"}), "").await;

        let input = json!({"project": "billing", "name": "invoice", "tags": ["money", "eu", "money"],
            "folderPath": "monthly/eu"});
        let workflow = app.changed("createWorkflow", input, "workflow { id title tags folderPath project { slug }
            latestVersion { id } draft { id revision document sidecar problems { code } baseVersion { id } } }").await;
        let workflow = workflow["workflow"].clone();
        assert_eq!((&workflow["tags"], &workflow["latestVersion"]), (&json!(["eu", "money"]), &json!(null)));
        let draft = workflow["draft"].clone();
        assert_eq!(draft["document"], json!({"nodes": {}, "edges": []}));
        assert_eq!(draft["problems"], json!([{"code": "TRIGGER_MISSING"}]));
        let publish = |revision: i64, deploy_to: Value| {
            json!({"draftId": draft["id"], "expectedRevision": revision, "note": "next", "deployTo": deploy_to})
        };
        let refused = app.change("publishDraft", publish(1, json!(null)), "version { id } problems { code }").await;
        assert_eq!(refused["userErrors"][0]["code"], "DEFINITION_INVALID");
        assert_eq!(refused["problems"], json!([{"code": "TRIGGER_MISSING"}]));

        let patch = json!([{"op": "replace", "path": "", "value": doubling()}]);
        let saved = app.changed("saveDraft", json!({"draftId": draft["id"], "expectedRevision": 1, "patch": patch}),
            "draft { revision problems { severity } }").await;
        assert_eq!(saved["draft"], json!({"revision": 2, "problems": []}));
        let first = app.changed("publishDraft", publish(2, json!("default")), "created version { id number note hash }")
            .await;
        assert_eq!((&first["created"], &first["version"]["number"]), (&json!(true), &json!(1)));
        assert_eq!(first["version"]["note"], "next");
        // The same hash elsewhere.
        let version = first["version"]["id"].clone();
        app.changed("deployVersion", json!({"versionId": version, "environment": "live"}), "").await;

        let patch = json!([{"op": "replace", "path": "/nodes/double/config/fields/n", "value": "{{ input.n * 3 }}"}]);
        app.changed("saveDraft", json!({"draftId": draft["id"], "expectedRevision": 2, "patch": patch}), "").await;
        let second = app.changed("publishDraft", publish(3, json!("default")), "version { id number }").await;
        assert_eq!(deployed(&app, "billing", "invoice").await, json!([
            {"environment": "default", "version": {"number": 2}}, {"environment": "live", "version": {"number": 1}},
        ]));
        let run = json!({"project": "billing", "workflow": "invoice", "environment": "live", "input": {"n": 2}});
        let run = app.try_start(run).await["run"]["id"].as_str().unwrap().to_owned();
        assert_eq!(app.finish(&run).await["output"]["json"], json!({"n": 4}));

        let query = "query($from: ID!, $to: ID!) { diffVersions(from: $from, to: $to) {
            nodes { key change fields { path from to } } edgesAdded { from } edgesRemoved { from } fields { path } } }";
        let ids = json!({"from": version, "to": second["version"]["id"]});
        let difference = app.ask(query, ids).await["diffVersions"].clone();
        assert_eq!(difference["nodes"], json!([{"key": "double", "change": "CHANGED", "fields": [
            {"path": "/config/fields/n", "from": "{{ input.n * 2 }}", "to": "{{ input.n * 3 }}"}]}]));
        assert_eq!(difference["fields"], json!([]));

        // Back again, but only if nobody else deployed in the meantime.
        let back = json!({"versionId": version, "expectedVersionId": version});
        assert_eq!(app.refused("deployVersion", back).await, "CONFLICT");
        let back = json!({"versionId": version, "expectedVersionId": second["version"]["id"]});
        app.changed("deployVersion", back, "").await;
        let undeployed = app.changed("undeployWorkflow", json!({"workflowId": workflow["id"], "environment": "live"}),
            "change { environment version { number } previousVersion { number } }").await;
        assert_eq!(undeployed["change"]["version"], json!(null));

        let query = "{ workflow(project: \"billing\", name: \"invoice\") {
            deploymentChanges(first: 10) { nodes { environment version { number } previousVersion { number } changedBy } }
            draft { revision baseVersion { number } } } }";
        let told = app.ask(query, json!({})).await["workflow"].clone();
        let changes: Vec<_> = told["deploymentChanges"]["nodes"].as_array().unwrap().iter().map(|change| {
            let number = |version: &Value| version["number"].as_i64();
            (change["environment"].as_str().unwrap().to_owned(), number(&change["previousVersion"]),
                number(&change["version"]))
        }).collect();
        let place = |name: &str, before, after| (name.to_owned(), before, after);
        assert_eq!(changes, [
            place("live", Some(1), None), place("default", Some(2), Some(1)), place("default", Some(1), Some(2)),
            place("live", None, Some(1)), place("default", None, Some(1)),
        ]);
        assert_eq!(told["draft"], json!({"revision": 3, "baseVersion": {"number": 2}}));
        app.stop().await;
    }

    async fn names_are_taken_once_and_environments_in_use_stay(home: Home) {
        let app = TestApp::start(&home).await;
        let taken = app.change("createProject", json!({"slug": "default"}), "project { id }").await;
        assert_eq!(taken["userErrors"][0]["code"], "NAME_TAKEN");
        assert_eq!(taken["userErrors"][0]["field"], json!(["input", "slug"]));
        let project = app.ask("{ project { id title environments { id name } } }", json!({})).await["project"].clone();
        let twice = json!({"projectId": project["id"], "name": "default"});
        assert_eq!(app.refused("createEnvironment", twice).await, "NAME_TAKEN");
        let renamed = app.changed("updateProject", json!({"projectId": project["id"], "title": "House"}),
            "project { title slug }").await;
        assert_eq!(renamed["project"], json!({"title": "House", "slug": "default"}));

        app.environment("staging").await;
        let environments = "{ project { environments { id name title } } }";
        let found = app.ask(environments, json!({})).await["project"]["environments"].clone();
        let (standard, staging) = (found[0]["id"].clone(), found[1]["id"].clone());
        assert_eq!(app.refused("deleteEnvironment", json!({"environmentId": standard})).await, "CONFLICT");
        let retitled = app.changed("updateEnvironment", json!({"environmentId": staging, "title": "Try"}),
            "environment { name title }").await;
        assert_eq!(retitled["environment"], json!({"name": "staging", "title": "Try"}));
        let published = app.publish("orders", &doubling()).await;
        let there = json!({"versionId": published["version"]["id"], "environment": "staging"});
        app.changed("deployVersion", there, "").await;
        assert_eq!(app.refused("deleteEnvironment", json!({"environmentId": staging})).await, "CONFLICT");
        let workflow = published["workflow"]["id"].clone();
        app.changed("undeployWorkflow", json!({"workflowId": workflow, "environment": "staging"}), "").await;
        let gone = app.changed("deleteEnvironment", json!({"environmentId": staging}), "deletedId").await;
        assert_eq!(gone["deletedId"], staging);
        assert_eq!(app.ask(environments, json!({})).await["project"]["environments"].as_array().unwrap().len(), 1);
        app.stop().await;
    }

    async fn a_workflow_is_archived_deleted_duplicated_and_moved(home: Home) {
        let app = TestApp::start(&home).await;
        let published = app.publish("hold", &waiting()).await;
        let (workflow, version) = (published["workflow"]["id"].clone(), published["version"]["id"].clone());
        let told = json!({"workflowId": workflow, "title": "Hold on", "tags": ["slow"], "folderPath": "a/b"});
        let told = app.changed("updateWorkflow", told, "workflow { title tags folderPath description }").await;
        assert_eq!(told["workflow"],
            json!({"title": "Hold on", "tags": ["slow"], "folderPath": "a/b", "description": null}));
        for (field, wrong) in [("folderPath", json!("a//b")), ("folderPath", json!("/a")), ("tags", json!(["a\"b"])),
            ("tags", json!([""]))] {
            let refused = app.change("updateWorkflow", json!({"workflowId": workflow, field: wrong}), "").await;
            assert_eq!(refused["userErrors"][0]["field"], json!(["input", field]));
        }

        let copy = app.changed("duplicateWorkflow", json!({"workflowId": workflow, "name": "copy"}), "workflow {
            id title tags latestVersion { id } draft { document revision } }").await["workflow"].clone();
        assert_eq!((&copy["title"], &copy["latestVersion"]), (&json!("Hold on"), &json!(null)));
        assert_eq!(copy["draft"], json!({"document": waiting(), "revision": 1}));
        let twice = json!({"workflowId": workflow, "name": "copy"});
        assert_eq!(app.refused("duplicateWorkflow", twice).await, "NAME_TAKEN");

        app.changed("createProject", json!({"slug": "other"}), "").await;
        app.environment("staging").await;
        let staged = json!({"versionId": version, "environment": "staging"});
        app.changed("deployVersion", staged, "").await;
        let there = json!({"workflowId": workflow, "project": "other"});
        assert_eq!(app.refused("moveWorkflow", there.clone()).await, "CONFLICT", "staging is missing there");
        app.changed("undeployWorkflow", json!({"workflowId": workflow, "environment": "staging"}), "").await;
        let moved = app.changed("moveWorkflow", there, "workflow { project { slug } }").await;
        assert_eq!(moved["workflow"]["project"]["slug"], "other");
        let run = app.try_start(json!({"project": "other", "workflow": "hold"})).await;
        let run = run["run"]["id"].as_str().unwrap().to_owned();

        assert_eq!(app.refused("deleteWorkflow", json!({"workflowId": workflow})).await, "CONFLICT", "not archived");
        app.changed("archiveWorkflow", json!({"workflowId": workflow}), "").await;
        let archived = app.changed("archiveWorkflow", json!({"workflowId": workflow}), "workflow { archivedAt }").await;
        assert!(archived["workflow"]["archivedAt"].is_string());
        for start in [json!({"project": "other", "workflow": "hold"}), json!({"versionId": version})] {
            assert_eq!(app.try_start(start).await["userErrors"][0]["code"], "NOT_FOUND");
        }
        assert_eq!(app.refused("deployVersion", json!({"versionId": version})).await, "CONFLICT");
        assert_eq!(app.refused("deleteWorkflow", json!({"workflowId": workflow})).await, "CONFLICT", "a run waits");
        app.changed("unarchiveWorkflow", json!({"workflowId": workflow}), "").await;
        app.changed("deployVersion", json!({"versionId": version}), "").await;
        app.changed("archiveWorkflow", json!({"workflowId": workflow}), "").await;
        app.changed("cancelRun", json!({"runId": run}), "").await;
        app.finish(&run).await;
        app.changed("deleteWorkflow", json!({"workflowId": workflow}), "deletedId").await;
        let gone = app.ask_as(&app.key, "query($id: ID!) { node(id: $id) { id } }", json!({"id": workflow})).await;
        assert_eq!(code(&gone), "NOT_FOUND");
        let runs = app.ask("{ runs { nodes { id status workflow { id } version { id } } } }", json!({})).await;
        assert_eq!(runs["runs"]["nodes"],
            json!([{"id": run, "status": "CANCELED", "workflow": null, "version": null}]));
        app.stop().await;
    }

    async fn each_role_changes_what_it_may(home: Home) {
        let app = TestApp::start(&home).await;
        let (operator, editor) = (home.key(Role::Operator).await, home.key(Role::Editor).await);
        let create = "mutation { createWorkflow(input: {name: \"mine\"}) { workflow { draft { id } } } }";
        assert_eq!(code(&app.ask_as(&operator, create, json!({})).await), "FORBIDDEN");
        let made = app.ask_as(&editor, create, json!({})).await;
        let draft = made["data"]["createWorkflow"]["workflow"]["draft"]["id"].clone();
        let save = "mutation($id: ID!) { saveDraft(input: {draftId: $id, expectedRevision: 1, patch: []}) {
            draft { revision } } }";
        assert_eq!(code(&app.ask_as(&operator, save, json!({"id": draft})).await), "FORBIDDEN");
        assert_eq!(app.ask_as(&editor, save, json!({"id": draft})).await["data"]["saveDraft"]["draft"]["revision"], 1);
        let project = "mutation { createProject(input: {slug: \"mine\"}) { project { id } } }";
        assert_eq!(code(&app.ask_as(&editor, project, json!({})).await), "FORBIDDEN");
        let read = "{ workflow(name: \"mine\") { draft { document } } }";
        assert!(app.ask_as(&home.key(Role::Viewer).await, read, json!({})).await.get("errors").is_none());
        app.stop().await;
    }
}
