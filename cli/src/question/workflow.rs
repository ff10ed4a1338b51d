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
    DRAFT = "query Draft($project: String!, $name: String!) { workflow(project: $project, name: $name) {
        id draft { id revision document sidecar } } }";
    CREATE = "mutation CreateWorkflow($input: CreateWorkflowInput!) { createWorkflow(input: $input) {
        workflow { id name } userErrors { code message field } } }";
    SAVE_DRAFT = "mutation SaveDraft($input: SaveDraftInput!) { saveDraft(input: $input) {
        draft { id revision sidecar } userErrors { code message field } } }";
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
    TEST_PLAN = "query TestPlan($input: TestRunInput!) { testPlan(input: $input) {
        nodes { node fate effect } effectful earlierRunId
        problems { code severity path line column node message hint }
        userErrors { code message field } } }";
    TEST = "mutation TestRun($input: TestRunInput!) { testRun(input: $input) {
        run { id status createdAt }
        replayed
        problems { code severity path line column node message hint }
        userErrors { code message field } } }";
}
