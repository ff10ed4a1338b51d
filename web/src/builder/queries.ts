import { graphql } from "@/gql";

export const CatalogQuery = graphql(`
  query Catalog($locale: String!) {
    nodeTypes(locale: $locale) {
      type title summary docs category aliases configSchema forEach icon auth
      deprecated { since replacement }
      unavailable
      inputs { name type many }
      outputs { name type many }
    }
    viewer { name role workspace { id slug name } }
  }
`);

export const WorkflowQuery = graphql(`
  query WorkflowForBuilder($name: String!, $project: String!) {
    workflow(name: $name, project: $project) {
      id name title description tags
      project { slug environments { id name title } }
      draft { id revision document sidecar }
      latestVersion { id number definition }
      deployments { environment version { id number } }
      triggers { node type }
      triggerBindings { id node environment kind version { id } }
    }
  }
`);

export const CreateWorkflowMutation = graphql(`
  mutation CreateWorkflow($input: CreateWorkflowInput!) {
    createWorkflow(input: $input) {
      workflow { id name project { slug } }
      userErrors { code message field }
    }
  }
`);

export const UpdateWorkflowMutation = graphql(`
  mutation UpdateWorkflow($input: UpdateWorkflowInput!) {
    updateWorkflow(input: $input) {
      workflow { id title description tags }
      userErrors { code message field }
    }
  }
`);

export const SaveDraftMutation = graphql(`
  mutation SaveDraft($input: SaveDraftInput!) {
    saveDraft(input: $input) {
      draft {
        id revision document sidecar
        problems { code severity path node message hint }
      }
      userErrors { code message field }
    }
  }
`);

export const DiscardDraftMutation = graphql(`
  mutation DiscardDraft($input: DiscardDraftInput!) {
    discardDraft(input: $input) {
      draft { id revision document sidecar }
      userErrors { code message field }
    }
  }
`);

export const DraftQuery = graphql(`
  query DraftNow($name: String!, $project: String!) {
    workflow(name: $name, project: $project) {
      id
      draft { id revision document sidecar }
    }
  }
`);

export const PublishDraftMutation = graphql(`
  mutation PublishDraft($input: PublishDraftInput!) {
    publishDraft(input: $input) {
      problems { code severity path node message hint }
      version { id number definition }
      userErrors { code message field }
    }
  }
`);

export const TestPlanQuery = graphql(`
  query TestPlan($input: TestRunInput!) {
    testPlan(input: $input) {
      effectful
      nodes { node fate }
      problems { code severity path node message hint }
      userErrors { code message field }
    }
  }
`);

export const TestRunMutation = graphql(`
  mutation TestRun($input: TestRunInput!) {
    testRun(input: $input) {
      run { id }
      problems { code severity path node message hint }
      userErrors { code message field }
    }
  }
`);

export const StartRunMutation = graphql(`
  mutation StartRun($input: StartRunInput!) {
    startRun(input: $input) {
      replayed
      run { id status }
      userErrors { code message field }
    }
  }
`);

export const LatestRunQuery = graphql(`
  query LatestRun($workflowId: ID!) {
    runs(first: 1, filter: { workflowId: $workflowId }) { nodes { id } }
  }
`);
