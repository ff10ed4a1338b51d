//! Deliveries that are files: what comes is kept as it comes, whatever its length, and the run gets handles.

use engine::id::{ArtifactId, RunId};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use multer::{Constraints, Multipart, SizeLimit};
use nodes::file::{FileName, UNKNOWN_MEDIA_TYPE, name_in_disposition};
use runtime::artifact::{Artifact, KeepError, NewArtifact};
use runtime::blob::ReceiveError;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::proof::Headers;
use super::{CREATED_BY, Hook, HookError};
use crate::app::App;
use crate::service::ServiceError;

/// Most fields of a form.
const MOST_FIELDS: usize = 100;
/// Longest text of a form, in bytes; longer things are files.
const LONGEST_TEXT: u64 = 1024 * 1024;

/// A body as it comes; an error says that the sender went away.
pub type HookBytes = BoxStream<'static, Result<bytes::Bytes, std::io::Error>>;

/// What was kept of a delivery.
#[derive(Default)]
pub(super) struct Taken {
    /// As the run gets it.
    pub(super) body: Value,
    /// The files.
    pub(super) files: Vec<ArtifactId>,
    /// What two deliveries of the same have in common.
    pub(super) same: Vec<u8>,
}

/// Keeps the body for the run that is about to begin. What was kept before something went wrong is deleted again.
pub(super) async fn keep(
    app: &App,
    hook: &Hook,
    run: RunId,
    headers: &Headers,
    bytes: HookBytes,
) -> Result<Taken, HookError> {
    let mut kept = Taken::default();
    let media = headers.find("content-type").unwrap_or(UNKNOWN_MEDIA_TYPE);
    let taken = match multer::parse_boundary(media) {
        Ok(boundary) => {
            form(app, hook, run, Multipart::with_constraints(bytes, boundary, constraints()), &mut kept).await
        }
        Err(_) => whole(app, hook, run, headers, media, bytes, &mut kept).await,
    };
    match taken {
        Ok(()) => Ok(kept),
        Err(error) => {
            discard(app, hook, &kept.files).await;
            Err(error)
        }
    }
}

/// Deletes what no run will have. Should that fail, it goes in a day.
pub(super) async fn discard(app: &App, hook: &Hook, files: &[ArtifactId]) {
    for file in files {
        if let Err(error) = app.runtime.artifacts().delete(hook.workspace, *file).await {
            tracing::warn!(error = %error, artifact.id = %file, "a file that nobody needs stays for a day");
        }
    }
}

/// Texts are bounded each; files by the bound of all files.
fn constraints() -> Constraints {
    Constraints::new().size_limit(SizeLimit::new().whole_stream(u64::MAX))
}

async fn whole(
    app: &App,
    hook: &Hook,
    run: RunId,
    headers: &Headers,
    media: &str,
    bytes: HookBytes,
    kept: &mut Taken,
) -> Result<(), HookError> {
    let name = headers.find("content-disposition").and_then(name_in_disposition);
    let new = new(hook, run, name.unwrap_or_else(|| FileName::tame("")), media);
    let file = app.runtime.artifacts().keep(new, bytes).await.map_err(refused)?;
    kept.same = file.handle.sha256.to_vec();
    kept.body = file.handle.value();
    kept.files.push(file.handle.id);
    Ok(())
}

async fn form(
    app: &App,
    hook: &Hook,
    run: RunId,
    mut fields: Multipart<'static>,
    kept: &mut Taken,
) -> Result<(), HookError> {
    let (mut body, mut same, mut count) = (Map::new(), Sha256::new(), 0);
    while let Some(field) = fields.next_field().await.map_err(broken)? {
        count += 1;
        if count > MOST_FIELDS {
            return Err(HookError::Unreadable(format!("the form has more than {MOST_FIELDS} fields")));
        }
        let name = field.name().unwrap_or_default().to_owned();
        same.update((name.len() as u64).to_be_bytes());
        same.update(&name);
        let value = if let Some(called) = field.file_name() {
            let media = field.content_type().map_or_else(|| UNKNOWN_MEDIA_TYPE.to_owned(), ToString::to_string);
            let new = new(hook, run, FileName::tame(called), &media);
            let bytes = field.map_err(|error| std::io::Error::other(error.to_string())).boxed();
            let file: Artifact = app.runtime.artifacts().keep(new, bytes).await.map_err(refused)?;
            kept.files.push(file.handle.id);
            same.update(file.handle.sha256);
            file.handle.value()
        } else {
            let text = text(field, &name).await?;
            same.update(Sha256::digest(&text));
            Value::String(text)
        };
        put(&mut body, name, value);
    }
    kept.body = Value::Object(body);
    kept.same = same.finalize().to_vec();
    Ok(())
}

/// Several fields of one name become a list.
fn put(body: &mut Map<String, Value>, name: String, value: Value) {
    match body.get_mut(&name) {
        None => drop(body.insert(name, value)),
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

async fn text(mut field: multer::Field<'static>, name: &str) -> Result<String, HookError> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        if (bytes.len() + piece.len()) as u64 > LONGEST_TEXT {
            let message = format!("the field `{name:.100}` is over 1 MiB; send it as a file, with a file name");
            return Err(HookError::Unreadable(message));
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| HookError::Unreadable(format!("the field `{name:.100}` is no text in UTF-8")))
}

fn new(hook: &Hook, run: RunId, name: FileName, media_type: &str) -> NewArtifact {
    NewArtifact {
        id: None,
        workspace: hook.workspace,
        project: hook.project,
        run: Some(run),
        node: None,
        name,
        media_type: media_type.to_owned(),
        created_by: CREATED_BY.to_owned(),
        expires_at: None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
fn broken(error: multer::Error) -> HookError {
    HookError::Unreadable(format!("the form cannot be read: {error}"))
}

fn refused(error: KeepError<std::io::Error>) -> HookError {
    match error {
        KeepError::Receive(ReceiveError::BrokeOff(error)) => {
            HookError::Unreadable(format!("the body broke off: {error}"))
        }
        KeepError::Receive(ReceiveError::TooLarge { most }) => HookError::TooLarge { most },
        KeepError::Receive(ReceiveError::Blob(error)) => {
            tracing::error!(error = %error, "a file of a delivery could not be kept");
            let message = "the file cannot be kept now: the artifact store failed; send it again".to_owned();
            HookError::Service(ServiceError::Unavailable { message })
        }
        KeepError::Taken(_) => HookError::Service(ServiceError::internal("a new id was taken")),
        KeepError::Database(error) => HookError::Service(error.into()),
    }
}
