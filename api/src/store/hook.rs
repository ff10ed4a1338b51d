//! Addresses of webhooks, and what came to them. An address itself says which workspace is meant; every other query
//! starts from one.

use engine::id::{BindingId, ProjectId, SecretId, VersionId, WorkflowId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::Digest;
use entity::word::{BindingKind, TriggerKind, ValueKind};
use entity::{project, trigger_binding, trigger_event, webhook_seen, webhook_url, workflow, workspace};
use runtime::Database;
use runtime::secret::{Sealed, WorkspaceKey};
use sea_orm::prelude::{DateTimeUtc, Uuid};
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, RelationDef, Select, SqlErr,
};
use serde_json::json;
use sha2::Digest as _;

use super::change::Change;
use super::scope::of_workflow;
use super::{at, digest, json, timestamp};
use crate::auth::Scope;
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::hook::{Address, Drawn, Found, Hook, Kept, Note, draw};
use engine::id::WorkspaceKeyId;
use nodes::webhook::{Proof, WebhookSettings};

fn to_binding() -> RelationDef {
    webhook_url::Entity::belongs_to(trigger_binding::Entity)
        .from(webhook_url::Column::BindingId)
        .to(trigger_binding::Column::Id)
        .into()
}

fn to_workflow() -> RelationDef {
    trigger_binding::Entity::belongs_to(workflow::Entity)
        .from(trigger_binding::Column::WorkflowId)
        .to(workflow::Column::Id)
        .into()
}

fn to_project() -> RelationDef {
    webhook_url::Entity::belongs_to(project::Entity).from(webhook_url::Column::ProjectId).to(project::Column::Id).into()
}

fn to_workspace() -> RelationDef {
    webhook_url::Entity::belongs_to(workspace::Entity)
        .from(webhook_url::Column::WorkspaceId)
        .to(workspace::Column::Id)
        .into()
}

/// What an address leads to now; `None` when it never led anywhere.
pub(crate) async fn find(database: &Database, address: &Address, now: Timestamp) -> Result<Option<Found>, DbErr> {
    let select = webhook_url::Entity::find().join(JoinType::LeftJoin, to_binding());
    let select = match address {
        Address::Secret(secret) => select.filter(webhook_url::Column::Digest.eq(secret.0.to_vec())),
        Address::Path { workspace: tenant, project: folder, environment, path } => select
            .join(JoinType::InnerJoin, to_project())
            .join(JoinType::InnerJoin, to_workspace())
            .filter(workspace::Column::Slug.eq(tenant))
            .filter(project::Column::Slug.eq(folder))
            .filter(webhook_url::Column::Environment.eq(environment))
            .filter(webhook_url::Column::Path.eq(path)),
    };
    let found = select.select_also(trigger_binding::Entity).one(database.read()).await?;
    let Some((url, binding)) = found else { return Ok(None) };
    let is_over = url.valid_until.is_some_and(|until| timestamp(until) <= now);
    let Some(binding) = binding.filter(|_| !is_over) else { return Ok(Some(Found::Gone)) };
    let is_secret = url.path.is_none();
    Ok(Some(match hook(database, binding, ProjectId(url.project_id), is_secret).await? {
        Some(hook) => Found::Here(hook),
        None => Found::Gone,
    }))
}

/// A deployed webhook; `None` when it is not deployed, or its workflow is in the archive.
async fn hook(
    database: &Database,
    binding: trigger_binding::Model,
    project: ProjectId,
    is_secret: bool,
) -> Result<Option<Hook>, DbErr> {
    let (Some(version), Some(hash)) = (binding.version_id, &binding.definition_hash) else { return Ok(None) };
    let archived: Option<Option<DateTimeUtc>> = workflow::Entity::find_by_id(binding.workflow_id)
        .select_only()
        .column(workflow::Column::ArchivedAt)
        .into_tuple()
        .one(database.read())
        .await?;
    if archived != Some(None) {
        return Ok(None);
    }
    Ok(Some(Hook {
        binding: BindingId(binding.id),
        workspace: WorkspaceId(binding.workspace_id),
        project,
        workflow: WorkflowId(binding.workflow_id),
        environment: binding.environment,
        node: binding.node_key,
        version: VersionId(version),
        hash: digest(hash)?,
        config: json(&binding.config)?,
        is_paused: binding.paused_at.is_some(),
        is_secret,
    }))
}

fn webhooks(scope: &Scope) -> Select<trigger_binding::Entity> {
    trigger_binding::Entity::find()
        .filter(trigger_binding::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_workflow(scope, trigger_binding::Column::WorkflowId))
        .filter(trigger_binding::Column::Kind.eq(BindingKind::Webhook))
}

/// The webhook of this id, as if somebody had called it.
pub(crate) async fn by_binding(database: &Database, scope: &Scope, id: BindingId) -> Result<Option<Hook>, DbErr> {
    let found = webhooks(scope)
        .filter(trigger_binding::Column::Id.eq(id.0))
        .join(JoinType::InnerJoin, to_workflow())
        .select_also(workflow::Entity)
        .one(database.read())
        .await?;
    let Some((binding, Some(of))) = found else { return Ok(None) };
    hook(database, binding, ProjectId(of.project_id), true).await
}

/// The addresses of a trigger that work, the one that stays first.
pub(crate) async fn urls(
    database: &Database,
    workspace: WorkspaceId,
    of: BindingId,
    now: Timestamp,
) -> Result<Vec<Kept>, DbErr> {
    let rows = webhook_url::Entity::find()
        .join(JoinType::InnerJoin, to_project())
        .select_also(project::Entity)
        .filter(webhook_url::Column::WorkspaceId.eq(workspace.0))
        .filter(webhook_url::Column::BindingId.eq(of.0))
        .order_by_desc(webhook_url::Column::CreatedAt)
        .order_by_desc(webhook_url::Column::Id)
        .all(database.read())
        .await?;
    let tenant = super::workspace::find(database, workspace).await?.map(|found| found.slug).unwrap_or_default();
    let kept = |(row, project): (webhook_url::Model, Option<project::Model>)| Kept {
        id: SecretId(row.id),
        workspace: tenant.clone(),
        project: project.map(|project| project.slug).unwrap_or_default(),
        environment: row.environment,
        path: row.path,
        sealed: sealed(row.workspace_key_id, row.wrapped_key, row.ciphertext),
        valid_until: row.valid_until.map(timestamp),
    };
    let works = |kept: &Kept| kept.valid_until.is_none_or(|until| until > now);
    Ok(rows.into_iter().map(kept).filter(works).collect())
}

fn sealed(key: Option<Uuid>, wrapped: Option<Vec<u8>>, ciphertext: Option<Vec<u8>>) -> Option<Sealed> {
    let ((key, wrapped_key), ciphertext) = key.zip(wrapped).zip(ciphertext)?;
    Some(Sealed { workspace_key: WorkspaceKeyId(key), wrapped_key, ciphertext })
}

fn blank(context: &Context, of: &workflow::Model, environment: &str, binding: Uuid) -> webhook_url::ActiveModel {
    webhook_url::ActiveModel {
        id: Set(context.new_id().0),
        workspace_id: Set(context.workspace.0),
        project_id: Set(of.project_id),
        environment: Set(environment.to_owned()),
        binding_id: Set(binding),
        path: Set(None),
        digest: Set(None),
        workspace_key_id: Set(None),
        wrapped_key: Set(None),
        ciphertext: Set(None),
        created_at: Set(at(context.at)),
        valid_until: Set(None),
    }
}

fn with_secret(row: &mut webhook_url::ActiveModel, id: SecretId, drawn: &Drawn) {
    row.id = Set(id.0);
    row.digest = Set(Some(drawn.digest.0.to_vec()));
    row.workspace_key_id = Set(Some(drawn.sealed.workspace_key.0));
    row.wrapped_key = Set(Some(drawn.sealed.wrapped_key.clone()));
    row.ciphertext = Set(Some(drawn.sealed.ciphertext.clone()));
}

/// Sees to it that a webhook that is deployed has the address that its config says. One that it had before goes on
/// working where it is a secret, so that a rollback finds its senders; another readable one takes its place.
pub(super) async fn address_in(
    change: &Change,
    of: &workflow::Model,
    binding: &trigger_binding::Model,
    key: Option<&WorkspaceKey>,
) -> Result<(), ServiceError> {
    use webhook_url::Column as C;
    let (context, write) = (change.context(), change.connection());
    let settings = WebhookSettings::read(&json(&binding.config)?).map_err(|_| ServiceError::Conflict {
        message: format!("the config of `{}` cannot be used", binding.node_key),
    })?;
    let own =
        webhook_url::Entity::find().filter(C::BindingId.eq(binding.id)).filter(C::WorkspaceId.eq(of.workspace_id));
    if settings.proof == Proof::Url {
        let has = own.filter(C::Path.is_null()).filter(C::ValidUntil.is_null()).one(write).await?;
        if has.is_some() {
            return Ok(());
        }
        let key = key.ok_or_else(|| ServiceError::Unavailable {
            message: format!(
                "the URL of `{}` is a secret, and there is no master key to keep it by; set one, or say otherwise who may \
                 call",
                binding.node_key
            ),
        })?;
        let id = SecretId(context.new_id().0);
        let mut row = blank(context, of, &binding.environment, binding.id);
        with_secret(&mut row, id, &draw(key, BindingId(binding.id), id)?);
        webhook_url::Entity::insert(row).exec_without_returning(write).await?;
        return Ok(());
    }
    let path = settings.path.unwrap_or_else(|| format!("{}/{}", of.name, binding.node_key));
    let there = webhook_url::Entity::find()
        .filter(C::WorkspaceId.eq(of.workspace_id))
        .filter(C::ProjectId.eq(of.project_id))
        .filter(C::Environment.eq(&binding.environment))
        .filter(C::Path.eq(&path))
        .select_also(trigger_binding::Entity)
        .join(JoinType::LeftJoin, to_binding())
        .one(write)
        .await?;
    let now = at(context.at);
    webhook_url::Entity::update_many()
        .col_expr(C::ValidUntil, Expr::value(Some(now)))
        .filter(C::WorkspaceId.eq(of.workspace_id))
        .filter(C::BindingId.eq(binding.id))
        .filter(C::Path.is_not_null())
        .filter(C::Path.ne(&path))
        .filter(C::ValidUntil.is_null())
        .exec(write)
        .await?;
    if let Some((row, other)) = there {
        let is_live = row.valid_until.is_none() && other.is_some_and(|other| other.version_id.is_some());
        if row.binding_id != binding.id && is_live {
            return Err(taken(&path));
        }
        webhook_url::Entity::delete_by_id(row.id).exec(write).await?;
    }
    let mut row = blank(context, of, &binding.environment, binding.id);
    row.path = Set(Some(path.clone()));
    match webhook_url::Entity::insert(row).exec_without_returning(write).await {
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Err(taken(&path)),
        inserted => inserted.map(drop).map_err(ServiceError::from),
    }
}

fn taken(path: &str) -> ServiceError {
    let message =
        format!("another webhook of the project has the path `{path}` in this environment; choose another one");
    ServiceError::Conflict { message }
}

/// Lets the addresses of a workflow go along into another project.
pub(super) async fn move_in(change: &Change, of: WorkflowId, to: ProjectId) -> Result<(), ServiceError> {
    use webhook_url::Column as C;
    let bindings = Query::select()
        .column(trigger_binding::Column::Id)
        .from(trigger_binding::Entity)
        .and_where(trigger_binding::Column::WorkflowId.eq(of.0))
        .to_owned();
    let moved = webhook_url::Entity::update_many()
        .col_expr(C::ProjectId, Expr::value(to.0))
        .filter(C::WorkspaceId.eq(change.context().workspace.0))
        .filter(C::BindingId.in_subquery(bindings))
        .exec(change.connection())
        .await;
    match moved {
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            let message = "the path of one of its webhooks is taken there; change it first".to_owned();
            Err(ServiceError::Conflict { message })
        }
        moved => moved.map(drop).map_err(ServiceError::from),
    }
}

/// Puts a new secret address in the place of those that there are, which work until then.
pub(crate) async fn rotate(
    database: &Database,
    context: &Context,
    of: BindingId,
    id: SecretId,
    drawn: &Drawn,
    until: Timestamp,
) -> Result<(), ServiceError> {
    use webhook_url::Column as C;
    let mut change = Change::begin(database, context).await?;
    let absent = || ServiceError::NotFound { what: "webhook" };
    let found = webhooks(&context.scope()).filter(trigger_binding::Column::Id.eq(of.0));
    let workflow = found.clone().one(change.connection()).await?.ok_or_else(absent)?.workflow_id;
    // The workflow first, as whoever deploys it does.
    let workflow = super::workflow::get_in(&change, WorkflowId(workflow)).await?;
    let binding = found.one(change.connection()).await?.ok_or_else(absent)?;
    webhook_url::Entity::update_many()
        .col_expr(C::ValidUntil, Expr::value(Some(at(until))))
        .filter(C::WorkspaceId.eq(context.workspace.0))
        .filter(C::BindingId.eq(of.0))
        .filter(C::Path.is_null())
        .filter(C::ValidUntil.is_null())
        .exec(change.connection())
        .await?;
    let mut row = blank(context, &workflow, &binding.environment, of.0);
    with_secret(&mut row, id, drawn);
    webhook_url::Entity::insert(row).exec_without_returning(change.connection()).await?;
    let after = json!({"environment": binding.environment, "node": binding.node_key,
        "oldValidUntil": crate::service::text::instant(until)});
    change.record(Done::new(Action::TriggerUrlRotated, of).of(WorkflowId(workflow.id)).after(after));
    Ok(change.commit().await?)
}

/// Whether a signature was taken before, and under which id; the outer `None` when it was not.
pub(crate) async fn seen(
    database: &Database,
    of: BindingId,
    signature: &Digest,
    now: Timestamp,
) -> Result<Option<Option<String>>, DbErr> {
    let found = webhook_seen::Entity::find_by_id((of.0, signature.0.to_vec())).one(database.read()).await?;
    Ok(found.filter(|found| timestamp(found.expires_at) > now).map(|found| found.delivery))
}

/// Remembers that a signature was taken.
pub(crate) async fn remember(
    database: &Database,
    of: BindingId,
    signature: &Digest,
    delivery: Option<&str>,
    until: Timestamp,
) -> Result<(), DbErr> {
    use webhook_seen::Column as C;
    let row = webhook_seen::ActiveModel {
        binding_id: Set(of.0),
        digest: Set(signature.0.to_vec()),
        delivery: Set(delivery.map(str::to_owned)),
        expires_at: Set(at(until)),
    };
    let newer = OnConflict::columns([C::BindingId, C::Digest]).update_columns([C::Delivery, C::ExpiresAt]).to_owned();
    webhook_seen::Entity::insert(row).on_conflict(newer).exec_without_returning(database.write()).await.map(drop)
}

/// Writes down a delivery that started nothing.
pub(crate) async fn note(database: &Database, note: &Note<'_>) -> Result<(), DbErr> {
    let request = note.request.to_string();
    let row = trigger_event::ActiveModel {
        id: Set(note.id.0),
        workspace_id: Set(note.hook.workspace.0),
        workflow_id: Set(note.hook.workflow.0),
        environment: Set(note.hook.environment.clone()),
        node_key: Set(note.hook.node.clone()),
        kind: Set(TriggerKind::Webhook),
        run_id: Set(None),
        reason: Set(Some(note.reason.clone())),
        dedupe_key: Set(None),
        payload_digest: Set(sha2::Sha256::digest(&request).to_vec()),
        payload_len: Set(i64::try_from(request.len()).unwrap_or(i64::MAX)),
        payload_kind: Set(ValueKind::Object),
        received_at: Set(at(note.at)),
        request: Set(Some(request)),
        ..Default::default()
    };
    trigger_event::Entity::insert(row).exec_without_returning(database.write()).await.map(drop)
}
