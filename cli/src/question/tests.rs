//! What the server says of each document, without carrying any out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::graphql::limit::{Prices, admit, afford};
use api::graphql::{Mutation, Query, Subscription};
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::parser::parse_schema;
use async_graphql::{Request, Schema, ServerError, ValidationResult, Variables};
use futures::StreamExt as _;

use super::NOUNS;

/// What a document that may be asked is answered with, in place of being carried out.
const VALID: &str = "valid";

/// Ends every request once it is validated.
struct OnlyValidate;

impl ExtensionFactory for OnlyValidate {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for OnlyValidate {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        next.run(ctx).await?;
        Err(vec![ServerError::new(VALID, None)])
    }
}

/// Why the server would not carry a document out; none when it would.
async fn refused(text: &str) -> Option<String> {
    let prices = Prices::of(&parse_schema(api::graphql::schema_sdl()).unwrap());
    let document = match admit(text, None) {
        Ok((document, _)) => document,
        Err(refused) => return Some(refused.message),
    };
    if let Err(refused) = afford(&document, None, &Variables::default(), &prices) {
        return Some(refused.message);
    }
    let schema = Schema::build(Query::default(), Mutation::default(), Subscription::default());
    let schema = schema.extension(OnlyValidate).finish();
    let answer = schema.execute_stream(Request::new(text)).next().await.unwrap();
    let said: Vec<String> = answer.errors.into_iter().map(|error| error.message).collect();
    if said == [VALID] { None } else { Some(said.join("; ")) }
}

#[tokio::test]
async fn the_server_would_carry_out_every_document() {
    let mut names = BTreeSet::new();
    let mut wrong = BTreeMap::new();
    for (noun, name, question) in
        NOUNS.iter().flat_map(|(noun, all)| all.iter().map(move |(name, question)| (noun, name, question)))
    {
        if let Some(why) = refused(question.text()).await {
            wrong.insert(format!("{noun}::{name}"), why);
        }
        let operation = question.text().split(['(', ' ', '{']).nth(1).unwrap();
        assert!(
            names.insert(operation),
            "{noun}::{name}: logs of the server could not tell two of `{operation}` apart"
        );
    }
    assert_eq!(wrong, BTreeMap::new());
    assert!(names.len() > 30, "{names:?}");
}

/// What the test above would miss if validation did not look.
#[tokio::test]
async fn a_document_with_any_mistake_is_found() {
    for mistaken in [
        "query A($id: ID!) { run(id: $id) { id nothing } }",
        "query A($id: ID!) { run(idd: $id) { id } }",
        "query A($id: Boolean!) { run(id: $id) { id } }",
        "query A { run(id: \"run_1\") }",
        "query A($id: ID!, $more: Int) { run(id: $id) { id } }",
        "query A { project { slug { id } } }",
        "query A($filter: RunFilters) { runs(filter: $filter) { nodes { id } } }",
        "query A($id: ID!) { node(id: $id) { ... on Runner { id } } }",
        "mutation A($input: StartRunInput!) { startRun(input: $input) { runs { id } } }",
        "subscription A($id: ID!) { runEvents(runId: $id) { cursor payload } }",
        "query A { workflows(first: 100) { nodes { versions(first: 100) { nodes { id } } } } }",
    ] {
        assert!(refused(mistaken).await.is_some(), "{mistaken}");
    }
    assert_eq!(refused("query A($id: ID!) { run(id: $id) { id } }").await, None);
}
