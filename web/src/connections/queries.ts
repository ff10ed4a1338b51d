import { graphql } from "@/gql";

export const ConnectionTypesQuery = graphql(`
  query ConnectionTypes($locale: String!) {
    connectionTypes(locale: $locale) { name title summary schema }
    projects(first: 100) { nodes { id slug title environments { id name title } } }
    viewer { role }
  }
`);

export const ConnectionsQuery = graphql(`
  query Connections($after: String, $filter: ConnectionFilter) {
    connections(first: 50, after: $after, filter: $filter) {
      nodes {
        id name type project environment fields secretFields revision updatedAt isSignedIn
        lastTest { at message passed }
        usedBy { id name title project { slug } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const ConnectionChoicesQuery = graphql(`
  query ConnectionChoices($filter: ConnectionFilter) {
    connections(first: 100, filter: $filter) { nodes { id name type environment } }
  }
`);

export const CreateConnectionMutation = graphql(`
  mutation CreateConnection($input: CreateConnectionInput!) {
    createConnection(input: $input) { connection { id name } userErrors { code message field } }
  }
`);

export const UpdateConnectionMutation = graphql(`
  mutation UpdateConnection($input: UpdateConnectionInput!) {
    updateConnection(input: $input) { connection { id name revision } userErrors { code message field } }
  }
`);

export const DeleteConnectionMutation = graphql(`
  mutation DeleteConnection($input: DeleteConnectionInput!) {
    deleteConnection(input: $input) { deletedId userErrors { code message field } }
  }
`);

export const TestConnectionMutation = graphql(`
  mutation TestConnection($input: TestConnectionInput!) {
    testConnection(input: $input) {
      test { at message passed }
      userErrors { code message field }
    }
  }
`);

export const BeginSignInMutation = graphql(`
  mutation BeginConnectionSignIn($input: BeginConnectionSignInInput!) {
    beginConnectionSignIn(input: $input) { url userErrors { code message field } }
  }
`);

export const FinishSignInMutation = graphql(`
  mutation FinishConnectionSignIn($input: FinishConnectionSignInInput!) {
    finishConnectionSignIn(input: $input) { connection { id name } userErrors { code message field } }
  }
`);
