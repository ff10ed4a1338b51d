//! Who outside is told of runs, and what became of telling them.

/// A document that shows notifications.
macro_rules! showing {
    ($operation:literal) => {
        concat!(
            $operation,
            " fragment Shown on Notification { id name projectId format events target failingSince disabledAt
              disabledReason createdAt updatedAt }"
        )
    };
}

questions! {
    LIST = showing!("query Notifications { notifications { ...Shown } }");
    CREATE = showing!("mutation CreateNotification($input: CreateNotificationInput!) {
        createNotification(input: $input) { notification { ...Shown } secret userErrors { code message field } } }");
    UPDATE = showing!("mutation UpdateNotification($input: UpdateNotificationInput!) {
        updateNotification(input: $input) { notification { ...Shown } userErrors { code message field } } }");
    ROTATE = showing!("mutation RotateNotificationSecret($input: RotateNotificationSecretInput!) {
        rotateNotificationSecret(input: $input) {
            notification { ...Shown } secret userErrors { code message field } } }");
    DELETE = "mutation DeleteNotification($input: DeleteNotificationInput!) {
        deleteNotification(input: $input) { deletedId userErrors { code message field } } }";
    DELIVERIES = "query NotificationDeliveries($status: NotificationDeliveryStatus, $first: Int!) {
        notifications { id name deliveries(status: $status, first: $first) { nodes {
            id event entity status attemptCount nextAt createdAt finishedAt } } } }";
    REPLAY = "mutation ReplayDelivery($input: ReplayDeliveryInput!) {
        replayDelivery(input: $input) { delivery { id status nextAt } userErrors { code message field } } }";
    REPLAY_ALL = "mutation ReplayDeliveries($input: ReplayDeliveriesInput!) {
        replayDeliveries(input: $input) { count userErrors { code message field } } }";
}
