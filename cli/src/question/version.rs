//! What was published, and which of it environments run.

questions! {
    LIST = "query Versions($name: String!, $project: String!, $after: String) {
        workflow(name: $name, project: $project) {
            id
            deployments { environment version { id number } }
            versions(first: 100, after: $after) {
                nodes { id number hash note createdAt createdBy }
                pageInfo { hasNextPage endCursor }
            }
        } }";
    DEFINITION = "query Definition($id: ID!) { node(id: $id) { ... on Version { definition } } }";
    LATEST_CHANGE = "query LatestDeployment($name: String!, $project: String!, $environment: String!) {
        workflow(name: $name, project: $project) {
            deploymentChanges(environment: $environment, first: 1) {
                nodes { version { id number } previousVersion { id number } } } } }";
    DEPLOY = "mutation Deploy($input: DeployVersionInput!) { deployVersion(input: $input) {
        deployment { environment updatedAt version { id number hash } } userErrors { code message field } } }";
}
