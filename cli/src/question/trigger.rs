//! Deployed triggers, and what came to them.

questions! {
    LIST = "query Triggers($project: String!, $name: String!) { workflow(project: $project, name: $name) {
        triggerBindings { id environment node kind version { number } pausedAt lastFiredAt lastRun { id status }
            nextFirings(first: 3) waitingSince } } }";
    PAUSE = "mutation PauseTrigger($input: PauseTriggerInput!) { pauseTrigger(input: $input) {
        trigger { id environment node pausedAt } userErrors { code message field } } }";
    RESUME = "mutation ResumeTrigger($input: ResumeTriggerInput!) { resumeTrigger(input: $input) {
        trigger { id environment node pausedAt nextFirings(first: 3) } userErrors { code message field } } }";
    EVENTS = "query TriggerEvents($filter: TriggerEventFilter!, $first: Int!, $after: String) {
        triggerEvents(filter: $filter, first: $first, after: $after) {
            nodes { id workflow { name } environment node kind outcome reason explanation scheduledAt receivedAt
                run { id status } }
            pageInfo { hasNextPage endCursor } } }";
    EVENT = "query TriggerEvent($id: ID!) { triggerEvent(id: $id) {
        id workflow { name project { slug } } environment node kind outcome reason explanation scheduledAt receivedAt depth
        run { id status } sourceRun { id } redeliveryOf { id }
        payload { byteSize redacted preview(maxBytes: 65536) truncated(maxBytes: 65536) } } }";
    REDELIVER = "mutation Redeliver($input: RedeliverTriggerEventInput!) { redeliverTriggerEvent(input: $input) {
        run { id status version { number } } replayed userErrors { code message field } } }";
    BACKFILL = "mutation Backfill($input: BackfillTriggerInput!) { backfillTrigger(input: $input) {
        backfill { id status from until perMinute ticks lookedAt hadRuns } userErrors { code message field } } }";
    BACKFILLS = "query Backfills($id: ID!, $after: String) { triggerBackfills(triggerId: $id, first: 25, after: $after) {
        nodes { id status from until perMinute ticks lookedAt hadRuns outcomes { started refused waiting } createdAt
            finishedAt } pageInfo { hasNextPage endCursor } } }";
    CANCEL_BACKFILL = "mutation CancelBackfill($input: CancelBackfillInput!) { cancelBackfill(input: $input) {
        backfill { id status ticks lookedAt } userErrors { code message field } } }";
}
