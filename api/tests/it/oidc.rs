//! A process with an OpenID provider, without a socket between, under a clock that tests move; and a browser for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use api::app::App;
use api::auth::credential::COOKIE_NAME;
use api::config::Config;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use engine::time::Timestamp;
use nodes::outgoing::{Outgoing, OutgoingPolicy};
use runtime::clock::Clock;
use runtime::{Parts, Runtime, RuntimeConfig};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::app::Home;
use crate::provider::{CLIENT, CLIENT_SECRET, Provider, Signer, merge};

/// Where browsers reach the process, as its settings say.
pub(crate) const PUBLIC: &str = "http://127.0.0.1:8080";
/// Some day.
const BEGIN: Timestamp = Timestamp(1_790_000_000_000_000);
pub(crate) const WHO: &str = "{ viewer { name role workspace { slug } } }";

/// A process and its provider.
pub(crate) struct Inside {
    /// Built once: it holds the whole schema.
    router: axum::Router,
    pub(crate) provider: Arc<Provider>,
    clock: Clock,
    home: Arc<Home>,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers[LOCATION].to_str().unwrap()
    }

    /// The cookies it sets, by name, with how they are to be kept.
    pub(crate) fn cookies(&self) -> HashMap<String, (String, String)> {
        let lines = self.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        let read = |line: &str| {
            let (pair, how) = line.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), (value.to_owned(), how.to_owned()))
        };
        lines.map(read).collect()
    }
}

impl Inside {
    pub(crate) async fn new(home: Home) -> Self {
        let clock = Clock::fixed(BEGIN);
        let provider = Provider::start(clock.clone()).await;
        let home = home
            .with("AUTH__OIDC__ISSUER", &provider.issuer())
            .with("AUTH__OIDC__CLIENT_ID", CLIENT)
            .with("AUTH__OIDC__CLIENT_SECRET", CLIENT_SECRET)
            .with("AUTH__OIDC__PUBLIC_URL", PUBLIC)
            .with("AUTH__OIDC__NAME", "the test")
            .with("AUTH__OIDC__GRANTS", "role:flow-editor = default:editor, group:/flowforge/people = default:viewer")
            .with("AUTH__OIDC__SERVICE_ACCOUNTS", "robot = default:operator");
        // Migrates, makes the first workspace, and a key that nobody uses.
        home.key(api::auth::Role::Viewer).await;
        let router = api::router(process(&home, home.config(), clock.clone()).await);
        Self { router, provider, clock, home: Arc::new(home) }
    }

    /// Another process on the same database.
    pub(crate) async fn another(&self) -> Self {
        let router = api::router(process(&self.home, self.home.config(), self.clock.clone()).await);
        let (provider, clock) = (Arc::clone(&self.provider), self.clock.clone());
        Self { router, provider, clock, home: Arc::clone(&self.home) }
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// An admin's key of the first workspace.
    pub(crate) async fn key(&self) -> String {
        self.home.key(api::auth::Role::Admin).await
    }

    pub(crate) fn config(&self) -> Config {
        self.home.config()
    }

    pub(crate) fn later(&self, by: Duration) {
        self.clock.set(self.clock.now().plus(by));
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = axum::body::to_bytes(answer.into_body(), 10_000_000).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    /// What a program with this token hears.
    pub(crate) async fn ask(&self, token: &str, query: &str) -> Answer {
        let request = Request::post("/graphql")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(json!({"query": query}).to_string())).unwrap()).await
    }

    /// The same in the workspace of this name.
    pub(crate) async fn ask_in(&self, token: &str, workspace: &str, query: &str) -> Answer {
        let request = Request::post("/graphql")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header("x-flowforge-workspace", workspace)
            .header(CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(json!({"query": query}).to_string())).unwrap()).await
    }

    /// An access token with other claims.
    pub(crate) fn token(&self, changes: Value) -> String {
        let mut claims = self.provider.access_claims();
        merge(&mut claims, &changes);
        Signer::Rsa.token("JWT", &claims)
    }

    /// Sends a logout token as the provider does.
    pub(crate) async fn log_out(&self, token: &str) -> Answer {
        let request = Request::post("/auth/back-channel-logout")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("logout_token={token}")))
            .unwrap();
        self.send(request).await
    }
}

async fn process(home: &Home, config: Config, clock: Clock) -> Arc<App> {
    let outgoing = Outgoing::new(OutgoingPolicy::default()).unwrap();
    let (database, registry) = (home.database.database.clone(), nodes::Registry::built_in());
    let mut parts =
        Parts::new(database.clone(), &config.artifact.folder, registry, outgoing, clock.clone()).await.unwrap();
    parts.secrets = runtime::secret::Secrets::new(database, clock, config.secrets.source.clone());
    parts.secrets.prepare().await.unwrap();
    let idle = RuntimeConfig { drive: false, ..RuntimeConfig::default() };
    Arc::new(App::new(Runtime::open(idle, parts).await.unwrap(), Arc::new(config)).unwrap())
}

/// A browser: it keeps cookies and does not follow by itself.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: HashMap<String, String>,
    /// Where a proxy says that it is.
    pub(crate) from: Option<&'static str>,
}

impl Browser {
    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().method(method).uri(path).header(HOST, "127.0.0.1:8080");
        let request = self.from.into_iter().fold(request, |request, from| request.header("x-real-ip", from));
        if cookies.is_empty() { request } else { request.header(COOKIE, cookies.join("; ")) }
    }

    fn keep(&mut self, answer: &Answer) {
        for (name, (value, how)) in answer.cookies() {
            if how.contains("Max-Age=0;") {
                self.cookies.remove(&name);
            } else {
                self.cookies.insert(name, value);
            }
        }
    }

    /// Goes to a page.
    pub(crate) async fn go(&mut self, inside: &Inside, path: &str) -> Answer {
        let answer = inside.send(self.request("GET", path).body(Body::empty()).unwrap()).await;
        self.keep(&answer);
        answer
    }

    /// What a page of ours hears.
    pub(crate) async fn ask(&self, inside: &Inside, query: &str) -> Answer {
        self.ask_with(inside, query, json!({})).await
    }

    /// The same with variables.
    pub(crate) async fn ask_with(&self, inside: &Inside, query: &str, variables: Value) -> Answer {
        let request = self.request("POST", "/graphql").header(ORIGIN, PUBLIC).header(CONTENT_TYPE, "application/json");
        let body = json!({"query": query, "variables": variables}).to_string();
        inside.send(request.body(Body::from(body)).unwrap()).await
    }

    /// What a page of ours gets at another route.
    pub(crate) async fn get(&self, inside: &Inside, path: &str) -> Answer {
        inside.send(self.request("GET", path).header(ORIGIN, PUBLIC).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn sign_out(&mut self, inside: &Inside) -> Answer {
        let request = self.request("DELETE", "/session").header(ORIGIN, PUBLIC).body(Body::empty()).unwrap();
        let answer = inside.send(request).await;
        self.keep(&answer);
        answer
    }

    /// Begins a sign-in and is let in by the provider: the address that it sends the browser back to.
    pub(crate) async fn visit_provider(&mut self, inside: &Inside, return_to: &str) -> reqwest::Url {
        let mut asked = reqwest::Url::parse("http://x/auth/sign-in").unwrap();
        asked.query_pairs_mut().append_pair("return_to", return_to);
        let begun = self.go(inside, &format!("{}?{}", asked.path(), asked.query().unwrap())).await;
        assert_eq!(begun.status, StatusCode::SEE_OTHER);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let let_in = http.get(begun.location()).send().await.unwrap();
        let back = reqwest::Url::parse(let_in.headers()["location"].to_str().unwrap()).unwrap();
        assert!(back.as_str().starts_with(&format!("{PUBLIC}/auth/callback?")), "{back}");
        back
    }

    /// Comes back from the provider.
    pub(crate) async fn back(&mut self, inside: &Inside, url: &reqwest::Url) -> Answer {
        self.go(inside, &format!("{}?{}", url.path(), url.query().unwrap_or_default())).await
    }

    /// Signs in from beginning to end.
    pub(crate) async fn sign_in(&mut self, inside: &Inside) -> Answer {
        let back = self.visit_provider(inside, "/runs").await;
        let answer = self.back(inside, &back).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/runs"));
        answer
    }

    /// The cookie of the session.
    pub(crate) fn session(&self) -> Option<&str> {
        self.cookies.get(COOKIE_NAME).map(String::as_str)
    }
}
