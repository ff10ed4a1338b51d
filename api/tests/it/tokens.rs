//! Which tokens are believed: the provider's own checks, one by one, against tokens that were really signed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::auth::oidc::{Fault, OidcError, Provider as Checks};
use api::config::Config;
use engine::time::Timestamp;
use runtime::clock::Clock;
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use crate::provider::{AUDIENCE, CLIENT, CLIENT_SECRET, Provider, SUBJECT, Signer, merge};

/// Some day; the time stands still in these tests.
const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

struct Bench {
    clock: Clock,
    provider: Arc<Provider>,
    checks: Checks,
    tasks: TaskTracker,
}

impl Bench {
    async fn new() -> Self {
        let clock = Clock::fixed(NOW);
        let provider = Provider::start(clock.clone()).await;
        let tasks = TaskTracker::new();
        let checks = Checks::new(config(&provider.issuer(), &[]), clock.clone(), tasks.clone()).unwrap();
        Self { clock, provider, checks, tasks }
    }

    fn later(&self, by: Duration) {
        self.clock.set(self.clock.now().plus(by));
    }

    /// What is wrong with an access token of these claims besides the usual.
    async fn access(&self, changes: Value) -> Option<Fault> {
        let mut claims = self.provider.access_claims();
        merge(&mut claims, &changes);
        fault(self.checks.access(&Signer::Rsa.token("JWT", &claims)).await)
    }

    async fn identity(&self, changes: Value) -> Option<Fault> {
        let mut claims = self.provider.identity_claims(Some("the nonce"));
        merge(&mut claims, &changes);
        fault(self.checks.identity(&Signer::Rsa.token("JWT", &claims), Some("the nonce"), "the access token").await)
    }

    async fn logout(&self, kind: &str, changes: Value) -> Option<Fault> {
        let mut claims = self.provider.logout_claims();
        merge(&mut claims, &changes);
        fault(self.checks.logout(&Signer::Rsa.token(kind, &claims)).await)
    }
}

fn config(issuer: &str, more: &[(&str, &str)]) -> api::config::oidc::OidcConfig {
    let base = [
        ("ISSUER", issuer),
        ("CLIENT_ID", CLIENT),
        ("CLIENT_SECRET", CLIENT_SECRET),
        ("PUBLIC_URL", "http://127.0.0.1:8080"),
        ("GRANTS", "role:flow-editor = default:editor, group:/flowforge/people = default:viewer"),
        ("SERVICE_ACCOUNTS", "robot = default:operator"),
    ];
    let variables: HashMap<String, String> = base
        .iter()
        .chain(more)
        .map(|(key, value)| (format!("FLOWFORGE__AUTH__OIDC__{key}"), (*value).to_owned()))
        .collect();
    Config::from_parts(None, variables).unwrap().oidc.unwrap()
}

fn fault<T: std::fmt::Debug>(result: Result<T, OidcError>) -> Option<Fault> {
    match result {
        Ok(_) => None,
        Err(OidcError::Token(fault)) => Some(fault),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_access_token_is_checked_claim_by_claim() {
    let bench = Bench::new().await;
    let now = bench.provider.now();
    for (changes, wanted) in [
        (json!({}), None),
        (json!({"aud": AUDIENCE}), None),
        (json!({"aud": null}), Some(Fault::Audience)),
        (json!({"aud": "account"}), Some(Fault::Audience)),
        (json!({"aud": ["account", CLIENT]}), Some(Fault::Audience)),
        (json!({"aud": {"a": AUDIENCE}}), Some(Fault::Audience)),
        (json!({"iss": null}), Some(Fault::Issuer)),
        (json!({"iss": format!("{}/", bench.provider.issuer())}), Some(Fault::Issuer)),
        (json!({"iss": bench.provider.issuer().replace("realm", "other")}), Some(Fault::Issuer)),
        (json!({"iss": [bench.provider.issuer()]}), Some(Fault::Issuer)),
        (json!({"exp": null}), Some(Fault::Endless)),
        (json!({"exp": now - 29}), None),
        (json!({"exp": now - 30}), Some(Fault::Expired)),
        (json!({"exp": now - 61}), Some(Fault::Expired)),
        (json!({"exp": "tomorrow"}), Some(Fault::Form)),
        (json!({"exp": -1}), Some(Fault::Form)),
        (json!({"exp": 1e300}), Some(Fault::Form)),
        (json!({"nbf": now + 30}), None),
        (json!({"nbf": now + 300}), Some(Fault::Early)),
        (json!({"iat": now + 300}), Some(Fault::Early)),
        (json!({"iat": null}), Some(Fault::Form)),
        (json!({"iat": now - 329, "exp": now + 3_600}), None),
        (json!({"iat": now - 330, "exp": now + 3_600}), Some(Fault::Expired)),
        (json!({"sub": null}), Some(Fault::Subject)),
        (json!({"sub": ""}), Some(Fault::Subject)),
        (json!({"sub": "x".repeat(256)}), Some(Fault::Subject)),
        (json!({"typ": null}), Some(Fault::Kind)),
        (json!({"typ": "ID"}), Some(Fault::Kind)),
        (json!({"typ": "Refresh"}), Some(Fault::Kind)),
        (json!({"typ": "Logout"}), Some(Fault::Kind)),
    ] {
        assert_eq!(bench.access(changes.clone()).await, wanted, "{changes}");
    }
}

#[tokio::test]
async fn an_id_token_is_checked_claim_by_claim() {
    let bench = Bench::new().await;
    let now = bench.provider.now();
    for (changes, wanted) in [
        (json!({}), None),
        (json!({"typ": null}), None),
        (json!({"typ": "Bearer"}), Some(Fault::Kind)),
        (json!({"azp": null}), None),
        (json!({"azp": "other"}), Some(Fault::Party)),
        (json!({"aud": [CLIENT, "other"], "azp": CLIENT}), None),
        (json!({"aud": [CLIENT, "other"], "azp": null}), Some(Fault::Party)),
        (json!({"aud": "other"}), Some(Fault::Audience)),
        (json!({"nonce": null}), Some(Fault::Nonce)),
        (json!({"nonce": "the nonce of another"}), Some(Fault::Nonce)),
        (json!({"nonce": ["the nonce"]}), Some(Fault::Nonce)),
        (json!({"iat": null}), Some(Fault::Form)),
        (json!({"iat": now + 61}), Some(Fault::Early)),
        (json!({"exp": now - 61}), Some(Fault::Expired)),
        // The left half of SHA-256 of `the access token`.
        (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), Some(Fault::Hash)),
        (json!({"at_hash": 1}), Some(Fault::Hash)),
    ] {
        assert_eq!(bench.identity(changes.clone()).await, wanted, "{changes}");
    }
    let person = bench.checks.access(&Signer::Rsa.token("JWT", &bench.provider.access_claims())).await.unwrap();
    assert_eq!((person.subject.as_str(), person.name.as_str()), (SUBJECT, "Ada Lovelace"));
}

#[tokio::test]
async fn a_logout_token_is_checked_claim_by_claim() {
    let bench = Bench::new().await;
    let now = bench.provider.now();
    for (kind, changes, wanted) in [
        ("logout+jwt", json!({}), None),
        ("logout+jwt", json!({"sid": null}), None),
        ("logout+jwt", json!({"sub": null}), None),
        ("JWT", json!({}), Some(Fault::Kind)),
        ("at+jwt", json!({}), Some(Fault::Kind)),
        ("logout+jwt", json!({"sub": null, "sid": null}), Some(Fault::Logout)),
        ("logout+jwt", json!({"nonce": "n"}), Some(Fault::Logout)),
        ("logout+jwt", json!({"jti": null}), Some(Fault::Logout)),
        ("logout+jwt", json!({"events": null}), Some(Fault::Logout)),
        ("logout+jwt", json!({"events": {"http://schemas.openid.net/event/other": {}}}), Some(Fault::Logout)),
        ("logout+jwt", json!({"events": "http://schemas.openid.net/event/backchannel-logout"}), Some(Fault::Logout)),
        ("logout+jwt", json!({"aud": "other"}), Some(Fault::Audience)),
        ("logout+jwt", json!({"iss": "http://other"}), Some(Fault::Issuer)),
        ("logout+jwt", json!({"iat": null}), Some(Fault::Logout)),
        ("logout+jwt", json!({"iat": now - 121}), Some(Fault::Expired)),
        ("logout+jwt", json!({"iat": now + 61}), Some(Fault::Early)),
        ("logout+jwt", json!({"exp": now - 61}), Some(Fault::Expired)),
    ] {
        assert_eq!(bench.logout(kind, changes.clone()).await, wanted, "{kind} {changes}");
    }
}

#[tokio::test]
async fn every_allowed_algorithm_is_believed_and_no_key_does_for_another() {
    let bench = Bench::new().await;
    bench.provider.published.lock().unwrap().push(Signer::OtherRsa.jwk());
    let claims = bench.provider.access_claims();
    for signer in Signer::ALL {
        assert_eq!(fault(bench.checks.access(&signer.token("JWT", &claims)).await), None, "{signer:?}");
        for other in Signer::ALL.into_iter().filter(|other| *other != signer) {
            // Another's key by name: wrong kind of key, or a signature that is not by it.
            let header = json!({"alg": signer.algorithm(), "kid": other.kid(), "typ": "JWT"});
            let wrong = fault(bench.checks.access(&signer.token_with(&header, &claims)).await);
            assert!(matches!(wrong, Some(Fault::Key | Fault::Signature)), "{signer:?} as {other:?}: {wrong:?}");
        }
    }
    let only = config(&bench.provider.issuer(), &[("ALGORITHMS", "ES256")]);
    let strict = Checks::new(only, bench.clock.clone(), bench.tasks.clone()).unwrap();
    assert_eq!(fault(strict.access(&Signer::Ec.token("JWT", &claims)).await), None);
    assert_eq!(fault(strict.access(&Signer::Rsa.token("JWT", &claims)).await), Some(Fault::Algorithm));
}

#[tokio::test]
async fn roles_and_groups_mean_what_the_table_says_and_nothing_else() {
    let bench = Bench::new().await;
    let roles = async |changes: Value| {
        let mut claims = bench.provider.access_claims();
        merge(&mut claims, &changes);
        let person = bench.checks.access(&Signer::Rsa.token("JWT", &claims)).await.unwrap();
        (person.program, person.grants.iter().map(|grant| grant.role.as_str()).collect::<Vec<_>>())
    };
    assert_eq!(roles(json!({})).await, (None, vec!["editor", "viewer"]));
    let client_role =
        json!({"realm_access": null, "groups": null, "resource_access": {CLIENT: {"roles": ["flow-editor"]}}});
    assert_eq!(roles(client_role).await, (None, vec!["editor"]));
    for nothing in [
        json!({"realm_access": {"roles": ["admin", "owner", "Flow-Editor"]}, "groups": ["flowforge/people", "/flowforge"]}),
        json!({"realm_access": "flow-editor", "groups": {"/flowforge/people": true}}),
        json!({"realm_access": null, "groups": null, "resource_access": {"other": {"roles": ["flow-editor"]}}}),
        json!({"realm_access": null, "groups": null, "roles": ["flow-editor"]}),
    ] {
        assert_eq!(roles(nothing.clone()).await, (None, vec![]), "{nothing}");
    }
    // A program is what it is by name, whatever roles its user has.
    let own = json!({"sid": null, "azp": "robot", "preferred_username": "service-account-robot"});
    assert_eq!(roles(own).await, (Some("robot".to_owned()), vec!["operator"]));
    let unknown = json!({"sid": null, "azp": "stranger", "sub": "stranger"});
    assert_eq!(roles(unknown).await, (Some("stranger".to_owned()), vec![]));
    // A token that the program has for a person is the person's.
    assert_eq!(roles(json!({"azp": "robot"})).await, (None, vec!["editor", "viewer"]));
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_not_believed() {
    let bench = Bench::new().await;
    let issuer = format!("{}/", bench.provider.issuer());
    let checks = Checks::new(config(&issuer, &[]), bench.clock.clone(), bench.tasks.clone()).unwrap();
    let error = checks.access(&Signer::Rsa.token("JWT", &bench.provider.access_claims())).await.unwrap_err();
    assert!(matches!(error, OidcError::Misconfigured { .. }), "{error}");
}

#[tokio::test]
async fn a_thousand_unknown_keys_cost_one_look_at_the_key_set() {
    let bench = Bench::new().await;
    let claims = bench.provider.access_claims();
    assert_eq!(bench.access(json!({})).await, None);
    let before = bench.provider.asked_keys.load(Ordering::Relaxed);
    let ask = async |n: usize| {
        let header = json!({"alg": "RS256", "kid": format!("unknown-{n}"), "typ": "JWT"});
        fault(bench.checks.access(&Signer::OtherRsa.token_with(&header, &claims)).await)
    };
    // The signature does not matter: the name is looked up first.
    for n in 0..1_000 {
        assert_eq!(ask(n).await, Some(Fault::Key));
    }
    assert_eq!(bench.provider.asked_keys.load(Ordering::Relaxed) - before, 1);
    bench.later(Duration::from_secs(31));
    let asked = futures::future::join_all((0..20).map(&ask)).await;
    assert!(asked.iter().all(|fault| *fault == Some(Fault::Key)));
    assert_eq!(bench.provider.asked_keys.load(Ordering::Relaxed) - before, 2);
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_an_old_one_works_while_it_is_published() {
    let bench = Bench::new().await;
    let old = Signer::Rsa.token("JWT", &bench.provider.access_claims());
    assert_eq!(fault(bench.checks.access(&old).await), None);
    bench.provider.rotate();
    let new = Signer::OtherRsa.token("JWT", &bench.provider.access_claims());
    for token in [&new, &old, &new] {
        assert_eq!(fault(bench.checks.access(token).await), None);
    }
    // One that is published no more is forgotten when the set is read again.
    *bench.provider.published.lock().unwrap() = vec![Signer::OtherRsa.jwk()];
    bench.later(Duration::from_secs(601));
    let mut claims = bench.provider.access_claims();
    claims["exp"] = json!(bench.provider.now() + 3_600);
    assert_eq!(fault(bench.checks.access(&Signer::OtherRsa.token("JWT", &claims)).await), None);
    bench.tasks.close();
    bench.tasks.wait().await;
    assert_eq!(fault(bench.checks.access(&Signer::Rsa.token("JWT", &claims)).await), Some(Fault::Key));
}

#[tokio::test]
async fn a_provider_that_is_away_is_believed_for_a_day() {
    let bench = Bench::new().await;
    let token = |bench: &Bench| {
        let mut claims = bench.provider.access_claims();
        claims["exp"] = json!(bench.provider.now() + 300);
        Signer::Rsa.token("JWT", &claims)
    };
    assert_eq!(fault(bench.checks.access(&token(&bench)).await), None);
    bench.provider.down.store(true, Ordering::Relaxed);
    for _ in 0..23 {
        bench.later(Duration::from_secs(3_600));
        assert_eq!(fault(bench.checks.access(&token(&bench)).await), None);
    }
    bench.later(Duration::from_secs(3_600));
    let error = bench.checks.access(&token(&bench)).await.unwrap_err();
    assert!(matches!(error, OidcError::Unavailable(_)), "{error}");
    bench.provider.down.store(false, Ordering::Relaxed);
    bench.later(Duration::from_secs(31));
    assert_eq!(fault(bench.checks.access(&token(&bench)).await), None);
}
