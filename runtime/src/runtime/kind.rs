//! What starts runs, and whether they count.

use entity::word;

/// What starts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerKind {
    /// A person or a program.
    Manual,
    /// A call from outside.
    Webhook,
    /// The clock.
    Schedule,
    /// An event that a workflow published.
    Event,
    /// A run that failed.
    Error,
    /// A run that ended.
    Workflow,
}

impl From<TriggerKind> for word::TriggerKind {
    fn from(kind: TriggerKind) -> Self {
        match kind {
            TriggerKind::Manual => Self::Manual,
            TriggerKind::Webhook => Self::Webhook,
            TriggerKind::Schedule => Self::Schedule,
            TriggerKind::Event => Self::Event,
            TriggerKind::Error => Self::Error,
            TriggerKind::Workflow => Self::Workflow,
        }
    }
}

impl From<word::TriggerKind> for TriggerKind {
    fn from(word: word::TriggerKind) -> Self {
        match word {
            word::TriggerKind::Manual => Self::Manual,
            word::TriggerKind::Webhook => Self::Webhook,
            word::TriggerKind::Schedule => Self::Schedule,
            word::TriggerKind::Event => Self::Event,
            word::TriggerKind::Error => Self::Error,
            word::TriggerKind::Workflow => Self::Workflow,
        }
    }
}

impl From<word::BindingKind> for TriggerKind {
    fn from(word: word::BindingKind) -> Self {
        match word {
            word::BindingKind::Schedule => Self::Schedule,
            word::BindingKind::Webhook => Self::Webhook,
            word::BindingKind::Event => Self::Event,
            word::BindingKind::Error => Self::Error,
            word::BindingKind::Workflow => Self::Workflow,
        }
    }
}

/// Whether a run counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// A run of a version.
    #[default]
    Live,
    /// A try: it stays out of figures and alerts, and goes after seven days.
    Test,
}
