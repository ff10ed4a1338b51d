//! Whether each document is one that the server of this source tree carries out.

use std::collections::{BTreeMap, BTreeSet};

use api::graphql::limit::{Prices, admit, afford};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use async_graphql::Variables;
use async_graphql::parser::parse_schema;

use super::NOUNS;

/// What a document is judged by.
struct Judge {
    schema: Valid<Schema>,
    prices: Prices,
}

impl Judge {
    fn new() -> Self {
        let sdl = api::graphql::schema_sdl();
        let schema = Schema::parse_and_validate(&sdl, "schema.graphql").unwrap();
        Self { schema, prices: Prices::of(&parse_schema(sdl).unwrap()) }
    }

    /// Why a document is not valid, or costs more than the server lets anybody spend; none when it can be asked. The
    /// validation of the server's own library is not what judges here: it lets variables stand where their types do
    /// not fit.
    fn refuses(&self, text: &str) -> Option<String> {
        if let Err(invalid) = ExecutableDocument::parse_and_validate(&self.schema, text, "question") {
            return Some(invalid.errors.to_string());
        }
        let admitted = admit(text, None);
        let afforded = admitted.and_then(|(document, _)| afford(&document, None, &Variables::default(), &self.prices));
        afforded.err().map(|refused| refused.message)
    }
}

#[test]
fn the_server_would_carry_out_every_document() {
    let judge = Judge::new();
    let mut names = BTreeSet::new();
    let mut wrong = BTreeMap::new();
    for (noun, name, question) in
        NOUNS.iter().flat_map(|(noun, all)| all.iter().map(move |(name, question)| (noun, name, question)))
    {
        if let Some(why) = judge.refuses(question.text()) {
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
#[test]
fn a_document_with_any_mistake_is_found() {
    let judge = Judge::new();
    let mut missed = Vec::new();
    for mistaken in [
        "query A($id: ID!) { run(id: $id) { id nothing } }",
        "query A($id: ID!) { run(idd: $id) { id } }",
        "query A($id: Boolean!) { run(id: $id) { id } }",
        "query A($first: String) { runs(first: $first) { nodes { id } } }",
        "query A($id: ID) { run(id: $id) { id } }",
        "query A { run(id: \"run_1\") }",
        "query A($id: ID!, $more: Int) { run(id: $id) { id } }",
        "query A { project { slug { id } } }",
        "query A($filter: RunFilters) { runs(filter: $filter) { nodes { id } } }",
        "query A($id: ID!) { node(id: $id) { ... on Runner { id } } }",
        "mutation A($input: StartRunInput!) { startRun(input: $input) { runs { id } } }",
        "subscription A($id: ID!) { runEvents(runId: $id) { cursor payload } }",
        "query A { workflows(first: 100) { nodes { versions(first: 100) { nodes { id } } } } }",
    ] {
        if judge.refuses(mistaken).is_none() {
            missed.push(mistaken);
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    assert_eq!(judge.refuses("query A($id: ID!) { run(id: $id) { id } }"), None);
}
