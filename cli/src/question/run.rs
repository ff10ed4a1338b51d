//! Runs.

questions! {
    GET = "query Run($id: ID!) { run(id: $id) {
        id status mode environment key labels trigger createdAt startedAt finishedAt createdBy lastSeq
        retriedFrom retryOf { id }
        workflow { id name title project { slug } } version { id number hash }
        input { kind byteSize preview(maxBytes: 65536) truncated(maxBytes: 65536) }
        output { kind byteSize preview(maxBytes: 65536) truncated(maxBytes: 65536) }
        error { code message node }
    } }";
    NODE_RUNS = "query NodeRuns($id: ID!, $after: String) { run(id: $id) {
        nodeRuns(first: 100, after: $after) {
            pageInfo { hasNextPage endCursor }
            nodes {
                id node scope type status attempt effect port items itemsSettled startedAt finishedAt pinned reusedFrom
                output { kind byteSize preview(maxBytes: 200) truncated(maxBytes: 200) }
                error { code message kind } waitingFor { signal key until }
            }
        }
    } }";
    LIST = "query Runs($filter: RunFilter, $order: RunOrder, $first: Int, $after: String) {
        runs(filter: $filter, orderBy: $order, first: $first, after: $after) {
            pageInfo { hasNextPage endCursor }
            nodes { id status mode environment key createdAt startedAt finishedAt
                workflow { name project { slug } } version { number } }
        } }";
    WHENCE = "query RunWhence($id: ID!) { run(id: $id) { id workflow { name project { slug } } } }";
    STATUS = "query RunStatus($id: ID!) { run(id: $id) { status } }";
    EVENTS = "subscription RunEvents($id: ID!, $after: String) { runEvents(runId: $id, after: $after) {
        cursor seq at
        payload { __typename ... on RunEvent {
            kind node scope attempt port status message error { code message } dueAt signal
        } }
    } }";
    CANCEL = "mutation CancelRun($input: CancelRunInput!) {
        cancelRun(input: $input) { run { id status } userErrors { code message field } } }";
    RESUME = "mutation ResumeRun($input: ResumeRunInput!) {
        resumeRun(input: $input) { run { id status } userErrors { code message field } } }";
    SIGNAL = "mutation SignalRun($input: SignalRunInput!) {
        signalRun(input: $input) { run { id status } userErrors { code message field } } }";
    RESOLVE = "mutation ResolveNodeRun($input: ResolveNodeRunInput!) {
        resolveNodeRun(input: $input) { run { id status } userErrors { code message field } } }";
    RETRY = "mutation RetryRun($input: RetryRunInput!) { retryRun(input: $input) {
        run { id status key retriedFrom workflow { name } version { number } createdAt }
        replayed
        userErrors { code message field } } }";
}
