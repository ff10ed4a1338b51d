//! Drafts: reading, saving, going back, publishing.

use async_graphql::{Context, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Result;
use super::page::{Relay, connection, cost, window};
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use super::version::VersionObject;
use super::workflow::change::PublishWorkflowPayload;
use super::workflow::{ProblemObject, WorkflowObject};
use crate::service::ServiceError;
use crate::service::draft::{self, Draft, DraftChange, Save};
use crate::service::workflow::{self, PublishDraft};

/// What people edit before it is published. A broken draft can always be saved and opened.
pub struct DraftObject(pub(super) Draft);

/// What people edit before it is published. A broken draft can always be saved and opened.
#[Object(name = "Draft")]
impl DraftObject {
    /// The id, `drf_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its name, unique in the workflow; every workflow has `main`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Counts its changes from 1; goes with `document` and `sidecar`.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// The document in the form `flowforge/v1`, broken or not.
    async fn document(&self) -> Json<&Value> {
        Json(&self.0.document)
    }

    /// Layout, notes, groups, colors and pins: an object that is no part of any version.
    async fn sidecar(&self) -> Json<&Value> {
        Json(&self.0.sidecar)
    }

    /// Everything that is wrong with the document, or may be.
    #[graphql(complexity = "50 + child_complexity")]
    async fn problems(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = "default", desc = "The environment whose connections and variables it shall find.")]
        environment: String,
    ) -> Result<Vec<ProblemObject>> {
        let problems = draft::problems_in(ctx.app()?, ctx.viewer()?, &self.0, &environment).await?;
        Ok(problems.into_iter().map(ProblemObject::from).collect())
    }

    /// The version that it began as or was last published as; null when there is none yet.
    async fn base_version(&self, ctx: &Context<'_>) -> Result<Option<VersionObject>> {
        let Some(base) = self.0.base else { return Ok(None) };
        Ok(ctx.reads()?.load_one(base).await?.map(VersionObject))
    }

    /// Its changes, the latest first.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to end before.")] before: Option<String>,
    ) -> Result<Relay<DraftChangeObject>> {
        let page = window(first, after, last, before)?;
        let page = draft::changes(ctx.app()?, ctx.viewer()?, self.0.id, &page).await?;
        Ok(connection(page, DraftChangeObject::from))
    }

    /// Its workflow.
    async fn workflow(&self, ctx: &Context<'_>) -> Result<WorkflowObject> {
        let found = ctx.reads()?.load_one(self.0.workflow).await?;
        Ok(WorkflowObject(found.ok_or(ServiceError::NotFound { what: "workflow" })?))
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        time(self.0.updated_at)
    }

    /// Who changed it last: the id of an API key.
    async fn updated_by(&self) -> &str {
        &self.0.updated_by
    }
}

/// One change of a draft.
#[derive(SimpleObject)]
#[graphql(name = "DraftChange")]
pub struct DraftChangeObject {
    /// The revision that it made.
    revision: i64,
    /// JSON Patch (RFC 6902) of the document.
    patch: Json<Value>,
    /// JSON Patch (RFC 6902) of the sidecar.
    sidecar_patch: Json<Value>,
    /// When.
    changed_at: DateTime<Utc>,
    /// Who made it: the id of an API key.
    changed_by: String,
}

impl From<DraftChange> for DraftChangeObject {
    fn from(change: DraftChange) -> Self {
        Self {
            revision: change.revision,
            patch: Json(change.patch),
            sidecar_patch: Json(change.sidecar_patch),
            changed_at: time(change.changed_at),
            changed_by: change.changed_by,
        }
    }
}

/// A change of a draft.
#[derive(InputObject)]
pub struct SaveDraftInput {
    /// The draft.
    draft_id: ID,
    /// The revision that the change was made for.
    expected_revision: i64,
    /// JSON Patch (RFC 6902) of the document. The result must be an object of at most 4 MiB, nested at most 100 deep;
    /// whether it can run does not matter.
    patch: Option<Json<Value>>,
    /// JSON Patch (RFC 6902) of the sidecar: at most 1 MiB, of which `pins` at most 256 KiB.
    sidecar_patch: Option<Json<Value>>,
}

/// A draft to take back to a version.
#[derive(InputObject)]
pub struct DiscardDraftInput {
    /// The draft.
    draft_id: ID,
    /// The revision that is given up.
    expected_revision: i64,
    /// The version to go back to, of the same workflow; the draft's base version when absent.
    version_id: Option<ID>,
}

/// What came of changing a draft.
#[derive(SimpleObject)]
pub struct DraftPayload {
    /// The draft as it is now. On REVISION_CONFLICT it is as somebody else left it.
    draft: Option<DraftObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// A draft to publish.
#[derive(InputObject)]
pub struct PublishDraftInput {
    /// The draft.
    draft_id: ID,
    /// The revision that is published.
    expected_revision: i64,
    /// What is new.
    note: Option<String>,
    /// The environment that runs the version from now on; none when absent.
    deploy_to: Option<String>,
}

/// Changing and publishing drafts.
#[derive(Default)]
pub struct DraftMutation;

#[Object]
impl DraftMutation {
    /// Saves a change of a draft unless somebody else changed it since `expectedRevision`. A change that changes
    /// nothing makes no revision.
    async fn save_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: SaveDraftInput,
    ) -> Result<DraftPayload> {
        let change = Save {
            expected: input.expected_revision,
            patch: input.patch.map(|patch| patch.0),
            sidecar_patch: input.sidecar_patch.map(|patch| patch.0),
        };
        answered(match id(&input.draft_id, "draft") {
            Ok(wanted) => draft::save(ctx.app()?, ctx.viewer()?, wanted, change).await,
            Err(error) => Err(error),
        })
    }

    /// Takes a draft's document back to a version. The sidecar stays, and so does the history.
    async fn discard_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The draft and the version.")] input: DiscardDraftInput,
    ) -> Result<DraftPayload> {
        let to = input.version_id.as_ref().map(|version| id(version, "version")).transpose();
        answered(match (id(&input.draft_id, "draft"), to) {
            (Ok(wanted), Ok(to)) => {
                draft::discard(ctx.app()?, ctx.viewer()?, wanted, input.expected_revision, to).await
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        })
    }

    /// Makes a draft's document the next version of its workflow, unless the latest version has it already. Problems
    /// refuse it.
    async fn publish_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The draft, and where the version goes.")] input: PublishDraftInput,
    ) -> Result<PublishWorkflowPayload> {
        let answer = match id(&input.draft_id, "draft") {
            Ok(draft) => {
                let request = PublishDraft {
                    draft,
                    expected: input.expected_revision,
                    note: input.note,
                    deploy_to: input.deploy_to,
                };
                workflow::publish_draft(ctx.app()?, ctx.viewer()?, request).await
            }
            Err(error) => Err(error),
        };
        PublishWorkflowPayload::of(answer)
    }
}

/// The draft as it is now, also when somebody else was faster.
fn answered(answer: Result<Draft, ServiceError>) -> Result<DraftPayload> {
    let other = match &answer {
        Err(ServiceError::RevisionConflict(other)) => Some(Draft::clone(other)),
        _ => None,
    };
    let (draft, user_errors) = settle(answer)?;
    Ok(DraftPayload { draft: draft.or(other).map(DraftObject), user_errors })
}
