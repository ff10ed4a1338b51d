//! A small OpenID provider of the tests' own: it keeps the rules strictly, counts what it is asked, and signs whatever a
//! test wants to have signed.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding,
};
use axum::extract::{Query, State};
use axum::http::header::{AUTHORIZATION, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use runtime::clock::Clock;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// The client that FlowForge is there.
pub(crate) const CLIENT: &str = "flowforge";
pub(crate) const CLIENT_SECRET: &str = "s3cret of the client";
pub(crate) const AUDIENCE: &str = "flowforge-api";
/// The person who signs in.
pub(crate) const SUBJECT: &str = "sub-ada";

type RsaKeyPair = aws_lc_rs::rsa::KeyPair;

static RSA: LazyLock<[RsaKeyPair; 2]> =
    LazyLock::new(|| [(); 2].map(|()| RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap()));
static EC: LazyLock<EcdsaKeyPair> = LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
static ED: LazyLock<Ed25519KeyPair> = LazyLock::new(|| Ed25519KeyPair::generate().unwrap());

/// What tokens are signed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    Rsa,
    /// Another key of the same kind, which the provider publishes only when a test says so.
    OtherRsa,
    Pss,
    Ec,
    Ed,
}

impl Signer {
    pub(crate) const ALL: [Self; 5] = [Self::Rsa, Self::OtherRsa, Self::Pss, Self::Ec, Self::Ed];

    pub(crate) fn kid(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-1",
            Self::OtherRsa => "rsa-2",
            Self::Pss => "pss-1",
            Self::Ec => "ec-1",
            Self::Ed => "ed-1",
        }
    }

    pub(crate) fn algorithm(self) -> &'static str {
        match self {
            Self::Rsa | Self::OtherRsa => "RS256",
            Self::Pss => "PS256",
            Self::Ec => "ES256",
            Self::Ed => "EdDSA",
        }
    }

    fn sign(self, message: &[u8]) -> Vec<u8> {
        let by_rsa = |key: &RsaKeyPair, encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        };
        match self {
            Self::Rsa => by_rsa(&RSA[0], &RSA_PKCS1_SHA256),
            Self::OtherRsa => by_rsa(&RSA[1], &RSA_PKCS1_SHA256),
            Self::Pss => by_rsa(&RSA[0], &RSA_PSS_SHA256),
            Self::Ec => EC.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed => ED.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key as it is written in certificates: what an attacker has.
    pub(crate) fn public(self) -> Vec<u8> {
        match self {
            Self::Rsa | Self::Pss => RSA[0].public_key().as_ref().to_vec(),
            Self::OtherRsa => RSA[1].public_key().as_ref().to_vec(),
            Self::Ec => EC.public_key().as_ref().to_vec(),
            Self::Ed => ED.public_key().as_ref().to_vec(),
        }
    }

    pub(crate) fn jwk(self) -> Value {
        let public = self.public();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match self {
            Self::Rsa | Self::OtherRsa | Self::Pss => {
                // SEQUENCE { INTEGER 00 || modulus, INTEGER 65537 }: for 2,048 bits every length is known.
                let modulus = &public[public.len() - 5 - 256..public.len() - 5];
                json!({"kty": "RSA", "n": part(modulus), "e": "AQAB"})
            }
            Self::Ec => json!({"kty": "EC", "crv": "P-256", "x": part(&public[1..33]), "y": part(&public[33..])}),
            Self::Ed => json!({"kty": "OKP", "crv": "Ed25519", "x": part(&public)}),
        };
        jwk["kid"] = json!(self.kid());
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm());
        jwk
    }

    /// A token with the usual header.
    pub(crate) fn token(self, kind: &str, claims: &Value) -> String {
        self.token_with(&json!({"alg": self.algorithm(), "kid": self.kid(), "typ": kind}), claims)
    }

    /// A token with any header.
    pub(crate) fn token_with(self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let signature = URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// Header and claims, as they are signed.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// What was authorized and not yet fetched.
struct Code {
    nonce: String,
    challenge: String,
    redirect: String,
}

pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    clock: Clock,
    /// Answers nothing, as behind a proxy that lost its server.
    pub(crate) down: AtomicBool,
    /// Refuses every refresh, as after a person was disabled.
    pub(crate) refuses: AtomicBool,
    /// Requests that came while it was down.
    pub(crate) asked_in_vain: AtomicUsize,
    pub(crate) asked_keys: AtomicUsize,
    pub(crate) asked_discovery: AtomicUsize,
    pub(crate) asked_refresh: AtomicUsize,
    /// What came to addresses that only an attacker names.
    pub(crate) asked_evil: AtomicUsize,
    pub(crate) published: Mutex<Vec<Value>>,
    /// What the next tokens say besides the usual, in ID tokens and in access tokens.
    pub(crate) identity: Mutex<Value>,
    pub(crate) access: Mutex<Value>,
    /// Lasts of access tokens in seconds.
    pub(crate) lives: AtomicUsize,
    codes: Mutex<HashMap<String, Code>>,
    refreshes: Mutex<HashSet<String>>,
    used: Mutex<HashSet<String>>,
    counter: AtomicUsize,
    task: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl Provider {
    pub(crate) async fn start(clock: Clock) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            clock,
            down: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            asked_in_vain: AtomicUsize::new(0),
            asked_keys: AtomicUsize::new(0),
            asked_discovery: AtomicUsize::new(0),
            asked_refresh: AtomicUsize::new(0),
            asked_evil: AtomicUsize::new(0),
            published: Mutex::new(vec![
                Signer::Rsa.jwk(),
                Signer::Pss.jwk(),
                Signer::Ec.jwk(),
                Signer::Ed.jwk(),
                encryption_key(),
            ]),
            identity: Mutex::new(json!({})),
            access: Mutex::new(json!({})),
            lives: AtomicUsize::new(300),
            codes: Mutex::default(),
            refreshes: Mutex::default(),
            used: Mutex::default(),
            counter: AtomicUsize::new(0),
            task: Mutex::default(),
        });
        let router = Router::new()
            .route("/realm/.well-known/openid-configuration", get(discovery))
            .route("/realm/keys", get(keys))
            .route("/realm/authorize", get(authorize))
            .route("/realm/token", post(token))
            .route("/realm/logout", get(|| async { "signed out" }))
            .route("/evil/{*path}", any(evil))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&provider), unless_down))
            .with_state(Arc::clone(&provider));
        let serving = TaskTracker::new().spawn(async move { axum::serve(listener, router).await.unwrap() });
        *provider.task.lock().unwrap() = Some(AbortOnDropHandle::new(serving));
        provider
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}/realm", self.address)
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().0 / 1_000_000
    }

    pub(crate) fn rotate(&self) {
        *self.published.lock().unwrap() = vec![Signer::Rsa.jwk(), Signer::OtherRsa.jwk()];
    }

    /// The claims of an access token that opens the API.
    pub(crate) fn access_claims(&self) -> Value {
        let now = self.now();
        let lives = i64::try_from(self.lives.load(Ordering::Relaxed)).unwrap();
        let mut claims = json!({
            "iss": self.issuer(), "sub": SUBJECT, "aud": [AUDIENCE, "account"], "azp": CLIENT, "typ": "Bearer",
            "iat": now, "exp": now + lives, "sid": "sid-1", "name": "Ada Lovelace", "preferred_username": "ada",
            "realm_access": {"roles": ["flow-editor", "offline_access"]}, "groups": ["/flowforge/people"],
        });
        merge(&mut claims, &self.access.lock().unwrap());
        claims
    }

    /// The claims of an ID token.
    pub(crate) fn identity_claims(&self, nonce: Option<&str>) -> Value {
        let now = self.now();
        let mut claims = json!({
            "iss": self.issuer(), "sub": SUBJECT, "aud": CLIENT, "azp": CLIENT, "typ": "ID", "iat": now,
            "exp": now + 300, "sid": "sid-1", "name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        merge(&mut claims, &self.identity.lock().unwrap());
        claims
    }

    /// The claims of a logout token.
    pub(crate) fn logout_claims(&self) -> Value {
        let now = self.now();
        json!({
            "iss": self.issuer(), "aud": CLIENT, "iat": now, "exp": now + 120, "jti": self.unique("jti"),
            "sub": SUBJECT, "sid": "sid-1", "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        })
    }

    fn unique(&self, what: &str) -> String {
        format!("{what}-{}-{}", self.address.port(), self.counter.fetch_add(1, Ordering::Relaxed))
    }

    fn tokens(&self, nonce: Option<&str>) -> Value {
        let access = Signer::Rsa.token("JWT", &self.access_claims());
        let mut identity = self.identity_claims(nonce);
        if identity.get("at_hash").is_none() {
            identity["at_hash"] = json!(URL_SAFE_NO_PAD.encode(&Sha256::digest(access.as_bytes())[..16]));
        }
        let refresh = self.unique("refresh");
        self.refreshes.lock().unwrap().insert(refresh.clone());
        json!({
            "access_token": access, "id_token": Signer::Rsa.token("JWT", &identity), "refresh_token": refresh,
            "token_type": "Bearer", "expires_in": self.lives.load(Ordering::Relaxed), "scope": "openid",
        })
    }
}

/// Sets and, by null, takes away members.
pub(crate) fn merge(claims: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
}

/// Keycloak publishes one of these too; no signature may be by it.
fn encryption_key() -> Value {
    let mut key = Signer::OtherRsa.jwk();
    merge(&mut key, &json!({"kid": "enc-1", "use": "enc", "alg": "RSA-OAEP"}));
    key
}

async fn unless_down(
    State(provider): State<Arc<Provider>>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    if provider.down.load(Ordering::Relaxed) {
        provider.asked_in_vain.fetch_add(1, Ordering::Relaxed);
        return StatusCode::BAD_GATEWAY.into_response();
    }
    next.run(request).await
}

async fn evil(State(provider): State<Arc<Provider>>) -> Json<Value> {
    provider.asked_evil.fetch_add(1, Ordering::Relaxed);
    Json(json!({"keys": [Signer::OtherRsa.jwk()]}))
}

async fn discovery(State(provider): State<Arc<Provider>>) -> Json<Value> {
    provider.asked_discovery.fetch_add(1, Ordering::Relaxed);
    let issuer = provider.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "authorization_response_iss_parameter_supported": true,
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys(State(provider): State<Arc<Provider>>) -> Json<Value> {
    provider.asked_keys.fetch_add(1, Ordering::Relaxed);
    Json(json!({"keys": *provider.published.lock().unwrap()}))
}

/// Signs in whoever comes.
async fn authorize(State(provider): State<Arc<Provider>>, Query(asked): Query<HashMap<String, String>>) -> Response {
    let wanted = [("client_id", CLIENT), ("response_type", "code"), ("code_challenge_method", "S256")];
    for (name, value) in wanted {
        assert_eq!(asked.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
    for name in ["state", "nonce", "code_challenge"] {
        assert!(asked[name].len() >= 43, "{name} has 256 bits");
    }
    let (code, redirect) = (provider.unique("code"), asked["redirect_uri"].clone());
    let mut url = reqwest::Url::parse(&redirect).unwrap();
    url.query_pairs_mut()
        .append_pair("state", &asked["state"])
        .append_pair("code", &code)
        .append_pair("iss", &provider.issuer());
    let kept = Code { nonce: asked["nonce"].clone(), challenge: asked["code_challenge"].clone(), redirect };
    provider.codes.lock().unwrap().insert(code, kept);
    (StatusCode::SEE_OTHER, [(LOCATION, url.to_string())]).into_response()
}

async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    Form(asked): Form<HashMap<String, String>>,
) -> Response {
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response();
    let encoded = |text: &str| text.replace(' ', "+");
    let shown = STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(CLIENT_SECRET)));
    if headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(&format!("Basic {shown}")) {
        return refused("invalid_client");
    }
    match asked["grant_type"].as_str() {
        "authorization_code" => {
            let Some(code) = provider.codes.lock().unwrap().remove(&asked["code"]) else {
                return refused("invalid_grant");
            };
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(asked["code_verifier"].as_bytes()));
            if challenge != code.challenge || asked["redirect_uri"] != code.redirect {
                return refused("invalid_grant");
            }
            Json(provider.tokens(Some(&code.nonce))).into_response()
        }
        "refresh_token" => {
            provider.asked_refresh.fetch_add(1, Ordering::Relaxed);
            let shown = &asked["refresh_token"];
            let was_there = provider.refreshes.lock().unwrap().remove(shown);
            if !was_there || provider.refuses.load(Ordering::Relaxed) {
                // One that was used before was stolen, or used twice: the whole family is over (RFC 9700, 4.14.2).
                if provider.used.lock().unwrap().contains(shown) {
                    provider.refreshes.lock().unwrap().clear();
                }
                return refused("invalid_grant");
            }
            provider.used.lock().unwrap().insert(shown.clone());
            Json(provider.tokens(None)).into_response()
        }
        _ => refused("unsupported_grant_type"),
    }
}
