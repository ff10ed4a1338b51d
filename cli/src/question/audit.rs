//! Who changed what.

questions! {
    LIST = "query Audit($filter: AuditFilter, $first: Int, $after: String) {
        audit(filter: $filter, first: $first, after: $after) {
            nodes { id seq at actorKind actorId action entityId before after requestId }
            pageInfo { hasNextPage endCursor }
        } }";
}
