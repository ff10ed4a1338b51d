use super::*;

#[test]
fn the_schema_file_is_what_the_server_serves() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == schema_sdl(), "schema.graphql is out of date; run `make schema`");
}

#[test]
fn everything_that_can_be_asked_has_a_price() {
    let document = async_graphql::parser::parse_query("{ runs(first: 7) { nodes { workflow { id } } } }").unwrap();
    let async_graphql::parser::types::DocumentOperations::Single(operation) = &document.operations else {
        panic!("one operation");
    };
    assert_eq!(prices().cost(&document, &operation.node, &async_graphql::Variables::default()), 15);
}
