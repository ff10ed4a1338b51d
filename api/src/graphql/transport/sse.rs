//! GraphQL over server-sent events, in the mode of distinct connections: one operation a request. `id:` is the cursor of
//! each delivery, and a client that comes back with it as `Last-Event-ID` goes on after it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response as GraphqlResponse};
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, Stream, StreamExt as _};
use runtime::database::wall;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, MissedTickBehavior};

use super::http::{EXECUTION_LIMIT, too_long};
use super::{Admitted, Executed, Face, Schema, shown};
use crate::auth::Viewer;
use crate::graphql::envelope::Place;
use crate::graphql::error::complete;
use crate::service::ServiceError;
use crate::service::access::Changes;
use crate::service::caller::{self, Credential};
use crate::telemetry;
use crate::telemetry::figure::Open;
use crate::telemetry::request::RequestNotes;

/// How often a quiet connection carries a comment, and its credential is looked at again.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Messages that may wait for a slow reader.
const MOST_WAITING: usize = 16;
/// A reader that takes nothing for this long is closed.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// Where a client goes on.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The cursor that a client comes back with.
pub(super) fn resume(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(LAST_EVENT_ID)?.to_str().ok()?;
    Some(id.to_owned()).filter(|id| !id.is_empty())
}

/// Streams an operation's answers.
pub(super) fn stream(face: &Face, viewer: &Viewer, credential: Credential, admitted: Admitted) -> Response {
    let Admitted { request, kind, executed, place, .. } = admitted;
    let (sender, receiver) = mpsc::channel(MOST_WAITING);
    let answers = wall::stream_of(viewer.workspace, answers(face.schema.clone(), request, kind)).boxed();
    let (session, stopping) = (Session { sender, executed, place }, face.app.stopping.clone());
    let app = Arc::clone(&face.app);
    let (asker, changes) = (viewer.clone(), app.access.changes(viewer));
    let open = (Open::event_stream(), (kind == OperationType::Subscription).then(|| Open::subscription("sse")));
    let notes =
        telemetry::request::current().unwrap_or_else(|| RequestNotes::new(viewer.request.clone().unwrap_or_default()));
    face.app.tasks.spawn(telemetry::request::within(
        Arc::clone(&notes),
        wall::of_nobody(async move {
            let still_open = move || {
                let (app, credential, asker) = (Arc::clone(&app), credential.clone(), asker.clone());
                async move {
                    match caller::authenticate(&app, &credential).await {
                        // With other rights it is another stream.
                        Ok(viewer) => viewer.may_as(&asker),
                        Err(error) => !matches!(error, ServiceError::Unauthenticated | ServiceError::NotFound { .. }),
                    }
                }
                .boxed()
            };
            // Going away is told by the end of the stream without `complete`: the client comes back elsewhere.
            let told = stopping.run_until_cancelled(session.tell(answers, still_open, changes)).await;
            drop(open);
            let reason = match told {
                None => "the process is stopping",
                Some(Ok(())) => "its operation is complete",
                Some(Err(Closed::Gone)) => "its reader is gone, or may not read any more",
                Some(Err(Closed::Slow)) => "its reader took nothing for 10 s",
            };
            let (noted, duration_ms) = (notes.noted(), notes.milliseconds());
            tracing::info!(
                request.id = notes.id,
                workspace.id = noted.workspace.map(tracing::field::display),
                actor = noted.actor,
                graphql.operation = noted.operation,
                duration_ms,
                reason,
                "an event stream ended after {duration_ms:.0} ms: {reason}"
            );
        }),
    ));
    let body = Body::from_stream(until_closed(receiver));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform")),
        // Proxies that would gather the stream before they pass it on.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, body).into_response()
}

/// A subscription's answers, or the one answer of everything else.
fn answers(schema: Schema, request: Request, kind: OperationType) -> BoxStream<'static, GraphqlResponse> {
    match kind {
        OperationType::Subscription => schema.execute_stream(request).boxed(),
        OperationType::Query | OperationType::Mutation => futures::stream::once(async move {
            let answer = tokio::time::timeout(EXECUTION_LIMIT, schema.execute(request)).await;
            answer.unwrap_or_else(|_| GraphqlResponse::from_errors(vec![too_long()]))
        })
        .boxed(),
    }
}

fn until_closed(receiver: mpsc::Receiver<Bytes>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|message| (Ok(message), receiver))
    })
}

/// Why a stream ended before its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    /// The reader is gone, or its key does not open any more.
    Gone,
    /// The reader took nothing for too long.
    Slow,
}

/// What is told on one connection.
struct Session {
    sender: Sender<Bytes>,
    executed: Executed,
    place: Place,
}

impl Session {
    async fn tell(
        &self,
        mut answers: BoxStream<'static, GraphqlResponse>,
        still_open: impl Fn() -> BoxFuture<'static, bool> + Send,
        mut changes: Changes,
    ) -> Result<(), Closed> {
        let mut quiet = tokio::time::interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        quiet.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The answer's head goes out at once, not with the first event.
        self.send(Bytes::from_static(b":\n\n")).await?;
        // Rights may have ended between the look at the credential and now.
        if !still_open().await {
            return Err(Closed::Gone);
        }
        loop {
            tokio::select! {
                () = self.sender.closed() => return Err(Closed::Gone),
                answer = answers.next() => match answer {
                    Some(mut answer) => {
                        complete(&mut answer.errors, self.executed.get());
                        let id = self.place.given();
                        let data = shown(&answer, self.executed.get());
                        self.send(event("next", id.as_deref(), &data.to_string())).await?;
                    }
                    None => return self.send(event("complete", None, "")).await,
                },
                () = changes.changed() => {
                    if !still_open().await {
                        return Err(Closed::Gone);
                    }
                }
                _ = quiet.tick() => {
                    if !still_open().await {
                        return Err(Closed::Gone);
                    }
                    self.send(Bytes::from_static(b":\n\n")).await?;
                }
            }
        }
    }

    async fn send(&self, message: Bytes) -> Result<(), Closed> {
        match tokio::time::timeout(SEND_WITHIN, self.sender.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Closed::Gone),
            Err(_) => Err(Closed::Slow),
        }
    }
}

/// One event. Neither a cursor nor JSON has a line break.
fn event(name: &str, id: Option<&str>, data: &str) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Bytes::from(format!("{id}event: {name}\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_lines_and_a_blank_one() {
        assert_eq!(event("next", Some("abc"), "{}"), "id: abc\nevent: next\ndata: {}\n\n");
        assert_eq!(event("complete", None, ""), "event: complete\ndata: \n\n");
    }

    fn session() -> (Session, mpsc::Receiver<Bytes>) {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        (Session { sender, executed: Executed::default(), place: Place::default() }, receiver)
    }

    fn endless() -> BoxStream<'static, GraphqlResponse> {
        futures::stream::repeat_with(|| GraphqlResponse::new(async_graphql::Value::Null)).boxed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_closed_and_little_waits_for_it() {
        let (session, mut receiver) = session();
        assert_eq!(
            session.tell(endless(), || std::future::ready(true).boxed(), Changes::none()).await,
            Err(Closed::Slow)
        );
        drop(session);
        let mut waiting = 0;
        while receiver.recv().await.is_some() {
            waiting += 1;
        }
        assert_eq!(waiting, MOST_WAITING);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_carries_a_comment_every_15_seconds_until_the_key_is_revoked() {
        let (session, mut receiver) = session();
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let still_open = || std::future::ready(asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 4).boxed();
        let began = Instant::now();
        let ended = session.tell(futures::stream::pending().boxed(), still_open, Changes::none()).await;
        assert_eq!((ended, began.elapsed()), (Err(Closed::Gone), KEEP_ALIVE * 4));
        drop(session);
        let mut said = Vec::new();
        while let Some(message) = receiver.recv().await {
            said.push(message);
        }
        assert_eq!(said, [":\n\n"; 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_is_done_says_so() {
        let (session, mut receiver) = session();
        session.executed.0.store(true, std::sync::atomic::Ordering::Relaxed);
        let answer = GraphqlResponse::new(async_graphql::Value::from_json(json!({"a": 1})).unwrap());
        let answers = futures::stream::iter([answer]).boxed();
        assert_eq!(session.tell(answers, || std::future::ready(true).boxed(), Changes::none()).await, Ok(()));
        drop(session);
        let mut said = String::new();
        while let Some(message) = receiver.recv().await {
            said.push_str(std::str::from_utf8(&message).unwrap());
        }
        assert_eq!(said, ":\n\nevent: next\ndata: {\"data\":{\"a\":1}}\n\nevent: complete\ndata: \n\n");
    }
}
