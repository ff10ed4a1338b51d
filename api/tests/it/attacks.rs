//! The attacks on sign-in, by their numbers in docs/guides/attacks.md: each is refused, and nothing is done.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::app::{Home, on_both_databases};
use crate::oidc::{Browser, Inside, WHO};
use crate::provider::{CLIENT, Signer, merge, unsigned};

const CHANGE: &str = "mutation { createProject(input: {slug: \"stolen\"}) { userErrors { code } } }";

/// The token opens nothing: 401 with its challenge, and what was asked for was not done.
async fn refused(inside: &Inside, token: &str) {
    let answer = inside.ask(token, CHANGE).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}: {}", answer.body);
    assert_eq!(answer.headers[WWW_AUTHENTICATE], "Bearer realm=\"flowforge\"");
    assert_eq!(answer.body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert!(answer.body.get("data").is_none());
}

/// Nothing that was refused was done, and a right token works as before.
async fn unharmed(inside: &Inside) {
    let answer = inside.ask(&inside.token(json!({})), "{ projects(first: 10) { nodes { slug } } }").await;
    assert_eq!(answer.body["data"]["projects"]["nodes"], json!([{"slug": "default"}]), "{}", answer.body);
}

fn with_header(inside: &Inside, signer: Signer, header: Value) -> String {
    let mut whole = json!({"alg": signer.algorithm(), "kid": signer.kid(), "typ": "JWT"});
    merge(&mut whole, &header);
    signer.token_with(&whole, &inside.provider.access_claims())
}

/// The sign-in is refused for this reason, and opened no session.
async fn unopened(browser: &mut Browser, inside: &Inside, url: &reqwest::Url, why: &str) {
    let answer = browser.back(inside, url).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("/sign-in?refused={why}"));
    assert_eq!(browser.session(), None);
    assert_eq!(browser.ask(inside, WHO).await.status, StatusCode::UNAUTHORIZED);
}

fn with_query(url: &reqwest::Url, name: &str, value: Option<&str>) -> reqwest::Url {
    let kept: Vec<(String, String)> =
        url.query_pairs().filter(|(key, _)| key != name).map(|(key, value)| (key.into(), value.into())).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(value.map(|value| (name, value)));
    url
}

fn query(url: &reqwest::Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into()
}

on_both_databases! {
    async fn a01_no_token(home: Home) {
        let inside = Inside::new(home).await;
        for token in ["", " ", "x", "a.b", "a.b.c", "..", "!.!.!", &"a.".repeat(10_000)] {
            refused(&inside, token).await;
        }
        unharmed(&inside).await;
    }

    async fn a02_alg_none(home: Home) {
        let inside = Inside::new(home).await;
        let claims = inside.provider.access_claims();
        for alg in [json!("none"), json!("None"), json!("NONE"), json!(""), json!(null), json!(["RS256"])] {
            let header = json!({"alg": alg, "kid": "rsa-1", "typ": "JWT"});
            let message = unsigned(&header, &claims);
            for token in [format!("{message}."), message.clone(), Signer::Rsa.token_with(&header, &claims)] {
                refused(&inside, &token).await;
            }
        }
        unharmed(&inside).await;
    }

    async fn a03_shared_secret_of_the_public_key(home: Home) {
        let inside = Inside::new(home).await;
        let public = Signer::Rsa.public();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", URL_SAFE_NO_PAD.encode(&public));
        let modulus = Signer::Rsa.jwk()["n"].as_str().unwrap().to_owned();
        for secret in [public.as_slice(), pem.as_bytes(), modulus.as_bytes(), b""] {
            let header = json!({"alg": "HS256", "kid": "rsa-1", "typ": "JWT"});
            let message = unsigned(&header, &inside.provider.access_claims());
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
            mac.update(message.as_bytes());
            refused(&inside, &format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))).await;
        }
        unharmed(&inside).await;
    }

    async fn a04_good_claims_by_a_foreign_key(home: Home) {
        let inside = Inside::new(home).await;
        refused(&inside, &with_header(&inside, Signer::OtherRsa, json!({"kid": "rsa-1"}))).await;
        refused(&inside, &with_header(&inside, Signer::OtherRsa, json!({}))).await;
        // The provider publishes this one, but not for signatures.
        refused(&inside, &with_header(&inside, Signer::OtherRsa, json!({"kid": "enc-1"}))).await;
        refused(&inside, &with_header(&inside, Signer::Rsa, json!({"kid": null}))).await;
        unharmed(&inside).await;
    }

    async fn a05_a_signature_that_was_cut_or_changed(home: Home) {
        let inside = Inside::new(home).await;
        let token = inside.token(json!({}));
        let (message, signature) = token.rsplit_once('.').unwrap();
        let other = inside.token(json!({"sub": "other"}));
        let (_, foreign) = other.rsplit_once('.').unwrap();
        for wrong in ["", "A", &signature[..signature.len() - 1], &signature[1..], foreign, &signature.to_lowercase()] {
            refused(&inside, &format!("{message}.{wrong}")).await;
        }
        let claims = unsigned(&json!({"alg": "RS256", "kid": "rsa-1", "typ": "JWT"}), &json!({"sub": "admin"}));
        refused(&inside, &format!("{claims}.{signature}")).await;
        refused(&inside, &format!("{token}.{signature}")).await;
        unharmed(&inside).await;
    }

    async fn a06_a_key_that_the_token_brings(home: Home) {
        let inside = Inside::new(home).await;
        for kid in ["rsa-1", "rsa-2"] {
            let own = json!({"jwk": Signer::OtherRsa.jwk(), "x5c": ["AAAA"], "kid": kid});
            refused(&inside, &with_header(&inside, Signer::OtherRsa, own)).await;
        }
        unharmed(&inside).await;
    }

    async fn a07_an_address_of_keys_that_the_token_brings(home: Home) {
        let inside = Inside::new(home).await;
        let evil = format!("http://{}/evil/keys", inside.provider.address);
        for (kid, name) in [("rsa-1", "jku"), ("rsa-2", "jku"), ("rsa-1", "x5u"), ("rsa-2", "x5u")] {
            refused(&inside, &with_header(&inside, Signer::OtherRsa, json!({name: evil, "kid": kid}))).await;
        }
        // Nor does the claim that names the issuer make anybody ask there.
        refused(&inside, &inside.token(json!({"iss": format!("http://{}/evil", inside.provider.address)}))).await;
        unharmed(&inside).await;
        assert_eq!(inside.provider.asked_evil.load(Ordering::Relaxed), 0);
    }

    async fn a08_a_thousand_unknown_keys(home: Home) {
        let inside = Inside::new(home).await;
        unharmed(&inside).await;
        let before = inside.provider.asked_keys.load(Ordering::Relaxed);
        let token = |n: usize| format!("{}.{}", unsigned(
            &json!({"alg": "RS256", "kid": format!("unknown-{n}"), "typ": "JWT"}), &inside.provider.access_claims()), "AAAA");
        let tokens: Vec<String> = (0..1_000).map(token).collect();
        for many in tokens.chunks(50) {
            futures::future::join_all(many.iter().map(|token| refused(&inside, token))).await;
        }
        assert_eq!(inside.provider.asked_keys.load(Ordering::Relaxed) - before, 1);
        unharmed(&inside).await;
    }

    async fn a09_a_key_name_that_is_a_path_or_sql(home: Home) {
        let inside = Inside::new(home).await;
        let names = [
            "../../../../../../dev/null", "/dev/null", "file:///etc/passwd", "' OR '1'='1", "x'; DROP TABLE workspace; --",
            "rsa-1\0", "rsa-1/../rsa-2", "", &"k".repeat(300),
        ];
        for name in names {
            // An empty file's content as the secret, too.
            refused(&inside, &with_header(&inside, Signer::OtherRsa, json!({"kid": name}))).await;
        }
        for name in [json!(1), json!(["rsa-1"]), json!({"kid": "rsa-1"})] {
            refused(&inside, &with_header(&inside, Signer::Rsa, json!({"kid": name}))).await;
        }
        unharmed(&inside).await;
    }

    async fn a10_critical_extensions(home: Home) {
        let inside = Inside::new(home).await;
        for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!("exp"), json!({})] {
            refused(&inside, &with_header(&inside, Signer::Rsa, json!({"crit": crit, "b64": false}))).await;
        }
        unharmed(&inside).await;
    }

    async fn a11_an_id_token_as_an_access_token(home: Home) {
        let inside = Inside::new(home).await;
        let claims = inside.provider.identity_claims(Some("n"));
        refused(&inside, &Signer::Rsa.token("JWT", &claims)).await;
        // Also one that names the API among its audiences.
        let mut claims = claims;
        merge(&mut claims, &json!({"aud": [CLIENT, crate::provider::AUDIENCE]}));
        refused(&inside, &Signer::Rsa.token("JWT", &claims)).await;
        refused(&inside, &Signer::Rsa.token("at+jwt", &claims)).await;
        unharmed(&inside).await;
    }

    async fn a12_a_refresh_token_as_an_access_token(home: Home) {
        let inside = Inside::new(home).await;
        for kind in ["Refresh", "Offline", "Logout", "bearer", ""] {
            refused(&inside, &inside.token(json!({"typ": kind}))).await;
        }
        refused(&inside, &with_header(&inside, Signer::Rsa, json!({"typ": "logout+jwt"}))).await;
        refused(&inside, &with_header(&inside, Signer::Rsa, json!({"typ": null}))).await;
        unharmed(&inside).await;
    }

    async fn a13_a_token_for_somebody_else(home: Home) {
        let inside = Inside::new(home).await;
        for aud in [json!("account"), json!(["account"]), json!(CLIENT), json!("flowforge-api "), json!([]), json!(null)] {
            refused(&inside, &inside.token(json!({"aud": aud}))).await;
        }
        unharmed(&inside).await;
    }

    async fn a14_a_token_by_somebody_else(home: Home) {
        let inside = Inside::new(home).await;
        let issuer = inside.provider.issuer();
        for iss in [issuer.replace("/realm", "/other"), format!("{issuer}/"), issuer.to_uppercase(), String::new()] {
            refused(&inside, &inside.token(json!({"iss": iss}))).await;
        }
        refused(&inside, &inside.token(json!({"iss": null}))).await;
        unharmed(&inside).await;
    }

    async fn a15_a_token_that_is_over_or_from_the_future(home: Home) {
        let inside = Inside::new(home).await;
        let now = inside.provider.now();
        for times in [
            json!({"exp": now - 61}),
            json!({"nbf": now + 300}),
            json!({"iat": now + 300, "exp": now + 600}),
            json!({"exp": 0}),
        ] {
            refused(&inside, &inside.token(times)).await;
        }
        unharmed(&inside).await;
    }

    async fn a16_a_token_without_an_end(home: Home) {
        let inside = Inside::new(home).await;
        for exp in [json!(null), json!("never"), json!(1e308), json!({}), json!(-1)] {
            refused(&inside, &inside.token(json!({"exp": exp}))).await;
        }
        unharmed(&inside).await;
    }

    async fn a17_a_person_who_was_disabled_meanwhile(home: Home) {
        let inside = Inside::new(home).await;
        let mut browser = Browser::default();
        browser.sign_in(&inside).await;
        // One that would last for hours, if it were believed.
        let token = inside.token(json!({"exp": inside.provider.now() + 36_000}));
        assert_eq!(inside.ask(&token, WHO).await.status, StatusCode::OK);
        inside.provider.refuses.store(true, Ordering::Relaxed);
        assert_eq!(browser.ask(&inside, WHO).await.status, StatusCode::OK);
        inside.later(Duration::from_secs(300));
        assert_eq!(browser.ask(&inside, WHO).await.status, StatusCode::UNAUTHORIZED);
        inside.later(Duration::from_secs(30));
        refused(&inside, &token).await;
    }

    async fn a18_an_answer_that_does_not_belong_to_this_browser(home: Home) {
        let inside = Inside::new(home).await;
        let mut browser = Browser::default();
        let url = browser.visit_provider(&inside, "/").await;
        unopened(&mut browser, &inside, &with_query(&url, "state", None), "expired").await;
        unopened(&mut browser, &inside, &with_query(&url, "state", Some("made-up")), "expired").await;
        // Somebody else's answer, with their state: another browser's cookie, or none.
        let mut victim = Browser::default();
        unopened(&mut victim, &inside, &url, "expired").await;
        victim.visit_provider(&inside, "/").await;
        unopened(&mut victim, &inside, &url, "expired").await;
        // RFC 9207: the answer says that it is by somebody else, or does not say by whom.
        unopened(&mut browser, &inside, &with_query(&url, "iss", Some("http://evil.test")), "unbelieved").await;
        unopened(&mut browser, &inside, &url, "expired").await;
        let url = browser.visit_provider(&inside, "/").await;
        unopened(&mut browser, &inside, &with_query(&url, "iss", None), "unbelieved").await;
        // Used twice.
        let url = browser.visit_provider(&inside, "/").await;
        assert_eq!(browser.back(&inside, &url).await.location(), "/");
        let mut again = browser.clone();
        again.cookies.remove(api::auth::credential::COOKIE_NAME);
        unopened(&mut again, &inside, &url, "expired").await;
        // The code of a sign-in that is done, in a new one.
        let mut other = Browser::default();
        let new = other.visit_provider(&inside, "/").await;
        unopened(&mut other, &inside, &with_query(&new, "code", Some(&query(&url, "code"))), "unbelieved").await;
        // A code that was not used, in a sign-in with another PKCE verifier.
        let (first, second) = (other.visit_provider(&inside, "/").await, other.visit_provider(&inside, "/").await);
        let swapped = with_query(&second, "code", Some(&query(&first, "code")));
        unopened(&mut other, &inside, &swapped, "unbelieved").await;
        // An ID token of another sign-in.
        *inside.provider.identity.lock().unwrap() = json!({"nonce": "of another"});
        let url = other.visit_provider(&inside, "/").await;
        unopened(&mut other, &inside, &url, "unbelieved").await;
        *inside.provider.identity.lock().unwrap() = json!({});
        // Too late.
        let url = other.visit_provider(&inside, "/").await;
        inside.later(Duration::from_secs(600));
        unopened(&mut other, &inside, &url, "expired").await;
        // The person said no.
        let url = other.visit_provider(&inside, "/").await;
        let no = with_query(&with_query(&url, "code", None), "error", Some("access_denied"));
        unopened(&mut other, &inside, &no, "denied").await;
    }

    async fn a19_a_way_back_to_somewhere_else(home: Home) {
        let inside = Inside::new(home).await;
        for (wanted, landed) in [
            ("//evil", "/"),
            ("/\\evil", "/"),
            ("https:evil", "/"),
            ("https://evil.test/", "/"),
            ("javascript:alert(1)", "/"),
            ("/\t/evil", "/"),
            ("%2f%2fevil", "/"),
            ("/runs?status=FAILED", "/runs?status=FAILED"),
        ] {
            let mut browser = Browser::default();
            let url = browser.visit_provider(&inside, wanted).await;
            assert_eq!(browser.back(&inside, &url).await.location(), landed, "{wanted}");
        }
    }

    async fn a20_a_logout_token_that_does_not_count(home: Home) {
        let inside = Inside::new(home).await;
        let mut browser = Browser::default();
        browser.sign_in(&inside).await;
        let now = inside.provider.now();
        let token = |changes: Value| {
            let mut claims = inside.provider.logout_claims();
            merge(&mut claims, &changes);
            Signer::Rsa.token("logout+jwt", &claims)
        };
        for changes in [
            json!({"nonce": "n"}),
            json!({"aud": "other"}),
            json!({"iat": now - 121}),
            json!({"events": {}}),
            json!({"sub": null, "sid": null}),
            json!({"jti": null}),
            json!({"iss": "http://other"}),
        ] {
            let answer = inside.log_out(&token(changes.clone())).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{changes}");
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
        let forged = Signer::OtherRsa.token_with(&json!({"alg": "RS256", "kid": "rsa-1", "typ": "logout+jwt"}),
            &inside.provider.logout_claims());
        for token in [forged.as_str(), "", "x", &inside.token(json!({}))] {
            assert_eq!(inside.log_out(token).await.status, StatusCode::BAD_REQUEST);
        }
        // Somebody else's session at the provider, then a good one: once.
        assert_eq!(inside.log_out(&token(json!({"sid": "sid-2", "sub": null}))).await.status, StatusCode::OK);
        assert_eq!(browser.ask(&inside, WHO).await.status, StatusCode::OK);
        let good = token(json!({}));
        let answer = inside.log_out(&good).await;
        assert_eq!((answer.status, &answer.headers["cache-control"]), (StatusCode::OK, &"no-store".parse().unwrap()));
        assert_eq!(browser.ask(&inside, WHO).await.status, StatusCode::UNAUTHORIZED);
        browser.sign_in(&inside).await;
        assert_eq!(inside.log_out(&good).await.status, StatusCode::BAD_REQUEST, "the same token again");
        assert_eq!(browser.ask(&inside, WHO).await.status, StatusCode::OK);
        // By the person alone: every session of theirs.
        assert_eq!(inside.log_out(&token(json!({"sid": null}))).await.status, StatusCode::OK);
        assert_eq!(browser.ask(&inside, WHO).await.status, StatusCode::UNAUTHORIZED);
    }

    async fn a21_a_session_that_was_planted_before(home: Home) {
        let inside = Inside::new(home).await;
        let mut attacker = Browser::default();
        attacker.sign_in(&inside).await;
        let planted = attacker.session().unwrap().to_owned();
        for before in [planted.clone(), "ffs_planted".to_owned(), "x".to_owned()] {
            let mut victim = Browser::default();
            victim.cookies.insert(api::auth::credential::COOKIE_NAME.to_owned(), before.clone());
            victim.sign_in(&inside).await;
            assert_ne!(victim.session(), Some(before.as_str()));
        }
        assert_eq!(attacker.session(), Some(planted.as_str()));
    }
}
