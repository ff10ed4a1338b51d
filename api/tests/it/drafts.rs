//! Drafts: patches against revisions, and documents of every kind.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, doubling, on_both_databases, waiting};

/// Makes a workflow and hands back the id of its draft.
async fn draft_of(app: &TestApp, name: &str, document: Value) -> Value {
    let input = json!({"name": name, "document": document});
    let made = app.changed("createWorkflow", input, "workflow { draft { id } }").await;
    made["workflow"]["draft"]["id"].clone()
}

async fn read(app: &TestApp, draft: &Value) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on Draft { revision document sidecar updatedBy
        problems { code } changes(first: 100) { nodes { revision patch sidecarPatch changedBy } } } } }";
    app.ask(query, json!({"id": draft})).await["node"].clone()
}

fn adding(path: &str, value: Value) -> Value {
    json!([{"op": "add", "path": path, "value": value}])
}

on_both_databases! {
    async fn of_two_editors_the_later_gets_the_other_document_and_nothing_is_lost(home: Home) {
        let app = TestApp::start(&home).await;
        let draft = draft_of(&app, "shared", json!({"nodes": {}, "list": []})).await;
        let save = |revision: i64, patch: Value| json!({"draftId": draft, "expectedRevision": revision, "patch": patch});
        app.changed("saveDraft", save(1, adding("/nodes/a", json!({"type": "x"}))), "").await;
        let late = app.change("saveDraft", save(1, adding("/nodes/b", json!(1))), "draft { revision document }").await;
        let error = &late["userErrors"][0];
        assert_eq!((&error["code"], &error["field"]), (&json!("REVISION_CONFLICT"), &json!(["input", "expectedRevision"])));
        let other = json!({"nodes": {"a": {"type": "x"}}, "list": []});
        assert_eq!((&error["details"]["revision"], &error["details"]["document"]), (&json!(2), &other));
        assert_eq!(late["draft"], json!({"revision": 2, "document": other}));
        assert_eq!(app.refused("publishDraft", json!({"draftId": draft, "expectedRevision": 1})).await,
            "REVISION_CONFLICT");
        assert_eq!(app.refused("discardDraft", json!({"draftId": draft, "expectedRevision": 3})).await,
            "REVISION_CONFLICT");

        // Two who try again with what they are told: each change is made once, in some order.
        let editors = (0..2).map(|editor| {
            let (app, draft) = (&app, &draft);
            async move {
                let (mut revision, mut conflicts) = (2, 0);
                for n in 0..20 {
                    loop {
                        let patch = adding("/list/-", json!(editor * 100 + n));
                        let input = json!({"draftId": draft, "expectedRevision": revision, "patch": patch});
                        let payload = app.change("saveDraft", input, "draft { revision }").await;
                        revision = payload["draft"]["revision"].as_i64().unwrap();
                        match payload["userErrors"][0]["code"].as_str() {
                            None => break,
                            Some(code) => assert_eq!(code, "REVISION_CONFLICT"),
                        }
                        conflicts += 1;
                    }
                }
                conflicts
            }
        });
        let conflicts: i32 = join_all(editors).await.into_iter().sum();
        let end = read(&app, &draft).await;
        assert_eq!(end["revision"], 42, "{conflicts} conflicts");
        let list: Vec<i64> = end["document"]["list"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect();
        for editor in 0..2 {
            let own: Vec<i64> = list.iter().copied().filter(|n| n / 100 == editor).collect();
            assert_eq!(own, (0..20).map(|n| editor * 100 + n).collect::<Vec<_>>());
        }
        let revisions: Vec<i64> =
            end["changes"]["nodes"].as_array().unwrap().iter().map(|change| change["revision"].as_i64().unwrap()).collect();
        assert_eq!(revisions, (2..=42).rev().collect::<Vec<_>>());
        app.stop().await;
    }

    async fn a_sidecar_is_kept_beside_and_never_published(home: Home) {
        let app = TestApp::start(&home).await;
        let draft = draft_of(&app, "beside", doubling()).await;
        let patch = adding("/layout", json!({"start": {"x": 1, "y": 2}}));
        let input = json!({"draftId": draft, "expectedRevision": 1, "sidecarPatch": patch});
        app.changed("saveDraft", input, "").await;
        let kept = read(&app, &draft).await;
        assert_eq!((&kept["revision"], &kept["sidecar"]["layout"]["start"]["y"]), (&json!(2), &json!(2)));
        assert_eq!(kept["changes"]["nodes"][0]["patch"], json!([]));
        let published = app.changed("publishDraft", json!({"draftId": draft, "expectedRevision": 2}),
            "version { hash definition } workflow { id }").await;
        assert_eq!(published["version"]["definition"], doubling());
        let direct = app.publish("same", &doubling()).await;
        assert_eq!(published["version"]["hash"], direct["version"]["hash"]);

        let pins = adding("/pins", json!({"start": "x".repeat(256 * 1024)}));
        let input = json!({"draftId": draft, "expectedRevision": 2, "sidecarPatch": pins});
        assert_eq!(app.refused("saveDraft", input).await, "BAD_USER_INPUT");
        let wrong = json!([{"op": "remove", "path": "/nowhere"}]);
        let input = json!({"draftId": draft, "expectedRevision": 2, "patch": wrong});
        let refused = app.change("saveDraft", input, "").await;
        assert_eq!(refused["userErrors"][0]["message"], "operation 0: nothing is at `/nowhere`");
        let nothing = json!({"draftId": draft, "expectedRevision": 2, "patch": []});
        assert_eq!(app.changed("saveDraft", nothing, "draft { revision }").await["draft"]["revision"], 2);
        app.stop().await;
    }

    async fn a_draft_goes_back_to_a_version_and_along_with_one(home: Home) {
        let app = TestApp::start(&home).await;
        let first = app.publish("orders", &doubling()).await;
        let query = "{ workflow(name: \"orders\") { draft { id revision document baseVersion { number } } } }";
        let draft = app.ask(query, json!({})).await["workflow"]["draft"].clone();
        assert_eq!((&draft["document"], &draft["baseVersion"]["number"]), (&doubling(), &json!(1)));
        // Nobody touched the draft, so it goes along with what is published past it.
        app.publish("orders", &waiting()).await;
        let along = app.ask(query, json!({})).await["workflow"]["draft"].clone();
        assert_eq!((&along["document"], &along["revision"]), (&waiting(), &json!(2)));
        assert_eq!(along["baseVersion"]["number"], 2);

        let edited = json!({"draftId": draft["id"], "expectedRevision": 2, "patch": adding("/nodes/x", json!(5))});
        app.changed("saveDraft", edited, "").await;
        app.publish("orders", &doubling()).await;
        let mine = app.ask(query, json!({})).await["workflow"]["draft"].clone();
        assert_eq!((&mine["revision"], &mine["document"]["nodes"]["x"]), (&json!(3), &json!(5)), "edits stay");
        let back = json!({"draftId": draft["id"], "expectedRevision": 3, "versionId": first["version"]["id"]});
        let back = app.changed("discardDraft", back, "draft { revision document baseVersion { number } }").await;
        assert_eq!(back["draft"], json!({"revision": 4, "document": doubling(), "baseVersion": {"number": 1}}));
        let other = app.publish("other", &doubling()).await;
        let foreign = json!({"draftId": draft["id"], "expectedRevision": 4, "versionId": other["version"]["id"]});
        assert_eq!(app.refused("discardDraft", foreign).await, "NOT_FOUND");
        let fresh = draft_of(&app, "fresh", json!({})).await;
        assert_eq!(app.refused("discardDraft", json!({"draftId": fresh, "expectedRevision": 1})).await, "CONFLICT");
        app.stop().await;
    }

    async fn a_definition_is_validated_without_being_saved(home: Home) {
        let app = TestApp::start(&home).await;
        let query = "query($d: JSON!) { validateDefinition(definition: $d) { code severity path node message hint } }";
        let fine = app.ask(query, json!({"d": doubling()})).await["validateDefinition"].clone();
        assert_eq!(fine, json!([]));
        for document in [json!({"nodes": {"a": {}}}), json!([1, 2]), json!("text"), json!({"nodes": 7})] {
            let found = app.ask(query, json!({"d": document})).await["validateDefinition"].clone();
            assert_ne!(found, json!([]), "{document}");
        }
        app.stop().await;
    }
}
