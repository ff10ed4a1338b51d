import { graphql } from "@/gql";

export const RunQuery = graphql(`
  query RunView($id: ID!, $locale: String!) {
    run(id: $id) {
      id status mode trigger key labels environment retriedFrom retryOf { id } createdAt createdBy startedAt finishedAt lastSeq
      error { code message node }
      workflow { id name title project { slug } latestVersion { id number } }
      version { id number definition }
      input { kind byteSize preview truncated redacted download }
      output { kind byteSize preview truncated redacted download }
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

export const NodeRunQuery = graphql(`
  query NodeRunDetails($id: ID!) {
    node(id: $id) {
      __typename
      ... on NodeRun {
        id node scope type effect status attempt port startedAt finishedAt items itemsSettled
        error { code kind message }
        output { kind byteSize preview truncated redacted download }
        waitingFor { signal key until }
      }
    }
  }
`);

export const CancelMutation = graphql(`
  mutation Cancel($input: CancelRunInput!) {
    cancelRun(input: $input) { run { id status } userErrors { code message } }
  }
`);

export const RetryMutation = graphql(`
  mutation Retry($input: RetryRunInput!) {
    retryRun(input: $input) { run { id } userErrors { code message } }
  }
`);

export const SignalMutation = graphql(`
  mutation Signal($input: SignalRunInput!) {
    signalRun(input: $input) { run { id status } userErrors { code message } }
  }
`);

export const ResolveMutation = graphql(`
  mutation Resolve($input: ResolveNodeRunInput!) {
    resolveNodeRun(input: $input) { run { id status } userErrors { code message } }
  }
`);

export const FilesQuery = graphql(`
  query RunFiles($id: ID!, $after: String) {
    run(id: $id) {
      id
      artifacts(first: 50, after: $after) {
        nodes { id name mediaType size node contentPath createdAt }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);
