//! Without a socket between: what a request costs, and use cases that have no route yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::app::App;
use api::auth::{Permission, Role, Viewer};
use api::service::ServiceError;
use api::service::key::{self, NewKey};
use api::service::page::PageRequest;
use axum::body::Body;
use axum::http::Request;
use nodes::outgoing::{Outgoing, OutgoingPolicy};
use runtime::clock::Clock;
use runtime::secret::Secrets;
use runtime::{Parts, Runtime, RuntimeConfig};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::app::{Home, TestApp, on_both_databases};

/// The handles of a process that drives nothing, so that only requests ask the database.
pub(crate) async fn idle_app(home: &Home) -> Arc<App> {
    idle_app_at(home, Clock::system()).await
}

/// The same by another clock.
pub(crate) async fn idle_app_at(home: &Home, clock: Clock) -> Arc<App> {
    let config = home.config();
    let outgoing = Outgoing::new(OutgoingPolicy::default()).unwrap();
    let (database, registry) = (home.database.database.clone(), nodes::Registry::built_in());
    let secrets = Secrets::new(database.clone(), clock.clone(), config.secrets.source.clone());
    let mut parts = Parts::new(database, &config.artifact.folder, registry, outgoing, clock).await.unwrap();
    parts.secrets = secrets;
    let idle = RuntimeConfig { drive: false, ..RuntimeConfig::default() };
    Arc::new(App::new(Runtime::open(idle, parts).await.unwrap(), Arc::new(config)).unwrap())
}

/// Somebody who may do everything.
pub(crate) async fn admin(app: &App, home: &Home) -> Viewer {
    key::authenticate(app, &home.key(Role::Admin).await).await.unwrap()
}

/// Whether a statement tells a connection its workspace. That takes the place of the ping before each use.
struct Told(bool);

impl tracing::field::Visit for Told {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0 |= field.name() == "summary" && format!("{value:?}").contains("set_config('flowforge.workspace'");
    }
}

/// Counts the statements of this thread.
#[derive(Clone, Default)]
struct Statements(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut told = Told(false);
        event.record(&mut told);
        if event.metadata().target() == "sqlx::query" && !told.0 {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn ask(app: &Arc<App>, token: &str, query: &str) -> Value {
    let request = Request::post("/graphql")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(json!({"query": query}).to_string()))
        .unwrap();
    let answer = api::router(Arc::clone(app)).oneshot(request).await.unwrap();
    let bytes = axum::body::to_bytes(answer.into_body(), 10_000_000).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// On PostgreSQL only: SQLite's statements are logged by threads of its own.
#[tokio::test]
async fn a_run_with_fifty_node_runs_is_read_with_at_most_five_statements() {
    let home = Home::postgres().await;
    let server = TestApp::start(&home).await;
    let mut chain = json!({"nodes": {"n0": {"type": "trigger.manual@1"}}, "edges": []});
    for n in 1..50 {
        chain["nodes"][format!("n{n}")] = json!({"type": "data.set@1", "config": {"value": n}});
        chain["edges"].as_array_mut().unwrap().push(json!({"from": format!("n{}", n - 1), "to": format!("n{n}")}));
    }
    server.publish("chain", &chain).await;
    let mut run = String::new();
    for _ in 0..3 {
        run = server.start_run("chain", json!(null)).await;
        server.finish(&run).await;
    }
    let token = server.key.clone();
    server.stop().await;

    let app = idle_app(&home).await;
    let run_with_nodes = format!(
        "{{ run(id: \"{run}\") {{ status workflow {{ name }} version {{ number workflow {{ name }} }} input {{ json }}
        nodeRuns(first: 100) {{ nodes {{ node status output {{ json }} error {{ code }} }} }} }} }}"
    );
    let run_with_attempts = format!(
        "{{ run(id: \"{run}\") {{ status input {{ preview }} output {{ preview truncated byteSize }}
        nodeRuns(first: 100) {{ nodes {{ node status output {{ preview }} attempts {{ number startedAt finishedAt
        error {{ code }} }} }} }} }} }}"
    );
    let run_list = "{ runs(first: 100) { nodes { id status workflow { name latestVersion { number }
        deployments { version { number } } } version { number } } } }";
    for (query, at_most) in [(run_with_nodes.as_str(), 5), (&run_with_attempts, 5), (run_list, 6)] {
        // The key is believed and the connections are open before the counting begins.
        ask(&app, &token, query).await;
        let mut fewest = usize::MAX;
        // What this thread does beside the query, such as opening one more connection, is none of its statements.
        for _ in 0..3 {
            let statements = Statements::default();
            let counting = tracing_subscriber::registry().with(statements.clone());
            let guard = tracing::subscriber::set_default(counting);
            let answer = ask(&app, &token, query).await;
            drop(guard);
            assert!(answer.get("errors").is_none(), "{answer:#}");
            fewest = fewest.min(statements.0.load(Ordering::Relaxed));
        }
        assert!((2..=at_most).contains(&fewest), "{fewest} statements for {query}");
    }
    app.runtime.stop().await;
}

on_both_databases! {
    async fn a_key_revoked_here_opens_nothing_from_then_on(home: Home) {
        let token = home.key(Role::Admin).await;
        let app = idle_app(&home).await;
        let admin = key::authenticate(&app, &token).await.unwrap();
        let made = key::create(&app, &admin, NewKey::of("ci", Role::Operator)).await.unwrap();
        let viewer = key::authenticate(&app, made.secret.expose()).await.unwrap();
        assert_eq!((viewer.role.as_str(), viewer.name.as_str()), ("operator", "ci"));
        let page = PageRequest { first: 10, ..PageRequest::default() };
        let denied = key::list(&app, &viewer, None, &page).await.unwrap_err();
        assert!(matches!(denied, ServiceError::Forbidden { permission: Permission::KeyManage, .. }));

        key::revoke(&app, &admin, made.key.id).await.unwrap();
        key::revoke(&app, &admin, made.key.id).await.unwrap();
        let refused = key::authenticate(&app, made.secret.expose()).await.unwrap_err();
        assert_eq!(refused.code(), "UNAUTHENTICATED");
        let keys = key::list(&app, &admin, None, &page).await.unwrap().items;
        let states: Vec<(&str, bool)> =
            keys.iter().map(|(_, key)| (key.name.as_str(), key.revoked_at.is_some())).collect();
        assert_eq!(states, [("test", false), ("ci", true)]);
        let stranger = Viewer { workspace: engine::id::WorkspaceId(Clock::system().new_id()), ..admin.clone() };
        let foreign = key::revoke(&app, &stranger, admin.key.unwrap()).await.unwrap_err();
        assert_eq!(foreign.code(), "NOT_FOUND");
        assert!(key::authenticate(&app, &token).await.is_ok());
        app.runtime.stop().await;
    }
}
