//! What a webhook's config says, read.

use std::time::Duration;

use engine::catalog::Fault;
use engine::expression::Expression;
use engine::time::parse_duration;
use serde_json::Value;

/// How far the time of a signed delivery may be from ours when nothing else is said.
const TOLERANCE: Duration = Duration::from_secs(300);
/// The shortest and the longest that may be said.
const TOLERANCES: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3_600));
/// How long a delivery's id is remembered when nothing else is said.
const WINDOW: Duration = Duration::from_secs(24 * 3_600);
const WINDOWS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(30 * 24 * 3_600));
/// How long a sender waits for the run when nothing else is said.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const ANSWERS_WITHIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// Longest own path in bytes, and most parts of it.
const PATH_LIMIT: (usize, usize) = (200, 10);
/// Longest text of what is signed.
const SIGNED_LIMIT: usize = 200;

/// How a sender shows who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It knows the secret part of the URL.
    Url,
    /// It does not: anybody may call.
    None,
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`
    Basic,
    /// A header of its own with a fixed value.
    Header,
    /// A signature that its config describes.
    Hmac(Hmac),
    /// Standard Webhooks.
    Standard,
    /// `X-Hub-Signature-256`
    Github,
    /// `Stripe-Signature`
    Stripe,
    /// `X-Slack-Signature`
    Slack,
}

/// A keyed hash over the raw body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hmac {
    /// The header of the signature, in lower case.
    pub header: String,
    /// The hash.
    pub algorithm: Algorithm,
    /// How the signature is written.
    pub encoding: Encoding,
    /// What stands before it, such as `sha256=`.
    pub prefix: String,
    /// The header of the time, in lower case; none when the sender tells none.
    pub timestamp: Option<String>,
    /// What is hashed before and after the body, `{timestamp}` put in.
    pub signed: (String, String),
}

/// A hash function under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-1, for senders that know nothing better.
    Sha1,
    /// HMAC-SHA-256
    Sha256,
    /// HMAC-SHA-512
    Sha512,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// In lower case.
    Hex,
    /// With padding.
    Base64,
}

/// What tells one delivery from another.
#[derive(Debug)]
pub enum DeliveryId {
    /// What senders usually call it.
    Usual,
    /// This header, in lower case.
    Header(String),
    /// What an expression over the request gives.
    Expression(Expression),
}

/// When the sender is answered, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerMode {
    /// By the run's `http.respond` when it has one, otherwise at once.
    Auto,
    /// 202, once the run is stored.
    AtOnce,
    /// With the run's output, once it has ended.
    RunEnd,
    /// By the run's `http.respond`.
    Respond,
}

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyMode {
    /// As its content type says: JSON, a form, or text.
    Auto,
    /// As JSON, whatever it says it is.
    Json,
    /// As text, whatever it says it is.
    Text,
    /// It is kept as a file, of any size; the files of a form each.
    File,
}

/// A webhook's config.
#[derive(Debug)]
pub struct WebhookSettings {
    /// How a sender shows who it is.
    pub proof: Proof,
    /// How far the time of a signed delivery may be from ours.
    pub tolerance: Duration,
    /// The part of the URL that the author chose, without slashes around it.
    pub path: Option<String>,
    /// Upper case; any method when there is none.
    pub methods: Vec<String>,
    /// What tells deliveries apart.
    pub delivery: DeliveryId,
    /// How long the id of a delivery is remembered.
    pub window: Duration,
    /// How the body is read.
    pub body: BodyMode,
    /// When the sender is answered.
    pub answer: AnswerMode,
    /// How long it waits for the run.
    pub answer_within: Duration,
    /// Most runs a minute.
    pub most_per_minute: Option<u32>,
}

/// Types of connections that a way to show who one is needs.
pub(super) const SIGNED: &[&str] = &["webhook.signing"];

impl Proof {
    /// The word in the config.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::None => "none",
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::Header => "header",
            Self::Hmac(_) => "hmac",
            Self::Standard => "standard",
            Self::Github => "github",
            Self::Stripe => "stripe",
            Self::Slack => "slack",
        }
    }

    /// Whether it is a signature over the body.
    fn is_signed(&self) -> bool {
        matches!(self, Self::Hmac(_) | Self::Standard | Self::Github | Self::Stripe | Self::Slack)
    }

    /// Types of connections of which it needs one; none when it needs no connection.
    pub fn connections(&self) -> &'static [&'static str] {
        match self {
            Self::Url | Self::None => &[],
            Self::Bearer => &["http.bearer"],
            Self::Basic => &["http.basic"],
            Self::Header => &["http.header"],
            Self::Hmac(_) | Self::Standard | Self::Github | Self::Stripe | Self::Slack => SIGNED,
        }
    }
}

impl WebhookSettings {
    /// Reads a config that fits its schema.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(config: &Value) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        let text = |field: &str| config.get(field).and_then(Value::as_str);
        let proof = match text("verify").unwrap_or("url") {
            "none" => Proof::None,
            "bearer" => Proof::Bearer,
            "basic" => Proof::Basic,
            "header" => Proof::Header,
            "hmac" => Proof::Hmac(hmac(config, &mut faults)),
            "standard" => Proof::Standard,
            "github" => Proof::Github,
            "stripe" => Proof::Stripe,
            "slack" => Proof::Slack,
            _ => Proof::Url,
        };
        if !matches!(proof, Proof::Hmac(_)) {
            let idle = HMAC_FIELDS.iter().filter(|field| config.get(**field).is_some());
            idle.for_each(|field| faults.add(field, "is only for `verify: hmac`", "remove it"));
        }
        let path = text("path").and_then(|path| own_path(path, &mut faults));
        if proof == Proof::Url && path.is_some() {
            let hint = "remove it, or let senders show who they are in another way";
            faults.add("path", "has no effect while the URL itself is the secret", hint);
        }
        let methods = config.get("methods").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let delivery = match (text("delivery_header"), text("delivery_id")) {
            (Some(_), Some(_)) => {
                faults.add("delivery_id", "says the same as `delivery_header`", "keep one of the two");
                DeliveryId::Usual
            }
            (Some(header), None) => DeliveryId::Header(header_name("delivery_header", header, &mut faults)),
            (None, Some(source)) => expression(source, &mut faults),
            (None, None) => DeliveryId::Usual,
        };
        let body = match text("body") {
            Some("json") => BodyMode::Json,
            Some("text") => BodyMode::Text,
            Some("file") => BodyMode::File,
            _ => BodyMode::Auto,
        };
        if body == BodyMode::File && proof.is_signed() {
            let hint = "let senders show who they are by `url`, `bearer`, `basic` or `header`";
            faults.add(
                "body",
                "is `file`, and a signature is checked over the whole body before any of it is kept",
                hint,
            );
        }
        let settings = Self {
            body,
            tolerance: duration(config, "tolerance", TOLERANCE, TOLERANCES, &mut faults),
            path,
            methods: methods.map(str::to_ascii_uppercase).collect(),
            delivery,
            window: duration(config, "delivery_window", WINDOW, WINDOWS, &mut faults),
            answer: match text("answer") {
                Some("at_once") => AnswerMode::AtOnce,
                Some("run_end") => AnswerMode::RunEnd,
                Some("respond") => AnswerMode::Respond,
                _ => AnswerMode::Auto,
            },
            answer_within: duration(config, "answer_within", ANSWER_WITHIN, ANSWERS_WITHIN, &mut faults),
            most_per_minute: config
                .get("most_per_minute")
                .and_then(Value::as_u64)
                .and_then(|most| most.try_into().ok()),
            proof,
        };
        if faults.0.is_empty() { Ok(settings) } else { Err(faults.0) }
    }
}

const HMAC_FIELDS: [&str; 6] = [
    "signature_header",
    "signature_algorithm",
    "signature_encoding",
    "signature_prefix",
    "timestamp_header",
    "signed_text",
];

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, field: &str, message: &str, hint: &str) {
        let message = format!("`{field}` {message}");
        self.0.push(Fault { path: format!("/{field}"), message, hint: hint.to_owned() });
    }
}

fn hmac(config: &Value, faults: &mut Faults) -> Hmac {
    let text = |field: &str| config.get(field).and_then(Value::as_str);
    let header = match text("signature_header") {
        Some(name) => header_name("signature_header", name, faults),
        None => {
            faults.add("signature_header", "is missing", "name the header that carries the signature");
            String::new()
        }
    };
    let timestamp = text("timestamp_header").map(|name| header_name("timestamp_header", name, faults));
    let whole = text("signed_text").unwrap_or(if timestamp.is_some() { "{timestamp}.{body}" } else { "{body}" });
    let signed = match whole.split_once("{body}") {
        Some((before, after)) if !after.contains("{body}") && whole.len() <= SIGNED_LIMIT => {
            (before.to_owned(), after.to_owned())
        }
        _ => {
            faults.add("signed_text", "must hold `{body}` once", "write what the sender signs, such as `{body}`");
            Default::default()
        }
    };
    if whole.contains("{timestamp}") != timestamp.is_some() {
        let hint = "a time that is not signed proves nothing, and one that is signed has to come from a header";
        faults.add("signed_text", "must hold `{timestamp}` exactly when `timestamp_header` is set", hint);
    }
    Hmac {
        header,
        algorithm: match text("signature_algorithm") {
            Some("sha1") => Algorithm::Sha1,
            Some("sha512") => Algorithm::Sha512,
            _ => Algorithm::Sha256,
        },
        encoding: if text("signature_encoding") == Some("base64") { Encoding::Base64 } else { Encoding::Hex },
        prefix: text("signature_prefix").unwrap_or_default().to_owned(),
        timestamp,
        signed,
    }
}

fn header_name(field: &str, name: &str, faults: &mut Faults) -> String {
    match reqwest::header::HeaderName::try_from(name) {
        Ok(name) => name.as_str().to_owned(),
        Err(_) => {
            faults.add(field, "is no header name", "use letters, digits and dashes");
            String::new()
        }
    }
}

fn own_path(path: &str, faults: &mut Faults) -> Option<String> {
    let fits = |part: &str| {
        let is_plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        is_plain && !matches!(part, "" | "." | "..")
    };
    let path = path.trim_matches('/');
    let (longest, most) = PATH_LIMIT;
    if path.len() <= longest && path.split('/').count() <= most && path.split('/').all(fits) {
        return Some(path.to_owned());
    }
    let hint = "use letters, digits, `-`, `_` and `.`, with slashes between parts, such as `orders/new`";
    faults.add("path", "cannot be part of a URL as it is", hint);
    None
}

fn expression(source: &str, faults: &mut Faults) -> DeliveryId {
    const KNOWN: [&str; 4] = ["body", "headers", "query", "method"];
    match Expression::compile(source) {
        Err(error) => faults.add("delivery_id", &format!("is no expression: {error}"), "write it without braces"),
        Ok(expression) => match expression.references().roots.keys().find(|root| !KNOWN.contains(&root.as_str())) {
            None => return DeliveryId::Expression(expression),
            Some(root) => {
                let hint = "it knows `body`, `headers`, `query` and `method` of the request";
                faults.add("delivery_id", &format!("reads `{root}`"), hint);
            }
        },
    }
    DeliveryId::Usual
}

fn duration(
    config: &Value,
    field: &str,
    usual: Duration,
    (least, most): (Duration, Duration),
    faults: &mut Faults,
) -> Duration {
    let Some(text) = config.get(field).and_then(Value::as_str) else { return usual };
    match parse_duration(text) {
        Ok(duration) if (least..=most).contains(&duration) => duration,
        Ok(_) => {
            let hint = format!("it may be {} to {} seconds", least.as_secs(), most.as_secs());
            faults.add(field, "is too short or too long", &hint);
            usual
        }
        Err(error) => {
            faults.add(field, &format!("is no duration: {error}"), "write one such as `5m`");
            usual
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(config: Value) -> Vec<String> {
        WebhookSettings::read(&config).unwrap_err().into_iter().map(|fault| fault.path).collect()
    }

    #[test]
    fn without_a_word_the_secret_of_the_url_is_what_counts() {
        let settings = WebhookSettings::read(&json!({})).unwrap();
        assert_eq!(settings.proof, Proof::Url);
        assert_eq!((settings.tolerance, settings.window), (TOLERANCE, WINDOW));
        assert_eq!(settings.answer, AnswerMode::Auto);
        assert!(settings.methods.is_empty() && settings.path.is_none());
    }

    #[test]
    fn a_described_signature_is_read_with_its_parts() {
        let config = json!({
            "verify": "hmac", "signature_header": "X-Sig", "signature_prefix": "v1=", "signature_encoding": "base64",
            "timestamp_header": "X-Time", "signed_text": "t:{timestamp}|{body}|",
        });
        let Proof::Hmac(hmac) = WebhookSettings::read(&config).unwrap().proof else { panic!("another proof") };
        assert_eq!(hmac.header, "x-sig");
        assert_eq!(hmac.timestamp.as_deref(), Some("x-time"));
        assert_eq!(hmac.signed, ("t:{timestamp}|".to_owned(), "|".to_owned()));
        assert_eq!((hmac.algorithm, hmac.encoding), (Algorithm::Sha256, Encoding::Base64));
    }

    #[test]
    fn what_cannot_work_is_told_where_it_stands() {
        assert_eq!(faults(json!({"verify": "hmac"})), ["/signature_header"]);
        assert_eq!(faults(json!({"signature_prefix": "x"})), ["/signature_prefix"]);
        let unsigned =
            json!({"verify": "hmac", "signature_header": "s", "signed_text": "{body}", "timestamp_header": "t"});
        assert_eq!(faults(unsigned), ["/signed_text"]);
        assert_eq!(faults(json!({"verify": "hmac", "signature_header": "s", "signed_text": "x"})), ["/signed_text"]);
        for path in ["a//b", "../x", "a b", "ä", "a?b"] {
            assert_eq!(faults(json!({"verify": "none", "path": path})), ["/path"], "{path}");
        }
        assert_eq!(faults(json!({"path": "mine"})), ["/path"]);
        assert_eq!(faults(json!({"delivery_header": "a", "delivery_id": "body.id"})), ["/delivery_id"]);
        assert_eq!(faults(json!({"delivery_id": "nodes.a.output"})), ["/delivery_id"]);
        assert_eq!(faults(json!({"delivery_id": "body."})), ["/delivery_id"]);
        assert_eq!(faults(json!({"tolerance": "1s"})), ["/tolerance"]);
        assert_eq!(faults(json!({"delivery_window": "often"})), ["/delivery_window"]);
    }

    #[test]
    fn an_own_path_loses_the_slashes_around_it() {
        let settings = WebhookSettings::read(&json!({"verify": "none", "path": "/orders/new/", "methods": ["post"]}));
        let settings = settings.unwrap();
        assert_eq!(settings.path.as_deref(), Some("orders/new"));
        assert_eq!(settings.methods, ["POST"]);
    }
}
