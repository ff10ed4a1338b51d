//! Publishing in one transaction: workflow, definition, version, deployment.

use engine::definition::canonical::canonical_bytes;
use engine::id::{DraftId, VersionId, WorkflowId, WorkspaceId};
use engine::value::Digest;
use entity::{definition, version, workflow};
use runtime::Database;
use runtime::secret::Signer;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use super::change::Change;
use super::workflow::{get_live_in, insert_in, touch_in, unless_archived, update_in};
use super::{at, deployment, draft};
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::deployment::Placing;
use crate::service::project::Project;
use crate::service::signature::statement;
use crate::service::version::Hashes;
use crate::service::workflow::Version;
use crate::service::workflow::change::{About, NewWorkflow};

/// How often two publishers who both make the workflow may get in each other's way.
const TRIES: usize = 8;

/// Everything that one publishing writes. The ids are used only for what is not there yet.
pub(crate) struct Publication {
    pub(crate) context: Context,
    pub(crate) target: Target,
    pub(crate) definition: Value,
    pub(crate) hash: Digest,
    pub(crate) hashes: Hashes,
    /// Signs the version; `None` without a master key.
    pub(crate) signer: Option<Signer>,
    pub(crate) note: String,
    pub(crate) by: String,
    pub(crate) version_id: VersionId,
    pub(crate) placing: Option<Placing>,
}

/// What gets the version.
pub(crate) enum Target {
    /// The workflow of this name, which is made when it is not there.
    Named { project: Project, new: Box<NewWorkflow>, about: About },
    /// The workflow of a draft, as long as the draft is at this revision.
    Draft { workflow: WorkflowId, draft: DraftId, revision: i64 },
}

/// What came of it.
pub(crate) enum Saved {
    /// The version that has the definition now; `false` when it was the latest already.
    Version { workflow: WorkflowId, version: Box<Version>, created: bool },
    /// The draft is at another revision by now; nothing was written.
    DraftMoved,
}

/// Saves it. Whoever comes second to make a workflow of the same name tries again and finds it.
pub(crate) async fn save(database: &Database, publication: &Publication) -> Result<Saved, ServiceError> {
    let mut tries = 1;
    loop {
        let mut change = Change::begin(database, &publication.context).await?;
        match publication.save_in(&mut change).await {
            Ok(saved @ Saved::Version { .. }) => {
                change.commit().await?;
                return Ok(saved);
            }
            Ok(Saved::DraftMoved) => {
                change.rollback().await?;
                return Ok(Saved::DraftMoved);
            }
            Err(error) => {
                change.rollback().await?;
                if tries == TRIES || !matches!(error, ServiceError::NameTaken { .. }) {
                    return Err(error);
                }
                tries += 1;
            }
        }
    }
}

impl Publication {
    async fn save_in(&self, change: &mut Change) -> Result<Saved, ServiceError> {
        let workflow = self.workflow(change).await?;
        let id = WorkflowId(workflow.id);
        let workspace = self.context.workspace;
        let latest = super::version::latest_in(change.connection(), &self.context.scope(), id).await?;
        let (version, created) = match latest {
            Some(latest) if latest.hash == self.hash => (latest, false),
            latest => {
                let number = latest.as_ref().map_or(0, |latest| latest.number) + 1;
                let version = self.version(change.connection(), id, number).await?;
                let summary = json!({"number": version.number, "hash": version.hash.to_string()});
                change.record(Done::new(Action::VersionPublished, version.id).of(id).after(summary));
                touch_in(change.connection(), &self.context, id).await?;
                if let (Some(latest), Target::Named { .. }) = (&latest, &self.target) {
                    draft::follow_in(change, latest, &version, &self.definition).await?;
                }
                (version, true)
            }
        };
        let (draft, revision) = match &self.target {
            Target::Draft { draft, revision, .. } => (*draft, *revision),
            // The draft of a workflow that was just made is this definition.
            Target::Named { new, .. } => (new.draft.id, new.draft.revision),
        };
        let noted = draft::published_in(change.connection(), workspace, draft, revision, version.id).await?;
        if !noted && matches!(self.target, Target::Draft { .. }) {
            return Ok(Saved::DraftMoved);
        }
        if let Some(placing) = &self.placing {
            deployment::put_in(change, placing, &workflow, version.id).await?;
        }
        Ok(Saved::Version { workflow: id, version: Box::new(version), created })
    }

    /// The workflow's row, held until the end.
    async fn workflow(&self, change: &mut Change) -> Result<workflow::Model, ServiceError> {
        let (project, new, about) = match &self.target {
            Target::Draft { workflow, .. } => return get_live_in(change, *workflow).await,
            Target::Named { project, new, about } => (project, new, about),
        };
        let found = workflow::Entity::find()
            .filter(workflow::Column::WorkspaceId.eq(self.context.workspace.0))
            .filter(workflow::Column::ProjectId.eq(project.id.0))
            .filter(workflow::Column::Name.eq(&new.workflow.name))
            .one(change.connection())
            .await?;
        match found {
            Some(found) => {
                unless_archived(&found)?;
                update_in(change, WorkflowId(found.id), about).await
            }
            None => {
                insert_in(change, new).await?;
                get_live_in(change, new.workflow.id).await
            }
        }
    }

    async fn version(&self, write: &impl ConnectionTrait, of: WorkflowId, number: i32) -> Result<Version, DbErr> {
        let workspace = self.context.workspace;
        self.definition(write, workspace).await?;
        let model = version::Model {
            id: self.version_id.0,
            workspace_id: workspace.0,
            workflow_id: of.0,
            number,
            definition_hash: self.hash.0.to_vec(),
            rules_version: engine::run::RULES_VERSION,
            note: self.note.clone(),
            created_by: self.by.clone(),
            created_at: at(self.context.at),
        };
        let row = version::ActiveModel::from(model.clone()).reset_all();
        version::Entity::insert(row).exec_without_returning(write).await?;
        let version = super::version::read(model)?;
        super::version_hashes::insert_in(write, workspace, version.id, &self.hashes).await?;
        if let Some(signer) = &self.signer {
            let statement = statement(workspace, &version, &self.hashes);
            super::version_signature::insert_in(write, workspace, version.id, signer, &statement).await?;
        }
        Ok(version)
    }

    async fn definition(&self, write: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<(), DbErr> {
        let document = String::from_utf8(canonical_bytes(&self.definition));
        let model = definition::Model {
            workspace_id: workspace.0,
            hash: self.hash.0.to_vec(),
            document: document.map_err(|error| DbErr::Json(error.to_string()))?,
            created_at: at(self.context.at),
        };
        let once =
            OnConflict::columns([definition::Column::WorkspaceId, definition::Column::Hash]).do_nothing().to_owned();
        let row = definition::ActiveModel::from(model).reset_all();
        definition::Entity::insert(row).on_conflict(once).exec_without_returning(write).await.map(drop)
    }
}
