//! Every permission of every role, in both directions: each mutation, query and route takes exactly what its row here
//! says. A new one without a row fails.

use std::collections::{BTreeMap, BTreeSet};

use api::auth::{Permission, Role};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use Permission as P;

use crate::app::{Home, TestApp, on_both_databases};
use crate::asking::{Asking, kind};

/// What each mutation takes; the first is told first when nothing is there.
pub(crate) const MUTATIONS: &[(&str, &[Permission])] = &[
    ("acceptInvitation", &[]),
    ("archiveWorkflow", &[P::WorkflowEdit]),
    ("backfillTrigger", &[P::WorkflowDeploy]),
    ("beginConnectionSignIn", &[P::ConnectionManage]),
    ("cancelBackfill", &[P::WorkflowDeploy]),
    ("cancelRun", &[P::RunControl]),
    ("chooseWorkspace", &[]),
    ("completeArtifactUpload", &[P::RunStart]),
    ("createApiKey", &[P::KeyManage]),
    ("createArtifactLink", &[P::Read]),
    ("createArtifactUpload", &[P::RunStart]),
    ("createConnection", &[P::ConnectionManage]),
    ("createEnvironment", &[P::ProjectManage]),
    ("createNotification", &[P::ConnectionManage]),
    ("createProject", &[P::ProjectManage]),
    ("createRole", &[P::MemberManage]),
    ("createServiceAccount", &[P::KeyManage]),
    ("createVariable", &[P::WorkflowPublish]),
    ("createWorkflow", &[P::WorkflowEdit]),
    ("createWorkspace", &[P::WorkspaceOwn]),
    ("deleteConnection", &[P::ConnectionManage, P::ConnectionUse]),
    ("deleteEnvironment", &[P::ProjectManage]),
    ("deleteNotification", &[P::ConnectionManage]),
    ("deleteRole", &[P::MemberManage]),
    ("deleteVariable", &[P::WorkflowPublish]),
    ("deleteWorkflow", &[P::WorkflowEdit]),
    ("deployVersion", &[P::WorkflowDeploy]),
    ("disableServiceAccount", &[P::KeyManage]),
    ("discardDraft", &[P::WorkflowEdit]),
    ("duplicateWorkflow", &[P::WorkflowEdit]),
    ("finishConnectionSignIn", &[P::ConnectionManage]),
    ("inviteMember", &[P::MemberManage]),
    ("moveWorkflow", &[P::WorkflowEdit]),
    ("pauseTrigger", &[P::WorkflowDeploy]),
    ("publishDraft", &[P::WorkflowPublish]),
    ("publishWorkflow", &[P::WorkflowPublish, P::WorkflowDeploy]),
    ("redeliverTriggerEvent", &[P::RunStart]),
    ("removeMember", &[P::MemberManage, P::MemberRead]),
    ("replayDeliveries", &[P::RunControl]),
    ("replayDelivery", &[P::RunControl]),
    ("resolveNodeRun", &[P::RunControl]),
    ("resumeRun", &[P::RunControl]),
    ("resumeTrigger", &[P::WorkflowDeploy]),
    ("retryRun", &[P::RunStart]),
    ("revokeApiKey", &[P::KeyManage]),
    ("revokeInvitation", &[P::MemberManage]),
    ("rotateApiKey", &[P::KeyManage]),
    ("rotateNotificationSecret", &[P::ConnectionManage]),
    ("rotateTriggerUrl", &[P::WorkflowDeploy]),
    ("sampleDelivery", &[P::RunStart, P::WorkflowDeploy]),
    ("saveDraft", &[P::WorkflowEdit]),
    ("setAllowedHosts", &[P::OutgoingManage]),
    ("setQuota", &[P::QuotaManage]),
    ("signalRun", &[P::RunSignal]),
    ("startRun", &[P::RunStart]),
    ("startRuns", &[P::RunStart]),
    ("testConnection", &[P::ConnectionUse]),
    ("testRun", &[P::WorkflowPublish]),
    ("unarchiveWorkflow", &[P::WorkflowEdit]),
    ("undeployWorkflow", &[P::WorkflowDeploy]),
    ("updateConnection", &[P::ConnectionManage, P::ConnectionUse]),
    ("updateEnvironment", &[P::ProjectManage]),
    ("updateMember", &[P::MemberManage, P::MemberRead]),
    ("updateNotification", &[P::ConnectionManage]),
    ("updateProject", &[P::ProjectManage]),
    ("updateRole", &[P::MemberManage]),
    ("updateServiceAccount", &[P::KeyManage]),
    ("updateVariable", &[P::WorkflowPublish]),
    ("updateWorkflow", &[P::WorkflowEdit]),
    ("updateWorkspace", &[P::WorkspaceManage]),
];

/// What each query takes, and how it is asked.
pub(crate) const QUERIES: &[(&str, Option<Permission>, &str)] = &[
    ("apiKeys", Some(P::KeyManage), "apiKeys { nodes { id } }"),
    ("audit", Some(P::AuditRead), "audit { nodes { id } }"),
    ("checkExpression", Some(P::Read), r#"checkExpression(input: {expression: "1", definition: {}}) { __typename }"#),
    ("connectionTypes", Some(P::Read), "connectionTypes { name }"),
    ("connections", Some(P::ConnectionUse), "connections { nodes { id } }"),
    ("diffVersions", Some(P::Read), r#"diffVersions(from: "ver_N", to: "ver_N") { __typename }"#),
    ("invitations", Some(P::MemberManage), "invitations { nodes { id } }"),
    ("members", Some(P::MemberRead), "members { nodes { id } }"),
    ("node", Some(P::Read), r#"node(id: "wf_N") { id }"#),
    ("nodeTypes", Some(P::Read), "nodeTypes { type }"),
    ("notifications", Some(P::Read), "notifications { id }"),
    ("permissions", Some(P::Read), "permissions { key }"),
    ("project", Some(P::Read), "project { id }"),
    ("projects", Some(P::Read), "projects { nodes { id } }"),
    ("roles", Some(P::MemberRead), "roles { key }"),
    ("run", Some(P::Read), r#"run(id: "run_N") { id }"#),
    ("runs", Some(P::Read), "runs { nodes { id } }"),
    ("serviceAccounts", Some(P::KeyManage), "serviceAccounts { nodes { id } }"),
    ("testPlan", Some(P::WorkflowPublish), r#"testPlan(input: {workflowId: "wf_N"}) { __typename }"#),
    ("triggerBackfills", Some(P::Read), r#"triggerBackfills(triggerId: "trg_N") { nodes { id } }"#),
    ("triggerEvent", Some(P::Read), r#"triggerEvent(id: "evt_N") { id }"#),
    ("triggerEvents", Some(P::Read), "triggerEvents { nodes { id } }"),
    ("validateDefinition", Some(P::Read), "validateDefinition(definition: {}) { code }"),
    ("variables", Some(P::Read), "variables { nodes { id } }"),
    // Who somebody is, and where, is theirs to know.
    ("viewer", None, "viewer { name }"),
    ("workflow", Some(P::Read), r#"workflow(name: "x") { id }"#),
    ("workflows", Some(P::Read), "workflows { nodes { id } }"),
    ("workspaces", None, "workspaces { id }"),
];

/// An id of the right kind that nothing has.
pub(crate) fn nothing(mutation: &str, field: &str) -> String {
    let id = format!("{}_{}", kind(mutation, field), "0".repeat(32));
    if kind(mutation, field) == "nrun" { format!("{id}.start") } else { id }
}

/// The permission that an answer was denied for.
pub(crate) fn denied(answer: &Value) -> Option<&str> {
    let error = answer["errors"].as_array()?.iter().find(|error| error["extensions"]["code"] == "FORBIDDEN")?;
    error["extensions"]["permission"].as_str()
}

/// A key with these permissions and no others.
async fn key_with(home: &Home, app: &TestApp, name: &str, permissions: &BTreeSet<Permission>) -> String {
    let input = json!({"name": name, "role": "owner", "permissions": ["read"]});
    let owner = home.key(Role::Owner).await;
    let query = "mutation($i: CreateApiKeyInput!) { it: createApiKey(input: $i) { secret userErrors { message } } }";
    let made = app.ask_as(&owner, query, json!({"i": input})).await["data"]["it"].clone();
    let words: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
    // The API makes no key without `read`; the table could hold one.
    let set = format!("UPDATE api_key SET permissions = '{}' WHERE name = '{name}'", json!(words));
    home.database.database.write().execute_unprepared(&set).await.unwrap();
    made["secret"].as_str().unwrap_or_else(|| panic!("{made:#}")).to_owned()
}

#[test]
fn every_mutation_and_query_has_a_row() {
    let asking = Asking::read();
    let names =
        |root: &str| asking.fields(root).iter().map(|field| field.name.node.to_string()).collect::<BTreeSet<_>>();
    let rows: BTreeSet<String> = MUTATIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("Mutation"), rows, "left: in the schema; right: in the table");
    let rows: BTreeSet<String> = QUERIES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(names("Query"), rows, "left: in the schema; right: in the table");
    // A permission that opens nothing would be a promise without a door.
    let used: BTreeSet<Permission> = MUTATIONS
        .iter()
        .flat_map(|(_, permissions)| permissions.iter().copied())
        .chain(QUERIES.iter().filter_map(|(_, permission, _)| *permission))
        .collect();
    assert!(Permission::ALL.iter().all(|permission| used.contains(permission)), "{used:?}");
}

on_both_databases! {
    async fn each_mutation_takes_exactly_the_permissions_of_its_row(home: Home) {
        let app = TestApp::start(&home).await;
        let asking = Asking::read();
        let all: BTreeSet<Permission> = Permission::ALL.iter().copied().collect();
        let mut without = BTreeMap::new();
        for permission in Permission::ALL {
            let rest = all.iter().copied().filter(|other| other != permission).collect();
            without.insert(*permission, key_with(&home, &app, &format!("without {}", permission.as_str()), &rest).await);
        }
        let mut only = BTreeMap::new();
        for (_, permissions) in MUTATIONS {
            let set: BTreeSet<Permission> = permissions.iter().copied().chain([P::Read]).collect();
            if !only.contains_key(&set) {
                only.insert(set.clone(), key_with(&home, &app, &format!("only {set:?}"), &set).await);
            }
        }
        let mut wrong = Vec::new();
        for (mutation, permissions) in MUTATIONS {
            let (query, input) = (asking.mutation(mutation), json!({"i": asking.input(mutation, &nothing)}));
            for permission in *permissions {
                let answer = app.ask_as(&without[permission], &query, input.clone()).await;
                if denied(&answer) != Some(permission.as_str()) {
                    wrong.push(format!("{mutation} without {}: {answer}", permission.as_str()));
                }
            }
            let enough: BTreeSet<Permission> = permissions.iter().copied().chain([P::Read]).collect();
            let answer = app.ask_as(&only[&enough], &query, input).await;
            if denied(&answer).is_some() {
                wrong.push(format!("{mutation} with all of its row: {answer}"));
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        app.stop().await;
    }

    async fn each_role_may_exactly_what_the_matrix_says(home: Home) {
        let app = TestApp::start(&home).await;
        let asking = Asking::read();
        for role in Role::ALL {
            let key = home.key(*role).await;
            for (mutation, permissions) in MUTATIONS {
                let input = json!({"i": asking.input(mutation, &nothing)});
                let answer = app.ask_as(&key, &asking.mutation(mutation), input).await;
                let missing = permissions.iter().find(|permission| !role.may(**permission));
                assert_eq!(denied(&answer), missing.map(|permission| permission.as_str()), "{role:?} {mutation}: {answer:#}");
            }
            for (name, permission, query) in QUERIES {
                let query = format!("{{ {} }}", query.replace('N', &"0".repeat(32)));
                let answer = app.ask_as(&key, &query, json!({})).await;
                let missing = permission.filter(|permission| !role.may(*permission));
                assert_eq!(denied(&answer), missing.map(Permission::as_str), "{role:?} {name}: {answer:#}");
            }
            let export = app.http.get(app.url("/api/v1/audit")).bearer_auth(&key).send().await.unwrap();
            assert_eq!(export.status() == 403, !role.may(P::AuditRead), "{role:?}");
        }
        app.stop().await;
    }

    async fn a_key_without_any_permission_reads_nothing(home: Home) {
        let app = TestApp::start(&home).await;
        let key = key_with(&home, &app, "nothing", &BTreeSet::new()).await;
        for (name, permission, query) in QUERIES {
            let query = format!("{{ {} }}", query.replace('N', &"0".repeat(32)));
            let answer = app.ask_as(&key, &query, json!({})).await;
            assert_eq!(denied(&answer), permission.map(Permission::as_str), "{name}: {answer:#}");
        }
        let run = app.http.get(app.url(&format!("/api/v1/runs/run_{}", "0".repeat(32)))).bearer_auth(&key);
        assert_eq!(run.send().await.unwrap().status(), 403);
        app.stop().await;
    }
}
