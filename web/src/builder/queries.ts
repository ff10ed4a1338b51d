import { graphql } from "@/gql";

export const CatalogQuery = graphql(`
  query Catalog($locale: String!) {
    nodeTypes(locale: $locale) {
      type title summary docs category aliases configSchema forEach icon
      deprecated { since replacement }
      inputs { name type many }
      outputs { name type many }
    }
    viewer { name role workspace { id slug name } }
  }
`);

export const WorkflowQuery = graphql(`
  query WorkflowForBuilder($name: String!, $project: String!) {
    workflow(name: $name, project: $project) {
      id name title description project
      latestVersion { id number hash definition createdAt note }
      deployments { environment version { id number } }
      triggers { node type path }
    }
  }
`);

export const PublishMutation = graphql(`
  mutation Publish($input: PublishWorkflowInput!) {
    publishWorkflow(input: $input) {
      created
      problems { code severity path node message hint }
      version { id number hash definition createdAt note }
      workflow {
        id name title description project
        latestVersion { id number hash definition createdAt note }
        deployments { environment version { id number } }
        triggers { node type path }
      }
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
