//! A delivery as its sender would make it, for people who want to try a webhook.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::id::BindingId;
use nodes::connection::Connection;
use nodes::webhook::{Algorithm, Encoding, Proof, WebhookSettings};

use super::Hook;
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::service::{ServiceError, plan};
use crate::store;

/// Longest body that is signed for a try.
const MOST: usize = 64 * 1024;

/// A delivery that the webhook takes within its tolerance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The method.
    pub method: String,
    /// Path of the URL.
    pub path: String,
    /// Names and values. Where a value is itself a secret there is a word in angle brackets instead.
    pub headers: Vec<(String, String)>,
    /// The body that was signed.
    pub body: String,
}

/// Signs a body as the sender of a webhook would. Secrets stay here; whoever may start runs may have a signature.
///
/// # Errors
/// When they may not, there is no such webhook, or it is not deployed.
pub async fn sample(app: &App, viewer: &Viewer, of: BindingId, body: String) -> Result<Sample, ServiceError> {
    viewer.require(Permission::RunStart)?;
    viewer.require(Permission::WorkflowDeploy)?;
    if body.len() > MOST {
        return Err(ServiceError::invalid("body", format!("a sample has at most {MOST} bytes")));
    }
    let hook = store::hook::by_binding(app.runtime.database(), &viewer.scope(), of).await?;
    let hook = hook.ok_or(ServiceError::NotFound { what: "webhook" })?;
    let unusable = || ServiceError::internal(format!("the config of {of} cannot be read"));
    let settings = WebhookSettings::read(&hook.config).map_err(|_| unusable())?;
    let plan = plan::get(app, hook.workspace, &hook.hash).await?;
    let connection = super::connection(app, &hook, &settings, &plan.definition).await?;
    let wants_secret = settings.proof == Proof::Url;
    let urls = super::urls(app, viewer, of).await?;
    let url = urls.into_iter().find(|url| url.is_secret == wants_secret && url.valid_until.is_none());
    let url = url.ok_or_else(|| ServiceError::internal(format!("{of} has no address")))?;
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(shown(app, &settings, connection.as_ref(), &hook, &body)?);
    let method = settings.methods.iter().find(|method| *method == "POST").or(settings.methods.first());
    Ok(Sample { method: method.cloned().unwrap_or_else(|| "POST".to_owned()), path: url.path, headers, body })
}

fn shown(
    app: &App,
    settings: &WebhookSettings,
    connection: Option<&Connection>,
    hook: &Hook,
    body: &str,
) -> Result<Vec<(String, String)>, ServiceError> {
    let secret = connection.and_then(|connection| connection.secret("secret")).map_or("", |secret| secret.expose());
    let seconds = (app.runtime.now().0 / 1_000_000).to_string();
    let id = format!("msg_{}", app.runtime.clock().new_id().simple());
    let sign = |algorithm, key: &[u8], text: String| hmac::sign(&hmac::Key::new(algorithm, key), text.as_bytes());
    let sha256 = |key: &[u8], text: String| sign(hmac::HMAC_SHA256, key, text);
    let plain = |name: &str| connection.and_then(|connection| connection.plain(name)).unwrap_or_default();
    let headers: Vec<(&str, String)> = match &settings.proof {
        Proof::Url | Proof::None => vec![("idempotency-key", id)],
        Proof::Bearer => vec![("authorization", "Bearer <token>".to_owned())],
        Proof::Basic => vec![("authorization", format!("Basic <base64 of {}:password>", plain("username")))],
        Proof::Header => vec![(plain("name"), "<value>".to_owned())],
        Proof::Hmac(hmac) => {
            let put = |text: &str| text.replace("{timestamp}", &seconds);
            let text = format!("{}{body}{}", put(&hmac.signed.0), put(&hmac.signed.1));
            let algorithm = match hmac.algorithm {
                Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                Algorithm::Sha256 => hmac::HMAC_SHA256,
                Algorithm::Sha512 => hmac::HMAC_SHA512,
            };
            let mac = sign(algorithm, secret.as_bytes(), text);
            let mac = match hmac.encoding {
                Encoding::Hex => hex::encode(mac.as_ref()),
                Encoding::Base64 => STANDARD.encode(mac.as_ref()),
            };
            let time = hmac.timestamp.iter().map(|name| (name.as_str(), seconds.clone()));
            std::iter::once((hmac.header.as_str(), format!("{}{mac}", hmac.prefix))).chain(time).collect()
        }
        Proof::Standard => {
            let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).map_err(|_| {
                let message = format!("the secret of the webhook `{}` is not base64 after `whsec_`", hook.node);
                ServiceError::Conflict { message }
            })?;
            let mac = sha256(&key, format!("{id}.{seconds}.{body}"));
            let signature = format!("v1,{}", STANDARD.encode(mac.as_ref()));
            vec![("webhook-id", id), ("webhook-timestamp", seconds), ("webhook-signature", signature)]
        }
        Proof::Github => {
            let mac = hex::encode(sha256(secret.as_bytes(), body.to_owned()).as_ref());
            vec![("x-github-delivery", id), ("x-hub-signature-256", format!("sha256={mac}"))]
        }
        Proof::Stripe => {
            let mac = hex::encode(sha256(secret.as_bytes(), format!("{seconds}.{body}")).as_ref());
            vec![("stripe-signature", format!("t={seconds},v1={mac}"))]
        }
        Proof::Slack => {
            let mac = hex::encode(sha256(secret.as_bytes(), format!("v0:{seconds}:{body}")).as_ref());
            vec![("x-slack-request-timestamp", seconds), ("x-slack-signature", format!("v0={mac}"))]
        }
    };
    Ok(headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
