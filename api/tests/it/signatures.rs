//! Signatures of versions.

use engine::value::Digest;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use crate::app::{Home, TestApp, on_both_databases};

const SIGNATURE: &str =
    "{ workflow(name: \"greet\") { latestVersion { id hash signature { keyId publicKey statement value isValid } } } }";

fn greeting(text: &str) -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "say": {"type": "data.set@1", "config": {"value": text}},
        },
        "edges": [{"from": "start", "to": "say"}],
    })
}

/// What somebody else than FlowForge does to the database.
async fn swap_definition(home: &Home, version: &str, hash: &str) {
    let id: engine::id::VersionId = version.parse().unwrap();
    let hash = Digest(hex::decode(hash).unwrap().try_into().unwrap());
    entity::version::Entity::update_many()
        .col_expr(entity::version::Column::DefinitionHash, Expr::value(hash.0.to_vec()))
        .filter(entity::version::Column::Id.eq(id.0))
        .exec(home.database.database.write())
        .await
        .unwrap();
}

on_both_databases! {
    async fn a_version_is_signed_and_anybody_can_check_it(home: Home) {
        let home = home.with("SECRETS__MASTER_KEY", &runtime::secret::new_key().unwrap());
        let app = TestApp::start(&home).await;
        app.publish("greet", &greeting("Hello")).await;
        let version = app.ask(SIGNATURE, json!({})).await["workflow"]["latestVersion"].clone();
        let signature = &version["signature"];
        assert_eq!(signature["isValid"], true, "{version:#}");
        let bytes = |name: &str| hex::decode(signature[name].as_str().unwrap()).unwrap();
        let statement = signature["statement"].as_str().unwrap();
        let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, bytes("publicKey"));
        key.verify(statement.as_bytes(), &bytes("value")).unwrap();
        let said: Value = serde_json::from_str(statement).unwrap();
        assert_eq!((&said["version"], &said["definition"], &said["number"]), (&version["id"], &version["hash"], &json!(1)));
        assert!(said["nodeTypes"]["data.set@1"].is_string(), "{said}");
        app.stop().await;
    }

    async fn a_version_that_was_changed_in_the_database_does_not_run(home: Home) {
        let home = home.with("SECRETS__MASTER_KEY", &runtime::secret::new_key().unwrap());
        let app = TestApp::start(&home).await;
        let evil = app.publish("evil", &greeting("Bye")).await["version"]["hash"].as_str().unwrap().to_owned();
        let published = app.publish("greet", &greeting("Hello")).await;
        let (id, hash) = (published["version"]["id"].as_str().unwrap(), published["version"]["hash"].as_str().unwrap());
        swap_definition(&home, id, &evil).await;
        let refused = app.try_start(json!({"workflow": "greet"})).await;
        assert_eq!((&refused["run"], &refused["userErrors"][0]["code"]), (&Value::Null, &json!("SIGNATURE_INVALID")));
        let deploy = json!({"versionId": id, "environment": "default"});
        assert_eq!(app.refused("deployVersion", deploy).await, "SIGNATURE_INVALID");
        let shown = app.ask(SIGNATURE, json!({})).await["workflow"]["latestVersion"].clone();
        assert_eq!(shown["signature"]["isValid"], false, "and readers see it");

        swap_definition(&home, id, hash).await;
        assert_eq!(app.try_start(json!({"workflow": "greet"})).await["userErrors"], json!([]));
        swap_definition(&home, id, &evil).await;
        let refused = app.try_start(json!({"workflow": "greet"})).await;
        assert_eq!(refused["userErrors"][0]["code"], "SIGNATURE_INVALID", "also when it was right a moment ago");

        // Without its row, a version that was published since there is a key is as good as forged.
        let other = app.publish("other", &greeting("Hi")).await;
        let id: engine::id::VersionId = other["version"]["id"].as_str().unwrap().parse().unwrap();
        entity::version_signature::Entity::delete_by_id(id.0)
            .exec(home.database.database.write())
            .await
            .unwrap();
        let refused = app.try_start(json!({"workflow": "other"})).await;
        assert_eq!(refused["userErrors"][0]["code"], "SIGNATURE_INVALID", "{refused}");
        app.stop().await;
    }

    async fn without_a_master_key_versions_run_unsigned_unless_the_installation_wants_it_otherwise(home: Home) {
        let home = home.with("SECRETS__MASTER_KEY", "");
        let app = TestApp::start(&home).await;
        app.publish("greet", &greeting("Hello")).await;
        let version = app.ask(SIGNATURE, json!({})).await["workflow"]["latestVersion"].clone();
        if version["signature"].is_null() {
            assert_eq!(app.try_start(json!({"workflow": "greet"})).await["userErrors"], json!([]));
            app.stop().await;
            let strict = home.with("SECRETS__REQUIRE_SIGNATURES", "true");
            let app = TestApp::start(&strict).await;
            let refused = app.try_start(json!({"workflow": "greet"})).await;
            assert_eq!(refused["userErrors"][0]["code"], "SIGNATURE_INVALID", "{refused}");
            app.stop().await;
        } else {
            // SQLite in a folder of ours makes a key of its own.
            app.stop().await;
        }
    }
}
