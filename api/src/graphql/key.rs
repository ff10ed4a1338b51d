//! API keys and service accounts: how programs come in.

use std::time::Duration;

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use engine::time::{Timestamp, parse_duration};

use super::Result;
use super::member::{limit, maybe};
use super::page::{Relay, connection, cost, window};
use super::project::ProjectObject;
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use crate::auth::Permission;
use crate::auth::api_key::Form;
use crate::service::key::{self, ApiKey, CreatedKey, NewKey};
use crate::service::member::MemberChange;
use crate::service::service_account::{self, ServiceAccount};
use crate::service::{ServiceError, project, role, workspace};

/// A credential of a program. What is kept of it does not open anything.
pub struct ApiKeyObject(pub(super) ApiKey);

/// A credential of a program. What is kept of it does not open anything.
#[Object(name = "ApiKey")]
impl ApiKeyObject {
    /// The id, `key_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What it is for.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its first characters, to be told apart.
    async fn shown(&self) -> &str {
        &self.0.shown
    }

    /// What it may do: the word of a built-in role, or the id of one that the workspace made. Of a service account's key,
    /// what the account may do says so instead.
    async fn role(&self) -> String {
        self.0.role.to_string()
    }

    /// The only permissions that it has of those of its role; null for all of them.
    async fn permissions(&self) -> Option<Vec<&'static str>> {
        Some(self.0.permissions?.iter().map(Permission::as_str).collect())
    }

    /// The only projects that it sees; null for all of the workspace.
    #[graphql(complexity = "2 + child_complexity")]
    async fn projects(&self, ctx: &Context<'_>) -> Result<Option<Vec<ProjectObject>>> {
        limit(ctx, &self.0.projects).await
    }

    /// The service account that it speaks for.
    async fn service_account_id(&self) -> Option<ID> {
        self.0.service_account.map(|id| id.to_string().into())
    }

    /// The person whose session it is; null for keys of programs.
    async fn user_id(&self) -> Option<ID> {
        self.0.user.map(|id| id.to_string().into())
    }

    /// Who made it: the id of a person, a key or a service account, or `command`; null when nobody knows any more.
    async fn created_by(&self) -> Option<&str> {
        self.0.created_by.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// From when it opens nothing; null for never.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at.map(time)
    }

    /// When it was last shown, to the minute; null for never.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at.map(time)
    }

    /// When somebody revoked it.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at.map(time)
    }

    /// The key that takes its place.
    async fn successor_id(&self) -> Option<ID> {
        self.0.successor.map(|id| id.to_string().into())
    }
}

/// A program that is a member, with a role and keys of its own.
pub struct ServiceAccountObject(pub(super) ServiceAccount);

/// A program that is a member, with a role and keys of its own.
#[Object(name = "ServiceAccount")]
impl ServiceAccountObject {
    /// The id, `svc_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it may do: the word of a built-in role, or the id of one that the workspace made.
    async fn role(&self) -> String {
        self.0.role.to_string()
    }

    /// The only projects that it sees; null for all of the workspace.
    #[graphql(complexity = "2 + child_complexity")]
    async fn projects(&self, ctx: &Context<'_>) -> Result<Option<Vec<ProjectObject>>> {
        limit(ctx, &self.0.projects).await
    }

    /// Who made it.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// From when none of its keys opens anything.
    async fn disabled_at(&self) -> Option<DateTime<Utc>> {
        self.0.disabled_at.map(time)
    }

    /// Its keys, the oldest first, revoked ones included.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<ApiKeyObject>> {
        let page = window(first, after, last, before)?;
        Ok(connection(key::list(ctx.app()?, ctx.viewer()?, Some(self.0.id), &page).await?, ApiKeyObject))
    }
}

/// Reading keys and service accounts.
#[derive(Default)]
pub struct KeyQuery;

#[Object]
impl KeyQuery {
    /// The workspace's API keys, the oldest first, revoked ones and sessions included.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<ApiKeyObject>> {
        let page = window(first, after, last, before)?;
        Ok(connection(key::list(ctx.app()?, ctx.viewer()?, None, &page).await?, ApiKeyObject))
    }

    /// The workspace's service accounts, the oldest first, disabled ones included.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn service_accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<ServiceAccountObject>> {
        let page = window(first, after, last, before)?;
        Ok(connection(service_account::list(ctx.app()?, ctx.viewer()?, &page).await?, ServiceAccountObject))
    }
}

/// What a key looks like before its random part. The table alone says what it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ApiKeyForm {
    /// `ff_<environment>_…`
    Flowforge,
    /// `fmn_<environment>_<workspace>_…`, for clients that expect such keys.
    Foreman,
}

/// A key to make.
#[derive(InputObject)]
pub struct CreateApiKeyInput {
    /// What it is for.
    name: String,
    /// What it may do: the word of a built-in role, or the id of one that the workspace made; nothing that the asker may
    /// not. Absent for a service account's key.
    role: Option<String>,
    /// The service account that it speaks for.
    service_account_id: Option<ID>,
    /// The only permissions that it has of those of its role, such as `run:start`; `read` must be among them. All of them
    /// when absent.
    permissions: Option<Vec<String>>,
    /// The slugs of the only projects that it sees; what belongs to others is not there for it, and it has no permission
    /// over the workspace as a whole. All that the asker sees when absent.
    projects: Option<Vec<String>>,
    /// From when it opens nothing; never when absent.
    expires_at: Option<DateTime<Utc>>,
    /// What it looks like.
    #[graphql(default_with = "ApiKeyForm::Flowforge")]
    form: ApiKeyForm,
    /// What stands in it as the environment, for people: lower-case letters, digits and `-`.
    #[graphql(default = "default")]
    environment: String,
}

/// A key to rotate.
#[derive(InputObject)]
pub struct RotateApiKeyInput {
    /// The key.
    key_id: ID,
    /// How long the old key goes on working beside the new one, such as `24h`; at most 30 days.
    #[graphql(default = "24h")]
    overlap: String,
}

/// A key to revoke.
#[derive(InputObject)]
pub struct RevokeApiKeyInput {
    /// The key.
    key_id: ID,
}

/// A service account to make.
#[derive(InputObject)]
pub struct CreateServiceAccountInput {
    /// Its name, unique in the workspace.
    name: String,
    /// What it may do: the word of a built-in role, or the id of one that the workspace made; nothing that the asker may
    /// not.
    role: String,
    /// The slugs of the only projects that it sees; all that the asker sees when absent.
    projects: Option<Vec<String>>,
}

/// What is to be others of a service account.
#[derive(InputObject)]
pub struct UpdateServiceAccountInput {
    /// The service account.
    service_account_id: ID,
    /// What it may do from now on; as before when absent.
    role: Option<String>,
    /// The slugs of the only projects that it sees from now on; null for all, as before when absent.
    projects: MaybeUndefined<Vec<String>>,
}

/// A service account to disable.
#[derive(InputObject)]
pub struct DisableServiceAccountInput {
    /// The service account.
    service_account_id: ID,
}

/// What came of making or rotating a key.
#[derive(SimpleObject)]
pub struct CreatedApiKeyPayload {
    /// The new key.
    api_key: Option<ApiKeyObject>,
    /// What to send as `Authorization: Bearer …`. This is the only time that it is shown.
    secret: Option<String>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

impl CreatedApiKeyPayload {
    fn settle(answer: std::result::Result<CreatedKey, ServiceError>) -> Result<Self> {
        let (made, user_errors) = settle(answer)?;
        let (api_key, secret) = made.map(|made| (ApiKeyObject(made.key), made.secret.expose().to_owned())).unzip();
        Ok(Self { api_key, secret, user_errors })
    }
}

/// What came of revoking a key.
#[derive(SimpleObject)]
pub struct RevokeApiKeyPayload {
    /// The key as it is now.
    api_key: Option<ApiKeyObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of making or changing a service account.
#[derive(SimpleObject)]
pub struct ServiceAccountPayload {
    /// The service account as it is now.
    service_account: Option<ServiceAccountObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

impl ServiceAccountPayload {
    fn settle(answer: std::result::Result<ServiceAccount, ServiceError>) -> Result<Self> {
        let (account, user_errors) = settle(answer)?;
        Ok(Self { service_account: account.map(ServiceAccountObject), user_errors })
    }
}

/// Making, rotating and revoking keys, and what has them. Nobody gives away more than they have.
#[derive(Default)]
pub struct KeyMutation;

#[Object]
impl KeyMutation {
    /// Makes a key. Its secret is in the answer, and never again anywhere.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key.")] input: CreateApiKeyInput,
    ) -> Result<CreatedApiKeyPayload> {
        let answer = match new_key(ctx, input).await {
            Ok(new) => key::create(ctx.app()?, ctx.viewer()?, new).await,
            Err(error) => Err(error.0),
        };
        CreatedApiKeyPayload::settle(answer)
    }

    /// Makes a key that takes another one's place. Both work for a while, so that nothing stands still.
    async fn rotate_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key and how long it goes on.")] input: RotateApiKeyInput,
    ) -> Result<CreatedApiKeyPayload> {
        let overlap = duration("overlap", &input.overlap);
        CreatedApiKeyPayload::settle(match id(&input.key_id, "API key").and_then(|id| Ok((id, overlap?))) {
            Ok((id, overlap)) => key::rotate(ctx.app()?, ctx.viewer()?, id, overlap).await,
            Err(error) => Err(error),
        })
    }

    /// Revokes a key: it opens nothing from now on, and what it has open ends.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key.")] input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload> {
        let (api_key, user_errors) = settle(match id(&input.key_id, "API key") {
            Ok(id) => key::revoke(ctx.app()?, ctx.viewer()?, id).await,
            Err(error) => Err(error),
        })?;
        Ok(RevokeApiKeyPayload { api_key: api_key.map(ApiKeyObject), user_errors })
    }

    /// Makes a service account; it opens nothing until it has a key.
    async fn create_service_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service account.")] input: CreateServiceAccountInput,
    ) -> Result<ServiceAccountPayload> {
        let made =
            service_account::create(ctx.app()?, ctx.viewer()?, &input.name, &input.role, input.projects.as_deref())
                .await;
        ServiceAccountPayload::settle(made)
    }

    /// Gives a service account another role or other projects; its keys may do that at once.
    async fn update_service_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service account, and what is to be others of it.")] input: UpdateServiceAccountInput,
    ) -> Result<ServiceAccountPayload> {
        ServiceAccountPayload::settle(match id(&input.service_account_id, "service account") {
            Ok(id) => {
                let wanted = MemberChange { role: input.role, projects: maybe(input.projects) };
                service_account::update(ctx.app()?, ctx.viewer()?, id, wanted).await
            }
            Err(error) => Err(error),
        })
    }

    /// Disables a service account and revokes its keys, for ever.
    async fn disable_service_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service account.")] input: DisableServiceAccountInput,
    ) -> Result<ServiceAccountPayload> {
        ServiceAccountPayload::settle(match id(&input.service_account_id, "service account") {
            Ok(id) => service_account::disable(ctx.app()?, ctx.viewer()?, id).await,
            Err(error) => Err(error),
        })
    }
}

async fn new_key(ctx: &Context<'_>, input: CreateApiKeyInput) -> Result<NewKey> {
    let (app, viewer) = (ctx.app()?, ctx.viewer()?);
    let service_account = input.service_account_id.map(|text| id(&text, "service account")).transpose()?;
    let role = match (&input.role, service_account) {
        (Some(_), Some(_)) => {
            return Err(ServiceError::invalid("role", "a service account's key has the account's role").into());
        }
        (None, None) => return Err(ServiceError::invalid("role", "give `role` or `serviceAccountId`").into()),
        // What the account may do is looked up where the key is made.
        (None, Some(_)) => crate::auth::RoleRef::BuiltIn(crate::auth::Role::Viewer),
        (Some(role), None) => {
            viewer.require(Permission::KeyManage)?;
            role::grantable(app, viewer, role).await?
        }
    };
    let permissions = input.permissions.as_deref().map(role::permissions).transpose()?;
    let environment = input.environment;
    let form = match input.form {
        ApiKeyForm::Flowforge => Form::Plain { environment },
        ApiKeyForm::Foreman => Form::Foreman { environment, org: workspace::get(app, viewer).await?.slug },
    };
    let expires_at = input.expires_at.map(|at| Timestamp(at.timestamp_micros()));
    viewer.require(Permission::KeyManage)?;
    let projects = project::limit(app, viewer, input.projects.as_deref()).await?;
    Ok(NewKey { name: input.name, role, service_account, permissions, projects, expires_at, form })
}

/// Reads a duration such as `24h`.
pub(super) fn duration(field: &'static str, text: &str) -> std::result::Result<Duration, ServiceError> {
    parse_duration(text).map_err(|error| ServiceError::invalid(field, format!("`{field}`: {error}")))
}
