//! What is wrong with a document, as data: a broken draft is a normal thing to draw.

use serde::Serialize;

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// It cannot be published.
    Error,
    /// It can, but may not do what its author thinks.
    Warning,
}

macro_rules! problem_codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// The published list of codes. A code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemCode { $($(#[$doc])* $name,)* }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

problem_codes! {
    /// The document is not of the form that `docs/guides/workflows.md` describes.
    DocumentInvalid = "DOCUMENT_INVALID",
    /// Its canonical form is over 4 MiB.
    DocumentTooLarge = "DOCUMENT_TOO_LARGE",
    /// It has no trigger, so nothing could start it.
    TriggerMissing = "TRIGGER_MISSING",
    /// A node key is not `^[a-z][a-z0-9_]{0,62}$` or is a word of the expression language.
    NodeKeyInvalid = "NODE_KEY_INVALID",
    /// No node type of this name is known here.
    NodeTypeUnknown = "NODE_TYPE_UNKNOWN",
    /// The config does not fit the type's JSON Schema.
    ConfigInvalid = "CONFIG_INVALID",
    /// The type is known and runs, but should not be used in new workflows any more.
    NodeTypeDeprecated = "NODE_TYPE_DEPRECATED",
    /// A node names a connection, and its type takes none.
    ConnectionNotAccepted = "CONNECTION_NOT_ACCEPTED",
    /// A node names a connection that the environment does not have.
    ConnectionMissing = "CONNECTION_MISSING",
    /// A node names a connection of a type that it does not take.
    ConnectionTypeMismatch = "CONNECTION_TYPE_MISMATCH",
    /// An edge starts or ends at a node that is not there.
    EdgeDangling = "EDGE_DANGLING",
    /// An edge names a port that the node's type does not have.
    PortUnknown = "PORT_UNKNOWN",
    /// The same edge twice.
    EdgeDuplicate = "EDGE_DUPLICATE",
    /// Two edges into a port that takes one.
    PortTaken = "PORT_TAKEN",
    /// What leaves one port cannot arrive at the other.
    PortTypeMismatch = "PORT_TYPE_MISMATCH",
    /// Nodes lead back to themselves.
    Cycle = "CYCLE",
    /// No path leads from a trigger to the node.
    NodeUnreachable = "NODE_UNREACHABLE",
    /// An expression cannot be read.
    ExpressionInvalid = "EXPRESSION_INVALID",
    /// An expression uses the output of a node that does not come before.
    ReferenceNotUpstream = "REFERENCE_NOT_UPSTREAM",
    /// `for_each` on a node that cannot have it, or out of its bounds.
    ForEachInvalid = "FOR_EACH_INVALID",
    /// A duration is not a duration.
    DurationInvalid = "DURATION_INVALID",
    /// A retry policy is out of its bounds.
    RetryInvalid = "RETRY_INVALID",
    /// `input_schema` is not a JSON Schema.
    InputSchemaInvalid = "INPUT_SCHEMA_INVALID",
    /// An integer over 2^53 that is not written as text.
    NumberNotExact = "NUMBER_NOT_EXACT",
}

impl Serialize for ProblemCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its stable code.
    pub code: ProblemCode,
    /// How much it matters.
    pub severity: Severity,
    /// JSON pointer into the definition.
    pub path: String,
    /// The node it belongs to.
    pub node: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Problem {
    /// An error at this place.
    pub fn error(code: ProblemCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, path: path.into(), node: None, message: message.into(), hint: None }
    }

    /// A warning at this place.
    pub fn warning(code: ProblemCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, message) }
    }

    /// Whether it keeps the document from being published.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The same, belonging to a node.
    #[must_use]
    pub fn at_node(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }

    /// The same, with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
