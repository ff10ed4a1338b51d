//! The words that columns may hold. Each has a CHECK in the migration that made its column.

use sea_orm::entity::prelude::*;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
        #[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
        pub enum $name {
            $($(#[$variant_doc])* #[sea_orm(string_value = $text)] $variant,)*
        }

        impl $name {
            /// The word in the column.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    )*};
}

words! {
    /// Whether a run counts: TEST runs stay out of metrics and alerts.
    RunMode {
        /// Started by a deployment.
        Live = "LIVE",
        /// Started from a draft.
        Test = "TEST",
    }
    /// What a run is doing; the rules are the engine's.
    RunStatus {
        /// Committed, not yet looked at by a driver.
        Queued = "QUEUED",
        /// Something is under way.
        Running = "RUNNING",
        /// Only time, a signal or a person moves it on.
        Waiting = "WAITING",
        /// Held back by an operator or as a dead letter.
        Paused = "PAUSED",
        /// Every node settled and none failed unhandled.
        Succeeded = "SUCCEEDED",
        /// A node failed and nothing handled it.
        Failed = "FAILED",
        /// Somebody stopped it.
        Canceled = "CANCELED",
        /// Its time was up.
        TimedOut = "TIMED_OUT",
    }
    /// What kind of actor changed something.
    ActorKind {
        /// Whoever showed an API key.
        ApiKey = "API_KEY",
        /// A command on the server itself, by somebody who has its settings.
        Command = "COMMAND",
        /// A person who signed in.
        User = "USER",
        /// A program that is a member.
        ServiceAccount = "SERVICE_ACCOUNT",
    }
    /// What came of what somebody wanted to do.
    AuditResult {
        /// It was done.
        Done = "DONE",
        /// They may not.
        Denied = "DENIED",
    }
    /// How a key's hash was made.
    KeyScheme {
        /// SHA-256 of the key.
        Sha256 = "SHA256",
        /// HMAC-SHA256 of the key under the workspace's pepper.
        Hmac = "HMAC",
    }
    /// Who says that a person belongs to a workspace.
    MemberSource {
        /// Somebody in the workspace.
        Local = "LOCAL",
        /// The provider that they sign in by, each time anew.
        Provider = "PROVIDER",
    }
    /// Who may take a run next.
    RunClaim {
        /// Anybody, now.
        Ready = "READY",
        /// Nobody while its owner lives.
        Owned = "OWNED",
        /// Anybody, once `wake_at` is due or a message waits.
        Dormant = "DORMANT",
        /// Nobody: a dead letter.
        Parked = "PARKED",
        /// Nobody: it has ended.
        Done = "DONE",
    }
    /// What a node run is doing; the rules are the engine's.
    NodeRunStatus {
        /// Waits for what comes before it.
        Pending = "PENDING",
        /// Ready, waits for a worker.
        Queued = "QUEUED",
        /// An attempt is under way.
        Running = "RUNNING",
        /// Waits for time, a signal or a person.
        Waiting = "WAITING",
        /// Another attempt is due later.
        Retrying = "RETRYING",
        /// Has its output.
        Succeeded = "SUCCEEDED",
        /// Has no further attempt.
        Failed = "FAILED",
        /// No path led here.
        Skipped = "SKIPPED",
        /// Stopped before its end.
        Canceled = "CANCELED",
        /// Its time with all attempts was up.
        TimedOut = "TIMED_OUT",
        /// Its undo is under way.
        Compensating = "COMPENSATING",
        /// Undone.
        Compensated = "COMPENSATED",
        /// Nobody knows whether its effect happened.
        Uncertain = "UNCERTAIN",
    }
    /// What a repeat of a node run may do to the outside.
    Effect {
        /// Nothing.
        Pure = "PURE",
        /// The same again, as once.
        Idempotent = "IDEMPOTENT",
        /// More than once is more than once.
        Effectful = "EFFECTFUL",
    }
    /// The JSON kind of a value, known without reading it.
    ValueKind {
        /// `null`
        Null = "NULL",
        /// `true` or `false`
        Boolean = "BOOLEAN",
        /// any number
        Number = "NUMBER",
        /// a string
        String = "STRING",
        /// an array
        List = "LIST",
        /// an object
        Object = "OBJECT",
    }
    /// What a message asks of a run.
    InboxKind {
        /// Takes a signal.
        Signal = "SIGNAL",
        /// Stops.
        Cancel = "CANCEL",
        /// Takes a person's word on an UNCERTAIN node run.
        Resolve = "RESOLVE",
    }
    /// What a process that drives runs says of itself.
    WorkerState {
        /// Takes runs.
        Active = "ACTIVE",
        /// Takes none and hands its own back.
        Draining = "DRAINING",
        /// Has ended in order.
        Stopped = "STOPPED",
    }
    /// What kind of trigger received an event.
    TriggerKind {
        /// A person or a program, through the API.
        Manual = "MANUAL",
        /// A call to `/hooks/…`.
        Webhook = "WEBHOOK",
        /// The clock.
        Schedule = "SCHEDULE",
        /// An event that a workflow published.
        Event = "EVENT",
        /// A run that failed.
        Error = "ERROR",
        /// A run that ended.
        Workflow = "WORKFLOW",
    }
    /// How somebody outside is told.
    NotificationFormat {
        /// Standard Webhooks.
        Standard = "STANDARD",
        /// A line of text for Slack.
        Slack = "SLACK",
        /// A line of text for Discord.
        Discord = "DISCORD",
    }
    /// What became of a message to somebody outside.
    DeliveryStatus {
        /// It is or will be sent.
        Pending = "PENDING",
        /// It was taken.
        Delivered = "DELIVERED",
        /// It was given up.
        Failed = "FAILED",
    }
    /// What kinds of trigger have a binding.
    BindingKind {
        /// Requests from outside.
        Webhook = "WEBHOOK",
        /// The clock.
        Schedule = "SCHEDULE",
        /// Events that workflows publish.
        Event = "EVENT",
        /// Runs that fail.
        Error = "ERROR",
        /// Runs that end.
        Workflow = "WORKFLOW",
    }
    /// How far somebody's wish for runs of the past is.
    BackfillStatus {
        /// It goes on.
        Running = "RUNNING",
        /// It has looked at every tick.
        Done = "DONE",
        /// It was stopped, or cannot go on.
        Canceled = "CANCELED",
    }
}
