//! Connections: named credentials. Their secrets can be written and never read.

use std::collections::BTreeMap;

use async_graphql::{Context, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use nodes::connection::{ConnectionType, SecretText, connection_types};
use serde_json::{Map, Value};

use super::Result;
use super::page::{Relay, connection as relay, cost, window};
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use super::workflow::WorkflowObject;
use crate::auth::Permission;
use crate::service::ServiceError;
use crate::service::connection::{self, Connection, ConnectionChange, Filter, NewConnection, Tested, sign_in};

/// A named credential of a project in an environment.
pub struct ConnectionObject(pub(super) Connection);

/// A named credential of a project in an environment. Nodes name it in `connection`.
#[Object(name = "Connection")]
impl ConnectionObject {
    /// The id, `con_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Whether the viewer may change and delete it.
    async fn viewer_can_change(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::ConnectionManage))
    }

    /// Whether the viewer may name it in workflows, and test it.
    async fn viewer_can_use(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::ConnectionUse))
    }

    /// The slug of its project.
    async fn project(&self) -> &str {
        &self.0.project
    }

    /// The environment whose runs find it.
    async fn environment(&self) -> &str {
        &self.0.environment
    }

    /// What nodes call it, unique in project and environment.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its type, such as `http.bearer`.
    async fn r#type(&self) -> &str {
        &self.0.r#type
    }

    /// The fields that are no secrets.
    async fn fields(&self) -> Json<Map<String, Value>> {
        Json(self.0.fields.clone())
    }

    /// The names of the secret fields that are set; their values can never be read.
    async fn secret_fields(&self) -> Vec<&str> {
        self.0.secret_fields().collect()
    }

    /// Whether somebody has signed it in at its service; null for types that nobody signs in.
    async fn is_signed_in(&self) -> Option<bool> {
        sign_in::is_signed_in(&self.0)
    }

    /// Rises with each change.
    async fn revision(&self) -> i32 {
        self.0.revision
    }

    /// The workflows that name it in what the environment runs now, by name.
    #[graphql(complexity = "20 + 10 * child_complexity")]
    async fn used_by(&self, ctx: &Context<'_>) -> Result<Vec<WorkflowObject>> {
        let users = connection::used_by(ctx.app()?, ctx.viewer()?, &self.0).await?;
        Ok(users.into_iter().map(WorkflowObject).collect())
    }

    /// How its last test since the last change went.
    async fn last_test(&self) -> Option<ConnectionTest> {
        self.0.tested.clone().map(ConnectionTest::from)
    }

    /// Who made it.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// Who changed it last.
    async fn updated_by(&self) -> &str {
        &self.0.updated_by
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        time(self.0.updated_at)
    }
}

/// How a test of a connection went.
#[derive(SimpleObject)]
pub struct ConnectionTest {
    /// When.
    at: DateTime<Utc>,
    /// Whether the service took the credentials.
    passed: bool,
    /// What it answered, or why it was not asked.
    message: String,
}

impl From<Tested> for ConnectionTest {
    fn from(tested: Tested) -> Self {
        Self { at: time(tested.at), passed: tested.passed, message: tested.message }
    }
}

/// A kind of credential.
#[derive(SimpleObject)]
#[graphql(name = "ConnectionType")]
pub struct ConnectionTypeObject {
    /// Its name, such as `http.bearer`.
    name: String,
    /// What people call it.
    title: String,
    /// One sentence: what it does.
    summary: String,
    /// JSON Schema (2020-12) of its fields; those with `x-secret` go into `secrets`, the others into `fields`.
    schema: Json<Value>,
}

impl ConnectionTypeObject {
    fn of(kind: &ConnectionType, locale: &str) -> Self {
        Self {
            name: kind.name.to_owned(),
            title: kind.title.in_language(locale).to_owned(),
            summary: kind.summary.in_language(locale).to_owned(),
            schema: Json(kind.schema(locale)),
        }
    }
}

/// Reading connections.
#[derive(Default)]
pub struct ConnectionQuery;

/// Which connections are wanted; what is absent does not matter.
#[derive(InputObject, Default)]
pub struct ConnectionFilter {
    /// The project's slug.
    project: Option<String>,
    /// The environment.
    environment: Option<String>,
    /// The name.
    name: Option<String>,
    /// The type, such as `http.bearer`.
    r#type: Option<String>,
}

#[Object]
impl ConnectionQuery {
    /// Connections by name; for editors and admins.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn connections(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; all when absent.")] filter: Option<ConnectionFilter>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<ConnectionObject>> {
        let ConnectionFilter { project, environment, name, r#type } = filter.unwrap_or_default();
        let filter = Filter { project, environment, name, r#type };
        let page = connection::list(ctx.app()?, ctx.viewer()?, &filter, &window(first, after, last, before)?).await?;
        Ok(relay(page, ConnectionObject))
    }

    /// Every kind of credential that this server knows, by name.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn connection_types(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = "en", desc = "Such as `de` or `de-AT`; English for what is not translated.")]
        locale: String,
    ) -> Result<Vec<ConnectionTypeObject>> {
        ctx.viewer()?.require(Permission::Read)?;
        Ok(connection_types().map(|kind| ConnectionTypeObject::of(kind, &locale)).collect())
    }
}

/// A connection to make.
#[derive(InputObject)]
pub struct CreateConnectionInput {
    /// The project's slug.
    #[graphql(default = "default")]
    project: String,
    /// The environment whose runs find it.
    #[graphql(default = "default")]
    environment: String,
    /// What nodes call it: lower-case letters, digits, `-` and `_`, up to 63.
    name: String,
    /// Its type, such as `http.bearer`; it never changes.
    r#type: String,
    /// An object of the fields that are no secrets.
    fields: Option<Json<Value>>,
    /// An object from secret fields to texts of at least 4 characters. Send it as a variable, never in the document.
    secrets: Option<Json<Value>>,
}

/// What came of making a connection.
#[derive(SimpleObject)]
pub struct CreateConnectionPayload {
    /// The connection.
    connection: Option<ConnectionObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// A change of a connection.
#[derive(InputObject)]
pub struct UpdateConnectionInput {
    /// The connection.
    id: ID,
    /// All the fields that are no secrets, anew; as they are when absent.
    fields: Option<Json<Value>>,
    /// An object from secret fields to new values; those that are absent keep theirs.
    secrets: Option<Json<Value>>,
    /// The revision that was looked at; CONFLICT when there is another one by now.
    expected_revision: Option<i32>,
}

/// What came of changing a connection.
#[derive(SimpleObject)]
pub struct UpdateConnectionPayload {
    /// The connection.
    connection: Option<ConnectionObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// A connection to delete.
#[derive(InputObject)]
pub struct DeleteConnectionInput {
    /// The connection.
    id: ID,
    /// Also when something deployed uses it; its runs will fail.
    #[graphql(default)]
    force: bool,
}

/// What came of deleting a connection.
#[derive(SimpleObject)]
pub struct DeleteConnectionPayload {
    /// The id of what is not there any more.
    deleted_id: Option<ID>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// A connection to test.
#[derive(InputObject)]
pub struct TestConnectionInput {
    /// The connection.
    id: ID,
}

/// What came of testing a connection.
#[derive(SimpleObject)]
pub struct TestConnectionPayload {
    /// The connection.
    connection: Option<ConnectionObject>,
    /// How it went.
    test: Option<ConnectionTest>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

fn fields(given: Option<Json<Value>>) -> Result<Option<Map<String, Value>>, ServiceError> {
    match given.map(|json| json.0) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(_) => Err(ServiceError::invalid("fields", "`fields` must be an object")),
    }
}

/// Texts are taken over, not copied, so that they are overwritten when they are dropped.
fn secrets(given: Option<Json<Value>>) -> Result<BTreeMap<String, SecretText>, ServiceError> {
    let wrong = || ServiceError::invalid("secrets", "`secrets` must be an object of texts");
    let given = match given.map(|json| json.0) {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(given)) => given,
        Some(_) => return Err(wrong()),
    };
    let text = |(field, value): (String, Value)| match value {
        Value::String(text) => Ok((field, SecretText::new(text))),
        _ => Err(wrong()),
    };
    given.into_iter().map(text).collect()
}

/// Writing connections; for admins. Editors may test them.
#[derive(Default)]
pub struct ConnectionMutation;

/// Which connection to sign in.
#[derive(InputObject)]
pub struct BeginConnectionSignInInput {
    /// The connection, of type `oauth2.code`.
    id: ID,
    /// Where the service sends the person back to; the service has to know it. The pages use `/oauth/callback`.
    redirect_uri: String,
}

/// What became of `beginConnectionSignIn`.
#[derive(SimpleObject)]
pub struct BeginConnectionSignInPayload {
    /// Where the person is asked.
    url: Option<String>,
    /// What the asker can mend.
    user_errors: Vec<UserError>,
}

/// What the service sent a person back with.
#[derive(InputObject)]
pub struct FinishConnectionSignInInput {
    /// The parameter `state`.
    state: String,
    /// The parameter `code`.
    code: String,
}

/// What became of `finishConnectionSignIn`.
#[derive(SimpleObject)]
pub struct FinishConnectionSignInPayload {
    /// The connection, signed in.
    connection: Option<ConnectionObject>,
    /// What the asker can mend.
    user_errors: Vec<UserError>,
}

#[Object]
impl ConnectionMutation {
    /// Makes a connection.
    async fn create_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The connection, with its secrets.")] input: CreateConnectionInput,
    ) -> Result<CreateConnectionPayload> {
        let CreateConnectionInput { project, environment, name, r#type, .. } = input;
        let made = match (fields(input.fields), secrets(input.secrets)) {
            (Ok(fields), Ok(secrets)) => {
                let fields = fields.unwrap_or_default();
                let new = NewConnection { project, environment, name, r#type, fields, secrets };
                connection::create(ctx.app()?, ctx.viewer()?, new).await
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        let (connection, user_errors) = settle(made)?;
        Ok(CreateConnectionPayload { connection: connection.map(ConnectionObject), user_errors })
    }

    /// Changes a connection. Runs take the new values from their next call on.
    async fn update_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The connection and what is to change.")] input: UpdateConnectionInput,
    ) -> Result<UpdateConnectionPayload> {
        let expected_revision = input.expected_revision;
        let changed = match (id(&input.id, "connection"), fields(input.fields), secrets(input.secrets)) {
            (Ok(id), Ok(fields), Ok(secrets)) => {
                let change = ConnectionChange { fields, secrets, expected_revision };
                connection::update(ctx.app()?, ctx.viewer()?, id, change).await
            }
            (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => Err(error),
        };
        let (connection, user_errors) = settle(changed)?;
        Ok(UpdateConnectionPayload { connection: connection.map(ConnectionObject), user_errors })
    }

    /// Deletes a connection and its secrets for good; CONFLICT while something deployed uses it.
    async fn delete_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The connection.")] input: DeleteConnectionInput,
    ) -> Result<DeleteConnectionPayload> {
        let deleted = match id(&input.id, "connection") {
            Ok(id) => connection::delete(ctx.app()?, ctx.viewer()?, id, input.force).await,
            Err(error) => Err(error),
        };
        let (deleted, user_errors) = settle(deleted)?;
        Ok(DeleteConnectionPayload { deleted_id: deleted.map(|()| input.id), user_errors })
    }

    /// Begins to sign a connection in at its service: `url` is where the person is asked, and from where they come back
    /// to `redirectUri` with a `code` and a `state`, within ten minutes.
    async fn begin_connection_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The connection, and where to come back to.")] input: BeginConnectionSignInInput,
    ) -> Result<BeginConnectionSignInPayload> {
        let begun = match id(&input.id, "connection") {
            Ok(id) => sign_in::begin(ctx.app()?, ctx.viewer()?, id, &input.redirect_uri).await,
            Err(error) => Err(error),
        };
        let (url, user_errors) = settle(begun)?;
        Ok(BeginConnectionSignInPayload { url, user_errors })
    }

    /// Ends what the same person began, with what the service sent them back with.
    async fn finish_connection_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What came back.")] input: FinishConnectionSignInInput,
    ) -> Result<FinishConnectionSignInPayload> {
        let finished = sign_in::finish(ctx.app()?, ctx.viewer()?, &input.state, &input.code).await;
        let (connection, user_errors) = settle(finished)?;
        Ok(FinishConnectionSignInPayload { connection: connection.map(ConnectionObject), user_errors })
    }

    /// Calls a connection's `test_url` with its credentials. A test that does not pass is no error.
    async fn test_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The connection.")] input: TestConnectionInput,
    ) -> Result<TestConnectionPayload> {
        let tested = match id(&input.id, "connection") {
            Ok(id) => connection::test(ctx.app()?, ctx.viewer()?, id).await,
            Err(error) => Err(error),
        };
        let (tested, user_errors) = settle(tested)?;
        let (connection, test) = tested.unzip();
        let (connection, test) = (connection.map(ConnectionObject), test.map(ConnectionTest::from));
        Ok(TestConnectionPayload { connection, test, user_errors })
    }
}
