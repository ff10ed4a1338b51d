//! From a name to a connection in the open, for the length of one call.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::id::{ConnectionId, ProjectId, RunId, SecretId, WorkspaceId, WorkspaceKeyId};
use entity::{connection, run, secret, workspace_key};
use nodes::connection::{Connection, REFRESH_TOKEN, SecretText, connection_type};
use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QuerySelect as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::envelope::{Context, KEY_LEN, Key, damaged};
use super::grant::Grant;
use super::{Sealed, SecretError, Secrets, Slot};

/// Where connections are looked for: those of other projects and environments are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: String,
}

/// Which secret a field has, and which version of it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRef {
    /// The secret.
    pub id: SecretId,
    /// The version that the connection means; an older one that was put back does not open.
    pub version: i32,
}

/// The secrets of a connection by field, as its row keeps them.
pub type Refs = BTreeMap<String, SecretRef>;

impl Secrets {
    /// The connection of this name for a run, when it is of one of these types.
    ///
    /// # Errors
    /// When it is not there, does not fit, or does not open.
    pub async fn open_for_run(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        name: &str,
        fits: &[&str],
    ) -> Result<Connection, SecretError> {
        let place: Option<(sea_orm::prelude::Uuid, String)> = run::Entity::find_by_id(run.0)
            .filter(run::Column::WorkspaceId.eq(workspace.0))
            .select_only()
            .column(run::Column::ProjectId)
            .column(run::Column::Environment)
            .into_tuple()
            .one(self.0.database.read())
            .await?;
        let (project, environment) = place.ok_or_else(|| DbErr::RecordNotFound(format!("the row of {run}")))?;
        self.open_at(Place { workspace, project: ProjectId(project), environment }, name, fits).await
    }

    /// The connection of this name in a place, when it is of one of these types.
    ///
    /// # Errors
    /// When it is not there, does not fit, or does not open.
    pub async fn open_at(&self, place: Place, name: &str, fits: &[&str]) -> Result<Connection, SecretError> {
        let here = Condition::all()
            .add(connection::Column::WorkspaceId.eq(place.workspace.0))
            .add(connection::Column::ProjectId.eq(place.project.0))
            .add(connection::Column::Environment.eq(&place.environment))
            .add(connection::Column::Name.eq(name));
        let Some((row, secrets)) = self.found(here).await? else {
            let (name, environment) = (name.to_owned(), place.environment);
            return Err(SecretError::ConnectionMissing { name, environment });
        };
        if !fits.contains(&row.r#type.as_str()) {
            let fits = fits.iter().map(|fit| format!("`{fit}`")).collect::<Vec<_>>().join(", ");
            return Err(SecretError::ConnectionTypeMismatch { name: name.to_owned(), kind: row.r#type, fits });
        }
        self.opened(row, &secrets).await
    }

    /// The connection of this id; `None` when the workspace has none.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn open(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Option<Connection>, SecretError> {
        let here =
            Condition::all().add(connection::Column::WorkspaceId.eq(workspace.0)).add(connection::Column::Id.eq(id.0));
        match self.found(here).await? {
            Some((row, secrets)) => self.opened(row, &secrets).await.map(Some),
            None => Ok(None),
        }
    }

    /// A connection and its secrets by one statement, so that a change meanwhile is seen whole or not at all.
    async fn found(&self, here: Condition) -> Result<Option<(connection::Model, Vec<secret::Model>)>, DbErr> {
        let to_secret = connection::Entity::belongs_to(secret::Entity)
            .from(connection::Column::Id)
            .to(secret::Column::ConnectionId)
            .into();
        let rows = connection::Entity::find()
            .join(JoinType::LeftJoin, to_secret)
            .select_also(secret::Entity)
            .filter(here)
            .all(self.0.database.read())
            .await?;
        let mut rows = rows.into_iter();
        let Some((connection, first)) = rows.next() else { return Ok(None) };
        let secrets = first.into_iter().chain(rows.filter_map(|(_, secret)| secret)).collect();
        Ok(Some((connection, secrets)))
    }

    async fn opened(&self, row: connection::Model, rows: &[secret::Model]) -> Result<Connection, SecretError> {
        let what = || format!("the connection `{}`", row.name);
        let kind = connection_type(&row.r#type).ok_or_else(|| damaged(&what()))?;
        let refs: Refs = serde_json::from_str(&row.secrets).map_err(|_| damaged(&what()))?;
        let plain = serde_json::from_str(&row.fields).map_err(|_| damaged(&what()))?;
        let (workspace, connection) = (WorkspaceId(row.workspace_id), ConnectionId(row.id));
        let mut secrets = BTreeMap::new();
        for (field, wanted) in &refs {
            let slot = Slot { connection, field, secret: wanted.id, version: wanted.version };
            let found = rows.iter().find(|row| row.id == wanted.id.0 && row.version == wanted.version);
            let broken = || damaged(&format!("the secret `{field}` of {}", what()));
            let found = found.filter(|found| found.workspace_id == workspace.0).ok_or_else(broken)?;
            let sealed = Sealed {
                workspace_key: WorkspaceKeyId(found.workspace_key_id),
                wrapped_key: found.wrapped_key.clone(),
                ciphertext: found.ciphertext.clone(),
            };
            let value = match self.value(workspace, slot, &sealed).await {
                // A rotation may have wrapped the workspace's key anew, and dropped the old one, between two reads.
                Err(SecretError::KeyUnknown { .. }) => self.value(workspace, slot, &sealed).await,
                value => value,
            };
            secrets.insert(field.clone(), value?.ok_or_else(broken)?);
        }
        let opened = Connection::new(row.name, kind, plain, secrets);
        Ok(match refs.get(REFRESH_TOKEN).filter(|_| opened.is_signed_in_by_people()) {
            None => opened,
            Some(place) => {
                let holder = self.0.clock.new_id();
                let grant = Grant { secrets: self.clone(), workspace, connection, secret: place.id, holder };
                opened.with_grants(Arc::new(grant))
            }
        })
    }

    /// A value that is kept elsewhere than with connections, in the open.
    ///
    /// # Errors
    /// When it does not open in this place.
    pub async fn unseal(
        &self,
        workspace: WorkspaceId,
        slot: Slot<'_>,
        sealed: &Sealed,
    ) -> Result<SecretText, SecretError> {
        let value = match self.value(workspace, slot, sealed).await {
            // A rotation may have wrapped the workspace's key anew, and dropped the old one, between two reads.
            Err(SecretError::KeyUnknown { .. }) => self.value(workspace, slot, sealed).await,
            value => value,
        };
        value?.ok_or_else(|| damaged(&format!("the secret `{}`", slot.field)))
    }

    /// `None` for a value that does not open in this place.
    async fn value(
        &self,
        workspace: WorkspaceId,
        slot: Slot<'_>,
        sealed: &Sealed,
    ) -> Result<Option<SecretText>, SecretError> {
        let id = sealed.workspace_key;
        let kept = self.kept().get(&(workspace, id)).cloned();
        let workspace_key = match kept {
            Some(key) => key,
            None => {
                let here = workspace_key::Column::WorkspaceId.eq(workspace.0);
                let found = workspace_key::Entity::find_by_id(id.0).filter(here).one(self.0.database.read()).await?;
                let Some(found) = found else { return Ok(None) };
                self.unwrapped(&found)?
            }
        };
        let Ok(bytes) = workspace_key.open(&Context::own_key(workspace, id, slot), &sealed.wrapped_key) else {
            return Ok(None);
        };
        let mut own = Zeroizing::new([0; KEY_LEN]);
        if bytes.len() != KEY_LEN {
            return Ok(None);
        }
        own.copy_from_slice(&bytes);
        let Ok(value) = Key::of(own).open(&Context::value(workspace, slot), &sealed.ciphertext) else {
            return Ok(None);
        };
        Ok(std::str::from_utf8(&value).ok().map(|text| SecretText::new(text.to_owned())))
    }
}
