//! The audit as a chain: whatever the database's owner does to it is found, and named.

use api::auth::Role;
use api::service::audit_chain::{Remembered, anchor_all, verify};
use engine::audit::Fault;
use engine::value::Digest;
use runtime::clock::Clock;
use runtime::secret::Secrets;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, on_both_databases};
use crate::in_process::{admin, idle_app};

/// A workspace with a handful of rows; their number.
async fn filled(home: &Home) -> i64 {
    for _ in 0..6 {
        home.key(Role::Viewer).await;
    }
    6
}

async fn fault(home: &Home, kept: &[Remembered]) -> Option<Fault> {
    api::verify_audit(&home.config(), "default", kept).await.unwrap().fault
}

async fn do_sql(home: &Home, statements: &[&str]) {
    for sql in statements {
        home.database.database.write().execute_unprepared(sql).await.unwrap();
    }
}

on_both_databases! {
    async fn g1_a_row_that_was_changed_is_named(home: Home) {
        let rows = filled(&home).await;
        let verdict = api::verify_audit(&home.config(), "default", &[]).await.unwrap();
        assert_eq!((verdict.rows, verdict.fault), (rows, None));
        for change in ["action = 'x.y'", "entity = 'key_0'", "after = '{}'", "actor_id = 'usr_1'", "times = 9",
            "result = 'DENIED'", "address = '10.0.0.1'", "request_id = 'r'"] {
            do_sql(&home, &["CREATE TABLE copy AS SELECT * FROM audit WHERE seq = 3",
                &format!("UPDATE audit SET {change} WHERE seq = 3")]).await;
            assert_eq!(fault(&home, &[]).await, Some(Fault::Changed { seq: 3 }), "{change}");
            do_sql(&home, &["DELETE FROM audit WHERE seq = 3", "INSERT INTO audit SELECT * FROM copy", "DROP TABLE copy"]).await;
            assert_eq!(fault(&home, &[]).await, None, "put back: {change}");
        }
    }

    async fn g1_a_row_that_was_dropped_moved_or_slipped_in_is_named(home: Home) {
        filled(&home).await;
        do_sql(&home, &["CREATE TABLE copy AS SELECT * FROM audit", "DELETE FROM audit WHERE seq = 4"]).await;
        assert_eq!(fault(&home, &[]).await, Some(Fault::Missing { seq: 4 }));
        let again = ["DELETE FROM audit", "INSERT INTO audit SELECT * FROM copy"];
        do_sql(&home, &again).await;
        // Two rows change places.
        do_sql(&home, &["UPDATE audit SET seq = 100 WHERE seq = 2", "UPDATE audit SET seq = 2 WHERE seq = 5",
            "UPDATE audit SET seq = 5 WHERE seq = 100"]).await;
        assert_eq!(fault(&home, &[]).await, Some(Fault::Changed { seq: 2 }));
        do_sql(&home, &again).await;
        // A row between others, and the others moved on.
        do_sql(&home, &["UPDATE audit SET seq = seq + 100 WHERE seq > 3", "UPDATE audit SET seq = seq - 99 WHERE seq > 100",
            "CREATE TABLE extra AS SELECT * FROM copy WHERE seq = 1",
            "DELETE FROM audit WHERE seq = 1", "UPDATE extra SET seq = 4", "INSERT INTO audit SELECT * FROM extra",
            "DROP TABLE extra"]).await;
        assert_eq!(fault(&home, &[]).await, Some(Fault::Missing { seq: 1 }));
        do_sql(&home, &again).await;
        do_sql(&home, &["UPDATE audit SET seq = 3 + 100 WHERE seq = 3", "UPDATE audit SET seq = 3 WHERE seq = 6",
            "DELETE FROM audit WHERE seq = 103"]).await;
        assert_eq!(fault(&home, &[]).await, Some(Fault::Changed { seq: 3 }));
        do_sql(&home, &again).await;
        assert_eq!(fault(&home, &[]).await, None);
    }

    async fn g1_rows_cut_off_at_the_end_are_found_by_the_head_the_anchor_and_the_export(home: Home) {
        let rows = filled(&home).await;
        let app = idle_app(&home).await;
        let workspace = admin(&app, &home).await.workspace;
        anchor_all(&app).await.unwrap();
        anchor_all(&app).await.unwrap();
        let anchored = rows + 1;
        let verdict = api::verify_audit(&home.config(), "default", &[]).await.unwrap();
        assert_eq!((verdict.rows, verdict.anchors, verdict.fault), (anchored, 1, None));
        let secrets = Secrets::new(home.database.database.clone(), Clock::system(), home.config().secrets.source.clone());
        let hash = |seq: i64| {
            let database = home.database.database.clone();
            async move {
                use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
                let row = entity::audit::Entity::find().filter(entity::audit::Column::Seq.eq(seq)).one(database.read()).await;
                row.unwrap().unwrap().hash.unwrap()
            }
        };
        let (fifth, last) = (hash(5).await, hash(anchored).await);
        let kept = [Remembered { seq: anchored, hash: Digest(last.try_into().unwrap()) }];
        do_sql(&home, &["DELETE FROM audit WHERE seq > 5"]).await;
        let cut = |known: &str| Some(Fault::Truncated { seq: 6, known: known.to_owned() });
        let found = verify(&home.database.database, &secrets, workspace, &[]).await.unwrap().fault;
        assert!(matches!(&found, Some(Fault::Truncated { seq: 6, .. })), "{found:?}");
        // Whoever can do that can move the head back as well.
        use sea_orm::EntityTrait as _;
        use sea_orm::sea_query::Expr;
        entity::audit_head::Entity::update_many().col_expr(entity::audit_head::Column::Seq, Expr::value(5))
            .col_expr(entity::audit_head::Column::Hash, Expr::value(fifth))
            .exec(home.database.database.write()).await.unwrap();
        let found = verify(&home.database.database, &secrets, workspace, &[]).await.unwrap().fault;
        assert!(matches!(&found, Some(Fault::Truncated { seq: 6, known }) if known.starts_with("the anchor of ")), "{found:?}");
        // And with the anchor gone too, only what was exported before knows.
        do_sql(&home, &["DELETE FROM audit_anchor"]).await;
        assert_eq!(fault(&home, &[]).await, None);
        assert_eq!(fault(&home, &kept).await, cut("the export"));
        app.runtime.stop().await;
    }

    async fn an_anchor_that_somebody_made_is_not_believed(home: Home) {
        filled(&home).await;
        let app = idle_app(&home).await;
        admin(&app, &home).await;
        anchor_all(&app).await.unwrap();
        do_sql(&home, &["UPDATE audit_anchor SET seq = seq - 1"]).await;
        assert!(matches!(fault(&home, &[]).await, Some(Fault::Forged { .. })));
        app.runtime.stop().await;
    }

    async fn the_audit_is_exported_as_lines_that_can_be_checked_and_as_cells_that_do_nothing(home: Home) {
        let app = TestApp::start(&home).await;
        app.changed("createWorkflow", json!({"name": "w", "title": "=cmd|' /C calc'!A0"}), "").await;
        let get = |query: &'static str| app.http.get(app.url(&format!("/api/v1/audit{query}"))).bearer_auth(&app.key).send();
        let text = get("").await.unwrap().text().await.unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (anchor, rows) = lines.split_last().unwrap();
        assert_eq!(rows.iter().map(|row| row["seq"].as_i64().unwrap()).collect::<Vec<_>>(),
            (1..=i64::try_from(rows.len()).unwrap()).collect::<Vec<_>>());
        let last = rows.last().unwrap();
        assert_eq!((&anchor["anchor"]["seq"], &anchor["anchor"]["hash"]), (&last["seq"], &last["hash"]));
        let bytes = |name: &str| hex::decode(anchor["anchor"][name].as_str().unwrap()).unwrap();
        let workspace = anchor["anchor"]["workspaceId"].as_str().unwrap().parse().unwrap();
        let at: chrono::DateTime<chrono::Utc> = anchor["anchor"]["at"].as_str().unwrap().parse().unwrap();
        let statement = engine::audit::anchor(workspace, last["seq"].as_i64().unwrap(),
            &Digest(bytes("hash").try_into().unwrap()), engine::time::Timestamp(at.timestamp_micros()));
        let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, bytes("publicKey"));
        key.verify(&statement, &bytes("signature")).unwrap();

        let csv = get("?format=csv&action=workflow.created,project.created").await.unwrap();
        assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
        let csv = csv.text().await.unwrap();
        assert_eq!(csv.lines().count(), 2, "{csv}");
        assert!(csv.starts_with("seq,at,actor_kind,"));
        assert!(!csv.contains(",=") && !csv.contains(",\"="), "{csv}");
        for wrong in ["?format=xml", "?result=MAYBE", "?since=yesterday", "?what=1"] {
            assert_eq!(get(wrong).await.unwrap().status(), 400, "{wrong}");
        }
        let none = get("?result=DENIED&format=csv").await.unwrap().text().await.unwrap();
        assert_eq!(none.lines().count(), 1);
        app.stop().await;
    }

    async fn what_is_denied_again_and_again_is_counted_and_does_not_flood(home: Home) {
        let app = TestApp::start(&home).await;
        let viewer = home.key(Role::Viewer).await;
        let query = "mutation($i: CreateProjectInput!) { again: createProject(input: $i) { project { id } } }";
        for _ in 0..20 {
            app.ask_as(&viewer, query, json!({"i": {"slug": "p"}})).await;
        }
        let export = app.http.get(app.url("/api/v1/audit")).bearer_auth(&viewer).send().await.unwrap();
        assert_eq!(export.status(), 403);
        let key = app.key.clone();
        app.stop().await;
        let app = TestApp::start(&home).await;
        let query = "{ audit(filter: {result: DENIED}) { nodes { action entityId times address after } } }";
        let found = app.ask_as(&key, query, json!({})).await["data"]["audit"]["nodes"].clone();
        let times: Vec<(&str, i64)> = found.as_array().unwrap().iter()
            .map(|row| (row["entityId"].as_str().unwrap(), row["times"].as_i64().unwrap())).collect();
        assert_eq!(times, [("createProject", 19), ("GET /api/v1/audit", 1), ("createProject", 1)]);
        assert_eq!(found[0]["address"], "127.0.0.1");
        assert_eq!(fault(&home, &[]).await, None);
        app.stop().await;
    }
}
