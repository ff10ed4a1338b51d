//! Files that people send before a run needs them: asked for, sent by a link, and given to runs when they start.

use engine::id::{ArtifactId, ProjectId, RunId};
use engine::time::Timestamp;
use futures::{Stream, StreamExt as _};
use nodes::file::media::is_media_type;
use nodes::file::{FileName, UNKNOWN_MEDIA_TYPE};
use runtime::artifact::{Artifact, KeepError, NewArtifact};
use runtime::blob::ReceiveError;
use serde_json::{Map, Value, json};

use super::link::{Claims, LinkError, Sends, Shown, over, signed};
use super::unavailable;
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::store;

/// How long a link to send a file lives, in minutes.
const LINK_MINUTES: u32 = 60;
/// How long a file waits for runs, in minutes.
const WAIT_MINUTES: u32 = 7 * 24 * 60;
/// Most files that one start gives a run.
const MOST_FILES: usize = 20;

/// A file that somebody wants to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// The project's slug.
    pub project: String,
    /// What it is called.
    pub name: String,
    /// What it says it is.
    pub media_type: Option<String>,
    /// Bytes, when they are known.
    pub size: Option<u64>,
}

/// How a file is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The file that it will be.
    pub artifact: ArtifactId,
    /// What says afterwards that it was sent.
    pub token: String,
    /// Where to put the bytes; below the server's address where it begins with `/`.
    pub url: String,
    /// Headers that have to go along.
    pub headers: Vec<(String, String)>,
    /// When it is too late.
    pub expires_at: Timestamp,
}

/// Why a file that was sent is not kept.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The link is none, or over.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// It has more bytes than it may.
    #[error("more than {most} bytes came, which is what the link, or the server, allows")]
    TooLarge {
        /// The bound.
        most: u64,
    },
    /// Not all bytes came.
    #[error("the file did not come whole: {0}; send it again")]
    BrokeOff(String),
    /// Another one was sent by the same link.
    #[error("another file was sent by this link before; ask for a new one")]
    Taken,
}

impl<E: std::fmt::Display> From<KeepError<E>> for UploadError {
    fn from(error: KeepError<E>) -> Self {
        match error {
            KeepError::Receive(ReceiveError::TooLarge { most }) => Self::TooLarge { most },
            KeepError::Receive(ReceiveError::BrokeOff(error)) => Self::BrokeOff(error.to_string()),
            KeepError::Receive(ReceiveError::Blob(error)) => Self::Link(unavailable(&error).into()),
            KeepError::Taken(_) => Self::Taken,
            KeepError::Database(error) => Self::Link(ServiceError::from(error).into()),
        }
    }
}

impl From<UploadError> for ServiceError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Link(LinkError::Service(error)) => error,
            UploadError::Link(_) => Self::invalid("token", error.to_string()),
            UploadError::TooLarge { .. } | UploadError::BrokeOff(_) | UploadError::Taken => {
                Self::Conflict { message: error.to_string() }
            }
        }
    }
}

/// Says where a file may be sent to.
///
/// # Errors
/// When they may not, the project is not there, the name is none, or the file would be too large.
pub async fn create(app: &App, viewer: &Viewer, new: NewUpload) -> Result<Upload, ServiceError> {
    viewer.require(Permission::RunStart)?;
    let name = FileName::parse(&new.name).map_err(|error| ServiceError::invalid("name", error.to_string()))?;
    let media_type = new.media_type.unwrap_or_else(|| UNKNOWN_MEDIA_TYPE.to_owned());
    if !is_media_type(&media_type) {
        let message = "a media type is such as `text/csv` or `application/pdf`, up to 200 bytes";
        return Err(ServiceError::invalid("mediaType", message));
    }
    let most = app.runtime.artifacts().most();
    if let Some(size) = new.size.filter(|size| *size > most) {
        let message = format!("a file of {size} bytes is over {most}; an operator can set `artifact.max_file`");
        return Err(ServiceError::invalid("size", message));
    }
    let project = store::project::find_by_slug(app.runtime.database(), &viewer.scope(), &new.project).await?;
    let project = project.ok_or(ServiceError::NotFound { what: "project" })?.id;
    let (artifact, (expires_at, lives)) = (ArtifactId(app.runtime.clock().new_id()), over(app, LINK_MINUTES)?);
    let sends = Sends { project, name: name.as_str().to_owned(), media_type, size: new.size, by: viewer.actor() };
    let shown = json!({"name": sends.name, "mediaType": sends.media_type, "size": sends.size});
    let claims = Claims { workspace: viewer.workspace, artifact, until: expires_at.0, sends: Some(sends) };
    let token = signed(app, &claims).await?;
    let link = match new.size {
        Some(size) => app.runtime.artifacts().upload_link(artifact, size, lives).await,
        None => Ok(None),
    };
    let (url, headers) = match link.map_err(|error| unavailable(&error))? {
        Some(link) => (link.url, link.headers),
        None => (format!("/api/v1/artifact-uploads/{token}"), Vec::new()),
    };
    let done = Done::new(Action::ArtifactUploadCreated, artifact).after(shown);
    store::artifact::record(app.runtime.database(), &Context::of(app, viewer), done).await?;
    Ok(Upload { artifact, token, url, headers, expires_at })
}

/// Keeps a file that comes by a link of ours. Sending the same again answers with the same.
///
/// # Errors
/// When the link opens nothing, the file does not come whole, or the store fails.
pub async fn receive<E: std::fmt::Display + Send>(
    app: &App,
    link: Shown,
    bytes: impl Stream<Item = Result<bytes::Bytes, E>> + Send + Unpin,
) -> Result<Artifact, UploadError> {
    let (claims, sends) = link.sends(app).await?;
    let size = sends.size;
    let mut came = 0;
    let end = futures::stream::once(std::future::ready(None));
    let mut bytes = std::pin::pin!(bytes.map(Some).chain(end).map(move |piece| {
        let piece = piece.transpose().map_err(|error| error.to_string())?;
        let is_end = piece.is_none();
        let piece = piece.unwrap_or_default();
        came += piece.len() as u64;
        match size {
            Some(size) if came > size => Err(format!("the link is for {size} bytes, and more came")),
            Some(size) if is_end && came < size => Err(format!("the link is for {size} bytes, and {came} came")),
            _ => Ok(piece),
        }
    }));
    Ok(app.runtime.artifacts().keep(new(app, claims, sends), &mut bytes).await?)
}

/// Says that a file was sent; it is kept when this returns. Saying it again answers with the same.
///
/// # Errors
/// When they may not, the token is none of this workspace, nothing was sent, or the store fails.
pub async fn complete(app: &App, viewer: &Viewer, token: &str) -> Result<Artifact, ServiceError> {
    viewer.require(Permission::RunStart)?;
    let shown = Shown::parse(token).filter(|shown| shown.workspace() == viewer.workspace);
    let (claims, sends) = match shown {
        Some(shown) => shown.sends(app).await.map_err(UploadError::from)?,
        None => return Err(UploadError::from(LinkError::Absent).into()),
    };
    if !viewer.scope().has(sends.project) {
        return Err(ServiceError::NotFound { what: "upload" });
    }
    let artifacts = app.runtime.artifacts();
    if let Some(kept) = artifacts.find(viewer.workspace, claims.artifact).await? {
        return Ok(kept);
    }
    let (id, size) = (claims.artifact, sends.size);
    let kept = artifacts.keep_sent(new(app, claims, sends)).await.map_err(UploadError::from)?;
    let message = || "nothing was sent yet: put the bytes where `url` says, with `headers`, and then say so".to_owned();
    let kept = kept.ok_or_else(|| ServiceError::Conflict { message: message() })?;
    if size.is_some_and(|size| size != kept.handle.size) {
        artifacts.delete(viewer.workspace, id).await?;
        let message = format!("{} bytes came where another number was told", kept.handle.size);
        return Err(ServiceError::Conflict { message });
    }
    Ok(kept)
}

fn new(app: &App, claims: Claims, sends: Sends) -> NewArtifact {
    let waits = std::time::Duration::from_secs(u64::from(WAIT_MINUTES) * 60);
    NewArtifact {
        id: Some(claims.artifact),
        workspace: claims.workspace,
        project: sends.project,
        run: None,
        node: None,
        name: FileName::tame(&sends.name),
        media_type: sends.media_type,
        created_by: sends.by,
        expires_at: Some(app.runtime.now().plus(waits)),
    }
}

/// A file to start a run with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenFile {
    /// The member of the input that it becomes.
    pub field: String,
    /// Which.
    pub artifact: ArtifactId,
}

/// The files that a run is to be started with, looked up: they are of its project, and were sent, or are a run's that
/// the viewer sees.
///
/// # Errors
/// When there are too many, one is not there, or the input has no place for it.
pub(crate) async fn find_given(
    app: &App,
    viewer: &Viewer,
    project: ProjectId,
    input: &Value,
    files: &[GivenFile],
) -> Result<Vec<(String, Artifact)>, ServiceError> {
    let invalid = |message: String| Err(ServiceError::invalid("files", message));
    if files.len() > MOST_FILES {
        return invalid(format!("a run is started with at most {MOST_FILES} files"));
    }
    if !files.is_empty() && !matches!(input, Value::Null | Value::Object(_)) {
        return invalid("files become members of the input, which has to be an object".to_owned());
    }
    let mut found = Vec::with_capacity(files.len());
    for file in files {
        if input.get(&file.field).is_some() || found.iter().any(|(field, _)| *field == file.field) {
            return invalid(format!("the input has a member `{:.100}` already", file.field));
        }
        let artifact = match super::get(app, viewer, file.artifact).await {
            Ok(artifact) if artifact.project == project => artifact,
            Ok(_) | Err(ServiceError::NotFound { .. }) => {
                return invalid(format!("the project of the workflow has no file {}; send it first", file.artifact));
            }
            Err(error) => return Err(error),
        };
        found.push((file.field.clone(), artifact));
    }
    Ok(found)
}

/// What counts as the same start with these files: they have other ids each time that they are sent, and the run's own each
/// time that the start is asked for.
pub(crate) fn same_start(input: &Value, files: &[(String, Artifact)]) -> Value {
    let same = |(field, file): &(String, Artifact)| json!([field, file.handle.name.as_str(), file.handle.sha256]);
    json!({"input": input, "files": files.iter().map(same).collect::<Vec<_>>()})
}

/// The input with the files themselves as its members: what a run would get, but for their ids.
pub(crate) fn placed(input: Value, files: &[(String, Artifact)]) -> Value {
    let mut members = members(input);
    members.extend(files.iter().map(|(field, file)| (field.clone(), file.handle.value())));
    Value::Object(members)
}

/// Gives a run that is about to begin its own of these files, and puts them into its input.
///
/// # Errors
/// When the bytes are gone, or the database fails; what was given before goes in a day.
pub(crate) async fn give(
    app: &App,
    viewer: &Viewer,
    run: RunId,
    input: Value,
    files: &[(String, Artifact)],
) -> Result<Value, ServiceError> {
    let mut members = members(input);
    for (field, file) in files {
        let given = app.runtime.artifacts().give(file, run, &viewer.actor()).await;
        let given = given.map_err(|error| ServiceError::from(UploadError::from(error)))?;
        members.insert(field.clone(), given.handle.value());
    }
    Ok(Value::Object(members))
}

fn members(input: Value) -> Map<String, Value> {
    match input {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
