//! What is told of one thing that took time.

use std::borrow::Cow;
use std::sync::Arc;

use engine::time::Timestamp;

use super::context::{SpanId, TraceContext, TraceId};

/// How a span stands to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// A request to us.
    Server,
    /// A call to somebody else.
    Client,
    /// Work of our own.
    Internal,
}

/// What an attribute says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A text.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
}

impl From<&'static str> for Attribute {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u64> for Attribute {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// One thing that took time. It never holds what people's data, configs or secrets say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its trace.
    pub trace: TraceId,
    /// Its id.
    pub id: SpanId,
    /// The span that it is a part of.
    pub parent: Option<SpanId>,
    /// What the services before us noted for themselves.
    pub state: Option<Arc<str>>,
    /// How it stands to others.
    pub kind: SpanKind,
    /// What kind of thing it was; few different ones.
    pub name: Cow<'static, str>,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What it was, by name.
    pub attributes: Vec<(&'static str, Attribute)>,
    /// Whether it went wrong.
    pub failed: bool,
    /// A span of perhaps another trace that this one follows on.
    pub link: Option<(TraceId, SpanId)>,
}

impl Span {
    /// A span of this context under `parent`, of no time and about nothing yet.
    pub fn new(
        context: &TraceContext,
        parent: Option<SpanId>,
        kind: SpanKind,
        name: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            trace: context.trace,
            id: context.span,
            parent,
            state: context.state.clone(),
            kind,
            name: name.into(),
            began: Timestamp::default(),
            ended: Timestamp::default(),
            attributes: Vec::new(),
            failed: false,
            link: None,
        }
    }

    /// The same over this time; an end before the beginning counts as the beginning.
    #[must_use]
    pub fn over(self, began: Timestamp, ended: Timestamp) -> Self {
        Self { began, ended: ended.max(began), ..self }
    }

    /// The same with one more attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Attribute>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// The same, gone wrong with this code.
    #[must_use]
    pub fn failed(mut self, code: impl Into<Attribute>) -> Self {
        self.failed = true;
        self.with("error.type", code)
    }
}
