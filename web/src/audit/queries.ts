import { graphql } from "@/gql";

export const AuditQuery = graphql(`
  query Audit($after: String, $filter: AuditFilter) {
    audit(first: 50, after: $after, filter: $filter) {
      nodes {
        id seq action entityId actorKind actorId before after requestId result times address hash at
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
