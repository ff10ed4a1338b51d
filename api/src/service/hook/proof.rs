//! Whether a sender is who it has to be: signatures over the raw bytes, compared in constant time.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::time::Timestamp;
use engine::value::Digest;
use nodes::connection::Connection;
use nodes::webhook::{Algorithm, Encoding, Hmac, Proof, WebhookSettings};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Signatures of one delivery that are looked at; nobody rotates more keys at once.
const MOST_SIGNATURES: usize = 16;

/// The headers of a request, as they came.
#[derive(Debug, Clone, Default)]
pub struct Headers(pub Vec<(String, Vec<u8>)>);

/// Why a delivery is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What it has to show is not there.
    #[error("the header `{0}` is missing")]
    Missing(String),
    /// It is there twice, so that nobody can say which one counts.
    #[error("the header `{0}` came more than once")]
    Duplicate(String),
    /// It is not written as it should be.
    #[error("the header `{0}` is not written as it should be")]
    Malformed(String),
    /// A signature of something else, or by somebody else.
    #[error("no signature in `{0}` is right for this body")]
    WrongSignature(String),
    /// Not the credential that is expected.
    #[error("the credential is wrong")]
    WrongCredential,
    /// Signed too long ago.
    #[error("it was signed too long ago")]
    TooOld,
    /// Signed by a clock that is ahead.
    #[error("it was signed in the future")]
    TooNew,
    /// It came before.
    #[error("this delivery was taken before")]
    Replayed,
}

impl Refusal {
    /// The stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "CREDENTIAL_MISSING",
            Self::Duplicate(_) => "HEADER_DUPLICATE",
            Self::Malformed(_) => "HEADER_MALFORMED",
            Self::WrongSignature(_) => "SIGNATURE_WRONG",
            Self::WrongCredential => "CREDENTIAL_WRONG",
            Self::TooOld => "TIMESTAMP_OLD",
            Self::TooNew => "TIMESTAMP_FUTURE",
            Self::Replayed => "REPLAYED",
        }
    }
}

/// What tells that a signed delivery comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Of its signature.
    pub(super) digest: Digest,
    /// Whether a sender that sends again signs again, so that the same signature is never right twice.
    pub(super) signed_time: bool,
}

/// A request as its sender signed it.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) headers: &'a Headers,
    pub(super) body: &'a [u8],
    pub(super) now: Timestamp,
}

impl Headers {
    /// The only header of this name.
    fn one(&self, name: &str) -> Result<&str, Refusal> {
        let mut found = self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value);
        let value = found.next().ok_or_else(|| Refusal::Missing(name.to_owned()))?;
        if found.next().is_some() {
            return Err(Refusal::Duplicate(name.to_owned()));
        }
        std::str::from_utf8(value).map_err(|_| Refusal::Malformed(name.to_owned()))
    }

    /// The first header of this name, if it is text.
    pub fn find(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(other, _)| other == name)?;
        std::str::from_utf8(value).ok()
    }
}

/// Checks what a sender shows; the mark of its signature, when it signs. A connection that does not fit proves nothing.
pub(super) fn check(
    settings: &WebhookSettings,
    connection: Option<&Connection>,
    shown: Shown<'_>,
) -> Result<Option<Mark>, Refusal> {
    let expected = |field: &str| connection.and_then(|connection| connection.secret(field)).map(|text| text.expose());
    let keys = || expected("secret").into_iter().chain(expected("previous"));
    let tolerance = settings.tolerance;
    let marked = |mac: [u8; 32], signed_time| Ok(Some(Mark { digest: Digest(mac), signed_time }));
    match &settings.proof {
        Proof::Url | Proof::None => Ok(None),
        Proof::Bearer => {
            let given = shown.headers.one("authorization")?;
            let token = scheme(given, "bearer").ok_or_else(|| Refusal::Malformed("authorization".to_owned()))?;
            same(token, expected("token"))
        }
        Proof::Basic => {
            let given = shown.headers.one("authorization")?;
            let malformed = || Refusal::Malformed("authorization".to_owned());
            let pair = scheme(given, "basic").and_then(|pair| STANDARD.decode(pair).ok()).ok_or_else(malformed)?;
            let pair = String::from_utf8(pair).map_err(|_| malformed())?;
            let username = connection.and_then(|connection| connection.plain("username"));
            let right = username.zip(expected("password")).map(|(name, password)| format!("{name}:{password}"));
            same(&pair, right.as_deref())
        }
        Proof::Header => {
            let name = connection.and_then(|connection| connection.plain("name")).unwrap_or_default();
            same(shown.headers.one(&name.to_ascii_lowercase())?, expected("value"))
        }
        Proof::Hmac(hmac) => {
            let (mac, signed_time) = described(hmac, keys(), shown, tolerance)?;
            marked(mac, signed_time)
        }
        Proof::Standard => marked(standard(keys(), shown, tolerance)?, true),
        Proof::Github => {
            const NAME: &str = "x-hub-signature-256";
            let given = hex_after(NAME, shown.headers.one(NAME)?, "sha256=")?;
            marked(signed(NAME, Algorithm::Sha256, raw(keys()), &[given], &[shown.body])?, false)
        }
        Proof::Stripe => marked(stripe(keys(), shown, tolerance)?, true),
        Proof::Slack => {
            const NAME: &str = "x-slack-signature";
            let given = hex_after(NAME, shown.headers.one(NAME)?, "v0=")?;
            const TIME: &str = "x-slack-request-timestamp";
            let time = shown.headers.one(TIME)?;
            on_time(TIME, time, shown.now, tolerance)?;
            let parts: [&[u8]; 4] = [b"v0:", time.as_bytes(), b":", shown.body];
            marked(signed(NAME, Algorithm::Sha256, raw(keys()), &[given], &parts)?, true)
        }
    }
}

/// What follows the name of an authorization scheme.
fn scheme<'a>(given: &'a str, name: &str) -> Option<&'a str> {
    let (scheme, rest) = given.split_once(' ')?;
    scheme.eq_ignore_ascii_case(name).then(|| rest.trim())
}

/// Compares texts without telling by the time it takes where they differ, or how long the right one is.
fn same(given: &str, expected: Option<&str>) -> Result<Option<Mark>, Refusal> {
    let expected = expected.ok_or(Refusal::WrongCredential)?;
    let is_same: bool = Sha256::digest(given).ct_eq(&Sha256::digest(expected)).into();
    if is_same { Ok(None) } else { Err(Refusal::WrongCredential) }
}

/// Secrets that are keys as they are written.
fn raw<'a>(keys: impl Iterator<Item = &'a str>) -> impl Iterator<Item = Vec<u8>> {
    keys.map(|key| key.as_bytes().to_vec())
}

/// The SHA-256 of the right signature, when one of those given is that. Every key and every signature is tried, so that
/// the time tells nothing.
fn signed(
    header: &str,
    algorithm: Algorithm,
    keys: impl Iterator<Item = Vec<u8>>,
    given: &[Vec<u8>],
    parts: &[&[u8]],
) -> Result<[u8; 32], Refusal> {
    let algorithm = match algorithm {
        Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::Sha256 => hmac::HMAC_SHA256,
        Algorithm::Sha512 => hmac::HMAC_SHA512,
    };
    let mut right = None;
    for key in keys {
        let mut mac = hmac::Context::with_key(&hmac::Key::new(algorithm, &key));
        parts.iter().for_each(|part| mac.update(part));
        let mac = mac.sign();
        for given in given {
            if bool::from(mac.as_ref().ct_eq(given.as_slice())) && right.is_none() {
                right = Some(Sha256::digest(mac.as_ref()).into());
            }
        }
    }
    right.ok_or_else(|| Refusal::WrongSignature(header.to_owned()))
}

fn hex_after(header: &str, given: &str, prefix: &str) -> Result<Vec<u8>, Refusal> {
    given.strip_prefix(prefix).and_then(lower_hex).ok_or_else(|| Refusal::Malformed(header.to_owned()))
}

/// Lower case only: one signature has one form.
fn lower_hex(text: &str) -> Option<Vec<u8>> {
    let is_lower = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_lower.then(|| hex::decode(text).ok()).flatten()
}

/// Whether a time in seconds is close enough to now.
fn on_time(header: &str, text: &str, now: Timestamp, tolerance: std::time::Duration) -> Result<(), Refusal> {
    let is_plain = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: Option<i64> = text.parse().ok().filter(|_| is_plain);
    let at = seconds.ok_or_else(|| Refusal::Malformed(header.to_owned()))?.saturating_mul(1_000_000);
    let at = Timestamp(at);
    if at < now.minus(tolerance) {
        return Err(Refusal::TooOld);
    }
    if at > now.plus(tolerance) { Err(Refusal::TooNew) } else { Ok(()) }
}

/// Standard Webhooks: `v1,<base64>` over id, time and body, each key and each signature of a rotation accepted.
fn standard<'a>(
    keys: impl Iterator<Item = &'a str>,
    shown: Shown<'_>,
    tolerance: std::time::Duration,
) -> Result<[u8; 32], Refusal> {
    const NAME: &str = "webhook-signature";
    let (id, time) = (shown.headers.one("webhook-id")?, shown.headers.one("webhook-timestamp")?);
    let list = shown.headers.one(NAME)?;
    if id.is_empty() {
        return Err(Refusal::Malformed("webhook-id".to_owned()));
    }
    let given = list.split(' ').filter_map(|one| one.strip_prefix("v1,")).take(MOST_SIGNATURES);
    let given: Vec<Vec<u8>> = given.filter_map(|one| STANDARD.decode(one).ok()).collect();
    if given.is_empty() {
        return Err(Refusal::Malformed(NAME.to_owned()));
    }
    on_time("webhook-timestamp", time, shown.now, tolerance)?;
    let keys = keys.filter_map(|key| STANDARD.decode(key.strip_prefix("whsec_").unwrap_or(key)).ok());
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", shown.body];
    signed(NAME, Algorithm::Sha256, keys, &given, &parts)
}

/// Stripe: `t=…,v1=…` and others, the secret as it is written.
fn stripe<'a>(
    keys: impl Iterator<Item = &'a str>,
    shown: Shown<'_>,
    tolerance: std::time::Duration,
) -> Result<[u8; 32], Refusal> {
    const NAME: &str = "stripe-signature";
    let malformed = || Refusal::Malformed(NAME.to_owned());
    let fields: Vec<(&str, &str)> =
        shown.headers.one(NAME)?.split(',').filter_map(|field| field.trim().split_once('=')).collect();
    let mut times = fields.iter().filter(|(name, _)| *name == "t").map(|(_, value)| *value);
    let (Some(time), None) = (times.next(), times.next()) else { return Err(malformed()) };
    let given = fields.iter().filter(|(name, _)| *name == "v1").take(MOST_SIGNATURES);
    let given: Vec<Vec<u8>> = given.filter_map(|(_, value)| lower_hex(value)).collect();
    if given.is_empty() {
        return Err(malformed());
    }
    on_time(NAME, time, shown.now, tolerance)?;
    let parts: [&[u8]; 3] = [time.as_bytes(), b".", shown.body];
    signed(NAME, Algorithm::Sha256, raw(keys), &given, &parts)
}

/// A signature as the config describes it.
fn described<'a>(
    hmac: &Hmac,
    keys: impl Iterator<Item = &'a str>,
    shown: Shown<'_>,
    tolerance: std::time::Duration,
) -> Result<([u8; 32], bool), Refusal> {
    let malformed = || Refusal::Malformed(hmac.header.clone());
    let given = shown.headers.one(&hmac.header)?.strip_prefix(&hmac.prefix).ok_or_else(malformed)?;
    let given = match hmac.encoding {
        Encoding::Hex => lower_hex(given),
        Encoding::Base64 => STANDARD.decode(given).ok(),
    };
    let given = given.ok_or_else(malformed)?;
    let time = hmac.timestamp.as_deref().map(|name| shown.headers.one(name).map(|time| (name, time))).transpose()?;
    if let Some((name, time)) = time {
        on_time(name, time, shown.now, tolerance)?;
    }
    let put = |text: &str| text.replace("{timestamp}", time.map_or("", |(_, time)| time));
    let (before, after) = (put(&hmac.signed.0), put(&hmac.signed.1));
    let parts: [&[u8]; 3] = [before.as_bytes(), shown.body, after.as_bytes()];
    Ok((signed(&hmac.header, hmac.algorithm, raw(keys), &[given], &parts)?, time.is_some()))
}

#[cfg(test)]
mod tests;
