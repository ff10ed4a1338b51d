//! What can be wrong with an expression.

use serde::Serialize;

use crate::error::ErrorInfo;

/// The stable word for a kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum ExpressionErrorCode {
    /// It does not parse, or uses a part of CEL that is left out.
    #[serde(rename = "EXPRESSION_SYNTAX")]
    Syntax,
    /// Its source passes 16 KiB or 4,096 tokens.
    #[serde(rename = "EXPRESSION_TOO_LONG")]
    TooLong,
    /// Its source, a template, or the value it makes is nested too deeply.
    #[serde(rename = "EXPRESSION_TOO_DEEP")]
    TooDeep,
    /// It used up its steps or bytes.
    #[serde(rename = "EXPRESSION_BUDGET")]
    Budget,
    /// An operand has a type that the operator does not take.
    #[serde(rename = "EXPRESSION_TYPE")]
    Type,
    /// A first name is not there, or `nodes` is not followed by a literal key and `.output`.
    #[serde(rename = "EXPRESSION_UNKNOWN_NAME")]
    UnknownName,
    /// No function has that name.
    #[serde(rename = "EXPRESSION_UNKNOWN_FUNCTION")]
    UnknownFunction,
    /// A function got too few, too many or unfit arguments.
    #[serde(rename = "EXPRESSION_ARGUMENT")]
    Argument,
    /// A number left the finite doubles.
    #[serde(rename = "EXPRESSION_OVERFLOW")]
    Overflow,
    /// A division by zero.
    #[serde(rename = "EXPRESSION_DIVISION_BY_ZERO")]
    DivisionByZero,
}

impl ExpressionErrorCode {
    /// The word, as problems and run errors carry it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "EXPRESSION_SYNTAX",
            Self::TooLong => "EXPRESSION_TOO_LONG",
            Self::TooDeep => "EXPRESSION_TOO_DEEP",
            Self::Budget => "EXPRESSION_BUDGET",
            Self::Type => "EXPRESSION_TYPE",
            Self::UnknownName => "EXPRESSION_UNKNOWN_NAME",
            Self::UnknownFunction => "EXPRESSION_UNKNOWN_FUNCTION",
            Self::Argument => "EXPRESSION_ARGUMENT",
            Self::Overflow => "EXPRESSION_OVERFLOW",
            Self::DivisionByZero => "EXPRESSION_DIVISION_BY_ZERO",
        }
    }
}

/// What is wrong with an expression or a template, and where. Holds names and types, never data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", place(.path, *.column))]
pub struct ExpressionError {
    /// The kind of fault.
    pub code: ExpressionErrorCode,
    /// What and what next, for people.
    pub message: String,
    /// JSON pointer to the string inside the template; empty for an expression and for a template that is one string.
    pub path: String,
    /// Where in the string: in characters from 1, a line break counting as one.
    pub column: Option<u32>,
}

fn place(path: &str, column: Option<u32>) -> String {
    match (path, column) {
        ("", None) => String::new(),
        ("", Some(column)) => format!(" (column {column})"),
        (path, None) => format!(" (at {path})"),
        (path, Some(column)) => format!(" (at {path}, column {column})"),
    }
}

impl ExpressionError {
    /// The same error inside a template: `path` is the string's place, `offset` the characters before the expression.
    pub(super) fn within(mut self, path: &str, offset: usize) -> Self {
        path.clone_into(&mut self.path);
        self.column = self.column.map(|column| column.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)));
        self
    }
}

impl From<ExpressionError> for ErrorInfo {
    /// Permanent: the same expression over the same values fails again.
    fn from(error: ExpressionError) -> Self {
        Self::permanent(error.code.as_str(), error.to_string())
    }
}

/// A fault on its way out; the innermost node that knows its place adds it.
#[derive(Debug)]
pub(super) struct Fault {
    code: ExpressionErrorCode,
    message: String,
    column: Option<u32>,
}

impl Fault {
    pub(super) fn new(code: ExpressionErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), column: None }
    }

    pub(super) fn syntax(message: impl Into<String>) -> Self {
        Self::new(ExpressionErrorCode::Syntax, message)
    }

    pub(super) fn budget(message: impl Into<String>) -> Self {
        Self::new(ExpressionErrorCode::Budget, message)
    }

    pub(super) fn mistyped(message: impl Into<String>) -> Self {
        Self::new(ExpressionErrorCode::Type, message)
    }

    pub(super) fn argument(message: impl Into<String>) -> Self {
        Self::new(ExpressionErrorCode::Argument, message)
    }

    /// Adds the place, unless one closer to the fault is known.
    pub(super) fn at(mut self, column: u32) -> Self {
        if self.column.is_none() && column > 0 {
            self.column = Some(column);
        }
        self
    }

    pub(super) fn into_error(self) -> ExpressionError {
        ExpressionError { code: self.code, message: self.message, path: String::new(), column: self.column }
    }
}
