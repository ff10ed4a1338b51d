//! Variables: plain values of a project, by environment, that expressions read as `vars.<name>`.

use engine::expression::Expression;
use engine::id::{ProjectId, VariableId};
use engine::time::Timestamp;
use serde_json::{Value, json};

use super::audit::{Action, Context, Done};
use super::page::{Page, PageRequest};
use super::{ServiceError, text};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// Largest value, in bytes of JSON.
pub const VALUE_LIMIT: usize = 24 * 1024;
/// Most variables of a project in one environment.
pub const MOST: u64 = 200;
/// Longest name.
const NAME_LIMIT: usize = 63;

/// A plain value that expressions read.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its id.
    pub id: VariableId,
    /// Its project.
    pub project_id: ProjectId,
    /// Where it holds.
    pub environment: String,
    /// What expressions call it, after `vars.`.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who last changed it.
    pub updated_by: String,
}

/// A variable to make.
#[derive(Debug, Clone)]
pub struct NewVariable {
    /// The project's slug.
    pub project: String,
    /// Where it holds.
    pub environment: String,
    /// What expressions call it.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// The variable of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: VariableId) -> Result<Variable, ServiceError> {
    viewer.require(Permission::Read)?;
    let found = store::variable::find(app.runtime.database(), &viewer.scope(), id).await?;
    found.ok_or(ServiceError::NotFound { what: "variable" })
}

const LIST: &str = "variables";

/// A project's variables in an environment, by name.
///
/// # Errors
/// When the project is not there, or the cursor is of another list.
pub async fn list(
    app: &App,
    viewer: &Viewer,
    project: &str,
    environment: &str,
    page: &PageRequest,
) -> Result<Page<Variable>, ServiceError> {
    viewer.require(Permission::Read)?;
    let window = page.window(&viewer.cursors, LIST, |name| Some(name.to_owned()))?;
    let project = find_project(app, viewer, project).await?;
    let rows = store::variable::list(app.runtime.database(), &viewer.scope(), project, environment, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(LIST, &row.name)))
}

async fn find_project(app: &App, viewer: &Viewer, slug: &str) -> Result<ProjectId, ServiceError> {
    let found = store::project::find_by_slug(app.runtime.database(), &viewer.scope(), slug).await?;
    found.map(|project| project.id).ok_or(ServiceError::NotFound { what: "project" })
}

/// Makes a variable. Runs that start from now on have it.
///
/// # Errors
/// When they may not, the name is taken or cannot be used, or the value is too large.
pub async fn create(app: &App, viewer: &Viewer, new: NewVariable) -> Result<Variable, ServiceError> {
    viewer.require(Permission::WorkflowPublish)?;
    text::slug("environment", &new.environment)?;
    check_name(&new.name)?;
    check_value(&new.value)?;
    let project_id = find_project(app, viewer, &new.project).await?;
    let (context, now) = (Context::of(app, viewer), app.runtime.now());
    let variable = Variable {
        id: VariableId(app.runtime.clock().new_id()),
        project_id,
        environment: new.environment,
        name: new.name,
        value: new.value,
        created_at: now,
        updated_at: now,
        updated_by: viewer.actor(),
    };
    let done = Done::new(Action::VariableCreated, variable.id).after(shown(&variable));
    store::variable::insert(app.runtime.database(), &context, &variable, MOST, done).await?;
    Ok(variable)
}

/// Gives a variable another value. Runs under way keep the value that they started with.
///
/// # Errors
/// When they may not, it is not there, or the value is too large.
pub async fn update(app: &App, viewer: &Viewer, id: VariableId, value: Value) -> Result<Variable, ServiceError> {
    viewer.require(Permission::WorkflowPublish)?;
    check_value(&value)?;
    let before = get(app, viewer, id).await?;
    let context = Context::of(app, viewer);
    let after = Variable { value, updated_at: app.runtime.now(), updated_by: viewer.actor(), ..before.clone() };
    let done = Done::new(Action::VariableUpdated, id).before(shown(&before)).after(shown(&after));
    if !store::variable::update(app.runtime.database(), &context, &after, done).await? {
        return Err(ServiceError::NotFound { what: "variable" });
    }
    Ok(after)
}

/// Deletes a variable. Runs under way keep the value that they started with.
///
/// # Errors
/// When they may not, or it is not there.
pub async fn delete(app: &App, viewer: &Viewer, id: VariableId) -> Result<Variable, ServiceError> {
    viewer.require(Permission::WorkflowPublish)?;
    let found = get(app, viewer, id).await?;
    let context = Context::of(app, viewer);
    let done = Done::new(Action::VariableDeleted, id).before(shown(&found));
    if !store::variable::delete(app.runtime.database(), &context, id, done).await? {
        return Err(ServiceError::NotFound { what: "variable" });
    }
    Ok(found)
}

/// What readers of the workspace are told: which one, not its value.
fn shown(variable: &Variable) -> Value {
    json!({"name": variable.name, "environment": variable.environment, "projectId": variable.project_id.to_string()})
}

/// A name fits when `vars.<name>` is an expression: the same as with node keys.
fn check_name(name: &str) -> Result<(), ServiceError> {
    let fits = name.len() <= NAME_LIMIT
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && Expression::compile(&format!("vars.{name} + {name}")).is_ok();
    if fits {
        return Ok(());
    }
    let message = format!(
        "`name` must be 1 to {NAME_LIMIT} lower-case letters, digits and `_`, begin with a letter, and be no word of the \
         expression language"
    );
    Err(ServiceError::invalid("name", message))
}

fn check_value(value: &Value) -> Result<(), ServiceError> {
    let bytes = value.to_string().len();
    if bytes <= VALUE_LIMIT {
        return Ok(());
    }
    let message = format!("the value has {bytes} bytes as JSON; at most {VALUE_LIMIT} are kept");
    Err(ServiceError::invalid("value", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_an_expression_can_call_it() {
        for right in ["region", "base_url", "a1"] {
            assert!(check_name(right).is_ok(), "{right}");
        }
        for wrong in ["", "1a", "_a", "A", "a-b", "a b", "ä", "in", "true", &"a".repeat(64)] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }
}
