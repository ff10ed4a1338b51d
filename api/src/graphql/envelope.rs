//! The one envelope of every subscription.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Context, MergedSubscription, SimpleObject, Union};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt as _};

use super::event::{RunEvent, RunSubscription, shown};
use super::feed::{DraftUpdate, RunChange, WorkspaceEvent, WorkspaceSubscription, happened};
use super::request::time;
use crate::service::ServiceError;
use crate::service::follow::{Delivery, Followed};

/// Everything that can be followed. Every stream carries the same envelope: stored events after the cursor, then
/// CaughtUp once, then live ones, with a Heartbeat when nothing happened for 15 seconds.
#[derive(MergedSubscription, Default)]
pub struct Subscription(RunSubscription, WorkspaceSubscription);

/// Everything stored before was delivered; what follows is live.
#[derive(Debug, SimpleObject)]
pub struct CaughtUp {
    /// The number of the last event delivered, or that the cursor named.
    last_seq: u64,
}

/// Nothing happened for 15 seconds, and the stream lives.
#[derive(Debug, SimpleObject)]
pub struct Heartbeat {
    /// The server's time.
    at: DateTime<Utc>,
}

/// What an envelope carries. More types may come.
#[derive(Debug, Union)]
pub enum EventPayload {
    /// Something happened in a run.
    RunEvent(Box<RunEvent>),
    /// A run changed its status.
    RunChange(RunChange),
    /// A draft was edited.
    DraftUpdate(DraftUpdate),
    /// Something else happened in the workspace.
    WorkspaceEvent(WorkspaceEvent),
    /// The stored part is over.
    CaughtUp(CaughtUp),
    /// A sign of life.
    Heartbeat(Heartbeat),
}

/// One delivery. Going on after its cursor misses nothing and repeats nothing.
#[derive(Debug, SimpleObject)]
pub struct EventEnvelope {
    /// Where to go on; opaque.
    cursor: String,
    /// The event's number in what is followed, from 1 without a gap save for what a filter left out; null for markers.
    seq: Option<u64>,
    /// When it happened, or when the marker was made.
    at: DateTime<Utc>,
    /// What it is.
    payload: EventPayload,
}

impl From<Delivery> for EventEnvelope {
    fn from(delivery: Delivery) -> Self {
        let at = time(delivery.at);
        let payload = match delivery.what {
            Followed::RunEvent { event, keys } => EventPayload::RunEvent(Box::new(shown(&event, &keys))),
            Followed::Happening(happening) => happened(*happening),
            Followed::CaughtUp { last_seq } => EventPayload::CaughtUp(CaughtUp { last_seq }),
            Followed::Heartbeat => EventPayload::Heartbeat(Heartbeat { at }),
        };
        Self { cursor: delivery.cursor, seq: delivery.seq, at, payload }
    }
}

/// What a transport and a stream tell each other about places: where the client wants to go on, and what it was given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// The client's `Last-Event-ID`: it was given everything up to here, whatever `after` says.
    pub(super) resume: Option<String>,
    /// The cursor of the last delivery.
    given: Arc<Mutex<Option<String>>>,
}

impl Place {
    /// A place to go on from.
    pub(super) fn resuming(resume: Option<String>) -> Self {
        Self { resume, given: Arc::default() }
    }

    /// The cursor of the delivery that was just made.
    pub(super) fn given(&self) -> Option<String> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where a stream goes on: what the transport says goes before the argument.
pub(super) fn after(ctx: &Context<'_>, argument: Option<String>) -> Option<String> {
    ctx.data_opt::<Place>().and_then(|place| place.resume.clone()).or(argument)
}

/// A use case's stream as GraphQL answers it, with the cursor of each delivery left for the transport.
pub(super) fn enveloped<S: Stream<Item = Result<Delivery, ServiceError>>>(
    ctx: &Context<'_>,
    events: S,
) -> impl Stream<Item = async_graphql::Result<EventEnvelope>> + use<S> {
    let place = ctx.data_opt::<Place>().cloned().unwrap_or_default();
    events.map(move |next| {
        let delivery = next.map_err(super::GraphqlError)?;
        *place.given.lock().unwrap_or_else(PoisonError::into_inner) = Some(delivery.cursor.clone());
        Ok(EventEnvelope::from(delivery))
    })
}
