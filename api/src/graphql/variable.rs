//! Variables: plain values that expressions read as `vars.<name>`.

use async_graphql::{Context, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Result;
use super::page::{Relay, connection, cost, window};
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use crate::service::ServiceError;
use crate::service::variable::{self, NewVariable, Variable};

/// A plain value of a project in one environment, which expressions read as `vars.<name>`. Secrets do not belong here.
pub struct VariableObject(pub(super) Variable);

/// A plain value of a project in one environment, which expressions read as `vars.<name>`. Secrets do not belong here.
#[Object(name = "Variable")]
impl VariableObject {
    /// The id, `var_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What expressions call it, after `vars.`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The environment that it holds in.
    async fn environment(&self) -> &str {
        &self.0.environment
    }

    /// Its value.
    async fn value(&self) -> Json<Value> {
        Json(self.0.value.clone())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        time(self.0.updated_at)
    }

    /// Who last changed it: the id of an API key.
    async fn updated_by(&self) -> &str {
        &self.0.updated_by
    }
}

/// Reading variables.
#[derive(Default)]
pub struct VariableQuery;

#[Object]
impl VariableQuery {
    /// A project's variables in an environment, by name.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection, and what it is of")]
    async fn variables(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The project's slug.", default = "default")] project: String,
        #[graphql(desc = "The environment.", default = "default")] environment: String,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<VariableObject>> {
        let page = window(first, after, last, before)?;
        let page = variable::list(ctx.app()?, ctx.viewer()?, &project, &environment, &page).await?;
        Ok(connection(page, VariableObject))
    }
}

/// A variable to make.
#[derive(InputObject)]
pub struct CreateVariableInput {
    /// The project's slug.
    #[graphql(default = "default")]
    project: String,
    /// The environment that it holds in.
    #[graphql(default = "default")]
    environment: String,
    /// What expressions call it: lower-case letters, digits and `_`, beginning with a letter, up to 63.
    name: String,
    /// Its value, up to 24 KiB of JSON.
    value: Json<Value>,
}

/// Another value for a variable.
#[derive(InputObject)]
pub struct UpdateVariableInput {
    /// The variable.
    id: ID,
    /// Its value, up to 24 KiB of JSON.
    value: Json<Value>,
}

/// A variable to delete.
#[derive(InputObject)]
pub struct DeleteVariableInput {
    /// The variable.
    id: ID,
}

/// What came of changing a variable.
#[derive(SimpleObject)]
pub struct VariablePayload {
    /// The variable; of a deletion, as it was.
    variable: Option<VariableObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

impl VariablePayload {
    fn settle(answer: std::result::Result<Variable, ServiceError>) -> Result<Self> {
        let (variable, user_errors) = settle(answer)?;
        Ok(Self { variable: variable.map(VariableObject), user_errors })
    }
}

/// Changing variables. A run keeps the values that it started with.
#[derive(Default)]
pub struct VariableMutation;

#[Object]
impl VariableMutation {
    /// Makes a variable; runs that start from now on have it.
    async fn create_variable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The variable.")] input: CreateVariableInput,
    ) -> Result<VariablePayload> {
        let CreateVariableInput { project, environment, name, value } = input;
        let new = NewVariable { project, environment, name, value: value.0 };
        VariablePayload::settle(variable::create(ctx.app()?, ctx.viewer()?, new).await)
    }

    /// Gives a variable another value; runs under way keep theirs.
    async fn update_variable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The variable and its value.")] input: UpdateVariableInput,
    ) -> Result<VariablePayload> {
        VariablePayload::settle(match id(&input.id, "variable") {
            Ok(variable) => variable::update(ctx.app()?, ctx.viewer()?, variable, input.value.0).await,
            Err(error) => Err(error),
        })
    }

    /// Deletes a variable; runs under way keep its value.
    async fn delete_variable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The variable.")] input: DeleteVariableInput,
    ) -> Result<VariablePayload> {
        VariablePayload::settle(match id(&input.id, "variable") {
            Ok(variable) => variable::delete(ctx.app()?, ctx.viewer()?, variable).await,
            Err(error) => Err(error),
        })
    }
}
