//! Sign-in through a real Keycloak, which `scripts/keycloak.sh` starts; FLOWFORGE_TEST_KEYCLOAK says where it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Home, TestApp};
use crate::oidc::WHO;
use crate::socket::{Follow, Socket};

const PASSWORD: &str = "a password of the tests";
const CLIENT: &str = "flowforge";

struct Keycloak {
    url: Url,
    name: String,
    password: String,
    http: Client,
}

impl Keycloak {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "where the tests' Keycloak is, is no setting of the server")]
        let text = std::env::var("FLOWFORGE_TEST_KEYCLOAK")
            .unwrap_or_else(|_| panic!("FLOWFORGE_TEST_KEYCLOAK says where a Keycloak is"));
        let mut url = Url::parse(&text).unwrap();
        let (name, password) = (url.username().to_owned(), url.password().unwrap().to_owned());
        url.set_username("").unwrap();
        url.set_password(None).unwrap();
        Self { url, name, password, http: Client::new() }
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    fn issuer(&self) -> String {
        self.at("/realms/flowforge").to_string()
    }

    async fn token(&self, realm: &str, form: &[(&str, &str)]) -> Value {
        let url = self.at(&format!("/realms/{realm}/protocol/openid-connect/token"));
        self.http.post(url).form(form).send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    /// What an admin does in the realm. The admin's tokens last a minute, so each time by a new one.
    async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let form = [
            ("client_id", "admin-cli"),
            ("grant_type", "password"),
            ("username", &self.name),
            ("password", &self.password),
        ];
        let token = self.token("master", &form).await["access_token"].as_str().unwrap().to_owned();
        let mut request =
            self.http.request(method, self.at(&format!("/admin/realms/flowforge{path}"))).bearer_auth(token);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A client like the realm's own, for a server at this address.
    async fn client(&self, app: &str) -> String {
        let found = self.admin(Method::GET, &format!("/clients?clientId={CLIENT}"), None).await;
        let mut client = found[0].clone();
        let id = format!("flowforge-{}", Uuid::from_u128(rand()));
        client.as_object_mut().unwrap().remove("id");
        for mapper in client["protocolMappers"].as_array_mut().unwrap() {
            mapper.as_object_mut().unwrap().remove("id");
        }
        client["clientId"] = json!(id);
        client["redirectUris"] = json!([format!("{app}/auth/callback")]);
        client["attributes"]["post.logout.redirect.uris"] = json!(format!("{app}/sign-in"));
        client["attributes"]["backchannel.logout.url"] = json!(format!("{app}/auth/back-channel-logout"));
        self.admin(Method::POST, "/clients", Some(client)).await;
        id
    }

    /// A person of this test's own, with a role of the realm and in a group: name and id.
    async fn person(&self, role: Option<&str>, groups: &[&str]) -> (String, String) {
        let name = format!("p-{}", Uuid::from_u128(rand()).simple());
        let person = json!({
            "username": name, "enabled": true, "email": format!("{name}@example.com"), "emailVerified": true,
            "firstName": "Petra", "lastName": "Test", "groups": groups,
            "credentials": [{"type": "password", "value": PASSWORD, "temporary": false}],
        });
        self.admin(Method::POST, "/users", Some(person)).await;
        let found = self.admin(Method::GET, &format!("/users?exact=true&username={name}"), None).await;
        let id = found[0]["id"].as_str().unwrap().to_owned();
        if let Some(role) = role {
            let role = self.admin(Method::GET, &format!("/roles/{role}"), None).await;
            self.admin(Method::POST, &format!("/users/{id}/role-mappings/realm"), Some(json!([role]))).await;
        }
        (name, id)
    }
}

/// Names that no other test has.
fn rand() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    u128::from_be_bytes(bytes)
}

/// A browser that keeps the cookies of each server apart.
#[derive(Clone, Default)]
struct Browser {
    http: Option<Client>,
    cookies: HashMap<String, HashMap<String, String>>,
}

impl Browser {
    async fn send(
        &mut self,
        method: Method,
        url: &Url,
        form: Option<&[(&str, &str)]>,
        origin: Option<&str>,
    ) -> Response {
        let new = || Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let http = self.http.get_or_insert_with(new).clone();
        let jar = self.cookies.entry(url.authority().to_owned()).or_default();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = http.request(method, url.clone()).header(COOKIE, cookies.join("; "));
        if let Some(form) = form {
            request = request.form(form);
        }
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let answer = request.send().await.unwrap();
        for line in answer.headers().get_all(SET_COOKIE) {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if rest.contains("Max-Age=0") {
                jar.remove(name)
            } else {
                jar.insert(name.to_owned(), value.to_owned())
            };
        }
        answer
    }

    /// Begins to sign in: Keycloak's form, or the way back when it knows the person still.
    async fn begin(&mut self, app: &TestApp) -> Response {
        let begun =
            self.send(Method::GET, &Url::parse(&app.url("/auth/sign-in?return_to=/runs")).unwrap(), None, None).await;
        let url = location(&begun);
        self.send(Method::GET, &url, None, None).await
    }

    /// Signs in with name and password; where that leads to.
    async fn sign_in(&mut self, app: &TestApp, name: &str, password: &str) -> String {
        let form = self.begin(app).await;
        assert_eq!(form.status(), StatusCode::OK);
        let page = form.text().await.unwrap();
        let action = page.split("action=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        let fields = [("username", name), ("password", password), ("credentialId", "")];
        let answer = self.send(Method::POST, &Url::parse(&action).unwrap(), Some(&fields), None).await;
        assert!(answer.status().is_redirection(), "Keycloak does not let {name} in");
        let back = self.send(Method::GET, &location(&answer), None, None).await;
        back.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    fn cookie(&self, app: &TestApp) -> String {
        let jar = &self.cookies[Url::parse(&app.url("")).unwrap().authority()];
        jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    async fn ask(&self, app: &TestApp) -> Option<Value> {
        let request = app.http.post(app.url("/graphql")).header(COOKIE, self.cookie(app)).header(ORIGIN, app.url(""));
        let answer = request.json(&json!({"query": WHO})).send().await.unwrap();
        match answer.status() {
            StatusCode::OK => Some(answer.json::<Value>().await.unwrap()["data"]["viewer"].clone()),
            StatusCode::UNAUTHORIZED => None,
            other => panic!("{other}"),
        }
    }
}

fn location(answer: &Response) -> Url {
    answer.url().join(answer.headers()[LOCATION].to_str().unwrap()).unwrap()
}

/// A server that people sign in to through Keycloak.
async fn start(keycloak: &Keycloak, home: Home) -> (Home, TestApp) {
    // A port that was free a moment ago: the provider has to know the address before the server has it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let public = format!("http://127.0.0.1:{port}");
    let client = keycloak.client(&public).await;
    let home = home
        .with("SERVER__BIND", &format!("127.0.0.1:{port}"))
        .with("AUTH__OIDC__ISSUER", &keycloak.issuer())
        .with("AUTH__OIDC__CLIENT_ID", &client)
        .with("AUTH__OIDC__CLIENT_SECRET", "flowforge-development-only")
        .with("AUTH__OIDC__PUBLIC_URL", &public)
        .with(
            "AUTH__OIDC__GRANTS",
            "role:flowforge-admin = default:admin, role:flowforge-viewer = default:viewer, \
             group:/flowforge/operators = default:operator, group:/flowforge/editors = default:editor",
        )
        .with("AUTH__OIDC__SERVICE_ACCOUNTS", "flowforge-robot = default:operator");
    let app = TestApp::start(&home).await;
    (home, app)
}

async fn robot(keycloak: &Keycloak) -> String {
    let form = [
        ("client_id", "flowforge-robot"),
        ("client_secret", "robot-development-only"),
        ("grant_type", "client_credentials"),
    ];
    keycloak.token("flowforge", &form).await["access_token"].as_str().unwrap().to_owned()
}

macro_rules! with_keycloak {
    ($(async fn $name:ident($home:ident: Home) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($home: Home) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a Keycloak: scripts/test starts one"]
            async fn on_sqlite() {
                test(Home::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a Keycloak: scripts/test starts one"]
            async fn on_postgres() {
                test(Home::postgres().await).await;
            }
        }
    )*};
}

with_keycloak! {
    async fn people_are_what_roles_and_groups_of_the_realm_say(home: Home) {
        let keycloak = Keycloak::new();
        let (_home, app) = start(&keycloak, home).await;
        for (role, groups, wanted) in [
            (Some("flowforge-admin"), vec![], Some("ADMIN")),
            (Some("flowforge-viewer"), vec!["/flowforge/operators"], Some("OPERATOR")),
            (None, vec!["/flowforge/editors"], Some("EDITOR")),
            (None, vec!["/flowforge"], None),
        ] {
            let (name, _) = keycloak.person(role, &groups).await;
            let mut browser = Browser::default();
            let landed = browser.sign_in(&app, &name, PASSWORD).await;
            match wanted {
                Some(wanted) => {
                    assert_eq!(landed, "/runs");
                    let viewer = browser.ask(&app).await.unwrap();
                    assert_eq!((&viewer["role"], &viewer["name"]), (&json!(wanted), &json!("Petra Test")));
                }
                None => assert_eq!(landed, "/sign-in?refused=stranger"),
            }
        }
        app.stop().await;
    }

    async fn signing_out_at_keycloak_ends_page_socket_and_stream(home: Home) {
        let keycloak = Keycloak::new();
        let (_home, app) = start(&keycloak, home).await;
        let (name, id) = keycloak.person(Some("flowforge-viewer"), &[]).await;
        let mut browser = Browser::default();
        browser.sign_in(&app, &name, PASSWORD).await;
        let (cookie, origin) = (browser.cookie(&app), app.url(""));
        let mut socket = Socket::open(&app, &[("cookie", &cookie), ("origin", &origin)]).await.unwrap();
        socket.send(&json!({"type": "connection_init"})).await;
        assert_eq!(socket.next().await, Ok(json!({"type": "connection_ack"})));
        let follow = Follow::workspace(json!({}));
        socket.subscribe("1", follow.query, follow.variables.clone()).await;
        assert_eq!(socket.next().await.unwrap()["type"], "next");
        let stream = app.http.post(app.url("/graphql")).header(COOKIE, &cookie).header(ORIGIN, &origin);
        let stream = stream.json(&json!({"query": follow.query, "variables": follow.variables}));
        let mut stream = stream.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(stream.status(), StatusCode::OK);

        keycloak.admin(Method::POST, &format!("/users/{id}/logout"), None).await;
        // Keycloak has told us before it answers; from here it is ours.
        let began = Instant::now();
        assert_eq!(socket.next().await, Err(4403));
        while stream.chunk().await.unwrap().is_some() {}
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(browser.ask(&app).await, None);
        app.stop().await;
    }

    async fn signing_out_here_signs_out_at_keycloak_too(home: Home) {
        let keycloak = Keycloak::new();
        let (_home, app) = start(&keycloak, home).await;
        let (name, _) = keycloak.person(Some("flowforge-viewer"), &[]).await;
        let mut browser = Browser::default();
        browser.sign_in(&app, &name, PASSWORD).await;
        // Keycloak knows the person still: no form.
        assert!(browser.begin(&app).await.status().is_redirection());
        let url = Url::parse(&app.url("/session")).unwrap();
        let out = browser.send(Method::DELETE, &url, None, Some(&app.url(""))).await;
        let next: Value = out.json().await.unwrap();
        let next = Url::parse(next["signOutUrl"].as_str().unwrap()).unwrap();
        assert_eq!(browser.ask(&app).await, None);
        let back = browser.send(Method::GET, &next, None, None).await;
        assert_eq!(location(&back).as_str(), app.url("/sign-in"));
        assert_eq!(browser.begin(&app).await.status(), StatusCode::OK, "Keycloak asks for the password again");
        app.stop().await;
    }

    async fn a_person_disabled_at_keycloak_is_out_when_the_session_is_looked_after(home: Home) {
        let keycloak = Keycloak::new();
        let (_home, app) = start(&keycloak, home).await;
        let (name, id) = keycloak.person(Some("flowforge-viewer"), &[]).await;
        let mut browser = Browser::default();
        browser.sign_in(&app, &name, PASSWORD).await;
        // As if the access token ran out now: the provider is asked, and goes on with the session.
        let due = "UPDATE user_session SET refresh_at = created_at";
        let write = _home.database.database.write();
        sea_orm::ConnectionTrait::execute_unprepared(write, due).await.unwrap();
        let asked = futures::future::join_all((0..10).map(|_| browser.ask(&app))).await;
        assert!(asked.iter().all(Option::is_some), "one token, used once: {asked:?}");
        sea_orm::ConnectionTrait::execute_unprepared(write, due).await.unwrap();
        assert!(browser.ask(&app).await.is_some(), "the token that came for the first one works");
        let mut person = keycloak.admin(Method::GET, &format!("/users/{id}"), None).await;
        person["enabled"] = json!(false);
        keycloak.admin(Method::PUT, &format!("/users/{id}"), Some(person)).await;
        sea_orm::ConnectionTrait::execute_unprepared(write, due).await.unwrap();
        assert_eq!(browser.ask(&app).await, None);
        app.stop().await;
    }
}

/// Keys of the realm change while programs ask and people sign in; nobody is refused for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Keycloak: scripts/test starts one"]
async fn keys_are_rotated_under_traffic_without_one_failed_request() {
    let keycloak = Arc::new(Keycloak::new());
    let (_home, app) = start(&keycloak, Home::sqlite().await).await;
    let app = Arc::new(app);
    let (over, tracker) = (Arc::new(AtomicBool::new(false)), tokio_util::task::TaskTracker::new());
    let before = robot(&keycloak).await;
    assert_eq!(as_robot(&app, &before).await, "OPERATOR");
    let askers: Vec<_> = (0..3)
        .map(|_| {
            let (keycloak, app, over) = (Arc::clone(&keycloak), Arc::clone(&app), Arc::clone(&over));
            tracker.spawn(async move {
                let mut asked = 0;
                while !over.load(Ordering::Relaxed) {
                    let token = robot(&keycloak).await;
                    assert_eq!(as_robot(&app, &token).await, "OPERATOR");
                    asked += 1;
                }
                asked
            })
        })
        .collect();
    let old_kid = kid(&before);
    let realm = keycloak.admin(Method::GET, "", None).await["id"].clone();
    let key = json!({
        "name": "a newer key", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
        "parentId": realm, "config": {"priority": ["1000"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"]},
    });
    keycloak.admin(Method::POST, "/components", Some(key)).await;
    let (name, _) = keycloak.person(Some("flowforge-viewer"), &[]).await;
    for _ in 0..3 {
        assert_eq!(Browser::default().sign_in(&app, &name, PASSWORD).await, "/runs");
        assert_eq!(as_robot(&app, &before).await, "OPERATOR", "the old key is published still");
    }
    assert_ne!(kid(&robot(&keycloak).await), old_kid, "Keycloak signs by the new key");
    over.store(true, Ordering::Relaxed);
    for asker in askers {
        assert!(asker.await.unwrap() > 0);
    }
}

async fn as_robot(app: &TestApp, token: &str) -> String {
    let answer = app.http.post(app.url("/graphql")).bearer_auth(token).header(CONTENT_TYPE, "application/json");
    let answer = answer.json(&json!({"query": WHO})).send().await.unwrap();
    let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{body}");
    body["data"]["viewer"]["role"].as_str().unwrap().to_owned()
}

fn kid(token: &str) -> String {
    use base64::Engine as _;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}
