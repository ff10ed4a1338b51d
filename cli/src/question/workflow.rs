//! Workflows, their drafts, and what starts runs of them.

questions! {
    ID = "query WorkflowId($project: String!, $name: String!) { workflow(project: $project, name: $name) { id } }";
    NAMES = "query WorkflowNames($project: String!, $after: String) {
        workflows(project: $project, first: 100, after: $after) {
            nodes { id name } pageInfo { hasNextPage endCursor } } }";
    FIND = "query Workflow($project: String!, $name: String!) { workflow(project: $project, name: $name) {
        id name title description tags folderPath archivedAt
        project { slug }
        draft { id revision sidecar }
        latestVersion { id number hash definition }
        deployments { environment version { id number hash definition } }
    } }";
    PUBLISH = "mutation Publish($input: PublishWorkflowInput!) { publishWorkflow(input: $input) {
        workflow { id name project { slug } draft { id revision sidecar } }
        version { id number hash }
        created
        problems { code severity path line column node message hint }
        userErrors { code message field }
    } }";
    ARCHIVE = "mutation Archive($input: ArchiveWorkflowInput!) { archiveWorkflow(input: $input) {
        workflow { id } userErrors { code message field } } }";
    START = "mutation StartRun($input: StartRunInput!) { startRun(input: $input) {
        run { id status key workflow { name } version { number } createdAt }
        replayed
        userErrors { code message field } } }";
}
