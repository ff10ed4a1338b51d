//! Links: whoever has one gets one file, or sends one, until its time is over. Nothing is kept of a link: it says itself
//! what it is for, signed with a key that follows from the workspace's.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use engine::id::{ArtifactId, ProjectId, WorkspaceId};
use engine::time::Timestamp;
use runtime::artifact::Artifact;
use runtime::secret::Use;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::get;
use crate::app::App;
use crate::auth::{Scope, Viewer};
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::store;

/// Longest link, in bytes: the longest name, and what stands beside it.
const LONGEST: usize = 4096;
/// How long a link lives at most, in minutes: what S3 allows.
pub const MOST_MINUTES: u32 = 7 * 24 * 60;

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claims {
    /// Whose file.
    pub(super) workspace: WorkspaceId,
    /// Which.
    pub(super) artifact: ArtifactId,
    /// Until when, in microseconds.
    pub(super) until: i64,
    /// What is to be sent; absent from a link that gets a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sends: Option<Sends>,
}

/// A file that a link sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sends {
    /// In which project.
    pub(super) project: ProjectId,
    /// What it is called.
    pub(super) name: String,
    /// What it says it is.
    pub(super) media_type: String,
    /// Bytes, when that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
    /// Who was given the link.
    pub(super) by: String,
}

/// A link as somebody shows it. Nothing of it is true yet.
#[derive(Debug)]
pub struct Shown {
    claims: Claims,
    text: Vec<u8>,
    mac: Vec<u8>,
}

/// Why a link opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nobody here signed it, or what it is about is gone: nobody can tell which.
    #[error("this link opens nothing; ask whoever gave it to you for a new one")]
    Absent,
    /// Its time is over.
    #[error("the time of this link is over; ask whoever gave it to you for a new one")]
    Over,
    /// The reason has nothing to do with the link.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Shown {
    /// Takes a link apart.
    pub fn parse(link: &str) -> Option<Self> {
        let (text, mac) = link.split_once('.').filter(|_| link.len() <= LONGEST)?;
        let (text, mac) = (BASE64.decode(text).ok()?, BASE64.decode(mac).ok()?);
        let claims = serde_json::from_slice(&text).ok()?;
        Some(Self { claims, text, mac })
    }

    /// The workspace that it speaks of.
    pub fn workspace(&self) -> WorkspaceId {
        self.claims.workspace
    }

    /// What it says, once it is known that it was signed here and its time is not over. The workspace has to be there:
    /// its key would be made.
    async fn believed(self, app: &App, now: Timestamp) -> Result<Claims, LinkError> {
        let pepper = app.runtime.secrets().pepper(self.claims.workspace, Use::FileLink).await;
        if !pepper.map_err(ServiceError::from)?.is_hash(&self.text, &self.mac) {
            return Err(LinkError::Absent);
        }
        if now.0 >= self.claims.until { Err(LinkError::Over) } else { Ok(self.claims) }
    }

    /// The file that the link gets.
    ///
    /// # Errors
    /// When it gets none.
    pub async fn file(self, app: &App) -> Result<Artifact, LinkError> {
        let found = app.runtime.artifacts().find(self.claims.workspace, self.claims.artifact).await;
        let found = found.map_err(ServiceError::from)?.ok_or(LinkError::Absent)?;
        match self.believed(app, app.runtime.now()).await?.sends {
            None => Ok(found),
            Some(_) => Err(LinkError::Absent),
        }
    }

    /// The file that the link sends.
    pub(super) async fn sends(self, app: &App) -> Result<(Claims, Sends), LinkError> {
        let Some(project) = self.claims.sends.as_ref().map(|sends| sends.project) else {
            return Err(LinkError::Absent);
        };
        let scope = Scope::whole(self.claims.workspace);
        let found = store::project::by_ids(app.runtime.database(), &scope, &[project]).await;
        if found.map_err(ServiceError::from)?.is_empty() {
            return Err(LinkError::Absent);
        }
        let claims = self.believed(app, app.runtime.now()).await?;
        let sends = claims.sends.clone().ok_or(LinkError::Absent)?;
        Ok((claims, sends))
    }
}

/// The link that says this.
pub(super) async fn signed(app: &App, claims: &Claims) -> Result<String, ServiceError> {
    let text = serde_json::to_vec(claims).map_err(ServiceError::internal)?;
    let mac = app.runtime.secrets().pepper(claims.workspace, Use::FileLink).await?.hash(&text);
    Ok(format!("{}.{}", BASE64.encode(text), BASE64.encode(mac)))
}

/// When a link that is made now is over.
pub(super) fn over(app: &App, minutes: u32) -> Result<(Timestamp, Duration), ServiceError> {
    if !(1..=MOST_MINUTES).contains(&minutes) {
        return Err(ServiceError::invalid("minutes", format!("a link lives 1 to {MOST_MINUTES} minutes")));
    }
    let lives = Duration::from_secs(u64::from(minutes) * 60);
    Ok((app.runtime.now().plus(lives), lives))
}

/// A link to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactLink {
    /// Where its bytes are; below the server's address where it begins with `/`.
    pub url: String,
    /// When the link is over.
    pub expires_at: Timestamp,
}

/// Makes a link to a file, for whoever gets it.
///
/// # Errors
/// `NotFound` as for [`get`]; minutes that cannot be used; a store or a key that is not there.
pub async fn create(app: &App, viewer: &Viewer, id: ArtifactId, minutes: u32) -> Result<ArtifactLink, ServiceError> {
    let file = get(app, viewer, id).await?;
    let (expires_at, lives) = over(app, minutes)?;
    let link =
        app.runtime.artifacts().download_link(&file, &super::disposition(file.handle.name.as_str()), lives).await;
    let url = match link.map_err(|error| super::unavailable(&error))? {
        Some(link) => link.url,
        None => {
            let claims = Claims { workspace: viewer.workspace, artifact: id, until: expires_at.0, sends: None };
            format!("/api/v1/artifact-links/{}", signed(app, &claims).await?)
        }
    };
    let done = Done::new(Action::ArtifactLinked, id).after(json!({"minutes": minutes}));
    store::artifact::record(app.runtime.database(), &Context::of(app, viewer), done).await?;
    Ok(ArtifactLink { url, expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_link_is_not_read() {
        let long = format!("{}.x", "a".repeat(LONGEST));
        for text in ["", ".", "a.b", "e30.e30", "bnVsbA.", &long, "%2e%2e/x.y", "\u{0}.\u{0}"] {
            assert!(Shown::parse(text).is_none(), "{text:.40}");
        }
    }
}
