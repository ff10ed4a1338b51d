import { graphql } from "@/gql";

export const VersionsQuery = graphql(`
  query Versions($name: String!, $project: String!, $locale: String!, $after: String) {
    workflow(name: $name, project: $project) {
      id name title
      project { slug environments { id name title } }
      draft { id revision sidecar baseVersion { id number } }
      versions(first: 50, after: $after) {
        nodes { id number note hash createdAt createdBy }
        pageInfo { hasNextPage endCursor }
      }
      deployments { environment updatedAt version { id number } }
      deploymentChanges(first: 20) {
        nodes { id environment changedAt changedBy version { id number } previousVersion { id number } }
      }
    }
    nodeTypes(locale: $locale) {
      type title summary docs category aliases configSchema forEach icon auth
      deprecated { since replacement }
      inputs { name type many }
      outputs { name type many }
    }
    viewer { role }
  }
`);

export const DifferenceQuery = graphql(`
  query Difference($from: ID!, $to: ID!) {
    diffVersions(from: $from, to: $to) {
      nodes { key change fields { path from to } }
      edgesAdded { from to }
      edgesRemoved { from to }
      fields { path from to }
    }
    older: node(id: $from) { __typename ... on Version { id number definition } }
    newer: node(id: $to) { __typename ... on Version { id number definition } }
  }
`);

export const VersionQuery = graphql(`
  query OneVersion($id: ID!) {
    node(id: $id) { __typename ... on Version { id number definition } }
  }
`);

export const DeployMutation = graphql(`
  mutation Deploy($input: DeployVersionInput!) {
    deployVersion(input: $input) {
      deployment { environment version { id number } }
      userErrors { code message field }
    }
  }
`);

export const UndeployMutation = graphql(`
  mutation Undeploy($input: UndeployWorkflowInput!) {
    undeployWorkflow(input: $input) { change { id } userErrors { code message field } }
  }
`);
