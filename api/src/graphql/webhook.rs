//! Webhooks of deployed versions: their addresses, and a delivery to try them with.

use std::time::Duration;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use engine::id::BindingId;

use super::Result;
use super::request::{Asked as _, id, time};
use super::trigger::TriggerBindingObject;
use super::user_error::{UserError, settle};
use crate::service::ServiceError;
use crate::service::hook::{self, Sample, Url};

/// What is known of a trigger that is a webhook.
pub struct WebhookObject(pub(super) BindingId);

/// What is known of a trigger that is a webhook.
#[Object(name = "Webhook")]
impl WebhookObject {
    /// Where requests are sent to, the newest first. Those that are a secret are told to whoever may deploy.
    async fn urls(&self, ctx: &Context<'_>) -> Result<Vec<WebhookUrl>> {
        let urls = hook::urls(ctx.app()?, ctx.viewer()?, self.0).await?;
        Ok(urls.into_iter().map(WebhookUrl::from).collect())
    }
}

/// Where requests for a webhook are sent to.
#[derive(SimpleObject)]
pub struct WebhookUrl {
    /// The path of the URL on this server, such as `/hooks/default/default/order/start`.
    path: String,
    /// Whether it is a secret: with `verify: url`, whoever knows it may call.
    secret: bool,
    /// Until when it works after it was replaced; null for as long as the webhook is deployed.
    valid_until: Option<DateTime<Utc>>,
}

impl From<Url> for WebhookUrl {
    fn from(url: Url) -> Self {
        Self { path: url.path, secret: url.is_secret, valid_until: url.valid_until.map(time) }
    }
}

/// A header of a request.
#[derive(SimpleObject)]
pub struct SampleHeader {
    /// Its name.
    name: String,
    /// Its value; a word in angle brackets stands for a secret that is not told.
    value: String,
}

/// A delivery as its sender would make it, right for as long as the webhook's tolerance says.
#[derive(SimpleObject)]
pub struct SampleDelivery {
    /// The HTTP method.
    method: String,
    /// The path of the URL on this server.
    path: String,
    /// The headers, signed where the webhook wants that.
    headers: Vec<SampleHeader>,
    /// The body that was signed, to be sent byte by byte.
    body: String,
}

impl From<Sample> for SampleDelivery {
    fn from(sample: Sample) -> Self {
        let headers = sample.headers.into_iter().map(|(name, value)| SampleHeader { name, value }).collect();
        Self { method: sample.method, path: sample.path, headers, body: sample.body }
    }
}

/// A webhook whose secret URL is to be replaced.
#[derive(InputObject)]
pub struct RotateTriggerUrlInput {
    /// The id of its binding, `trg_…`.
    trigger_id: ID,
    /// How many seconds the URL before goes on working, at most 604,800; not at all when absent.
    #[graphql(default)]
    overlap_seconds: i32,
}

/// What came of replacing a secret URL.
#[derive(SimpleObject)]
pub struct RotateTriggerUrlPayload {
    /// The trigger with its new URL.
    trigger: Option<TriggerBindingObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// A delivery to make up.
#[derive(InputObject)]
pub struct SampleDeliveryInput {
    /// The id of the webhook's binding, `trg_…`.
    trigger_id: ID,
    /// The body, at most 64 KiB.
    #[graphql(default = "{}")]
    body: String,
}

/// What came of making a delivery up.
#[derive(SimpleObject)]
pub struct SampleDeliveryPayload {
    /// The delivery; nothing was sent.
    delivery: Option<SampleDelivery>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Changing webhooks, and trying them.
#[derive(Default)]
pub struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Gives a webhook another secret URL, at once. The one before works no longer than `overlapSeconds`.
    async fn rotate_trigger_url(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which webhook, and for how long both work.")] input: RotateTriggerUrlInput,
    ) -> Result<RotateTriggerUrlPayload> {
        let overlap = u64::try_from(input.overlap_seconds).map(Duration::from_secs);
        let overlap =
            overlap.map_err(|_| ServiceError::invalid("overlapSeconds", "`overlapSeconds` must not be negative"));
        let answer = match overlap.and_then(|overlap| Ok((id(&input.trigger_id, "webhook")?, overlap))) {
            Ok((trigger, overlap)) => hook::rotate(ctx.app()?, ctx.viewer()?, trigger, overlap).await,
            Err(error) => Err(error),
        };
        let (trigger, user_errors) = settle(answer)?;
        Ok(RotateTriggerUrlPayload { trigger: trigger.map(TriggerBindingObject), user_errors })
    }

    /// Signs a body as the sender of a webhook would, for a request by hand. Nothing is sent, and no secret is told.
    async fn sample_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which webhook, and what to send it.")] input: SampleDeliveryInput,
    ) -> Result<SampleDeliveryPayload> {
        let answer = match id(&input.trigger_id, "webhook") {
            Ok(trigger) => hook::sample(ctx.app()?, ctx.viewer()?, trigger, input.body).await,
            Err(error) => Err(error),
        };
        let (delivery, user_errors) = settle(answer)?;
        Ok(SampleDeliveryPayload { delivery: delivery.map(Into::into), user_errors })
    }
}
