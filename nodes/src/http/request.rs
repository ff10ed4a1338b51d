//! `http.request`: calls a service.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Value, json};

use self::answer::Expected;
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

pub(super) mod answer;
pub(super) mod call;

/// Calls a service over HTTP.
pub(crate) struct Request;

const METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

const DOCS: &str = "\
Calls a service over HTTP or HTTPS. The output is `{status, headers, body}`; header names are in lower case, several
headers of one name are joined by a comma.

```yaml
type: http.request@1
config:
  method: POST
  url: 'https://api.example.com/orders/{{ input.id }}/payments'
  headers:
    Accept: application/json
  query:
    expand: [customer, lines]
  body:
    amount: '{{ input.total }}'
  timeout: 10s
  idempotency_header: Idempotency-Key
```

**Repeats.** GET, HEAD, OPTIONS, PUT and DELETE may be repeated. POST, PATCH and a method given by an expression may
not, unless `idempotency_header` names a header by which the service recognizes a repeat. Every call that can change
something carries the same key in each attempt, as `Idempotency-Key` or under your name.

**Errors.** Trying again may help: `HTTP_CONNECT` (nothing was sent), and `HTTP_STATUS` of 408, 425, 429, 500, 502, 503
and 504, whose `Retry-After` is kept. Nobody knows whether the service acted: `HTTP_TIMEOUT`, `HTTP_CONNECTION_LOST`.
All others are final: other statuses, `HTTP_BODY_NOT_JSON`, `HTTP_BODY_TOO_LARGE` (over 16 MiB), `HTTP_HOST_DENIED`.

**Files.** `response: file` keeps the body as a file of the run, of any size: `body` is then its handle, which
`body_file` and `form` of another request send on. Bytes go through as they come and are never in memory as a whole.

**Credentials.** `connection: NAME` beside `config` names a connection of the run's project and environment: a bearer
token, a user name and password, a header, several headers or a query parameter. It fills them in at the moment of the
call; a value of it that comes back in the answer reads `[redacted]` in the output.

**Traces.** In a run that is traced a call carries `traceparent` and `tracestate`; a `traceparent` of your own goes
before that.

**Where calls may go.** The public internet on ports 80 and 443, and what the operator allows by
`FLOWFORGE__HTTP__ALLOW_HOSTS`. Up to five redirects are followed under the same rules, but none from https to http;
headers other than `Accept`, `Content-Type`, `User-Agent` and the idempotency key do not go along to another origin.";

#[async_trait]
impl NodeType for Request {
    fn descriptor(&self) -> NodeDescriptor {
        let field = |name: &str, r#type| (name.to_owned(), r#type);
        let answer = BTreeMap::from([
            field("status", PortType::Integer),
            field("headers", PortType::object()),
            field("body", PortType::Any),
        ]);
        NodeDescriptor {
            title: "HTTP request",
            summary: "Calls a service over HTTP.",
            docs: DOCS,
            icon: "globe",
            translations: &[crate::german::http::REQUEST],
            aliases: &["api", "rest", "call", "fetch", "curl", "webhook", "get", "post", "url"],
            config_schema: config_schema(),
            outputs: vec![Port::one(OUT, PortType::Object { fields: answer, open: false })],
            for_each: true,
            auth: crate::connection::HTTP,
            // A service that keeps answers by key may have acted before it answered 500: the key stays.
            fresh_key_after_answer: false,
            ..NodeDescriptor::new("http.request", 1, NodeCategory::Integration)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, config: &Value) -> EffectClass {
        // `execute` fails when the name, once rendered, is none; so a written one always goes along.
        if config.get("idempotency_header").is_some_and(Value::is_string) {
            return EffectClass::Idempotent;
        }
        match config.get("method") {
            None | Some(Value::Null) => EffectClass::Idempotent,
            Some(Value::String(method)) => match method.as_str() {
                "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" => EffectClass::Idempotent,
                _ => EffectClass::Effectful,
            },
            Some(_) => EffectClass::Effectful,
        }
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let expected = Expected::of(attempt)?;
        let request = call::of(attempt, &context.files()).await?;
        let has_body = request.method != "HEAD";
        let response = super::send(context, request).await?;
        answer::read(response, &expected, has_body, context).await.map(done)
    }
}

fn config_schema() -> Value {
    let scalar = json!({ "type": ["string", "number", "boolean", "null"] });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["url"],
        "properties": {
            "method": {
                "x-order": 1,
                "x-widget": "select",
                "title": "Method",
                "description": "What to do with the resource.",
                "enum": METHODS,
                "default": "GET",
            },
            "url": {
                "x-order": 2,
                "title": "URL",
                "description": "Where to call, with http:// or https://.",
                "type": "string",
                "minLength": 1,
            },
            "headers": {
                "x-order": 4,
                "x-widget": "key-value",
                "title": "Headers",
                "description": "Names and values; a value of null is left out.",
                "type": "object",
                "additionalProperties": scalar,
            },
            "query": {
                "x-order": 3,
                "x-widget": "key-value",
                "title": "Query",
                "description": "Put after those of the URL; a list repeats its parameter, null leaves it out.",
                "type": "object",
                "additionalProperties": { "anyOf": [scalar, { "type": "array", "items": scalar }] },
            },
            "body": {
                "x-order": 5,
                "x-widget": "json",
                "title": "Body",
                "description": "Sent as JSON; nothing when absent or null.",
            },
            "body_file": {
                "x-order": 6,
                "title": "Body from a file",
                "description": "Instead of `body`: a file, such as `{{ input.body }}` after a webhook that takes files. Sent as it is, with its type.",
            },
            "form": {
                "x-order": 7,
                "x-widget": "key-value",
                "title": "Form",
                "description": "Instead of `body`: fields of a form (multipart/form-data). A value is a text, a number, a file, or a list of those.",
                "type": "object",
            },
            "file_name": {
                "x-order": 9,
                "title": "File name",
                "description": "For `response: file`: what the file is called; what the answer or the URL says when absent.",
                "type": "string",
                "minLength": 1,
                "maxLength": 255,
            },
            "response": {
                "x-order": 8,
                "x-widget": "select",
                "title": "Response",
                "description": "How the body is read: as JSON (null when empty) or as UTF-8 text, at most 16 MiB; or kept as a file of any size. Unpacked when it comes packed by gzip.",
                "enum": ["json", "text", "file"],
                "default": "json",
            },
            "timeout": {
                "x-order": 11,
                "x-widget": "duration",
                "title": "Timeout",
                "description": "How long to wait for the whole answer, such as `10s`; at most as long as the attempt.",
                "type": "string",
                "pattern": "^\\s*([0-9]+(ms|s|m|h|d))+\\s*$",
                "default": "30s",
            },
            "success": {
                "x-order": 10,
                "title": "Success",
                "description": "Statuses that are no error: numbers such as 404, or classes such as `4xx`.",
                "type": "array",
                "minItems": 1,
                "items": {
                    "anyOf": [
                        { "type": "integer", "minimum": 200, "maximum": 599 },
                        { "type": "string", "pattern": "^[2-5]xx$" },
                    ],
                },
                "default": ["2xx"],
            },
            "idempotency_header": {
                "x-order": 12,
                "title": "Idempotency header",
                "description": "The header by which the service recognizes a repeated call, such as `Idempotency-Key`. \
                                Name it only when the service honors it: a call whose outcome is unknown is then made \
                                again.",
                "type": "string",
                "minLength": 1,
            },
        },
    })
}

#[cfg(test)]
mod tests;
