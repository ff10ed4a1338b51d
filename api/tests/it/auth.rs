//! Who may do what.

use api::auth::Role;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use crate::app::{Home, TestApp, code, doubling, on_both_databases, waiting};
use crate::socket::Socket;

const VIEWER: &str = "{ viewer { name role workspace { slug } } }";

on_both_databases! {
    async fn a_request_without_a_good_key_is_401_with_a_challenge(home: Home) {
        let app = TestApp::start(&home).await;
        let query = json!({"query": VIEWER});
        let mut forged = app.key.clone().into_bytes();
        let last = forged.len() - 1;
        forged[last] = if forged[last] == b'a' { b'b' } else { b'a' };
        let forged = String::from_utf8(forged).unwrap();
        // The right form and checksum, but nobody made it here.
        let unknown = api::auth::api_key::Secret::draw("default").unwrap();
        let headers = [
            None,
            Some("Bearer".to_owned()),
            Some("Bearer x".to_owned()),
            Some(format!("Basic {}", app.key)),
            Some(format!("Bearer {forged}")),
            Some(format!("Bearer {}", unknown.expose())),
            Some(format!("Bearer {}x", app.key)),
        ];
        for header in headers {
            let mut request = app.http.post(app.url("/graphql")).json(&query);
            if let Some(header) = &header {
                request = request.header("authorization", header);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 401, "{header:?}");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"flowforge\"");
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(code(&answer), "UNAUTHENTICATED");
            assert!(answer.get("data").is_none());
            let rest = app.http.get(app.url("/api/v1/runs/run_1")).header("authorization", header.unwrap_or_default());
            assert_eq!(rest.send().await.unwrap().status(), 401);
        }
        let viewer = json!({"name": "test", "role": "ADMIN", "workspace": {"slug": "default"}});
        assert_eq!(app.ask(VIEWER, json!({})).await["viewer"], viewer);
        app.stop().await;
    }

    async fn each_role_may_do_what_its_row_says(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("hold", &waiting()).await;
        let publish = ("mutation($i: PublishWorkflowInput!) { publishWorkflow(input: $i) { created } }",
            json!({"i": {"name": "mine", "definition": doubling()}}));
        let start = ("mutation($i: StartRunInput!) { startRun(input: $i) { replayed } }",
            json!({"i": {"workflow": "hold"}}));
        let cancel = ("mutation($i: CancelRunInput!) { cancelRun(input: $i) { userErrors { code } } }",
            json!({"i": {"runId": format!("run_{}", "0".repeat(32))}}));
        let read = ("{ runs { nodes { id } } nodeTypes { type } }", json!({}));
        for (role, may) in [
            (Role::Admin, [true, true, true, true]),
            (Role::Editor, [true, true, true, true]),
            (Role::Operator, [false, true, true, true]),
            (Role::Viewer, [false, false, false, true]),
        ] {
            let key = home.key(role).await;
            for ((query, variables), may) in [&publish, &start, &cancel, &read].into_iter().zip(may) {
                let answer = app.ask_as(&key, query, variables.clone()).await;
                if may {
                    assert!(answer.get("errors").is_none(), "{role:?} {query}: {answer:#}");
                } else {
                    assert_eq!(code(&answer), "FORBIDDEN", "{role:?} {query}");
                }
            }
        }
        app.stop().await;
    }

    async fn a_revoked_key_opens_nothing(home: Home) {
        let app = TestApp::start(&home).await;
        let key = home.key(Role::Viewer).await;
        use sea_orm::ConnectionTrait as _;
        // The server has not seen the key yet, so that it does not take it on trust for a moment.
        let revoke = "UPDATE api_key SET revoked_at = created_at WHERE role = 'viewer'";
        home.database.database.write().execute_unprepared(revoke).await.unwrap();
        assert_eq!(code(&app.ask_as(&key, VIEWER, json!({})).await), "UNAUTHENTICATED");
        app.stop().await;
    }

    async fn a_socket_is_opened_by_a_header_or_by_its_first_message(home: Home) {
        let app = TestApp::start(&home).await;
        let bearer = format!("Bearer {}", app.key);
        let mut socket = Socket::open(&app, &[("authorization", &bearer)]).await.unwrap();
        socket.send(&json!({"type": "connection_init"})).await;
        assert_eq!(socket.next().await, Ok(json!({"type": "connection_ack"})));
        socket.subscribe("q", VIEWER, json!({})).await;
        let answer = socket.next().await.unwrap();
        assert_eq!(answer["payload"]["data"]["viewer"]["role"], "ADMIN");
        assert_eq!(socket.next().await, Ok(json!({"type": "complete", "id": "q"})));

        let Err(Error::Http(refused)) = Socket::open(&app, &[("authorization", "Bearer ff_wrong")]).await else {
            panic!("the upgrade was not refused")
        };
        assert_eq!(refused.status(), 401);
        let Err(Error::Http(refused)) = Socket::open(&app, &[("origin", "https://evil.test")]).await else {
            panic!("the upgrade was not refused")
        };
        assert_eq!(refused.status(), 403);
        app.stop().await;
    }
}
