//! The states of a run and of a node run, one enum each.

use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every status, in the order of a life.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in the database, in the API and on a page.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The status of this word.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

statuses! {
    /// What a run is doing.
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
}

impl RunStatus {
    /// Whether nothing can follow.
    pub fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::Waiting | Self::Paused => false,
            Self::Succeeded | Self::Failed | Self::Canceled | Self::TimedOut => true,
        }
    }
}

statuses! {
    /// What a node run is doing.
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
}
