//! The connection types of servers that are not called by HTTP alone.

use engine::error::ErrorInfo;

use super::Connection;
use super::field::{Field, Form, Text};
use super::kind::{ConnectionType, Put, optional, plain, secret};

/// How a session is encrypted. There is no way in between: a certificate that nobody checks protects from nobody.
pub(super) const TLS: &[&str] = &["verify", "off"];
/// The same for mail, which has two ways to begin.
pub(super) const MAIL_SECURITY: &[&str] = &["starttls", "tls", "none"];

const HOST: Field = plain(
    "host",
    Form::Host,
    Text { en: "Host", de: "Host" },
    Text {
        en: "A name or an address, such as `db.example.com`.",
        de: "Ein Name oder eine Adresse, etwa `db.example.com`.",
    },
);

const fn port(help: Text) -> Field {
    optional(plain("port", Form::Port, Text { en: "Port", de: "Port" }, help))
}

const TLS_FIELD: Field = optional(plain(
    "tls",
    Form::Word(TLS),
    Text { en: "Encryption", de: "Verschlüsselung" },
    Text {
        en: "`verify` encrypts and checks the certificate; `off` sends everything in the open, the password too.",
        de: "`verify` verschlüsselt und prüft das Zertifikat; `off` sendet alles offen, auch das Passwort.",
    },
));

const CA: Field = optional(plain(
    "ca",
    Form::Pem,
    Text { en: "Certificate authority", de: "Zertifizierungsstelle" },
    Text {
        en: "Certificates in PEM that the server's may be signed by, besides the public ones.",
        de: "Zertifikate in PEM, von denen das des Servers stammen darf, neben den öffentlichen.",
    },
));

const USERNAME: Field = plain(
    "username",
    Form::Line,
    Text { en: "User name", de: "Benutzername" },
    Text { en: "Who signs in.", de: "Wer sich anmeldet." },
);

const PASSWORD: Field = optional(secret(
    "password",
    Form::Line,
    Text { en: "Password", de: "Passwort" },
    Text { en: "What they sign in with.", de: "Womit die Anmeldung geschieht." },
));

const DATABASE: Field = plain(
    "database",
    Form::Line,
    Text { en: "Database", de: "Datenbank" },
    Text { en: "Its name on the server.", de: "Ihr Name auf dem Server." },
);

const TOKEN_URL: Field = plain(
    "token_url",
    Form::Url,
    Text { en: "Token URL", de: "Token-URL" },
    Text { en: "Where tokens are given out.", de: "Wo es Token gibt." },
);

const AUDIENCE: Field = optional(plain(
    "audience",
    Form::Line,
    Text { en: "Audience", de: "Audience" },
    Text {
        en: "Whom the token is for, where the service asks for it.",
        de: "Für wen das Token ist, wo der Dienst das verlangt.",
    },
));

const CLIENT_AUTH: Field = optional(plain(
    "client_auth",
    Form::Word(&["basic", "body"]),
    Text { en: "Client authentication", de: "Anmeldung des Clients" },
    Text {
        en: "Whether id and secret go in a header or in the body.",
        de: "Ob Id und Secret in einem Header oder im Inhalt stehen.",
    },
));

pub(super) static TYPES: [ConnectionType; 8] = [
    ConnectionType {
        name: "mysql",
        title: Text { en: "MySQL or MariaDB", de: "MySQL oder MariaDB" },
        summary: Text {
            en: "Opens a database of MySQL or MariaDB.",
            de: "Öffnet eine Datenbank von MySQL oder MariaDB.",
        },
        own: &[
            HOST,
            port(Text { en: "3306 when empty.", de: "Leer heißt 3306." }),
            DATABASE,
            USERNAME,
            PASSWORD,
            TLS_FIELD,
            CA,
        ],
        put: Put::Session,
    },
    ConnectionType {
        name: "oauth2",
        title: Text { en: "OAuth 2.0", de: "OAuth 2.0" },
        summary: Text {
            en: "Fetches a token by client credentials and sends it as `Authorization: Bearer …`.",
            de: "Holt ein Token per Client Credentials und sendet es als `Authorization: Bearer …`.",
        },
        own: &[
            TOKEN_URL,
            plain(
                "client_id",
                Form::Line,
                Text { en: "Client id", de: "Client-Id" },
                Text { en: "Who asks for a token.", de: "Wer nach einem Token fragt." },
            ),
            secret(
                "client_secret",
                Form::Line,
                Text { en: "Client secret", de: "Client-Secret" },
                Text { en: "Sent to the token URL only.", de: "Wird nur an die Token-URL gesendet." },
            ),
            optional(plain(
                "scope",
                Form::Line,
                Text { en: "Scope", de: "Scope" },
                Text {
                    en: "What the token is for, words with spaces between.",
                    de: "Wofür das Token ist, Wörter mit Leerzeichen.",
                },
            )),
            AUDIENCE,
            CLIENT_AUTH,
        ],
        put: Put::Fetched,
    },
    ConnectionType {
        name: "oauth2.code",
        title: Text { en: "OAuth 2.0 with sign-in", de: "OAuth 2.0 mit Anmeldung" },
        summary: Text {
            en: "A person signs in to the service and lets FlowForge act for them (authorization code with PKCE).",
            de: "Eine Person meldet sich beim Dienst an und lässt FlowForge für sich handeln (Authorization Code mit PKCE).",
        },
        own: &[
            plain(
                "authorize_url",
                Form::Url,
                Text { en: "Authorization URL", de: "Anmelde-URL" },
                Text {
                    en: "Where people are asked; with more parameters in its query where the service wants them.",
                    de: "Wo gefragt wird; mit weiteren Parametern in der Query, wo der Dienst sie verlangt.",
                },
            ),
            TOKEN_URL,
            plain(
                "client_id",
                Form::Line,
                Text { en: "Client id", de: "Client-Id" },
                Text { en: "As the service knows FlowForge.", de: "Wie der Dienst FlowForge kennt." },
            ),
            optional(secret(
                "client_secret",
                Form::Line,
                Text { en: "Client secret", de: "Client-Secret" },
                Text {
                    en: "Sent to the token URL only; none for public clients.",
                    de: "Wird nur an die Token-URL gesendet; öffentliche Clients haben keines.",
                },
            )),
            optional(plain(
                "scope",
                Form::Line,
                Text { en: "Scope", de: "Scope" },
                Text {
                    en: "What FlowForge may do, words with spaces between. Many services want `offline_access` to let it last.",
                    de: "Was FlowForge darf, Wörter mit Leerzeichen. Viele Dienste verlangen `offline_access`, damit es hält.",
                },
            )),
            AUDIENCE,
            CLIENT_AUTH,
            optional(secret(
                "refresh_token",
                Form::Line,
                Text { en: "Refresh token", de: "Refresh-Token" },
                Text { en: "Set by signing in.", de: "Wird durch die Anmeldung gesetzt." },
            )),
            optional(secret(
                "access_token",
                Form::Line,
                Text { en: "Access token", de: "Access-Token" },
                Text {
                    en: "Set by signing in, for services that give no refresh token.",
                    de: "Wird durch die Anmeldung gesetzt, bei Diensten ohne Refresh-Token.",
                },
            )),
        ],
        put: Put::SignedIn,
    },
    ConnectionType {
        name: "postgres",
        title: Text { en: "PostgreSQL", de: "PostgreSQL" },
        summary: Text { en: "Opens a database of PostgreSQL.", de: "Öffnet eine Datenbank von PostgreSQL." },
        own: &[
            HOST,
            port(Text { en: "5432 when empty.", de: "Leer heißt 5432." }),
            DATABASE,
            USERNAME,
            PASSWORD,
            TLS_FIELD,
            CA,
        ],
        put: Put::Session,
    },
    ConnectionType {
        name: "redis",
        title: Text { en: "Redis", de: "Redis" },
        summary: Text { en: "Speaks to a Redis or Valkey server.", de: "Spricht mit einem Redis- oder Valkey-Server." },
        own: &[
            HOST,
            port(Text { en: "6379 when empty.", de: "Leer heißt 6379." }),
            optional(plain(
                "database",
                Form::Line,
                Text { en: "Database", de: "Datenbank" },
                Text { en: "Its number; 0 when empty.", de: "Ihre Nummer; leer heißt 0." },
            )),
            optional(USERNAME),
            PASSWORD,
            TLS_FIELD,
            CA,
        ],
        put: Put::Session,
    },
    ConnectionType {
        name: "smtp",
        title: Text { en: "Mail server (SMTP)", de: "Mailserver (SMTP)" },
        summary: Text { en: "Hands mail to a server by SMTP.", de: "Übergibt Mail per SMTP an einen Server." },
        own: &[
            HOST,
            port(Text {
                en: "When empty: 587 with `starttls`, 465 with `tls`, 25 with `none`.",
                de: "Leer heißt 587 bei `starttls`, 465 bei `tls`, 25 bei `none`.",
            }),
            optional(plain(
                "security",
                Form::Word(MAIL_SECURITY),
                Text { en: "Encryption", de: "Verschlüsselung" },
                Text {
                    en: "`starttls` and `tls` check the certificate; `none` sends everything in the open.",
                    de: "`starttls` und `tls` prüfen das Zertifikat; `none` sendet alles offen.",
                },
            )),
            optional(USERNAME),
            PASSWORD,
            optional(plain(
                "from",
                Form::Line,
                Text { en: "Sender", de: "Absender" },
                Text {
                    en: "The sender of mails that name none, such as `Shop <shop@example.com>`.",
                    de: "Der Absender von Mails, die keinen nennen, etwa `Shop <shop@example.com>`.",
                },
            )),
            CA,
        ],
        put: Put::Session,
    },
    ConnectionType {
        name: "sqlite",
        title: Text { en: "SQLite file", de: "SQLite-Datei" },
        summary: Text {
            en: "Opens a SQLite file below the folder that the operator allows.",
            de: "Öffnet eine SQLite-Datei unter dem Ordner, den der Betreiber erlaubt.",
        },
        own: &[plain(
            "file",
            Form::File,
            Text { en: "File", de: "Datei" },
            Text {
                en: "Its path below that folder, such as `shop.db`.",
                de: "Ihr Pfad unter dem Ordner, etwa `shop.db`.",
            },
        )],
        put: Put::Session,
    },
    ConnectionType {
        name: "webhook.signing",
        title: Text { en: "Signing secret of a webhook", de: "Signaturschlüssel eines Webhooks" },
        summary: Text {
            en: "The secret that a sender signs its deliveries with.",
            de: "Das Geheimnis, mit dem ein Absender seine Zustellungen signiert.",
        },
        own: &[
            secret(
                "secret",
                Form::Line,
                Text { en: "Secret", de: "Geheimnis" },
                Text {
                    en: "As the sender shows it, such as `whsec_…`.",
                    de: "So, wie der Absender es zeigt, etwa `whsec_…`.",
                },
            ),
            optional(secret(
                "previous",
                Form::Line,
                Text { en: "Previous secret", de: "Bisheriges Geheimnis" },
                Text {
                    en: "Also accepted, while the sender changes over to the new one.",
                    de: "Gilt auch noch, während der Absender zum neuen wechselt.",
                },
            )),
        ],
        put: Put::Session,
    },
];

/// Where a session goes and who opens it.
pub(crate) struct Server<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) username: Option<&'a str>,
    pub(crate) password: Option<&'a str>,
    pub(crate) database: Option<&'a str>,
    /// Whether the session is encrypted and the server's certificate checked.
    pub(crate) is_encrypted: bool,
    pub(crate) ca: Option<&'a str>,
}

impl Connection {
    /// Where a session by this connection goes.
    pub(crate) fn server(&self, usual_port: u16) -> Result<Server<'_>, ErrorInfo> {
        Ok(Server {
            host: self.needed("host")?,
            port: self.plain("port").and_then(|port| port.parse().ok()).unwrap_or(usual_port),
            username: self.plain("username"),
            password: self.secret("password").map(super::SecretText::expose),
            database: self.plain("database"),
            is_encrypted: self.plain("tls") != Some("off"),
            ca: self.plain("ca"),
        })
    }
}
