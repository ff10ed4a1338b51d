//! Files: those of runs, and how they are sent and shared.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use runtime::artifact::Artifact;

use super::Result;
use super::request::{Asked as _, id, time};
use super::run::RunObject;
use super::user_error::{UserError, settle};
use crate::service::artifact::link::{self, ArtifactLink};
use crate::service::artifact::upload::{self, NewUpload, Upload};
use crate::service::{ServiceError, run};

/// A file of a run, or one that waits for runs.
#[derive(Clone)]
pub struct ArtifactObject(pub Artifact);

/// A file of a run, or one that was sent and waits for runs. Its bytes are at `contentPath`, for whoever may see the run,
/// or the project that it waits in.
#[Object(name = "Artifact")]
impl ArtifactObject {
    /// `art_…`
    pub async fn id(&self) -> ID {
        self.0.handle.id.to_string().into()
    }

    /// What it is called: one part of a path, without control characters.
    async fn name(&self) -> &str {
        self.0.handle.name.as_str()
    }

    /// What whoever sent it said it is; nobody looked.
    async fn media_type(&self) -> &str {
        &self.0.handle.media_type
    }

    /// Bytes; it may be more than 32 bits hold.
    async fn size(&self) -> u64 {
        self.0.handle.size
    }

    /// SHA-256 of its bytes, in hex.
    async fn sha256(&self) -> String {
        hex::encode(self.0.handle.sha256)
    }

    /// Where its bytes are, below the server's address.
    async fn content_path(&self) -> String {
        format!("/api/v1/artifacts/{}/content", self.0.handle.id)
    }

    /// The run that it belongs to, and goes with; null for one that waits for runs.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<RunObject>> {
        let Some(id) = self.0.run else { return Ok(None) };
        Ok(Some(RunObject(run::get(ctx.app()?, ctx.viewer()?, id).await?)))
    }

    /// The key of the node that kept it; null when the run was started with it.
    async fn node(&self) -> Option<&str> {
        self.0.node.as_deref()
    }

    /// When it was kept.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// When it goes; null for with its run. Runs that were started with it keep theirs.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at.map(time)
    }
}

/// A file that is about to be sent.
#[derive(InputObject)]
pub struct CreateArtifactUploadInput {
    /// The project's slug: where runs may use it.
    #[graphql(default = "default")]
    project: String,
    /// What it is called: one part of a path, up to 255 bytes.
    name: String,
    /// What it is, such as `text/csv`; `application/octet-stream` when absent.
    media_type: Option<String>,
    /// Its bytes, when they are known; exactly as many have to come then. May be more than 32 bits hold.
    size: Option<u64>,
}

/// What says that a file was sent.
#[derive(InputObject)]
pub struct CompleteArtifactUploadInput {
    /// The upload's `token`.
    token: String,
}

/// A link to make.
#[derive(InputObject)]
pub struct CreateArtifactLinkInput {
    /// The file.
    artifact_id: ID,
    /// How long the link lives: up to a week.
    #[graphql(default = 15)]
    minutes: u32,
}

/// How a file is sent: put its bytes at `url` with `headers` before `expiresAt`, then call `completeArtifactUpload`.
pub struct UploadObject(Upload);

/// How a file is sent: put its bytes at `url` with `headers` before `expiresAt`, then call `completeArtifactUpload`.
#[Object(name = "ArtifactUpload")]
impl UploadObject {
    /// The id that the file will have.
    async fn artifact_id(&self) -> ID {
        self.0.artifact.to_string().into()
    }

    /// For `completeArtifactUpload`. Whoever has it can send this one file.
    async fn token(&self) -> &str {
        &self.0.token
    }

    /// The method: always `PUT`.
    async fn method(&self) -> &'static str {
        "PUT"
    }

    /// Where to; below the server's address where it begins with `/`, else straight into the bucket.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// Headers that have to go along.
    async fn headers(&self) -> Vec<UploadHeader> {
        self.0.headers.iter().map(|(name, value)| UploadHeader { name: name.clone(), value: value.clone() }).collect()
    }

    /// When it is too late.
    async fn expires_at(&self) -> DateTime<Utc> {
        time(self.0.expires_at)
    }
}

/// A header of an upload.
#[derive(SimpleObject)]
pub struct UploadHeader {
    /// Its name.
    name: String,
    /// Its value.
    value: String,
}

/// A link to a file, for whoever gets it.
pub struct LinkObject(ArtifactLink);

/// A link to a file, for whoever gets it.
#[Object(name = "ArtifactLink")]
impl LinkObject {
    /// Where the bytes are, as an attachment; below the server's address where it begins with `/`.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// When the link is over.
    async fn expires_at(&self) -> DateTime<Utc> {
        time(self.0.expires_at)
    }
}

/// What came of asking to send a file.
#[derive(SimpleObject)]
pub struct CreateArtifactUploadPayload {
    /// How to send it.
    upload: Option<UploadObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of a file that was sent.
#[derive(SimpleObject)]
pub struct CompleteArtifactUploadPayload {
    /// The file; it is durable, and waits a week for runs.
    artifact: Option<ArtifactObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of making a link.
#[derive(SimpleObject)]
pub struct CreateArtifactLinkPayload {
    /// The link.
    link: Option<LinkObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Sending and sharing files.
#[derive(Default)]
pub struct ArtifactMutation;

#[Object]
impl ArtifactMutation {
    /// Asks where to send a file, to start runs with.
    async fn create_artifact_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file.")] input: CreateArtifactUploadInput,
    ) -> Result<CreateArtifactUploadPayload> {
        let CreateArtifactUploadInput { project, name, media_type, size } = input;
        let new = NewUpload { project, name, media_type, size };
        let (upload, user_errors) = settle(upload::create(ctx.app()?, ctx.viewer()?, new).await)?;
        Ok(CreateArtifactUploadPayload { upload: upload.map(UploadObject), user_errors })
    }

    /// Says that a file was sent. Saying it again answers with the same.
    async fn complete_artifact_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: CompleteArtifactUploadInput,
    ) -> Result<CompleteArtifactUploadPayload> {
        let (artifact, user_errors) = settle(upload::complete(ctx.app()?, ctx.viewer()?, &input.token).await)?;
        Ok(CompleteArtifactUploadPayload { artifact: artifact.map(ArtifactObject), user_errors })
    }

    /// Makes a link to a file that needs no sign-in. It cannot be taken back before its time is over.
    async fn create_artifact_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file, and for how long.")] input: CreateArtifactLinkInput,
    ) -> Result<CreateArtifactLinkPayload> {
        let answer = match id(&input.artifact_id, "artifact") {
            Ok(artifact) => link::create(ctx.app()?, ctx.viewer()?, artifact, input.minutes).await,
            Err(error) => Err(error),
        };
        let (link, user_errors) = settle(answer)?;
        Ok(CreateArtifactLinkPayload { link: link.map(LinkObject), user_errors })
    }
}

/// A file to start a run with.
#[derive(InputObject)]
pub struct RunFileInput {
    /// The member of the input that it becomes.
    field: String,
    /// A file that was sent, or one of a run; of the workflow's project. The run gets its own.
    artifact_id: ID,
}

impl TryFrom<RunFileInput> for upload::GivenFile {
    type Error = ServiceError;

    fn try_from(RunFileInput { field, artifact_id }: RunFileInput) -> std::result::Result<Self, ServiceError> {
        let absent = |_| ServiceError::invalid("files", format!("there is no file `{:.50}`", artifact_id.as_str()));
        Ok(Self { field, artifact: artifact_id.parse().map_err(absent)? })
    }
}
