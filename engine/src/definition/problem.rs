//! What is wrong with a document, as data: a broken draft is a normal thing to draw.

use std::fmt::Write as _;

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
    ($($(#[doc = $meaning:literal])+ $name:ident = $word:literal, $severity:ident, $hint:literal;)*) => {
        /// The published list of codes. A code never changes its meaning. `docs/guides/problems.md` is made of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemCode { $($(#[doc = $meaning])+ $name,)* }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// How much problems of this code matter; the same for all of them.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it means, in a sentence or two.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+).trim_ascii_start(),)* }
            }

            /// What to do about it, where a problem has no advice of its own.
            pub fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

problem_codes! {
    /// The document is not of the form that the guide to workflows describes.
    DocumentInvalid = "DOCUMENT_INVALID", Error,
        "a definition has `nodes`, `edges` and, if wanted, `input_schema`, `output` and `settings`";
    /// Its canonical form is over 4 MiB, or it has more than 10,000 nodes or 100,000 edges.
    DocumentTooLarge = "DOCUMENT_TOO_LARGE", Error, "move large constants out of the workflow, into its input";
    /// An integer is over 2^53 and not written as text. It would be rounded somewhere on its way.
    NumberNotExact = "NUMBER_NOT_EXACT", Error, "write it as text, in quotes";
    /// No node starts the workflow.
    TriggerMissing = "TRIGGER_MISSING", Error,
        "add a node of type `trigger.manual@1` or `trigger.webhook@1` and join it to the first node";
    /// A trigger is disabled.
    TriggerDisabled = "TRIGGER_DISABLED", Error,
        "remove `disabled`; to keep a trigger from starting runs, pause it where the workflow is deployed, or take it away";
    /// A node key is not `^[a-z][a-z0-9_]{0,62}$` or is a word of the expression language.
    NodeKeyInvalid = "NODE_KEY_INVALID", Error,
        "use a lower-case letter, then lower-case letters, digits and `_`, at most 63, and no word of the expression language";
    /// No node type of this name is known here.
    NodeTypeUnknown = "NODE_TYPE_UNKNOWN", Error,
        "a type is written `group.name@MAJOR`, such as `http.request@1`; the API lists them as `nodeTypes`";
    /// The node type runs, but should not be used in new workflows any more.
    NodeTypeDeprecated = "NODE_TYPE_DEPRECATED", Warning,
        "published versions go on running; plan to do without it";
    /// The config does not fit the JSON Schema of its node type.
    ConfigInvalid = "CONFIG_INVALID", Error, "the node type's documentation lists the fields of its config";
    /// A node names a connection, and its type takes none or none of that type.
    ConnectionNotAccepted = "CONNECTION_NOT_ACCEPTED", Error,
        "remove `connection`, or name one of a type that the node type takes";
    /// A node names a connection that is not there.
    ConnectionUnknown = "CONNECTION_UNKNOWN", Error, "make the connection first, or correct its name";
    /// An edge starts or ends at a node that is not there.
    EdgeDangling = "EDGE_DANGLING", Error, "an edge is `{from: node.port, to: node.port}`";
    /// An edge names a port that the type of the node does not have.
    PortUnknown = "PORT_UNKNOWN", Error, "the node type's documentation lists its ports";
    /// The same edge stands twice.
    EdgeDuplicate = "EDGE_DUPLICATE", Error, "remove one of them";
    /// Two edges go into a port that takes one.
    PortTaken = "PORT_TAKEN", Error, "put a node of type `flow.merge@1` before it";
    /// Nothing that leaves one port can arrive at the other.
    PortTypeMismatch = "PORT_TYPE_MISMATCH", Error, "put a `data.set@1` between them that makes what is expected";
    /// Some of what may leave one port cannot arrive at the other.
    PortTypeUncertain = "PORT_TYPE_UNCERTAIN", Warning,
        "put a node between them that handles the other cases, such as null";
    /// Nodes lead back to themselves.
    Cycle = "CYCLE", Error, "a workflow is a DAG; use `for_each` for repetition";
    /// No path leads from a trigger to the node.
    NodeUnreachable = "NODE_UNREACHABLE", Error, "join it to a node that runs before it, or remove it";
    /// The node only makes a value, and nothing reads it: no edge, no expression, not the output of the run.
    NodeUnused = "NODE_UNUSED", Warning, "read its output, or remove it";
    /// An expression cannot be read.
    ExpressionInvalid = "EXPRESSION_INVALID", Error, "the guide to expressions has the language";
    /// A field that is taken as it is written holds an expression. Such fields say what a node does, never with which
    /// data: the statement of a query, the name of a port.
    ExpressionNotAllowedHere = "EXPRESSION_NOT_ALLOWED_HERE", Error,
        "write the field as a constant, and hand data over in the fields meant for it, such as `parameters`";
    /// An expression uses a name that does not exist where it stands.
    ExpressionUnknownName = "EXPRESSION_UNKNOWN_NAME", Error,
        "names are `input`, `nodes.<key>.output`, `run.input`, `trigger` and `vars`, and `item` and `index` per item";
    /// An operator, a function or a field of a config is certain to get a type that it does not take.
    ExpressionTypeMismatch = "EXPRESSION_TYPE_MISMATCH", Error, "convert it, such as by `string(x)` or `number(x)`";
    /// A member is read that the object never has.
    MemberUnknown = "MEMBER_UNKNOWN", Error, "correct the name, or add the member where the object is made";
    /// A member is read that the schema of the object does not name. It may be there; it reads as null when it is not.
    MemberUndeclared = "MEMBER_UNDECLARED", Warning,
        "correct the name, add it to the schema, or write `x.orValue(y)` where it may be missing";
    /// An expression uses the output of a node that does not come before.
    ReferenceNotUpstream = "REFERENCE_NOT_UPSTREAM", Error, "join the nodes, directly or through others";
    /// An expression uses the output of a node that is not there.
    ReferenceUnknown = "REFERENCE_UNKNOWN", Error, "correct the key of the node";
    /// An expression uses a secret. Secrets stand in connections only, so that none reaches the journal of a run.
    SecretNotAllowedHere = "SECRET_NOT_ALLOWED_HERE", Error, "put it into a connection and name that in `connection`";
    /// A node has `for_each` and cannot have it, or with bounds that are not allowed.
    ForEachInvalid = "FOR_EACH_INVALID", Error, "put `for_each` on the node that does the work of one item";
    /// A duration is none, or too short.
    DurationInvalid = "DURATION_INVALID", Error, "write numbers with units, such as `250ms`, `30s` or `1h30m`";
    /// A retry policy is out of its bounds.
    RetryInvalid = "RETRY_INVALID", Error, "`attempts` is 1 to 100, `coefficient` 1 to 10, `jitter` 0 to 1";
    /// `input_schema` is not a JSON Schema.
    InputSchemaInvalid = "INPUT_SCHEMA_INVALID", Error, "it is JSON Schema 2020-12, such as `{type: object}`";
    /// A part of `input_schema` says more than types can; it counts as anything in further checks.
    SchemaNotCovered = "SCHEMA_NOT_COVERED", Warning,
        "inputs are checked against the whole schema all the same; write it with `type`, `properties` and `items` if \
         expressions over it shall be checked too";
}

impl Serialize for ProblemCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A place in a text with several lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// Counts from 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
}

impl Position {
    /// The place of the character before which there are `column - 1` others.
    pub fn in_text(text: &str, column: u32) -> Self {
        let before = column.saturating_sub(1) as usize;
        let (mut line, mut at) = (1, 1);
        for character in text.chars().take(before) {
            if character == '\n' {
                line += 1;
                at = 1;
            } else {
                at += 1;
            }
        }
        Self { line, column: at }
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
    /// Where in the text at `path`, for expressions.
    pub position: Option<Position>,
    /// The node it belongs to.
    pub node: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl Problem {
    /// A problem at this place, with the severity and the hint of its code.
    pub fn new(code: ProblemCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            path: path.into(),
            position: None,
            node: None,
            message: message.into(),
            hint: code.hint().to_owned(),
        }
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

    /// The same, at a place within the text.
    #[must_use]
    pub fn at(mut self, position: Option<Position>) -> Self {
        self.position = position;
        self
    }

    /// The same, with advice of its own.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// The guide to problems, `docs/guides/problems.md`, as Markdown.
pub fn guide() -> String {
    let mut page = String::from(INTRODUCTION);
    for severity in [Severity::Error, Severity::Warning] {
        let title = if severity == Severity::Error { "Errors" } else { "Warnings" };
        // Writing to a `String` cannot fail.
        let _ = write!(page, "\n## {title}\n\n| code | meaning | what to do |\n|---|---|---|\n");
        for code in ProblemCode::ALL.iter().filter(|code| code.severity() == severity) {
            let (word, meaning, hint) = (code.as_str(), code.meaning(), code.hint());
            let _ = writeln!(page, "| `{word}` | {meaning} | {hint} |");
        }
    }
    page
}

const INTRODUCTION: &str = "\
<!-- Made by `make schema` from the list that the server checks by; a test compares them. -->
# Problems of a workflow

A workflow is checked whenever it is saved, validated or published. All problems come at once, each with

- `code`: one of the list below; its meaning never changes, and more codes may come;
- `severity`: an `ERROR` keeps the workflow from being published, a `WARNING` does not. A draft can always be saved;
- `path`: a JSON pointer into the definition, such as `/nodes/fetch/config/url`;
- `position`: line and column in the text at `path`, for expressions;
- `node`: the key of the node that it belongs to;
- `message` and `hint`: what is wrong, and what to do about it.

A warning is only given where something is certain to be odd. Types are checked as far as schemas tell: a webhook's body
is anything, so no expression over it is refused.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_to_problems_is_made_of_the_list() {
        let kept = include_str!("../../../docs/guides/problems.md");
        assert!(kept == guide(), "docs/guides/problems.md is out of date; run `make schema`");
    }

    #[test]
    fn every_code_has_a_meaning_and_a_hint_and_stands_once() {
        let mut words: Vec<_> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ProblemCode::ALL.len());
        for code in ProblemCode::ALL {
            assert!(code.meaning().ends_with('.') && !code.hint().is_empty(), "{code:?}");
        }
    }

    #[test]
    fn a_column_becomes_a_line_and_a_column() {
        assert_eq!(Position::in_text("ä{{\n x }}", 6), Position { line: 2, column: 2 });
        assert_eq!(Position::in_text("short", 90), Position { line: 1, column: 6 });
        assert_eq!(Position::in_text("", 0), Position { line: 1, column: 1 });
    }
}
