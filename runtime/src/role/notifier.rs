//! Tells people and programs outside of runs, by Standard Webhooks. At least once: a message that was taken by somebody
//! whose answer was lost is sent again under the same id.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use engine::time::Timestamp;
use entity::word::NotificationFormat;
use nodes::outgoing::{Outgoing, OutgoingError, OutgoingRequest};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use sea_orm::DbErr;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::leader::Leader;
use crate::notification::{self, Due, Gatherer, Hidden, Next, Tried, slot};
use crate::runtime::Runtime;

/// How often is looked whether there is something to tell.
const EVERY: Duration = Duration::from_millis(500);
/// Messages that are being sent at once, in all and to one receiver.
const MOST: usize = 64;
const MOST_EACH: usize = 16;
/// Receivers that are looked at besides those that are being told.
const RECEIVERS: u64 = 64;
/// How long a receiver has to answer.
const WITHIN: Duration = Duration::from_secs(15);
/// The time before each try after the first.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3_600),
    Duration::from_secs(5 * 3_600),
    Duration::from_secs(10 * 3_600),
    Duration::from_secs(10 * 3_600),
];
/// How long nobody may take anything before nothing is sent there any more.
const PATIENCE: Duration = Duration::from_secs(5 * 24 * 3_600);

pub(crate) struct Notifier {
    pub(crate) runtime: Runtime,
}

/// Messages that are being sent, and to whom.
type UnderWay = BTreeMap<Uuid, Uuid>;

impl Notifier {
    /// Tells until it is stopped. What is being sent then is sent again by whoever leads next, under the same id.
    pub(crate) async fn run(self, mut leader: Leader, stop: CancellationToken) {
        let mut look = tokio::time::interval(EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (me, mut sent, mut under_way) = (Arc::new(self), JoinSet::new(), UnderWay::new());
        let mut gatherer = Gatherer::default();
        // Whether messages wait for a place, and how many had one then.
        let (mut more, mut busy) = (false, 0);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = look.tick() => {}
                // A place is free.
                Some(done) = sent.join_next() => {
                    if let Ok(message) = done {
                        under_way.remove(&message);
                    }
                    if more && under_way.len() <= busy / 2 {
                        look.reset_immediately();
                    }
                    continue;
                }
            }
            let pass = async {
                match leader.leads().await? {
                    true => {
                        gatherer.gather(me.runtime.engine_database(), me.runtime.clock()).await?;
                        me.send_due(&mut sent, &mut under_way).await
                    }
                    false => Ok(false),
                }
            };
            let passed = tokio::select! {
                () = stop.cancelled() => break,
                passed = pass => passed,
            };
            match passed {
                Ok(waiting) => (more, busy) = (waiting, under_way.len()),
                Err(error) => {
                    tracing::warn!(error = %error, "notifications could not be looked at; they are looked at again");
                }
            }
        }
        if let Err(error) = leader.resign().await {
            tracing::warn!(error = %error, "the notifications could not be handed on; the lease tells the others");
        }
    }

    /// Begins to send what is due; whether more is due than has a place. A receiver that is slow
    /// holds up nobody but itself.
    async fn send_due(self: &Arc<Self>, sent: &mut JoinSet<Uuid>, under_way: &mut UnderWay) -> Result<bool, DbErr> {
        let (database, now) = (self.runtime.engine_database(), self.runtime.now());
        let mut more = false;
        let receivers = notification::receivers_due(database, now, RECEIVERS + MOST as u64).await?;
        for of in receivers {
            let already = under_way.values().filter(|receiver| **receiver == of).count();
            if already >= MOST_EACH {
                more = true;
                continue;
            }
            let due = notification::due(database, of, now, MOST_EACH as u64).await?;
            more |= due.len() == MOST_EACH || under_way.len() + due.len() > MOST;
            for due in due {
                let is_new = !under_way.contains_key(&due.0.id);
                if is_new && under_way.len() < MOST {
                    under_way.insert(due.0.id, of);
                    let me = Arc::clone(self);
                    sent.spawn(async move { me.send_one(due).await });
                }
            }
        }
        Ok(more)
    }

    async fn send_one(&self, due: Due) -> Uuid {
        if let Err(error) = self.tell(&due).await {
            tracing::warn!(error = %error, "it could not be kept how a message was taken; it is sent again");
        }
        due.0.id
    }

    async fn tell(&self, due: &Due) -> Result<(), DbErr> {
        let (workspace, of, message) = notification::ids(due);
        let outgoing = self.runtime.outgoing_of(workspace).await?;
        let (at, began) = (self.runtime.now(), Instant::now());
        let sent = match self.hidden(due).await {
            Ok(hidden) => send(&outgoing, &hidden, due, at).await,
            Err(error) => Err(error),
        };
        let (status, error) = match sent {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error)),
        };
        let tried = Tried { at, took: began.elapsed(), status, error };
        let now = self.runtime.now();
        let next = follows(due, &tried, now);
        if !notification::keep(self.runtime.engine_database(), due, &tried, &next, now).await? {
            return Ok(());
        }
        if let Next::Disabled(reason) = next {
            tracing::warn!(notification.id = %of, "{of} gets nothing any more: {reason}");
            self.runtime.bus().notify_outbox();
        }
        tracing::debug!(notification.id = %of, delivery.id = %message, delivery.status = ?tried.status, "sent {message}");
        Ok(())
    }

    async fn hidden(&self, (_, of): &Due) -> Result<Hidden, String> {
        let (workspace, id) = (engine::id::WorkspaceId(of.workspace_id), engine::id::NotificationId(of.id));
        let opened = self.runtime.secrets().unseal(workspace, slot(id, of.version), &notification::sealed(of)).await;
        let text = opened.map_err(|error| error.to_string())?;
        serde_json::from_str(text.expose()).map_err(|_| "its secrets cannot be read; set them anew".to_owned())
    }
}

/// What follows from a try: 2xx is taken, everything else is tried again for as long as there are tries.
fn follows(due: &Due, tried: &Tried, now: Timestamp) -> Next {
    if tried.status.is_some_and(|status| (200..300).contains(&status)) {
        return Next::Taken;
    }
    if tried.status == Some(410) {
        return Next::Disabled("it answered 410 Gone");
    }
    if notification::failing_since(due).is_some_and(|since| now.since(since) >= PATIENCE) {
        return Next::Disabled("it took nothing for 5 days");
    }
    let done = usize::try_from(due.0.tries).unwrap_or_default();
    PAUSES.get(done).map_or(Next::GivenUp, |pause| Next::Again(now.plus(*pause)))
}

/// Sends a message; the status that came back, or why none did.
async fn send(outgoing: &Outgoing, hidden: &Hidden, (delivery, of): &Due, now: Timestamp) -> Result<u16, String> {
    let url: Url = hidden.url.parse().map_err(|_| "its URL cannot be read; set it anew".to_owned())?;
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    if of.format == NotificationFormat::Standard {
        let id = engine::id::DeliveryId(delivery.id).to_string();
        let previous = of.previous_until.is_some_and(|until| crate::database::from_column(until) > now);
        let secrets = std::iter::once(&hidden.secret).chain(hidden.previous.as_ref().filter(|_| previous));
        headers.extend(signed(secrets, &id, now, &delivery.body)?);
    }
    let request = OutgoingRequest {
        method: Method::POST,
        url,
        headers,
        body: Some(Bytes::from(delivery.body.clone()).into()),
        portable_header: None,
        deadline: Instant::now() + WITHIN,
    };
    match outgoing.send_here(request).await {
        Ok(response) => Ok(response.status.as_u16()),
        Err(error) => Err(told(error)),
    }
}

fn told(error: OutgoingError) -> String {
    let error = engine::error::ErrorInfo::from(error);
    format!("{}: {}", error.code, error.message).chars().take(500).collect()
}

/// The headers of Standard Webhooks, with a signature for each secret.
fn signed<'a>(
    secrets: impl Iterator<Item = &'a String>,
    id: &str,
    now: Timestamp,
    body: &str,
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let seconds = now.0.div_euclid(1_000_000).to_string();
    let mut signatures = Vec::new();
    for secret in secrets {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret));
        let key = key.map_err(|_| "its secret cannot be read; set it anew".to_owned())?;
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("{id}.{seconds}.{body}").as_bytes());
        signatures.push(format!("v1,{}", STANDARD.encode(mac.as_ref())));
    }
    let headers = [("webhook-id", id), ("webhook-timestamp", &seconds), ("webhook-signature", &signatures.join(" "))];
    let header = |(name, value): (&'static str, &str)| {
        let value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
        Ok((HeaderName::from_static(name), value))
    };
    headers.into_iter().map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_published_example_is() {
        let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()];
        let now = Timestamp(1_614_265_330_000_000);
        let headers = signed(secrets.iter(), "msg_p5jXN8AQM9LWM0D4loKWxJek", now, r#"{"test": 2432232314}"#).unwrap();
        assert_eq!(headers[1].1, "1614265330");
        assert_eq!(headers[2].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
