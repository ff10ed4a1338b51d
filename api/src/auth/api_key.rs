//! API keys: `ff_<environment>_<30 random characters><6 characters of checksum>`, all base62, and for clients of the
//! Foreman kind `fmn_<environment>_<org>_…`. Whatever a key says of itself, only the table says what it opens.
//!
//! 178 random bits need no slow hash. The checksum lets a mistyped key be told from a revoked one without asking anybody,
//! and secret scanners find keys that leaked.

use std::fmt;

use sha2::{Digest as _, Sha256};

const PREFIX: &str = "ff_";
const FOREMAN_PREFIX: &str = "fmn_";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_LEN: usize = 30;
const CHECKSUM_LEN: usize = 6;
/// Longest environment part.
const ENVIRONMENT_LIMIT: usize = 32;
/// How much of a key is kept readable, so that people can tell keys apart: `ff_`, environment, `_` and 4 characters.
const SHOWN_RANDOM: usize = 4;

/// A key in plain text. It is shown once, at its making; printing it for a log hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// A hash of a key: what a process remembers it by, and what the table compares it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// SHA-256 of a text that may be a key.
    pub fn sha256(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The part that a key is looked up by: far too little to guess the rest from.
    pub fn lookup(&self) -> [u8; 8] {
        let mut lookup = [0; 8];
        lookup.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
        lookup
    }
}

/// What a key looks like before its random part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// `ff_<environment>_`
    Plain {
        /// What the key is used with, for people.
        environment: String,
    },
    /// `fmn_<environment>_<org>_`
    Foreman {
        /// What the key is used with, for people.
        environment: String,
        /// The name of the workspace, for people.
        org: String,
    },
}

impl Default for Form {
    fn default() -> Self {
        Self::Plain { environment: "default".to_owned() }
    }
}

impl Form {
    /// The form of the key that begins like this.
    pub fn like(shown: &str) -> Self {
        let parts = |rest: &str| rest.rsplit_once('_').map_or(rest, |(parts, _)| parts).to_owned();
        if let Some(rest) = shown.strip_prefix(FOREMAN_PREFIX) {
            let both = parts(rest);
            let (environment, org) = both.split_once('_').unwrap_or((&both, ""));
            return Self::Foreman { environment: environment.to_owned(), org: org.to_owned() };
        }
        let rest = shown.strip_prefix(PREFIX).unwrap_or(shown);
        Self::Plain { environment: parts(rest) }
    }

    fn prefix(&self) -> String {
        let fit = |text: &str, or: &str, also: &[char]| {
            let fits = |c: &char| is_environment_char(*c) || also.contains(c);
            let text: String = text.chars().filter(fits).take(ENVIRONMENT_LIMIT).collect();
            if text.is_empty() { or.to_owned() } else { text }
        };
        match self {
            Self::Plain { environment } => format!("{PREFIX}{}_", fit(environment, "default", &[])),
            Self::Foreman { environment, org } => {
                format!("{FOREMAN_PREFIX}{}_{}_", fit(environment, "default", &[]), fit(org, "org", &['_']))
            }
        }
    }
}

/// A text that is not a key: wrong form or wrong checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an API key")]
pub struct NotAKey;

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no random bytes: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

impl Secret {
    /// Draws a new key of the usual form. `environment` is cut to what a key may hold: lower-case letters, digits and `-`.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn draw(environment: &str) -> Result<Self, NoRandomness> {
        Self::draw_as(&Form::Plain { environment: environment.to_owned() })
    }

    /// Draws a new key.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn draw_as(form: &Form) -> Result<Self, NoRandomness> {
        let mut text = form.prefix();
        let mut drawn = 0;
        while drawn < RANDOM_LEN {
            let mut bytes = [0_u8; 64];
            getrandom::fill(&mut bytes)?;
            // 248 is the largest multiple of 62 in a byte: larger draws would favor the first characters.
            for byte in bytes.into_iter().filter(|byte| *byte < 248).take(RANDOM_LEN - drawn) {
                text.push(char::from(BASE62[usize::from(byte) % 62]));
                drawn += 1;
            }
        }
        text.push_str(&checksum(&text));
        Ok(Self(text))
    }

    /// Reads a key that somebody showed.
    ///
    /// # Errors
    /// When form or checksum is wrong: such a key was never made.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let foreman = text.strip_prefix(FOREMAN_PREFIX);
        let (start, rest) =
            foreman.or_else(|| text.strip_prefix(PREFIX)).and_then(|rest| rest.rsplit_once('_')).ok_or(NotAKey)?;
        let environment = match foreman {
            Some(_) => start.split_once('_').filter(|(_, org)| !org.is_empty()).ok_or(NotAKey)?.0,
            None => start,
        };
        let right = !environment.is_empty()
            && environment.len() <= ENVIRONMENT_LIMIT
            && environment.chars().all(is_environment_char)
            && rest.len() == RANDOM_LEN + CHECKSUM_LEN
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !right {
            return Err(NotAKey);
        }
        let (body, sum) = text.split_at(text.len() - CHECKSUM_LEN);
        if checksum(body) == sum { Ok(Self(text.to_owned())) } else { Err(NotAKey) }
    }

    /// The whole key.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its SHA-256.
    pub fn hash(&self) -> KeyHash {
        KeyHash::sha256(&self.0)
    }

    /// The first characters, kept so that people can tell keys apart.
    pub fn shown(&self) -> &str {
        let len = self.0.len() - RANDOM_LEN - CHECKSUM_LEN + SHOWN_RANDOM;
        self.0.get(..len).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.shown())
    }
}

fn is_environment_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

fn checksum(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// CRC-32 as in IEEE 802.3; 39 bytes a key do not want a table.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_crc32() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_drawn_key_reads_back_and_no_two_are_alike() {
        let key = Secret::draw("default").unwrap();
        assert_eq!(Secret::parse(key.expose()), Ok(key.clone()));
        assert_ne!(Secret::draw("default").unwrap(), key);
        assert_eq!(key.expose().len(), "ff_default_".len() + 36);
        assert_eq!(key.shown().len(), "ff_default_".len() + 4);
        assert_eq!(format!("{key:?}"), format!("{}…", key.shown()));
    }

    #[test]
    fn a_key_of_the_foreman_kind_names_its_org_and_a_successor_looks_like_it() {
        for form in [
            Form::Foreman { environment: "live".into(), org: "acme_corp-1".into() },
            Form::Plain { environment: "eu-1".into() },
        ] {
            let key = Secret::draw_as(&form).unwrap();
            assert_eq!(Secret::parse(key.expose()), Ok(key.clone()));
            assert_eq!(Form::like(key.shown()), form);
        }
        let odd = Secret::draw_as(&Form::Foreman { environment: "LIVE".into(), org: "Ä".into() }).unwrap();
        assert!(odd.expose().starts_with("fmn_default_org_"), "{odd:?}");
        assert_eq!(Secret::parse("fmn_live_000000000000000000000000000000000000"), Err(NotAKey));
    }

    #[test]
    fn a_key_with_one_wrong_character_is_refused() {
        let key = Secret::draw("eu-1").unwrap();
        for at in 0..key.expose().len() {
            let mut bytes = key.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let wrong = String::from_utf8(bytes).unwrap();
            assert_eq!(Secret::parse(&wrong), Err(NotAKey), "{wrong}");
        }
        for wrong in ["", "ff_", "ff__", "ff_default_", "ff_ä_00", "Bearer"] {
            assert_eq!(Secret::parse(wrong), Err(NotAKey), "{wrong}");
        }
    }
}
