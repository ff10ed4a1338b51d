//! The fields of a connection type: what they are called, what fits into them, and their JSON Schema.

use serde_json::{Map, Value, json};

use super::{HOSTS, TEST_URL, http};
use crate::outgoing::AllowedHost;

/// Fewest characters of a secret. A shorter one could not be kept out of answers without spoiling them.
pub const LEAST_SECRET: usize = 4;
/// Most bytes of a secret.
pub const MOST_SECRET: usize = 16 * 1024;
/// Most bytes of a plain text.
const MOST_PLAIN: usize = 2_000;
/// Most entries of a list.
const MOST_ENTRIES: usize = 50;

/// A text in each language that the product speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// English, also for languages that are not there.
    pub en: &'static str,
    /// German.
    pub de: &'static str,
}

impl Text {
    /// The text in the language of a tag such as `de` or `de-CH`.
    pub fn in_language(self, locale: &str) -> &'static str {
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("de") { self.de } else { self.en }
    }
}

/// What fits into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One line.
    Line,
    /// The name of a header that does not go along to other origins.
    HeaderName,
    /// Lines of `Name: value`.
    HeaderLines,
    /// A list of hosts.
    Hosts,
    /// An address to call.
    Url,
    /// A host without a port.
    Host,
    /// The number of a port.
    Port,
    /// One of these words, the first when absent.
    Word(&'static [&'static str]),
    /// Certificates in PEM.
    Pem,
    /// A file below the folder that the operator opens.
    File,
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// Whether it is encrypted and never answered.
    pub secret: bool,
    /// Whether a connection cannot do without.
    pub required: bool,
    /// What fits.
    pub form: Form,
    /// What people call it.
    pub title: Text,
    /// What it is for.
    pub help: Text,
}

/// What is wrong with a field. It never repeats a value: that may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The field.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl FieldFault {
    pub(super) fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.chars().take(80).collect(), message: message.into() }
    }
}

/// The fields that every HTTP type has.
pub(super) const HTTP_FIELDS: [Field; 2] = [
    Field {
        name: HOSTS,
        secret: false,
        required: false,
        form: Form::Hosts,
        title: Text { en: "Hosts", de: "Hosts" },
        help: Text {
            en: "Where the credentials may be sent, such as `api.example.com` or `*.example.com`; anywhere when empty.",
            de: "Wohin die Zugangsdaten gesendet werden dürfen, etwa `api.example.com` oder `*.example.com`; \
                 leer heißt überallhin.",
        },
    },
    Field {
        name: TEST_URL,
        secret: false,
        required: false,
        form: Form::Url,
        title: Text { en: "Test URL", de: "Test-URL" },
        help: Text {
            en: "An address that answers 2xx to a GET with these credentials; what the connection is tested by.",
            de: "Eine Adresse, die auf ein GET mit diesen Zugangsdaten mit 2xx antwortet; damit wird geprüft.",
        },
    },
];

impl Field {
    /// Its JSON Schema, with words in this language.
    pub(super) fn schema(&self, locale: &str) -> Value {
        let mut schema = match self.form {
            Form::Line | Form::HeaderName => json!({ "type": "string" }),
            Form::HeaderLines => json!({ "type": "string", "x-multiline": true }),
            Form::Hosts => json!({ "type": "array", "items": { "type": "string" }, "maxItems": MOST_ENTRIES }),
            Form::Url => json!({ "type": "string", "format": "uri" }),
            Form::Host | Form::File => json!({ "type": "string" }),
            Form::Port => json!({ "type": "string", "pattern": "^[0-9]{1,5}$" }),
            Form::Word(words) => json!({ "type": "string", "enum": words, "default": words.first() }),
            Form::Pem => json!({ "type": "string", "x-multiline": true }),
        };
        let mut put = |key: &str, value: Value| {
            if let Some(schema) = schema.as_object_mut() {
                schema.insert(key.to_owned(), value);
            }
        };
        put("title", Value::from(self.title.in_language(locale)));
        put("description", Value::from(self.help.in_language(locale)));
        if self.secret {
            put("x-secret", Value::from(true));
            put("writeOnly", Value::from(true));
            put("minLength", Value::from(LEAST_SECRET));
        }
        schema
    }

    /// Whether a value fits, null counting as absent.
    pub(super) fn check_plain(&self, value: &Value) -> Result<(), FieldFault> {
        let fault = |message: String| FieldFault::new(self.name, message);
        if self.form == Form::Hosts {
            let hosts = value.as_array().filter(|hosts| hosts.len() <= MOST_ENTRIES);
            let hosts = hosts.ok_or_else(|| fault(format!("must be a list of at most {MOST_ENTRIES} hosts")))?;
            for host in hosts {
                let host = host.as_str().ok_or_else(|| fault("must be a list of texts".to_owned()))?;
                host.parse::<AllowedHost>().map_err(|error| fault(error.to_string()))?;
            }
            return Ok(());
        }
        let text = value.as_str().ok_or_else(|| fault("must be a text".to_owned()))?;
        if self.form == Form::Pem {
            let fits = text.len() <= MOST_SECRET && text.trim_start().starts_with("-----BEGIN CERTIFICATE-----");
            let wrong =
                format!("must be certificates in PEM, `-----BEGIN CERTIFICATE-----`, of up to {MOST_SECRET} bytes");
            return if fits { Ok(()) } else { Err(fault(wrong)) };
        }
        if text.is_empty() || text.len() > MOST_PLAIN || text.chars().any(char::is_control) {
            return Err(fault(format!("must be one line of 1 to {MOST_PLAIN} bytes")));
        }
        match self.form {
            Form::HeaderName => http::own_header(text).map(drop).map_err(|why| fault(why.to_owned())),
            Form::Url => http::test_url(text).map(drop).map_err(|why| fault(why.to_owned())),
            Form::Host if text.contains(['/', '@', '?', '#', '\\', ' ']) => {
                Err(fault("must be a name or an address such as `db.example.com`, without a port".to_owned()))
            }
            Form::Port if !text.parse::<u16>().is_ok_and(|port| port > 0) => {
                Err(fault("must be a number from 1 to 65535".to_owned()))
            }
            Form::Word(words) if !words.contains(&text) => Err(fault(format!("must be one of {}", words.join(", ")))),
            Form::File if text.starts_with('/') || text.split('/').any(|part| matches!(part, "" | "." | "..")) => {
                Err(fault("must be a path below the folder for databases, such as `shop.db`".to_owned()))
            }
            Form::Line
            | Form::HeaderLines
            | Form::Hosts
            | Form::Host
            | Form::Port
            | Form::Word(_)
            | Form::Pem
            | Form::File => Ok(()),
        }
    }

    /// Whether a secret fits.
    pub(super) fn check_secret(&self, text: &str) -> Result<(), FieldFault> {
        let fault = |message: String| FieldFault::new(self.name, message);
        if text.chars().count() < LEAST_SECRET || text.len() > MOST_SECRET {
            return Err(fault(format!("must have {LEAST_SECRET} characters to {MOST_SECRET} bytes")));
        }
        match self.form {
            Form::HeaderLines => http::header_lines(text).map(drop).map_err(|why| fault(why.to_owned())),
            _ if text.chars().any(char::is_control) => Err(fault("must be one line without control characters".into())),
            _ => Ok(()),
        }
    }
}

/// The texts of a list.
pub(super) fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Fields with their nulls left out.
pub(super) fn present(fields: Map<String, Value>) -> Map<String, Value> {
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}
