//! `http.graphql`: asks a GraphQL server.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::port::PortType;
use engine::time::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use self::document::{Operation, operations};
use super::header::headers;
use super::request::answer::{BODY_LIMIT, SHOWN, refusal};
use super::request::call::{DEFAULT_TIMEOUT, put_key, put_trace};
use crate::config::{Config, choice, invalid};
use crate::outgoing::{OutgoingRequest, OutgoingResponse};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

mod document;

/// Asks a GraphQL server.
pub(crate) struct Graphql;

/// The port of answers that have errors, where the author wants them.
const PARTIAL: &str = "partial";
/// Most messages of errors that ours shows.
const MOST_MESSAGES: usize = 5;

const DOCS: &str = "\
Sends an operation to a GraphQL server and gives `{data, errors, extensions}`.

```yaml
type: http.graphql@1
connection: shop
config:
  url: https://api.example.com/graphql
  query: |
    query Order($id: ID!) {
      order(id: $id) { number total }
    }
  variables:
    id: '{{ input.id }}'
```

The document is a constant: an expression in it is the error `EXPRESSION_NOT_ALLOWED_HERE`, so that no data can change
the query. Values come in by `variables`.

**Errors in the answer.** With `errors: fail` (the default) the node fails with `GRAPHQL_ERRORS` and their messages. With
`partial` an answer that has errors leaves by the port `partial`, with the data that there is. With `allow` it leaves by
`out`. An error without data, because the server did not execute the request, always fails.

**Repeats.** A document that has only queries may be repeated. One with a `mutation` may not, unless `idempotency_header`
names a header by which the server recognizes a repeat. A `subscription` is refused.

**Other errors** are those of `http.request`, and `GRAPHQL_ANSWER_INVALID` when the answer is not one of GraphQL.
Credentials, addresses and sizes are treated as there, too.";

#[async_trait]
impl NodeType for Graphql {
    fn descriptor(&self) -> NodeDescriptor {
        let field = |name: &str, r#type| (name.to_owned(), r#type);
        let answer = BTreeMap::from([
            field("data", PortType::Any),
            field("errors", PortType::list()),
            field("extensions", PortType::Any),
        ]);
        let answer = PortType::Object { fields: answer, open: false };
        NodeDescriptor {
            title: "GraphQL",
            summary: "Asks a GraphQL server.",
            docs: DOCS,
            icon: "waypoints",
            translations: &[crate::german::graphql::GRAPHQL],
            aliases: &["query", "mutation", "api", "apollo", "call"],
            config_schema: config_schema(),
            outputs: vec![Port::one(OUT, answer.clone()), Port::one(PARTIAL, answer)],
            for_each: true,
            auth: crate::connection::HTTP,
            fresh_key_after_answer: false,
            ..NodeDescriptor::new("http.graphql", 1, NodeCategory::Integration)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, config: &Value) -> EffectClass {
        let operations = config.get("query").and_then(Value::as_str).map(operations).unwrap_or_default();
        let only_reads = !operations.is_empty() && operations.iter().all(|operation| *operation == Operation::Query);
        if only_reads || config.get("idempotency_header").is_some_and(Value::is_string) {
            return EffectClass::Idempotent;
        }
        EffectClass::Effectful
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let on_errors = choice(config.fields(), "", "errors", &["fail", PARTIAL, "allow"])?;
        let request = request(&config, attempt)?;
        let response = super::send(context, request).await?;
        let answer = read(response, context.now()).await?;
        match (has_errors(&answer), on_errors) {
            (false, _) | (true, 2) => Ok(done(answer)),
            (true, 1) => Ok(NodeOutcome::Done { port: PARTIAL.into(), output: answer }),
            (true, _) => Err(failed(&answer)),
        }
    }
}

fn request(config: &Config<'_>, attempt: &Attempt) -> Result<OutgoingRequest, ErrorInfo> {
    let url = Url::parse(config.required_text("url")?).map_err(|error| {
        let message = format!("config.url is no URL ({error}); expected one such as `https://api.example.com/graphql`");
        ErrorInfo::permanent("CONFIG_INVALID", message)
    })?;
    let query = config.required_text("query")?;
    let found = operations(query);
    if found.is_empty() || found.contains(&Operation::Subscription) {
        let expected = "a GraphQL document with a query or a mutation; subscriptions are not supported";
        return Err(invalid("query", &Value::from(query), expected));
    }
    let mut body = Map::from_iter([("query".to_owned(), Value::from(query))]);
    if let Some(variables) = config.object("variables")? {
        body.insert("variables".to_owned(), Value::Object(variables.clone()));
    }
    if let Some(name) = config.text("operation_name")? {
        body.insert("operationName".to_owned(), Value::from(name));
    }
    let mut headers = headers(config, "headers")?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
        .entry(ACCEPT)
        .or_insert(HeaderValue::from_static("application/graphql-response+json, application/json;q=0.9"));
    put_trace(attempt.trace.as_ref(), &mut headers);
    // A query needs no key; to `put_key`, it is what a GET is.
    let changes = found.contains(&Operation::Mutation);
    let method = if changes { Method::POST } else { Method::GET };
    let portable_header = put_key(config, &method, &attempt.idempotency_key, &mut headers)?;
    let timeout = config.duration("timeout")?.unwrap_or(DEFAULT_TIMEOUT).min(attempt.timeout);
    let body = Some(Bytes::from(Value::Object(body).to_string()).into());
    Ok(OutgoingRequest {
        method: Method::POST,
        url,
        headers,
        body,
        portable_header,
        deadline: Instant::now() + timeout,
    })
}

/// The answer of a server that understood the request, maybe with errors.
async fn read(response: OutgoingResponse, now: Timestamp) -> Result<Value, ErrorInfo> {
    let (status, headers, acted) = (response.status, response.headers.clone(), response.acted);
    if status.is_server_error() || (!status.is_success() && status != 400 && status != 422) {
        return Err(refusal(status, &headers, &response.body_start(SHOWN * 4).await, acted, now));
    }
    let bytes = response.body(BODY_LIMIT).await?;
    let answer = serde_json::from_slice(&bytes).ok().filter(Value::is_object);
    let parts = answer.as_ref().and_then(Value::as_object).map(|answer| {
        let part = |name: &str| answer.get(name).cloned().unwrap_or(Value::Null);
        (part("data"), part("errors"), part("extensions"), answer.contains_key("data"))
    });
    match parts {
        Some((data, errors, extensions, has_data)) if has_data || errors.is_array() => {
            let errors = if errors.is_array() { errors } else { Value::Array(Vec::new()) };
            let answer = json!({ "data": data, "errors": errors, "extensions": extensions });
            // Without the member `data` the request was refused as a whole: there is nothing to go on with.
            if has_data && status.is_success() { Ok(answer) } else { Err(failed(&answer)) }
        }
        _ if status.is_success() => {
            let message = format!("the answer ({status}) is no GraphQL answer: an object with `data` or `errors`");
            Err(ErrorInfo::permanent("GRAPHQL_ANSWER_INVALID", message))
        }
        _ => Err(refusal(status, &headers, bytes.get(..SHOWN * 4).unwrap_or(&bytes), acted, now)),
    }
}

fn has_errors(answer: &Value) -> bool {
    answer.get("errors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty())
}

fn failed(answer: &Value) -> ErrorInfo {
    let errors = answer.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let shown = errors.iter().take(MOST_MESSAGES).map(|error| {
        let message = error.get("message").and_then(Value::as_str).unwrap_or("an error without a message");
        message.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>()
    });
    let shown = shown.collect::<Vec<_>>().join("; ");
    let more = errors.len().saturating_sub(MOST_MESSAGES);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    ErrorInfo::permanent("GRAPHQL_ERRORS", format!("the server answered with errors: {shown}{more}"))
}

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["url", "query"],
        "properties": {
            "url": {
                "x-order": 1,
                "title": "URL",
                "description": "The endpoint, with http:// or https://.",
                "type": "string",
                "minLength": 1,
            },
            "query": {
                "x-order": 2,
                "x-widget": "textarea",
                "x-literal": true,
                "title": "Document",
                "description": "Queries and mutations, a constant; data comes in by variables.",
                "type": "string",
                "minLength": 1,
            },
            "variables": {
                "x-order": 3,
                "x-widget": "key-value",
                "title": "Variables",
                "description": "Values of the variables, by name.",
                "type": "object",
            },
            "operation_name": {
                "x-order": 4,
                "title": "Operation",
                "description": "Which operation to execute, when the document has several.",
                "type": "string",
            },
            "errors": {
                "x-order": 5,
                "x-widget": "select",
                "title": "Errors in the answer",
                "description": "The node fails, the answer leaves by `partial`, or it counts as one without errors.",
                "enum": ["fail", PARTIAL, "allow"],
                "default": "fail",
            },
            "headers": {
                "x-order": 6,
                "x-widget": "key-value",
                "title": "Headers",
                "description": "Names and values; a value of null is left out.",
                "type": "object",
                "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
            },
            "timeout": {
                "x-order": 7,
                "x-widget": "duration",
                "title": "Timeout",
                "description": "How long to wait for the whole answer, such as `10s`; at most as long as the attempt.",
                "type": "string",
                "pattern": "^\\s*([0-9]+(ms|s|m|h|d))+\\s*$",
                "default": "30s",
            },
            "idempotency_header": {
                "x-order": 8,
                "title": "Idempotency header",
                "description": "The header by which the server recognizes a repeated call. Name it only when the \
                                server honors it.",
                "type": "string",
                "minLength": 1,
            },
        },
    })
}

#[cfg(test)]
mod tests;
