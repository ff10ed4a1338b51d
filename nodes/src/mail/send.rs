//! `mail.send`: sends a mail.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::port::PortType;
use engine::time::Timestamp;
use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MessageBuilder, MultiPart, SinglePart};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::config::{Config, invalid, missing};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Sends a mail.
pub(crate) struct Send;

/// How long handing over may take when the config does not say.
const USUAL_TIMEOUT: Duration = Duration::from_secs(60);
/// Most recipients of all kinds.
const MOST_RECIPIENTS: usize = 100;
/// Most attachments.
const MOST_ATTACHMENTS: usize = 50;
/// Most bytes of a whole message.
const MOST_BYTES: usize = 25 * 1024 * 1024;

const DOCS: &str = "\
Hands a mail to the mail server that `connection` names. The output is `{message_id, recipients, answer}`.

```yaml
type: mail.send@1
connection: mailer
config:
  to: ['{{ input.customer.email }}', 'Sales <sales@example.com>']
  subject: 'Order {{ input.id }} has left'
  text: 'Hello {{ input.customer.name }}, your order is on its way.'
  html: '<p>Your order is <b>on its way</b>.</p>'
  attachments:
    - { name: invoice.pdf, media_type: application/pdf, content: '{{ input.invoice }}' }
```

Addresses are `name@example.com` or `Name <name@example.com>`, one as a text or several as a list; null is left out. With
both `text` and `html` the reader's program chooses. The content of an attachment is base64. Without `from` the sender is
that of the connection. A mail has at most 100 recipients and 25 MiB; all recipients are taken or none.

**Once.** A mail is handed over at most once: when the connection breaks before the server has said that it took the
message, nobody knows, the error is `MAIL_UNCERTAIN`, and it is not sent again unless `on_uncertain` says so. Every attempt
has the same `Message-ID`, by which many programs show a mail once even if it came twice.

**Errors.** Trying again may help: `MAIL_CONNECT` and `MAIL_DEFERRED` (the server has no message). Final:
`MAIL_HOST_DENIED`, `MAIL_TLS`, `MAIL_SIGN_IN`, `MAIL_REFUSED`, `MAIL_ADDRESS_INVALID`, `MAIL_TOO_LARGE`.

**Where it may go.** As `http.request`, with the ports 25, 465 and 587 besides.";

#[async_trait]
impl NodeType for Send {
    fn descriptor(&self) -> NodeDescriptor {
        let sent = PortType::closed([
            ("message_id", PortType::String),
            ("recipients", PortType::Integer),
            ("answer", PortType::String),
        ]);
        NodeDescriptor {
            title: "Send mail",
            summary: "Sends a mail by SMTP.",
            docs: DOCS,
            icon: "mail",
            translations: &[crate::german::server::MAIL],
            aliases: &["email", "e-mail", "smtp", "notify", "message", "attachment"],
            config_schema: config_schema(),
            outputs: vec![Port::one(OUT, sent)],
            for_each: true,
            auth: &["smtp"],
            ..NodeDescriptor::new("mail.send", 1, NodeCategory::Integration)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Effectful
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let timeout = config.duration("timeout")?.unwrap_or(USUAL_TIMEOUT).min(attempt.timeout);
        let deadline = Instant::now() + timeout;
        let connection = context.connection().ok_or_else(|| {
            ErrorInfo::permanent("CONNECTION_UNKNOWN", "the node names no connection; say which server in `connection`")
        })?;
        let id = message_id(&attempt.idempotency_key);
        let message = message(&config, connection.plain("from"), &id, context.now())?;
        let bytes = message.formatted();
        if bytes.len() > MOST_BYTES {
            let message = format!("the mail has {} bytes; at most {MOST_BYTES} are sent", bytes.len());
            return Err(ErrorInfo::permanent("MAIL_TOO_LARGE", message));
        }
        let envelope = message.envelope();
        let answer = super::hand_over(connection, context.outgoing(), envelope, &bytes, deadline).await?;
        let recipients = envelope.to().len();
        Ok(done(json!({ "message_id": id, "recipients": recipients, "answer": super::shown(&answer) })))
    }
}

/// Puts an address into a mail.
type Put = fn(MessageBuilder, Mailbox) -> MessageBuilder;

/// The same for every attempt. It says nothing of the key itself.
fn message_id(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let word: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("<{word}@flowforge.invalid>")
}

fn message(config: &Config<'_>, usual_sender: Option<&str>, id: &str, now: Timestamp) -> Result<Message, ErrorInfo> {
    let sender = match config.text("from")?.or(usual_sender) {
        Some(text) => mailbox("from", text)?,
        None => return Err(missing("from", "a sender, here or in the connection")),
    };
    let mut builder = Message::builder().from(sender).message_id(Some(id.to_owned()));
    builder = builder.date(SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(now.0).unwrap_or_default()));
    let mut count = 0;
    let kinds: [(&str, Put); 4] = [
        ("to", MessageBuilder::to),
        ("cc", MessageBuilder::cc),
        ("bcc", MessageBuilder::bcc),
        ("reply_to", MessageBuilder::reply_to),
    ];
    for (field, put) in kinds {
        for mailbox in mailboxes(config, field)? {
            count += usize::from(field != "reply_to");
            builder = put(builder, mailbox);
        }
    }
    if count == 0 || count > MOST_RECIPIENTS {
        let message = format!("the mail has {count} recipients; it takes 1 to {MOST_RECIPIENTS}");
        return Err(ErrorInfo::permanent("MAIL_ADDRESS_INVALID", message));
    }
    let subject = config.text("subject")?.unwrap_or_default();
    if subject.chars().any(char::is_control) {
        return Err(invalid("subject", &Value::from(subject), "one line without control characters"));
    }
    let builder = builder.subject(subject);
    let attachments = attachments(config)?;
    let text = config.text("text")?.map(|text| SinglePart::plain(text.to_owned()));
    let html = config.text("html")?.map(|html| SinglePart::html(html.to_owned()));
    let built = match (text, html, attachments.is_empty()) {
        (None, None, true) => return Err(missing("text", "a text, or config.html, or attachments")),
        (Some(text), None, true) => builder.singlepart(text),
        (None, Some(html), true) => builder.singlepart(html),
        (Some(text), Some(html), true) => builder.multipart(MultiPart::alternative().singlepart(text).singlepart(html)),
        (text, html, false) => {
            let mixed = match (text, html) {
                (Some(text), Some(html)) => {
                    MultiPart::mixed().multipart(MultiPart::alternative().singlepart(text).singlepart(html))
                }
                (Some(part), None) | (None, Some(part)) => MultiPart::mixed().singlepart(part),
                (None, None) => MultiPart::mixed().singlepart(SinglePart::plain(String::new())),
            };
            builder.multipart(attachments.into_iter().fold(mixed, MultiPart::singlepart))
        }
    };
    built.map_err(|error| ErrorInfo::permanent("CONFIG_INVALID", format!("the mail cannot be made: {error}")))
}

/// The addresses in a field: a text, or a list of texts. Texts without anything in them are left out.
fn mailboxes(config: &Config<'_>, field: &str) -> Result<Vec<Mailbox>, ErrorInfo> {
    let texts: Vec<(String, &Value)> = match config.value(field) {
        None => Vec::new(),
        Some(Value::Array(items)) => {
            let present = items.iter().enumerate().filter(|(_, item)| !item.is_null());
            present.map(|(index, item)| (format!("{field}[{index}]"), item)).collect()
        }
        Some(one) => vec![(field.to_owned(), one)],
    };
    let read = texts.into_iter().map(|(path, value)| {
        mailbox(&path, value.as_str().ok_or_else(|| invalid(&path, value, "an address, or a list of addresses"))?)
    });
    read.collect()
}

/// The address is not repeated: it belongs to a person.
fn mailbox(path: &str, text: &str) -> Result<Mailbox, ErrorInfo> {
    let wrong = || {
        let message = format!("config.{path} is no address; write `name@example.com` or `Name <name@example.com>`");
        ErrorInfo::permanent("MAIL_ADDRESS_INVALID", message)
    };
    if text.chars().any(char::is_control) || text.len() > 500 {
        return Err(wrong());
    }
    text.trim().parse().map_err(|_| wrong())
}

fn attachments(config: &Config<'_>) -> Result<Vec<SinglePart>, ErrorInfo> {
    let list = config.list("attachments")?.unwrap_or_default();
    if list.len() > MOST_ATTACHMENTS {
        let message = format!("config.attachments has {} entries; at most {MOST_ATTACHMENTS} are taken", list.len());
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    }
    let read = list.iter().enumerate().map(|(index, entry)| {
        let path = format!("attachments[{index}]");
        let fields = entry.as_object().ok_or_else(|| invalid(&path, entry, "an object"))?;
        let text = |name: &str| {
            let path = format!("{path}.{name}");
            match fields.get(name).filter(|value| !value.is_null()) {
                Some(value) => value.as_str().ok_or_else(|| invalid(&path, value, "a text")),
                None => Err(missing(&path, "a text")),
            }
        };
        let name = text("name")?;
        if name.is_empty() || name.len() > 255 || name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\')) {
            return Err(invalid(&format!("{path}.name"), &Value::from(name), "a file name without folders"));
        }
        let wrong_type = |value: &Value| invalid(&format!("{path}.media_type"), value, "a type such as `text/csv`");
        let media_type = match fields.get("media_type").filter(|value| !value.is_null()) {
            None => ContentType::parse("application/octet-stream").map_err(|_| wrong_type(&Value::Null))?,
            Some(value) => {
                let read = value.as_str().filter(|text| text.is_ascii() && !text.contains(['\r', '\n']));
                read.and_then(|text| ContentType::parse(text).ok()).ok_or_else(|| wrong_type(value))?
            }
        };
        let content = text("content")?;
        let content = STANDARD
            .decode(content)
            .map_err(|_| invalid(&format!("{path}.content"), &Value::from(content), "base64"))?;
        Ok(Attachment::new(name.to_owned()).body(content, media_type))
    });
    read.collect()
}

fn config_schema() -> Value {
    let addresses = |order: u32, title: &str, description: &str| {
        json!({
            "x-order": order,
            "title": title,
            "description": description,
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": ["string", "null"] }, "maxItems": MOST_RECIPIENTS },
            ],
        })
    };
    let text = |order: u32, title: &str, description: &str, widget: &str| {
        let (title, description) = (json!(title), json!(description));
        json!({ "x-order": order, "x-widget": widget, "title": title, "description": description, "type": "string" })
    };
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "to": addresses(1, "To", "Who gets it: an address, or a list of addresses."),
            "subject": text(2, "Subject", "One line.", "text"),
            "text": text(3, "Text", "The mail as plain text.", "textarea"),
            "html": text(4, "HTML", "The mail as HTML. Escape what comes from others.", "textarea"),
            "attachments": {
                "x-order": 5,
                "title": "Attachments",
                "description": "Files that go along.",
                "type": "array",
                "maxItems": MOST_ATTACHMENTS,
                "items": {
                    "title": "Attachment",
                    "description": "A file.",
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["name", "content"],
                    "properties": {
                        "name": text(1, "Name", "Its name, without folders.", "text"),
                        "media_type": text(2, "Media type", "Such as `text/csv`; bytes when absent.", "text"),
                        "content": text(3, "Content", "Its bytes in base64.", "expression"),
                    },
                },
            },
            "cc": addresses(6, "Cc", "Who gets a copy that all see."),
            "bcc": addresses(7, "Bcc", "Who gets a copy that nobody sees."),
            "from": text(8, "From", "The sender; that of the connection when absent.", "text"),
            "reply_to": addresses(9, "Reply to", "Where answers go."),
            "timeout": {
                "x-order": 10,
                "x-widget": "duration",
                "title": "Timeout",
                "description": "How long handing over may take, such as `30s`; at most as long as the attempt.",
                "type": "string",
                "pattern": "^\\s*([0-9]+(ms|s|m|h|d))+\\s*$",
                "default": "1m",
            },
        },
    })
}

#[cfg(test)]
mod tests;
