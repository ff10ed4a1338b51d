//! Projects and their environments.

questions! {
    LIST = "query Projects($after: String) { projects(first: 100, after: $after) {
        nodes { id slug title createdAt environments { name } } pageInfo { hasNextPage endCursor } } }";
    GET = "query Project($slug: String!) { project(slug: $slug) {
        id slug title environments { id name title createdAt } } }";
    CREATE = "mutation CreateProject($input: CreateProjectInput!) { createProject(input: $input) {
        project { id slug title createdAt environments { name } } userErrors { code message field } } }";
    CREATE_ENVIRONMENT = "mutation CreateEnvironment($input: CreateEnvironmentInput!) {
        createEnvironment(input: $input) {
            environment { id name title createdAt } userErrors { code message field } } }";
}
