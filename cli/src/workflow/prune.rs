//! Workflows that the files do not name: `--prune` archives them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::Client;
use crate::exit::Failure;
use crate::output::{Output, Shade};
use crate::question::workflow as question;

/// A workflow that no file names.
pub(super) struct Surplus {
    id: String,
    project: String,
    name: String,
}

impl Surplus {
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.project, self.name)
    }

    pub(super) fn document(&self) -> Value {
        json!({ "id": self.id, "project": self.project, "name": self.name })
    }
}

/// What the projects of the files have beside them; projects that no file names are left alone.
pub(super) async fn surplus(client: &Client, named: &[(String, String)]) -> Result<Vec<Surplus>, Failure> {
    let projects: BTreeSet<&String> = named.iter().map(|(project, _)| project).collect();
    let mut surplus = Vec::new();
    for project in projects {
        let mut after = Value::Null;
        loop {
            let data = client.ask(question::NAMES, json!({ "project": project, "after": after })).await?;
            for node in data["workflows"]["nodes"].as_array().into_iter().flatten() {
                let text = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
                let one = Surplus { id: text("id"), project: project.clone(), name: text("name") };
                if !named.contains(&(one.project.clone(), one.name.clone())) {
                    surplus.push(one);
                }
            }
            let page = &data["workflows"]["pageInfo"];
            if page["hasNextPage"] != true {
                break;
            }
            after = page["endCursor"].clone();
        }
    }
    Ok(surplus)
}

/// Archives them. Runs under way go on; nothing is deleted.
pub(super) async fn archive(
    client: &Client,
    named: &[(String, String)],
    output: Output,
) -> Result<Vec<Value>, Failure> {
    let surplus = surplus(client, named).await?;
    for one in &surplus {
        client.change("archiveWorkflow", question::ARCHIVE, json!({ "workflowId": one.id })).await?;
        if !output.is_json() {
            let name = output.paint(Shade::Strong, &one.name());
            output.line(&format!("{name} {}", output.paint(Shade::Careful, "archived")));
        }
    }
    Ok(surplus.iter().map(Surplus::document).collect())
}
