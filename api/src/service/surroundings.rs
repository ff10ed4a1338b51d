//! What a definition finds where it runs: the connections and the variables of a project's environment.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use engine::definition::problem::{Problem, ProblemCode, Severity};
use engine::graph::{self, Examined, Surroundings, examine, examine_in};
use engine::id::{ProjectId, WorkspaceId};
use serde_json::Value;

use super::{ServiceError, project, text};
use crate::app::App;
use crate::auth::Viewer;
use crate::store;

/// The environment that is meant when nobody says.
pub const DEFAULT_ENVIRONMENT: &str = "default";

/// A project's environment, as people name it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The project's slug.
    pub project: String,
    /// The environment.
    pub environment: String,
}

/// What an environment has.
#[derive(Debug)]
pub(super) struct Known {
    connections: BTreeMap<String, String>,
    variables: BTreeSet<String>,
}

impl Known {
    /// What the environment has now.
    pub(super) async fn load(
        app: &App,
        workspace: WorkspaceId,
        project: ProjectId,
        environment: &str,
    ) -> Result<Self, ServiceError> {
        let database = app.runtime.database();
        Ok(Self {
            connections: store::connection::all_types(database, workspace, project, environment).await?,
            variables: store::variable::names(database, workspace, project, environment).await?,
        })
    }

    /// The same, of a place that somebody named.
    pub(super) async fn at(app: &App, viewer: &Viewer, place: &Place) -> Result<Self, ServiceError> {
        text::slug("environment", &place.environment)?;
        let project = project::get_by_slug(app, viewer, &place.project).await?;
        Self::load(app, viewer.workspace, project.id, &place.environment).await
    }

    pub(super) fn view(&self) -> Surroundings<'_> {
        Surroundings { connections: Some(&self.connections), variables: Some(&self.variables) }
    }

    /// Everything about a document that shall run here.
    pub(super) fn examine(&self, app: &App, document: &Value) -> Examined {
        examine_in(document, app.runtime.registry(), &self.view())
    }

    /// The errors that a document has here, and would not have where everything is that it names.
    pub(super) fn lacks(&self, app: &App, document: &Value) -> Vec<Problem> {
        let here = errors(self.examine(app, document));
        if here.is_empty() {
            return here;
        }
        let anywhere: HashSet<(ProblemCode, String)> =
            errors(examine(document, app.runtime.registry())).into_iter().map(|one| (one.code, one.path)).collect();
        here.into_iter().filter(|one| !anywhere.contains(&(one.code, one.path.clone()))).collect()
    }
}

fn errors(examined: graph::Examined) -> Vec<Problem> {
    examined.problems.into_iter().filter(|problem| problem.severity == Severity::Error).collect()
}

/// Goes on only when the environment has everything that a document names.
pub(super) fn require(lacking: &[Problem], environment: &str) -> Result<(), ServiceError> {
    if lacking.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = lacking
        .iter()
        .take(10)
        .map(|problem| {
            let at = problem.node.as_deref().unwrap_or(&problem.path);
            format!("{} at {at}: {}", problem.code.as_str(), problem.message)
        })
        .collect();
    Err(ServiceError::Conflict { message: format!("in the environment `{environment}`, {}", told.join("; ")) })
}
