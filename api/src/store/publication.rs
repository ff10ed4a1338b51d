//! Publishing in one transaction: workflow, definition, version, deployment.

use engine::definition::canonical::canonical_bytes;
use engine::id::{DeploymentId, ProjectId, VersionId, WorkflowId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::Digest;
use entity::{definition, version, workflow};
use runtime::Database;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _,
    QueryFilter as _, SqlErr,
};
use serde_json::json;

use super::change::Change;
use super::{at, deployment};
use crate::service::audit::{Action, Context, Done};
use crate::service::version::Hashes;
use crate::service::workflow::{Deployment, Publish, Version, Workflow};

/// How often two publishers of one workflow may get in each other's way.
const TRIES: usize = 8;

/// Everything that one publishing writes. The ids are used only for what is not there yet.
pub(crate) struct Publication {
    pub(crate) context: Context,
    pub(crate) workspace: WorkspaceId,
    pub(crate) project: ProjectId,
    pub(crate) project_slug: String,
    pub(crate) hash: Digest,
    pub(crate) hashes: Hashes,
    pub(crate) now: Timestamp,
    pub(crate) by: String,
    pub(crate) workflow_id: WorkflowId,
    pub(crate) version_id: VersionId,
    pub(crate) deployment_id: DeploymentId,
    pub(crate) request: Publish,
}

/// Saves it; `false` when the latest version has the definition already. Numbers are given under a unique constraint:
/// whoever comes second tries again with the next one.
pub(crate) async fn save(database: &Database, publication: &Publication) -> Result<(Workflow, Version, bool), DbErr> {
    let mut tries = 1;
    loop {
        let mut change = Change::begin(database, &publication.context).await?;
        match publication.save_in(&mut change).await {
            Ok(saved) => {
                change.commit().await?;
                return Ok(saved);
            }
            Err(error) => {
                change.rollback().await?;
                if tries == TRIES || !matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
                    return Err(error);
                }
                tries += 1;
            }
        }
    }
}

impl Publication {
    async fn save_in(&self, change: &mut Change) -> Result<(Workflow, Version, bool), DbErr> {
        let workflow = self.workflow(change).await?;
        let id = WorkflowId(workflow.id);
        let latest = super::version::latest_in(change.connection(), self.workspace, id).await?;
        let (version, created) = match latest {
            Some(latest) if latest.hash == self.hash => (latest, false),
            latest => {
                let number = latest.map_or(0, |latest| latest.number) + 1;
                let version = self.version(change.connection(), id, number).await?;
                let summary = json!({"number": version.number, "hash": version.hash.to_string()});
                change.record(Done::new(Action::VersionPublished, version.id).of(id).after(summary));
                (version, true)
            }
        };
        if let Some(environment) = &self.request.deploy_to {
            let new = Deployment {
                id: self.deployment_id,
                workflow: id,
                environment: environment.clone(),
                version: version.id,
                updated_at: self.now,
            };
            deployment::put_in(change, self.workspace, &new, &self.by).await?;
        }
        Ok((super::workflow::read(workflow, &self.project_slug), version, created))
    }

    async fn workflow(&self, change: &mut Change) -> Result<workflow::Model, DbErr> {
        let (request, write) = (&self.request, change.connection());
        let found = workflow::Entity::find()
            .filter(workflow::Column::WorkspaceId.eq(self.workspace.0))
            .filter(workflow::Column::ProjectId.eq(self.project.0))
            .filter(workflow::Column::Name.eq(&request.name))
            .one(write)
            .await?;
        let Some(found) = found else {
            let made = self.new_workflow(write).await?;
            let summary = json!({"project": self.project_slug, "name": made.name, "title": made.title});
            change.record(Done::new(Action::WorkflowCreated, self.workflow_id).of(self.workflow_id).after(summary));
            return Ok(made);
        };
        let title = request.title.clone().unwrap_or_else(|| found.title.clone());
        let description = request.description.clone().unwrap_or_else(|| found.description.clone());
        if title == found.title && description == found.description {
            return Ok(found);
        }
        let id = WorkflowId(found.id);
        let before = json!({"title": found.title, "description": found.description});
        let after = json!({"title": title, "description": description});
        let mut row = workflow::ActiveModel::from(found);
        row.title = Set(title);
        row.description = Set(description);
        row.updated_at = Set(at(self.now));
        let updated = row.update(write).await?;
        change.record(Done::new(Action::WorkflowUpdated, id).of(id).before(before).after(after));
        Ok(updated)
    }

    async fn new_workflow(&self, write: &impl ConnectionTrait) -> Result<workflow::Model, DbErr> {
        let model = workflow::Model {
            id: self.workflow_id.0,
            workspace_id: self.workspace.0,
            project_id: self.project.0,
            name: self.request.name.clone(),
            title: self.request.title.clone().unwrap_or_default(),
            description: self.request.description.clone().unwrap_or_default(),
            tags: "[]".to_owned(),
            folder_path: String::new(),
            archived_at: None,
            created_at: at(self.now),
            updated_at: at(self.now),
        };
        workflow::Entity::insert(all_set::<workflow::ActiveModel, _>(model.clone()))
            .exec_without_returning(write)
            .await?;
        Ok(model)
    }

    async fn version(&self, write: &impl ConnectionTrait, of: WorkflowId, number: i32) -> Result<Version, DbErr> {
        let bytes = canonical_bytes(&self.request.definition);
        let document = String::from_utf8(bytes).map_err(|error| DbErr::Json(error.to_string()))?;
        let definition = definition::Model {
            workspace_id: self.workspace.0,
            hash: self.hash.0.to_vec(),
            document,
            created_at: at(self.now),
        };
        let once =
            OnConflict::columns([definition::Column::WorkspaceId, definition::Column::Hash]).do_nothing().to_owned();
        definition::Entity::insert(all_set::<definition::ActiveModel, _>(definition))
            .on_conflict(once)
            .exec_without_returning(write)
            .await?;
        let model = version::Model {
            id: self.version_id.0,
            workspace_id: self.workspace.0,
            workflow_id: of.0,
            number,
            definition_hash: self.hash.0.to_vec(),
            rules_version: engine::run::RULES_VERSION,
            note: self.request.note.clone().unwrap_or_default(),
            created_by: self.by.clone(),
            created_at: at(self.now),
        };
        version::Entity::insert(all_set::<version::ActiveModel, _>(model.clone()))
            .exec_without_returning(write)
            .await?;
        let version = super::version::read(model)?;
        super::version_hashes::insert_in(write, self.workspace, version.id, &self.hashes).await?;
        Ok(version)
    }
}

/// A row to insert with every column of the model.
fn all_set<A, M>(model: M) -> A
where
    A: sea_orm::ActiveModelTrait + From<M>,
{
    A::from(model).reset_all()
}
