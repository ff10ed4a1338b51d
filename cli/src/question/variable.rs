//! Plain values that expressions read.

questions! {
    LIST = "query Variables($project: String!, $environment: String!, $after: String) {
        variables(project: $project, environment: $environment, first: 100, after: $after) {
            nodes { id name environment value updatedAt updatedBy } pageInfo { hasNextPage endCursor } } }";
    CREATE = "mutation CreateVariable($input: CreateVariableInput!) { createVariable(input: $input) {
        variable { id name environment value updatedAt updatedBy } userErrors { code message field } } }";
    UPDATE = "mutation UpdateVariable($input: UpdateVariableInput!) { updateVariable(input: $input) {
        variable { id name environment value updatedAt updatedBy } userErrors { code message field } } }";
    DELETE = "mutation DeleteVariable($input: DeleteVariableInput!) { deleteVariable(input: $input) {
        variable { id name environment } userErrors { code message field } } }";
}
