//! Connections that people sign in: consent, refreshing by several processes, and what comes to nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use api::auth::Role;
use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::id::{ConnectionId, WorkspaceId};
use runtime::clock::Clock;
use runtime::secret::Secrets;
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::task::TaskTracker;

use crate::app::{Home, TestApp, on_both_databases};

type Fields = BTreeMap<String, String>;

/// A service that asks people, and gives out a new refresh token with each use. One that comes twice is taken for
/// stolen, and ends all that came of it.
#[derive(Default)]
struct Service {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Codes with their challenges and redirects.
    codes: BTreeMap<String, (String, String)>,
    given: usize,
    /// The refresh token that counts.
    refresh: Option<String>,
    used: BTreeSet<String>,
    stolen: bool,
    /// Whether it gives tokens to refresh by.
    lasting: bool,
    accesses: BTreeSet<String>,
}

impl Service {
    async fn start(self: &Arc<Self>) -> String {
        let router = Router::new()
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/me", get(me))
            .with_state(Arc::clone(self));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }
}

async fn authorize(State(service): State<Arc<Service>>, Query(asked): Query<Fields>) -> Response {
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", "flowforge"));
    assert_eq!((asked["code_challenge_method"].as_str(), asked["prompt"].as_str()), ("S256", "consent"));
    let mut known = service.known.lock().unwrap();
    let code = format!("code-{}", known.codes.len());
    known.codes.insert(code.clone(), (asked["code_challenge"].clone(), asked["redirect_uri"].clone()));
    Redirect::to(&format!("{}?code={code}&state={}", asked["redirect_uri"], asked["state"])).into_response()
}

async fn token(State(service): State<Arc<Service>>, headers: HeaderMap, Form(asked): Form<Fields>) -> Response {
    let refused = |word: &str| (StatusCode::BAD_REQUEST, axum::Json(json!({"error": word}))).into_response();
    // `flowforge:hush-hush`
    if headers.get("authorization").is_none_or(|value| value != "Basic Zmxvd2ZvcmdlOmh1c2gtaHVzaA==") {
        return refused("invalid_client");
    }
    let mut known = service.known.lock().unwrap();
    match asked["grant_type"].as_str() {
        "authorization_code" => {
            let Some((challenge, redirect)) = known.codes.remove(&asked["code"]) else {
                return refused("invalid_grant");
            };
            let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(&asked["code_verifier"]));
            if verifier != challenge || redirect != asked["redirect_uri"] {
                return refused("invalid_grant");
            }
        }
        "refresh_token" => {
            let sent = &asked["refresh_token"];
            known.stolen |= known.used.contains(sent);
            if known.stolen || known.refresh.as_ref() != Some(sent) {
                return refused("invalid_grant");
            }
            known.used.insert(sent.clone());
        }
        _ => return refused("unsupported_grant_type"),
    }
    known.given += 1;
    let (access, refresh) = (format!("access-{}", known.given), format!("refresh-{}", known.given));
    known.accesses.insert(access.clone());
    let mut answer = json!({"access_token": access, "token_type": "Bearer", "expires_in": 3600});
    if !known.lasting {
        answer["refresh_token"] = json!(refresh);
        known.refresh = Some(refresh);
    }
    axum::Json(answer).into_response()
}

async fn me(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    let sent = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = sent.strip_prefix("Bearer ").unwrap_or_default();
    let taken = service.known.lock().unwrap().accesses.contains(token);
    (if taken { StatusCode::OK } else { StatusCode::UNAUTHORIZED }, axum::Json(json!(token))).into_response()
}

async fn connect(app: &TestApp, base: &str) -> Value {
    let fields = json!({
        "authorize_url": format!("{base}/authorize?prompt=consent"), "token_url": format!("{base}/token"),
        "client_id": "flowforge", "scope": "offline_access read"
    });
    let input = json!({"project": "default", "name": "service", "type": "oauth2.code", "fields": fields,
        "secrets": {"client_secret": "hush-hush"}});
    let made = app.changed("createConnection", input, "connection { id isSignedIn secretFields }").await;
    assert_eq!(made["connection"]["isSignedIn"], false);
    made["connection"]["id"].clone()
}

const BACK: &str = "http://flowforge.test/oauth/callback";

/// What the service sends a person back with who agrees.
async fn consented(app: &TestApp, connection: &Value) -> Fields {
    let begun = app.changed("beginConnectionSignIn", json!({"id": connection, "redirectUri": BACK}), "url").await;
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let sent = browser.get(begun["url"].as_str().unwrap()).send().await.unwrap();
    let back = reqwest::Url::parse(sent.headers()["location"].to_str().unwrap()).unwrap();
    assert!(back.as_str().starts_with(BACK), "{back}");
    back.query_pairs().into_owned().collect()
}

fn finishing(back: &Fields) -> Value {
    json!({"state": back["state"], "code": back["code"]})
}

async fn sign_in(app: &TestApp, connection: &Value) {
    let back = consented(app, connection).await;
    let done = app.changed("finishConnectionSignIn", finishing(&back), "connection { isSignedIn }").await;
    assert_eq!(done["connection"]["isSignedIn"], true);
}

fn asking(base: &str) -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "ask": {"type": "http.request@1", "connection": "service", "config": {"url": format!("{base}/me")}}
        },
        "edges": [{"from": "start", "to": "ask"}],
        "output": "{{ nodes.ask.output.body }}"
    })
}

async fn asked(app: &TestApp) -> Value {
    let run = app.start_run("ask", json!({})).await;
    app.finish(&run).await
}

on_both_databases! {
    async fn a_person_signs_a_connection_in_and_runs_use_it(home: Home) {
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let service = Arc::<Service>::default();
        let base = service.start().await;
        let connection = connect(&app, &base).await;
        app.publish("ask", &asking(&base)).await;
        assert_eq!(asked(&app).await["error"]["code"], "OAUTH2_SIGN_IN");

        sign_in(&app, &connection).await;
        let run = asked(&app).await;
        assert_eq!(run["status"], "SUCCEEDED", "{run:#}");
        // What came back repeats the token, which nobody may read.
        assert!(!run["output"]["json"].to_string().contains("access-"), "{run:#}");
        assert_eq!(asked(&app).await["status"], "SUCCEEDED");
        assert_eq!(service.known.lock().unwrap().given, 2, "one for the code, one by refreshing, none for the second run");
        // Somebody else's consent counts from the next call on.
        sign_in(&app, &connection).await;
        assert_eq!(asked(&app).await["status"], "SUCCEEDED");
        assert_eq!(service.known.lock().unwrap().given, 4);
        app.stop().await;
        let app = TestApp::start(&home).await;
        assert_eq!(asked(&app).await["status"], "SUCCEEDED", "the new token was kept");
        app.stop().await;
    }

    async fn several_processes_refresh_one_after_the_other(home: Home) {
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let service = Arc::<Service>::default();
        let base = service.start().await;
        let connection = connect(&app, &base).await;
        sign_in(&app, &connection).await;
        // Each `Outgoing` has tokens of its own, as each process has.
        let row = entity::connection::Entity::find().one(home.database.database.read()).await.unwrap().unwrap();
        let (workspace, id) = (WorkspaceId(row.workspace_id), ConnectionId(row.id));
        let refreshing = (0..8).map(|_| {
            let source = home.config().secrets.source.clone();
            let secrets = Secrets::new(home.database.database.clone(), Clock::system(), source);
            async move {
                let allow_hosts = vec!["127.0.0.1".parse().unwrap()];
                let policy = nodes::outgoing::OutgoingPolicy { allow_hosts, ..Default::default() };
                let outgoing = nodes::outgoing::Outgoing::new(policy).unwrap();
                let opened = secrets.open(workspace, id).await.unwrap().unwrap();
                opened.test(&outgoing).await.map_err(|error| error.to_string())
            }
        });
        for said in futures::future::join_all(refreshing).await {
            assert_eq!(said.as_deref(), Ok("a token was given out"));
        }
        let (given, stolen) = {
            let known = service.known.lock().unwrap();
            (known.given, known.stolen)
        };
        assert_eq!((given, stolen), (9, false));
        // A change by people does not bring an old token back.
        let fields = json!({
            "authorize_url": format!("{base}/authorize"), "token_url": format!("{base}/token"), "client_id": "flowforge"
        });
        app.changed("updateConnection", json!({"id": connection, "fields": fields}), "").await;
        let tested = app.changed("testConnection", json!({"id": connection}), "test { passed message }").await;
        assert_eq!(tested["test"]["passed"], true, "{tested}");
        app.stop().await;
    }

    async fn a_token_without_refreshing_is_used_as_it_is(home: Home) {
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let service = Arc::<Service>::default();
        service.known.lock().unwrap().lasting = true;
        let base = service.start().await;
        let connection = connect(&app, &base).await;
        sign_in(&app, &connection).await;
        app.publish("ask", &asking(&base)).await;
        assert_eq!(asked(&app).await["status"], "SUCCEEDED");
        service.known.lock().unwrap().accesses.clear();
        assert_eq!(asked(&app).await["error"]["code"], "HTTP_STATUS");
        assert_eq!(service.known.lock().unwrap().given, 1);
        app.stop().await;
    }

    async fn a_sign_in_counts_once_for_whoever_began_it(home: Home) {
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let service = Arc::<Service>::default();
        let base = service.start().await;
        let connection = connect(&app, &base).await;

        let back = consented(&app, &connection).await;
        let other = home.key(Role::Admin).await;
        let query = "mutation($i: FinishConnectionSignInInput!) {
            finishConnectionSignIn(input: $i) { connection { id } userErrors { code } } }";
        let theirs = app.ask_as(&other, query, json!({"i": finishing(&back)})).await;
        assert_eq!(theirs["data"]["finishConnectionSignIn"]["userErrors"][0]["code"], "NOT_FOUND", "{theirs}");
        app.changed("finishConnectionSignIn", finishing(&back), "").await;
        assert_eq!(app.refused("finishConnectionSignIn", finishing(&back)).await, "NOT_FOUND");

        let mut wrong = finishing(&consented(&app, &connection).await);
        wrong["code"] = json!("code-of-nobody");
        assert_eq!(app.refused("finishConnectionSignIn", wrong).await, "CONFLICT");
        for redirect in ["javascript:alert(1)", "/oauth/callback", "http://ada:s3cret@flowforge.test/"] {
            let input = json!({"id": connection, "redirectUri": redirect});
            assert_eq!(app.refused("beginConnectionSignIn", input).await, "BAD_USER_INPUT", "{redirect}");
        }
        let plain = json!({"project": "default", "name": "plain", "type": "http.bearer", "secrets": {"token": "hush-hush"}});
        let plain = app.changed("createConnection", plain, "connection { id isSignedIn }").await;
        assert_eq!(plain["connection"]["isSignedIn"], json!(null));
        let input = json!({"id": plain["connection"]["id"], "redirectUri": BACK});
        assert_eq!(app.refused("beginConnectionSignIn", input).await, "CONFLICT");
        app.stop().await;
    }
}
