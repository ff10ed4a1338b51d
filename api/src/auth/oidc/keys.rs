//! The provider's keys. A token names its key; what else a token says of it is never read. An unknown name makes the
//! keys be read anew once, and then not again for 30 s in the whole process: names cost an attacker nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::time::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::discovery::{AGAIN, FRESH, STALE};
use super::{Fault, OidcError, Provider};

/// A key that signatures are checked with.
pub(super) struct Key {
    /// The only algorithm it is for, when the provider says so.
    algorithm: Option<Algorithm>,
    pub(super) decoding: DecodingKey,
}

impl Key {
    /// Whether a signature of this algorithm may be by this key.
    fn fits(&self, algorithm: Algorithm) -> bool {
        self.decoding.family() == algorithm.family() && self.algorithm.is_none_or(|only| only == algorithm)
    }
}

/// The document; a key of an unknown kind is no reason to lose the others.
#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

#[derive(Default)]
struct Kept {
    keys: HashMap<String, Arc<Key>>,
    read_at: Option<Timestamp>,
    /// When they were last asked for because they were old.
    tried_at: Option<Timestamp>,
    /// When they were last asked for because of a name that nobody knew.
    searched_at: Option<Timestamp>,
}

/// The keys, as they were read last.
#[derive(Default)]
pub(super) struct Keys {
    kept: Mutex<Kept>,
    /// One reads, the others wait for it.
    reading: tokio::sync::Mutex<()>,
}

impl Keys {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider {
    /// The key of this name for this algorithm.
    pub(super) async fn key(&self, name: &str, algorithm: Algorithm) -> Result<Arc<Key>, OidcError> {
        let now = self.0.clock.now();
        let (known, old) = {
            let mut kept = self.0.keys.kept();
            let age = kept.read_at.map(|at| now.since(at));
            if age.is_some_and(|age| age >= STALE) {
                kept.keys.clear();
            }
            let old = age.is_some_and(|age| age >= FRESH) && kept.tried_at.is_none_or(|at| now.since(at) >= AGAIN);
            if old {
                kept.tried_at = Some(now);
            }
            (kept.keys.get(name).cloned(), old)
        };
        let found = match known {
            Some(key) => {
                if old {
                    let provider = self.clone();
                    self.0.tasks.spawn(async move {
                        if let Err(error) = provider.read_keys().await {
                            tracing::warn!(error = %error, "the OpenID provider's keys cannot be read; those from before are used");
                        }
                    });
                }
                Some(key)
            }
            None => self.search(name, now).await?,
        };
        let key = found.ok_or(Fault::Key)?;
        if key.fits(algorithm) { Ok(key) } else { Err(Fault::Key.into()) }
    }

    /// Reads the keys anew for one that is not among them, unless somebody has just done that.
    async fn search(&self, name: &str, now: Timestamp) -> Result<Option<Arc<Key>>, OidcError> {
        let _one = self.0.keys.reading.lock().await;
        {
            let mut kept = self.0.keys.kept();
            if let Some(key) = kept.keys.get(name) {
                return Ok(Some(Arc::clone(key)));
            }
            if kept.searched_at.is_some_and(|at| now.since(at) < AGAIN) {
                // With no key at all nobody can say that the token is wrong.
                return if kept.keys.is_empty() {
                    Err(OidcError::Unavailable("its keys could not be read a moment ago".to_owned()))
                } else {
                    Ok(None)
                };
            }
            kept.searched_at = Some(now);
        }
        let first = self.0.keys.kept().keys.is_empty();
        match self.read_keys().await {
            Ok(()) => {}
            Err(error) if first => return Err(error),
            Err(error) => tracing::warn!(error = %error, "the OpenID provider's keys cannot be read"),
        }
        let mut kept = self.0.keys.kept();
        let found = kept.keys.get(name).cloned();
        if first && found.is_some() {
            // That was no search for an unknown key, and must not delay one.
            kept.searched_at = None;
        }
        Ok(found)
    }

    async fn read_keys(&self) -> Result<(), OidcError> {
        let metadata = self.metadata().await?;
        let published: Published = self.0.get(&metadata.jwks_uri, "key set").await?;
        let keys: HashMap<String, Arc<Key>> = published.keys.into_iter().filter_map(usable).collect();
        if keys.is_empty() {
            let fault = "it has no key for signatures that is known here".to_owned();
            return Err(OidcError::Misconfigured { document: "key set", fault });
        }
        let mut kept = self.0.keys.kept();
        kept.keys = keys;
        kept.read_at = Some(self.0.clock.now());
        Ok(())
    }
}

/// A published key that is for checking signatures.
fn usable(value: Value) -> Option<(String, Arc<Key>)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let name = jwk.common.key_id.clone()?;
    if jwk.common.public_key_use != Some(PublicKeyUse::Signature) {
        return None;
    }
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => {}
        AlgorithmParameters::EllipticCurve(parameters) if parameters.curve == EllipticCurve::P256 => {}
        AlgorithmParameters::OctetKeyPair(parameters) if parameters.curve == EllipticCurve::Ed25519 => {}
        // Never a shared secret, whatever the document says.
        _ => return None,
    }
    let algorithm = match jwk.common.key_algorithm {
        // `Ed25519` is the newer word for the same signatures (RFC 9864).
        Some(algorithm) => Some(Algorithm::try_from(algorithm).ok()?),
        None => None,
    };
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    Some((name, Arc::new(Key { algorithm, decoding })))
}
