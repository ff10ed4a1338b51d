//! Credentials that nodes use by name.

/// A document that shows connections.
macro_rules! showing {
    ($operation:literal) => {
        concat!(
            $operation,
            " fragment Shown on Connection { id name project environment type fields secretFields revision updatedAt
              lastTest { at passed message } }"
        )
    };
}

questions! {
    LIST = showing!("query Connections($filter: ConnectionFilter, $after: String) {
        connections(filter: $filter, first: 100, after: $after) {
            nodes { ...Shown } pageInfo { hasNextPage endCursor } } }");
    FIND = showing!("query Connection($filter: ConnectionFilter) {
        connections(filter: $filter, first: 1) { nodes { ...Shown } } }");
    GET = showing!("query ConnectionOfId($id: ID!) { node(id: $id) { ...Shown } }");
    TYPES = "query ConnectionTypes($locale: String!) {
        connectionTypes(locale: $locale) { name title summary schema } }";
    CREATE = showing!("mutation CreateConnection($input: CreateConnectionInput!) {
        createConnection(input: $input) { connection { ...Shown } userErrors { code message field } } }");
    UPDATE = showing!("mutation UpdateConnection($input: UpdateConnectionInput!) {
        updateConnection(input: $input) { connection { ...Shown } userErrors { code message field } } }");
    DELETE = "mutation DeleteConnection($input: DeleteConnectionInput!) {
        deleteConnection(input: $input) { deletedId userErrors { code message field } } }";
    TEST = "mutation TestConnection($input: TestConnectionInput!) {
        testConnection(input: $input) { test { at passed message } userErrors { code message field } } }";
}
