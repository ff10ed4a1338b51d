//! From a token to what may be believed of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::time::Timestamp;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha512};
use std::str::FromStr as _;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

use super::{Claims, Fault, OidcError, Provider};
use crate::config::oidc::Grant;

/// Longest token that is looked at.
const MOST_LEN: usize = 16 * 1024;
/// Longest name of a key.
const MOST_NAME: usize = 256;
/// How old a logout token may be.
const LOGOUT_WITHIN: Duration = Duration::from_secs(120);
/// What a logout token is about.
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Who a token is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// The provider's name for them, which never changes.
    pub subject: String,
    /// What to call them.
    pub name: String,
    /// Their address, when the provider checked it.
    pub email: Option<String>,
    /// The session at the provider.
    pub session: Option<String>,
    /// The program, when it is one that has tokens by its own credentials.
    pub program: Option<String>,
    /// What they are here, by the table of the settings.
    pub grants: Vec<Grant>,
    /// When the token was made.
    pub made_at: Timestamp,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// Whom a logout token signs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logout {
    /// One person; all sessions when no session is named.
    pub subject: Option<String>,
    /// One session at the provider.
    pub session: Option<String>,
    /// The token's own name, which counts once.
    pub id: String,
}

/// A token whose signature is right.
struct Signed {
    /// The header's `typ`, in lower case and without `application/`.
    kind: Option<String>,
    algorithm: Algorithm,
    claims: Claims,
}

impl Provider {
    /// An access token for this API, of a person or a program.
    ///
    /// # Errors
    /// [`OidcError::Token`] when it is not valid; others when nobody can tell.
    pub async fn access(&self, token: &str) -> Result<Person, OidcError> {
        let signed = self.signed(token).await?;
        let claims = &signed.claims;
        let config = self.config();
        match (signed.kind.as_deref(), claims.text("typ")) {
            // Keycloak says in the claims of what kind a token is; RFC 9068 in the header.
            (Some("jwt"), Some("Bearer")) | (Some("at+jwt"), None | Some("Bearer")) => {}
            _ => return Err(Fault::Kind.into()),
        }
        claims.check_issuer(&config.issuer)?;
        claims.check_audience(&config.audience)?;
        let now = self.0.clock.now();
        claims.check_times(now, config.leeway)?;
        let person = self.person(claims)?;
        // Whatever the provider says: somebody whom it disabled meanwhile must not go on for hours.
        if now >= person.made_at.plus(config.longest_token).plus(config.leeway) {
            return Err(Fault::Expired.into());
        }
        Ok(person)
    }

    /// An ID token that answers a sign-in, or a refresh, which has no nonce.
    ///
    /// # Errors
    /// [`OidcError::Token`] when it is not valid; others when nobody can tell.
    pub async fn identity(&self, token: &str, nonce: Option<&str>, access: &str) -> Result<Person, OidcError> {
        let signed = self.signed(token).await?;
        let (claims, config) = (&signed.claims, self.config());
        if !matches!(signed.kind.as_deref(), None | Some("jwt")) || !matches!(claims.text("typ"), None | Some("ID")) {
            return Err(Fault::Kind.into());
        }
        claims.check_issuer(&config.issuer)?;
        claims.check_audience(&config.client_id)?;
        let party = claims.text("azp");
        if party.is_some_and(|party| party != config.client_id) || (party.is_none() && claims.audiences().len() > 1) {
            return Err(Fault::Party.into());
        }
        claims.check_times(self.0.clock.now(), config.leeway)?;
        if let Some(nonce) = nonce {
            let said = claims.text("nonce").unwrap_or_default();
            if !bool::from(said.as_bytes().ct_eq(nonce.as_bytes())) {
                return Err(Fault::Nonce.into());
            }
        }
        if let Some(said) = claims.get("at_hash")
            && said.as_str() != Some(&half_hash(signed.algorithm, access))
        {
            return Err(Fault::Hash.into());
        }
        self.person(claims).map_err(OidcError::Token)
    }

    /// What the provider says when somebody signed out there.
    ///
    /// # Errors
    /// [`OidcError::Token`] when it is not valid; others when nobody can tell.
    pub async fn logout(&self, token: &str) -> Result<Logout, OidcError> {
        let signed = self.signed(token).await?;
        let (claims, config, now) = (&signed.claims, self.config(), self.0.clock.now());
        if signed.kind.as_deref() != Some("logout+jwt") {
            return Err(Fault::Kind.into());
        }
        claims.check_issuer(&config.issuer)?;
        claims.check_audience(&config.client_id)?;
        claims.check_times(now, config.leeway)?;
        let made = claims.time("iat").map_err(OidcError::Token)?.ok_or(Fault::Logout)?;
        if now.since(made) > LOGOUT_WITHIN {
            return Err(Fault::Expired.into());
        }
        let event = claims.get("events").and_then(|events| events.get(LOGOUT_EVENT));
        let id = claims.text("jti").filter(|id| !id.is_empty());
        let (subject, session) = (claims.text("sub"), claims.text("sid"));
        match (event, id) {
            // One with a nonce could be an ID token that was sent here.
            (Some(Value::Object(_)), Some(id))
                if claims.get("nonce").is_none() && (subject.is_some() || session.is_some()) =>
            {
                let (subject, session) = (subject.map(str::to_owned), session.map(str::to_owned));
                Ok(Logout { subject, session, id: id.to_owned() })
            }
            _ => Err(Fault::Logout.into()),
        }
    }

    fn person(&self, claims: &Claims) -> Result<Person, Fault> {
        let subject = claims.subject()?.to_owned();
        let expires_at = claims.time("exp")?.ok_or(Fault::Endless)?;
        let made_at = claims.time("iat")?.ok_or(Fault::Form)?;
        let program = super::grant::program(claims).map(str::to_owned);
        let name = ["name", "preferred_username", "client_id", "azp"].iter().find_map(|name| claims.text(name));
        let is_checked = claims.get("email_verified") == Some(&Value::Bool(true));
        Ok(Person {
            name: program.as_deref().or(name).unwrap_or(&subject).chars().take(200).collect(),
            email: claims.text("email").filter(|_| is_checked).map(str::to_owned),
            session: claims.text("sid").map(str::to_owned),
            grants: super::grant::grants(self.config(), claims, program.as_deref()),
            program,
            made_at,
            expires_at,
            subject,
        })
    }

    /// The gates that every token passes before a claim of it is read.
    async fn signed(&self, token: &str) -> Result<Signed, OidcError> {
        if token.len() > MOST_LEN {
            return Err(Fault::Form.into());
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Fault::Form)?;
        let (header, body) = message.split_once('.').ok_or(Fault::Form)?;
        let header = object(header)?;
        // The settings say what is believed; the header only which of that it is.
        let algorithm = header.get("alg").and_then(Value::as_str).ok_or(Fault::Form)?;
        let algorithm = Algorithm::from_str(algorithm).map_err(|_| Fault::Algorithm)?;
        if !self.config().algorithms.contains(&algorithm) {
            return Err(Fault::Algorithm.into());
        }
        if header.contains_key("crit") {
            return Err(Fault::Critical.into());
        }
        let name =
            header.get("kid").and_then(Value::as_str).filter(|name| name.len() <= MOST_NAME).ok_or(Fault::Key)?;
        let key = self.key(name, algorithm).await?;
        let is_right = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key.decoding, algorithm);
        if !is_right.unwrap_or(false) {
            return Err(Fault::Signature.into());
        }
        let kind = match header.get("typ") {
            None => None,
            Some(Value::String(kind)) => {
                let kind = kind.to_ascii_lowercase();
                Some(kind.strip_prefix("application/").map_or_else(|| kind.clone(), str::to_owned))
            }
            Some(_) => return Err(Fault::Form.into()),
        };
        Ok(Signed { kind, algorithm, claims: Claims(object(body)?) })
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Form)?;
    serde_json::from_slice(&bytes).map_err(|_| Fault::Form)
}

/// The left half of an access token's hash, by the hash of the ID token's algorithm.
fn half_hash(algorithm: Algorithm, access: &str) -> String {
    match algorithm {
        Algorithm::EdDSA => URL_SAFE_NO_PAD.encode(&Sha512::digest(access.as_bytes())[..32]),
        _ => URL_SAFE_NO_PAD.encode(&Sha256::digest(access.as_bytes())[..16]),
    }
}
