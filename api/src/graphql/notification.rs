//! Who outside is told of runs: subscriptions with their messages and the tries of sending them.

use std::time::Duration;

use async_graphql::{Context, Enum, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use engine::time::Timestamp;
use nodes::connection::SecretText;
use serde_json::Value;

use super::Result;
use super::page::{Relay, connection, cost, window};
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use crate::service::ServiceError;
use crate::service::notification::{self, Attempt, Delivery, NewNotification, Notification, NotificationChange};

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "notification::Format")]
pub enum NotificationFormat {
    /// JSON with `type`, `timestamp` and `data`, signed as Standard Webhooks says.
    Standard,
    /// A line of text, as Slack takes it.
    Slack,
    /// A line of text, as Discord takes it.
    Discord,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "NotificationDeliveryStatus", remote = "notification::DeliveryStatus")]
pub enum DeliveryStatusName {
    /// It is sent, or will be again.
    Pending,
    /// The receiver answered 2xx.
    Delivered,
    /// It was given up; `replayDelivery` sends it again.
    Failed,
}

/// Somebody outside who is told of runs.
pub struct NotificationObject(pub(super) Notification);

/// Somebody outside who is told of runs. The URL is a secret: only its scheme and host are told.
#[Object(name = "Notification")]
impl NotificationObject {
    /// The id, `ntf_…`.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The name, unique in the workspace.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The id of the project whose runs it is about; null for all projects.
    async fn project_id(&self) -> Option<ID> {
        self.0.project.map(|project| project.to_string().into())
    }

    /// How messages are written.
    async fn format(&self) -> NotificationFormat {
        self.0.format.into()
    }

    /// What it is told of, such as `run.failed`.
    async fn events(&self) -> &[String] {
        &self.0.events
    }

    /// Scheme and host of where messages go.
    async fn target(&self) -> &str {
        &self.0.target
    }

    /// Since when nobody there takes what is sent; null when the last message was taken.
    async fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.0.failing_since.map(time)
    }

    /// Since when nothing is sent any more; null while it is on.
    async fn disabled_at(&self) -> Option<DateTime<Utc>> {
        self.0.disabled.as_ref().map(|(at, _)| time(*at))
    }

    /// Why nothing is sent any more.
    async fn disabled_reason(&self) -> Option<&str> {
        self.0.disabled.as_ref().map(|(_, reason)| reason.as_str())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// When somebody last changed it.
    async fn updated_at(&self) -> DateTime<Utc> {
        time(self.0.updated_at)
    }

    /// Its messages, the latest first.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which only one status is wanted.")] status: Option<DeliveryStatusName>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<DeliveryObject>> {
        let page = window(first, after, last, before)?;
        let status = status.map(Into::into);
        let page = notification::deliveries(ctx.app()?, ctx.viewer()?, self.0.id, status, &page).await?;
        Ok(connection(page, DeliveryObject))
    }
}

/// A message to somebody outside.
pub struct DeliveryObject(Delivery);

/// A message to somebody outside, the same under one id however often it is sent.
#[Object(name = "NotificationDelivery")]
impl DeliveryObject {
    /// The id, `dlv_…`, which receivers get as `webhook-id`.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What happened, such as `run.failed`.
    async fn event(&self) -> &str {
        &self.0.event
    }

    /// The id of what it happened to, such as `run_…`.
    async fn entity(&self) -> &str {
        &self.0.entity
    }

    /// What is sent.
    async fn body(&self) -> Json<Value> {
        Json(self.0.body.clone())
    }

    /// What became of it.
    async fn status(&self) -> DeliveryStatusName {
        self.0.status.into()
    }

    /// How often it was sent.
    async fn attempt_count(&self) -> i32 {
        self.0.attempts
    }

    /// When it is sent next; null when it is not.
    async fn next_at(&self) -> Option<DateTime<Utc>> {
        self.0.next_at.map(time)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// When it was taken or given up.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at.map(time)
    }

    /// The tries of sending it, the first one first.
    #[graphql(complexity = "10 * child_complexity")]
    async fn attempts(&self, ctx: &Context<'_>) -> Result<Vec<NotificationAttempt>> {
        let attempts = notification::attempts(ctx.app()?, ctx.viewer()?, &self.0).await?;
        Ok(attempts.into_iter().map(Into::into).collect())
    }
}

/// One try of sending a message.
#[derive(SimpleObject)]
pub struct NotificationAttempt {
    /// Counts from 1.
    number: i32,
    /// When it was sent.
    at: DateTime<Utc>,
    /// The HTTP status of the answer; null when there was none.
    status: Option<i32>,
    /// Why there was no answer.
    error: Option<String>,
    /// How long it took, in milliseconds.
    duration_ms: f64,
}

impl From<Attempt> for NotificationAttempt {
    fn from(attempt: Attempt) -> Self {
        let Attempt { number, at, status, error, duration_ms } = attempt;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of one call")]
        let duration_ms = duration_ms as f64;
        Self { number, at: time(at), status, error, duration_ms }
    }
}

/// Reading notifications.
#[derive(Default)]
pub struct NotificationQuery;

#[Object]
impl NotificationQuery {
    /// Who outside is told of runs, by name.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn notifications(&self, ctx: &Context<'_>) -> Result<Vec<NotificationObject>> {
        let all = notification::list(ctx.app()?, ctx.viewer()?).await?;
        Ok(all.into_iter().map(NotificationObject).collect())
    }
}

/// Somebody to tell of runs.
#[derive(InputObject)]
pub struct CreateNotificationInput {
    /// The slug of the project whose runs it is about; all projects when absent.
    project: Option<String>,
    /// The name: lower-case letters, digits, `-` and `_`, up to 63.
    name: String,
    /// How messages are written.
    #[graphql(default_with = "NotificationFormat::Standard")]
    format: NotificationFormat,
    /// What it is told of: some of `run.created`, `run.started`, `run.waiting`, `run.paused`, `run.resumed`, `run.succeeded`,
    /// `run.failed`, `run.canceled` and `run.timed_out`.
    events: Vec<String>,
    /// Where messages go; it is never answered again. Send it as a variable, never in the document.
    url: String,
    /// What messages are signed with, `whsec_` and the base64 of 24 to 64 bytes; one is made and told once when absent.
    secret: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CreateNotificationPayload {
    /// The notification.
    notification: Option<NotificationObject>,
    /// The secret that was made for it. It is told this once.
    secret: Option<String>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// A change of a notification; what is absent stays.
#[derive(InputObject)]
pub struct UpdateNotificationInput {
    /// The notification.
    id: ID,
    /// What it is told of.
    events: Option<Vec<String>>,
    /// Where messages go.
    url: Option<String>,
    /// Whether anything is sent. Switched on, it is told of what happens from then on.
    enabled: Option<bool>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct UpdateNotificationPayload {
    /// The notification.
    notification: Option<NotificationObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// A notification that gets another secret.
#[derive(InputObject)]
pub struct RotateNotificationSecretInput {
    /// The notification.
    id: ID,
    /// For how many seconds messages carry a signature by the old secret too, at most 604,800.
    #[graphql(default = 86_400)]
    overlap_seconds: i32,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RotateNotificationSecretPayload {
    /// The notification.
    notification: Option<NotificationObject>,
    /// The new secret. It is told this once.
    secret: Option<String>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// A notification to delete.
#[derive(InputObject)]
pub struct DeleteNotificationInput {
    /// The notification.
    id: ID,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct DeleteNotificationPayload {
    /// The id of what is not there any more.
    deleted_id: Option<ID>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// A message to send again.
#[derive(InputObject)]
pub struct ReplayDeliveryInput {
    /// The message, `dlv_…`.
    id: ID,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ReplayDeliveryPayload {
    /// The message.
    delivery: Option<DeliveryObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Messages to send again.
#[derive(InputObject)]
pub struct ReplayDeliveriesInput {
    /// The notification.
    notification_id: ID,
    /// Those that were made since, and given up.
    since: DateTime<Utc>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ReplayDeliveriesPayload {
    /// How many messages are sent again.
    count: Option<i32>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Changing who is told.
#[derive(Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Tells somebody outside of runs from now on; for admins.
    async fn create_notification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, of what, and how.")] input: CreateNotificationInput,
    ) -> Result<CreateNotificationPayload> {
        let CreateNotificationInput { project, name, format, events, url, secret } = input;
        let secret = secret.map(SecretText::new);
        let new = NewNotification { project, name, format: format.into(), events, url, secret };
        let (made, user_errors) = settle(notification::create(ctx.app()?, ctx.viewer()?, new).await)?;
        let (notification, secret) = made.unzip();
        let notification = notification.map(NotificationObject);
        Ok(CreateNotificationPayload { notification, secret: secret.flatten(), user_errors })
    }

    /// Changes a notification, or switches it on or off; for admins.
    async fn update_notification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and what to change.")] input: UpdateNotificationInput,
    ) -> Result<UpdateNotificationPayload> {
        let change = NotificationChange { events: input.events, url: input.url, enabled: input.enabled };
        let answer = match id(&input.id, "notification") {
            Ok(of) => notification::update(ctx.app()?, ctx.viewer()?, of, change).await,
            Err(error) => Err(error),
        };
        let (notification, user_errors) = settle(answer)?;
        Ok(UpdateNotificationPayload { notification: notification.map(NotificationObject), user_errors })
    }

    /// Gives a notification another secret; for admins. The old one signs too for a while.
    async fn rotate_notification_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and for how long both sign.")] input: RotateNotificationSecretInput,
    ) -> Result<RotateNotificationSecretPayload> {
        let overlap = u64::try_from(input.overlap_seconds).map(Duration::from_secs);
        let overlap =
            overlap.map_err(|_| ServiceError::invalid("overlapSeconds", "`overlapSeconds` must not be negative"));
        let answer = match overlap.and_then(|overlap| Ok((id(&input.id, "notification")?, overlap))) {
            Ok((of, overlap)) => notification::rotate(ctx.app()?, ctx.viewer()?, of, overlap).await,
            Err(error) => Err(error),
        };
        let (rotated, user_errors) = settle(answer)?;
        let (notification, secret) = rotated.unzip();
        let notification = notification.map(NotificationObject);
        Ok(RotateNotificationSecretPayload { notification, secret, user_errors })
    }

    /// Deletes a notification with its messages; for admins.
    async fn delete_notification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: DeleteNotificationInput,
    ) -> Result<DeleteNotificationPayload> {
        let answer = match id(&input.id, "notification") {
            Ok(of) => notification::delete(ctx.app()?, ctx.viewer()?, of).await,
            Err(error) => Err(error),
        };
        let (done, user_errors) = settle(answer)?;
        Ok(DeleteNotificationPayload { deleted_id: done.map(|()| input.id), user_errors })
    }

    /// Sends a message again under the same id, whatever became of it.
    async fn replay_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: ReplayDeliveryInput,
    ) -> Result<ReplayDeliveryPayload> {
        let answer = match id(&input.id, "delivery") {
            Ok(of) => notification::replay(ctx.app()?, ctx.viewer()?, of).await,
            Err(error) => Err(error),
        };
        let (delivery, user_errors) = settle(answer)?;
        Ok(ReplayDeliveryPayload { delivery: delivery.map(DeliveryObject), user_errors })
    }

    /// Sends everything again that was given up since a time.
    async fn replay_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which notification, since when.")] input: ReplayDeliveriesInput,
    ) -> Result<ReplayDeliveriesPayload> {
        let since = Timestamp(input.since.timestamp_micros());
        let answer = match id(&input.notification_id, "notification") {
            Ok(of) => notification::replay_since(ctx.app()?, ctx.viewer()?, of, since).await,
            Err(error) => Err(error),
        };
        let (count, user_errors) = settle(answer)?;
        Ok(ReplayDeliveriesPayload { count: count.map(|count| i32::try_from(count).unwrap_or(i32::MAX)), user_errors })
    }
}
