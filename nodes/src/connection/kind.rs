//! The connection types.

use serde_json::{Map, Value, json};

use super::field::{Field, FieldFault, Form, HTTP_FIELDS, Text, present};
use super::{HOSTS, TEST_URL, http, server};

/// A kind of credential.
#[derive(Debug, PartialEq, Eq)]
pub struct ConnectionType {
    /// Its name, such as `http.bearer`.
    pub name: &'static str,
    /// What people call it.
    pub title: Text,
    /// One sentence: what it does.
    pub summary: Text,
    /// Its fields besides `hosts` and `test_url`.
    pub(super) own: &'static [Field],
    /// How it is put to a request.
    pub(super) put: Put,
}

/// Where the credentials go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`
    Basic,
    /// A header of its own.
    Header,
    /// A parameter of the query.
    Query,
    /// Any number of headers.
    Headers,
    /// `Authorization: Bearer …` with a token that is fetched by the credentials.
    Fetched,
    /// The same with a token that a person's consent gives.
    SignedIn,
    /// Not to HTTP requests: it opens a session with a server, or a file.
    Session,
}

pub(super) const fn secret(name: &'static str, form: Form, title: Text, help: Text) -> Field {
    Field { name, secret: true, required: true, form, title, help }
}

pub(super) const fn optional(field: Field) -> Field {
    Field { required: false, ..field }
}

pub(super) const fn plain(name: &'static str, form: Form, title: Text, help: Text) -> Field {
    Field { name, secret: false, required: true, form, title, help }
}

static TYPES: [ConnectionType; 5] = [
    ConnectionType {
        name: "http.basic",
        title: Text { en: "User name and password", de: "Benutzername und Passwort" },
        summary: Text {
            en: "Sends a user name and a password by HTTP basic authentication.",
            de: "Sendet Benutzername und Passwort per HTTP Basic Authentication.",
        },
        own: &[
            plain(
                "username",
                Form::Line,
                Text { en: "User name", de: "Benutzername" },
                Text { en: "Without a colon.", de: "Ohne Doppelpunkt." },
            ),
            secret(
                "password",
                Form::Line,
                Text { en: "Password", de: "Passwort" },
                Text { en: "Sent with each request.", de: "Wird mit jeder Anfrage gesendet." },
            ),
        ],
        put: Put::Basic,
    },
    ConnectionType {
        name: "http.bearer",
        title: Text { en: "Bearer token", de: "Bearer-Token" },
        summary: Text {
            en: "Sends a token as `Authorization: Bearer …`.",
            de: "Sendet ein Token als `Authorization: Bearer …`.",
        },
        own: &[secret(
            "token",
            Form::Line,
            Text { en: "Token", de: "Token" },
            Text { en: "Without the word `Bearer`.", de: "Ohne das Wort `Bearer`." },
        )],
        put: Put::Bearer,
    },
    ConnectionType {
        name: "http.custom",
        title: Text { en: "Several headers", de: "Mehrere Header" },
        summary: Text {
            en: "Sends several headers, such as an application's id and its key.",
            de: "Sendet mehrere Header, etwa die Kennung einer Anwendung und ihren Schlüssel.",
        },
        own: &[secret(
            "headers",
            Form::HeaderLines,
            Text { en: "Headers", de: "Header" },
            Text { en: "One `Name: value` a line.", de: "Ein `Name: Wert` pro Zeile." },
        )],
        put: Put::Headers,
    },
    ConnectionType {
        name: "http.header",
        title: Text { en: "Header", de: "Header" },
        summary: Text {
            en: "Sends a key in a header of your choice, such as `X-Api-Key`.",
            de: "Sendet einen Schlüssel in einem frei gewählten Header, etwa `X-Api-Key`.",
        },
        own: &[
            plain(
                "name",
                Form::HeaderName,
                Text { en: "Header", de: "Header" },
                Text { en: "Its name, such as `X-Api-Key`.", de: "Sein Name, etwa `X-Api-Key`." },
            ),
            secret(
                "value",
                Form::Line,
                Text { en: "Value", de: "Wert" },
                Text {
                    en: "The whole value, a word such as `Token` included.",
                    de: "Der ganze Wert, samt einem Wort wie `Token`.",
                },
            ),
        ],
        put: Put::Header,
    },
    ConnectionType {
        name: "http.query",
        title: Text { en: "Query parameter", de: "Query-Parameter" },
        summary: Text {
            en: "Sends a key in the URL's query. Use a header where the service takes one: URLs end up in logs.",
            de: "Sendet einen Schlüssel in der Query der URL. Wo der Dienst einen Header annimmt, ist der besser: URLs \
                 landen in Logs.",
        },
        own: &[
            plain(
                "name",
                Form::Line,
                Text { en: "Parameter", de: "Parameter" },
                Text { en: "Its name, such as `api_key`.", de: "Sein Name, etwa `api_key`." },
            ),
            secret(
                "value",
                Form::Line,
                Text { en: "Value", de: "Wert" },
                Text { en: "Put after the parameters of the URL.", de: "Wird an die Parameter der URL angehängt." },
            ),
        ],
        put: Put::Query,
    },
];

/// Every connection type, by name.
pub fn connection_types() -> impl Iterator<Item = &'static ConnectionType> {
    TYPES.iter().chain(&server::TYPES)
}

/// The type of this name.
pub fn connection_type(name: &str) -> Option<&'static ConnectionType> {
    connection_types().find(|kind| kind.name == name)
}

impl ConnectionType {
    /// Whether a person has to sign in before a connection of it can be used.
    pub fn is_signed_in_by_people(&self) -> bool {
        self.put == Put::SignedIn
    }

    /// Its fields.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let shared: &[Field] = if self.put == Put::Session { &[] } else { &HTTP_FIELDS };
        self.own.iter().chain(shared)
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields().find(|field| field.name == name)
    }

    /// JSON Schema (2020-12) of its fields, secret ones marked `x-secret`, with words in this language.
    pub fn schema(&self, locale: &str) -> Value {
        // An object's keys have no order of their own, and forms show fields as they stand here.
        let ordered = |(place, field): (usize, &Field)| {
            let mut schema = field.schema(locale);
            if let Some(schema) = schema.as_object_mut() {
                schema.insert("x-order".to_owned(), Value::from(place + 1));
            }
            (field.name.to_owned(), schema)
        };
        let properties: Map<String, Value> = self.fields().enumerate().map(ordered).collect();
        let required: Vec<&str> = self.fields().filter(|field| field.required).map(|field| field.name).collect();
        json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
    }

    /// The plain fields as they are kept: nulls left out, everything that is there fitting.
    ///
    /// # Errors
    /// The first field that is not one, is a secret, does not fit, or is missing.
    pub fn plain_fields(&self, fields: Map<String, Value>) -> Result<Map<String, Value>, FieldFault> {
        let fields = present(fields);
        for (name, value) in &fields {
            match self.field(name) {
                None => return Err(self.unknown(name)),
                Some(field) if field.secret => {
                    return Err(FieldFault::new(
                        name,
                        "is a secret; give it among the secrets, never among the fields",
                    ));
                }
                Some(field) => field.check_plain(value)?,
            }
        }
        let missing = self.fields().find(|field| field.required && !field.secret && !fields.contains_key(field.name));
        if let Some(field) = missing {
            return Err(FieldFault::new(field.name, "is missing"));
        }
        if let Some(username) = fields.get("username").and_then(Value::as_str)
            && self.put == Put::Basic
            && username.contains(':')
        {
            return Err(FieldFault::new("username", "must not hold a colon: what follows it would be the password"));
        }
        http::may_test(fields.get(HOSTS), fields.get(TEST_URL))?;
        Ok(fields)
    }

    /// Whether this may be the value of a secret field.
    ///
    /// # Errors
    /// When there is no such secret field, or the value does not fit.
    pub fn check_secret(&self, name: &str, text: &str) -> Result<(), FieldFault> {
        match self.field(name) {
            None => Err(self.unknown(name)),
            Some(field) if !field.secret => {
                Err(FieldFault::new(name, "is no secret; give it among the fields, where it can be read again"))
            }
            Some(field) => field.check_secret(text),
        }
    }

    /// The secret fields that a connection of this type cannot do without.
    pub fn needed_secrets(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.fields().filter(|field| field.secret && field.required).map(|field| field.name)
    }

    fn unknown(&self, name: &str) -> FieldFault {
        let known: Vec<&str> = self.fields().map(|field| field.name).collect();
        FieldFault::new(name, format!("is not a field of `{}`; it has {}", self.name, known.join(", ")))
    }
}
