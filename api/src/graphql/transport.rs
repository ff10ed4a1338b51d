//! HTTP and WebSocket, small and our own, over `Schema::execute` and `execute_stream`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo};
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};
use async_graphql::{Request, Response, ServerError, ServerResult, Variables};
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::Value;

use super::Schema;
use super::envelope::Place;
use super::error::{Code, request_error};
use super::limit::{self, Prices, admit, afford, missing_variable};
use super::loader::loaders;
use super::nulls::Nulls;
use super::request::IdempotencyKey;
use crate::app::App;
use crate::auth::Viewer;
use crate::service::denial;
use crate::telemetry;

pub mod http;
mod sse;
pub mod websocket;

/// Everything a transport needs.
#[derive(Clone)]
pub struct Face {
    /// The handles.
    pub app: Arc<App>,
    /// Built once.
    pub schema: Schema,
    /// What asking costs.
    pub prices: Arc<Prices>,
}

/// Every request to `/graphql`.
pub(crate) async fn graphql(
    State(face): State<Face>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    content: Body,
) -> axum::response::Response {
    match upgrade {
        Ok(socket) => websocket::upgrade(face, &headers, socket).await,
        Err(_) => http::graphql(face, &method, &uri, &headers, content).await,
    }
}

/// What a client sends, in either transport.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Params {
    query: String,
    operation: Option<String>,
    variables: Variables,
}

impl Params {
    /// Reads `{query, operationName, variables, extensions}`.
    pub(crate) fn read(value: Value) -> Result<Self, &'static str> {
        let Value::Object(mut fields) = value else {
            return Err("a request is a JSON object; batches are not taken");
        };
        let query = match fields.remove("query") {
            Some(Value::String(query)) => query,
            _ => return Err("`query` must be a text"),
        };
        let operation = match fields.remove("operationName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name),
            Some(_) => return Err("`operationName` must be a text"),
        };
        let variables = match fields.remove("variables") {
            None | Some(Value::Null) => Variables::default(),
            Some(variables @ Value::Object(_)) => Variables::from_json(variables),
            Some(_) => return Err("`variables` must be an object"),
        };
        match fields.remove("extensions") {
            None | Some(Value::Null | Value::Object(_)) => Ok(Self { query, operation, variables }),
            Some(_) => Err("`extensions` must be an object"),
        }
    }
}

/// A request within all bounds.
pub(crate) struct Admitted {
    pub(crate) request: Request,
    pub(crate) kind: OperationType,
    pub(crate) executed: Executed,
    pub(crate) place: Place,
    /// What it may cost at most.
    pub(crate) cost: u64,
}

/// What a request's head says of its operation.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// What a stream's client received last.
    pub(crate) resume: Option<String>,
    /// What a start goes by that brings no key of its own.
    pub(crate) idempotency_key: IdempotencyKey,
    /// Whether it is one of many on a socket.
    pub(crate) is_socket: bool,
}

/// Checks the bounds and puts in what resolvers need.
pub(crate) fn prepare(face: &Face, viewer: Viewer, params: Params, head: Head) -> Result<Admitted, ServerError> {
    let Params { query, operation, variables } = params;
    let (document, kind) =
        admit(&query, operation.as_deref()).map_err(|refused| request_error(refused.code, &refused.message))?;
    // A socket carries many operations; its lines tell of the socket.
    if let Some(notes) = telemetry::request::current().filter(|_| !head.is_socket) {
        notes.operation(word(kind), limit::name(&document, operation.as_deref()));
    }
    let cost = afford(&document, operation.as_deref(), &variables, &face.prices)
        .map_err(|refused| request_error(refused.code, &refused.message))?;
    if let Some(message) = missing_variable(&document, operation.as_deref(), &variables) {
        return Err(request_error(Code::BadUserInput, &message));
    }
    let executed = Executed::default();
    let aliases = Aliases::of(&document);
    let place = Place::resuming(head.resume);
    let mut request = Request::new(query)
        .variables(variables)
        .data(loaders(Arc::clone(&face.app), viewer.clone()))
        .data(viewer)
        .data(place.clone())
        .data(head.idempotency_key)
        .data(aliases)
        .data(executed.clone());
    request.operation_name = operation;
    request.set_parsed_query(document);
    Ok(Admitted { request, kind, executed, place, cost })
}

fn word(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// Whether a request came past validation: decides status codes, and `error` against `next` on a socket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Executed(Arc<AtomicBool>);

impl Executed {
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sets [`Executed`], which the library itself does not tell, and sees to it that what fails is null.
pub(super) struct MarkExecuted;

impl ExtensionFactory for MarkExecuted {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::<Execution>::default()
    }
}

/// One operation.
#[derive(Default)]
struct Execution {
    nulls: Nulls,
}

#[async_trait::async_trait]
impl Extension for Execution {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<async_graphql::Value>> {
        self.nulls.resolve(ctx, info, next).await
    }

    async fn execute(&self, ctx: &ExtensionContext<'_>, operation: Option<&str>, next: NextExecute<'_>) -> Response {
        if let Some(executed) = ctx.data_opt::<Executed>() {
            executed.0.store(true, Ordering::Relaxed);
        }
        let mut response = next.run(ctx, operation).await;
        self.nulls.settle(&mut response);
        note_denials(ctx, &response.errors).await;
        response
    }
}

/// What clients call root fields, and what these are.
#[derive(Debug, Default)]
struct Aliases(Vec<(String, String)>);

impl Aliases {
    fn of(document: &ExecutableDocument) -> Self {
        let mut found = Self::default();
        document.operations.iter().for_each(|(_, operation)| found.gather(&operation.node.selection_set.node));
        document.fragments.values().for_each(|fragment| found.gather(&fragment.node.selection_set.node));
        found
    }

    fn gather(&mut self, set: &SelectionSet) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let (alias, name) = (&field.node.alias, &field.node.name.node);
                    self.0.extend(alias.as_ref().map(|alias| (alias.node.to_string(), name.to_string())));
                }
                Selection::InlineFragment(inner) => self.gather(&inner.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn field<'a>(&'a self, key: &'a str) -> &'a str {
        self.0.iter().find(|(alias, _)| alias == key).map_or(key, |(_, name)| name)
    }
}

/// Tells the audit what the viewer was denied. The root field says what they wanted, not what they called it.
async fn note_denials(ctx: &ExtensionContext<'_>, errors: &[ServerError]) {
    let (Some(app), Some(viewer)) = (ctx.data_opt::<Arc<App>>(), ctx.data_opt::<Viewer>()) else { return };
    for error in errors {
        let extension = |name: &str| match error.extensions.as_ref().and_then(|extensions| extensions.get(name)) {
            Some(async_graphql::Value::String(word)) => Some(word.as_str()),
            _ => None,
        };
        if extension("code") == Some(Code::Forbidden.as_str()) {
            let field = match error.path.first() {
                Some(async_graphql::PathSegment::Field(field)) => {
                    ctx.data_opt::<Aliases>().map_or(field.as_str(), |aliases| aliases.field(field))
                }
                _ => "",
            };
            denial::denied(app, viewer, field, extension("permission").unwrap_or_default()).await;
        }
    }
}

/// The JSON of a response; a request that was never executed has no `data`.
pub(crate) fn shown(response: &Response, executed: bool) -> Value {
    let mut body = serde_json::Map::new();
    if !response.errors.is_empty() {
        body.insert("errors".to_owned(), shown_errors(&response.errors));
    }
    if executed {
        body.insert("data".to_owned(), serde_json::to_value(&response.data).unwrap_or_default());
    }
    Value::Object(body)
}

/// The JSON of errors; each names its request, so that whoever reports it can be helped.
pub(crate) fn shown_errors(errors: &[ServerError]) -> Value {
    let mut shown = serde_json::to_value(errors).unwrap_or_default();
    if let (Some(notes), Some(errors)) = (telemetry::request::current(), shown.as_array_mut()) {
        for error in errors {
            error["extensions"]["requestId"] = Value::from(notes.id.as_str());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_has_a_query_and_well_formed_other_parts() {
        let params = Params::read(json!({"query": "{a}", "operationName": "o", "variables": {"x": 1}})).unwrap();
        assert_eq!((params.query.as_str(), params.operation.as_deref()), ("{a}", Some("o")));
        assert!(Params::read(json!({"query": "{a}", "operationName": null, "variables": null})).is_ok());
        for wrong in [
            json!([{"query": "{a}"}]),
            json!({}),
            json!({"query": 1}),
            json!({"query": "{a}", "variables": []}),
            json!({"query": "{a}", "operationName": 1}),
            json!({"query": "{a}", "extensions": "x"}),
            json!(null),
        ] {
            assert!(Params::read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
