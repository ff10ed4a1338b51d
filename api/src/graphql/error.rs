//! The one crossing from our errors to GraphQL's; internal causes stop here.

use async_graphql::{Error, ErrorExtensions as _, ServerError, Value};

use crate::service::ServiceError;

/// Longest message of an error, in characters; the parser would repeat the whole offending line.
const MESSAGE_LIMIT: usize = 200;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The closed catalogue of `errors[].extensions.code`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word that clients see.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// No or no valid credential.
    Unauthenticated = "UNAUTHENTICATED",
    /// The role does not have the permission.
    Forbidden = "FORBIDDEN",
    /// Not there, or in another workspace.
    NotFound = "NOT_FOUND",
    /// An argument or variable cannot be used.
    BadUserInput = "BAD_USER_INPUT",
    /// Not a GraphQL document.
    GraphqlParseFailed = "GRAPHQL_PARSE_FAILED",
    /// Not a document for this schema.
    GraphqlValidationFailed = "GRAPHQL_VALIDATION_FAILED",
    /// Which operation is meant cannot be told, or it cannot be done over this transport.
    OperationResolutionFailure = "OPERATION_RESOLUTION_FAILURE",
    /// Too many tokens, aliases, directives, root fields, or too much cost.
    CostLimitExceeded = "COST_LIMIT_EXCEEDED",
    /// Nested too deep.
    DepthLimitExceeded = "DEPTH_LIMIT_EXCEEDED",
    /// Too many operations on one socket.
    RateLimited = "RATE_LIMITED",
    /// The thing is in a state that does not allow it.
    Conflict = "CONFLICT",
    /// There is one of that name already.
    NameTaken = "NAME_TAKEN",
    /// Somebody else changed the draft in between.
    RevisionConflict = "REVISION_CONFLICT",
    /// The idempotency key belongs to another request.
    IdempotencyMismatch = "IDEMPOTENCY_MISMATCH",
    /// The value does not fit an answer.
    ValueTooLarge = "VALUE_TOO_LARGE",
    /// It would work at another time.
    Unavailable = "UNAVAILABLE",
    /// It took too long.
    Timeout = "TIMEOUT",
    /// Our fault; the log says more.
    Internal = "INTERNAL",
}

/// A use case's error on its way out. It has no `Display`, so that nothing but the crossing below turns it into text.
#[derive(Debug)]
pub struct GraphqlError(pub ServiceError);

impl From<ServiceError> for GraphqlError {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

impl From<GraphqlError> for Error {
    fn from(GraphqlError(error): GraphqlError) -> Self {
        if let ServiceError::Internal(cause) = &error {
            tracing::error!(error.cause = %cause, "a GraphQL field failed");
        }
        let code = error.code();
        Self::new(error.to_string()).extend_with(|_, extensions| extensions.set("code", code))
    }
}

/// An error outside any field, such as a refused document.
pub fn request_error(code: Code, message: &str) -> ServerError {
    let mut error = ServerError::new(shown(message), None);
    error.extensions.get_or_insert_default().set("code", code.as_str());
    error
}

/// Gives every error a code and a short message. Errors that the library makes have none of ours.
pub fn complete(errors: &mut [ServerError], executed: bool) {
    for error in errors {
        error.message = shown(&error.message);
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_some() {
            continue;
        }
        let code = match (executed, error.message.as_str()) {
            (true, _) => Code::BadUserInput,
            (false, "Query is too complex.") => Code::CostLimitExceeded,
            (false, _) => Code::GraphqlValidationFailed,
        };
        extensions.set("code", Value::from(code.as_str()));
    }
}

/// One line of at most [`MESSAGE_LIMIT`] characters.
fn shown(message: &str) -> String {
    let mut line = String::with_capacity(message.len().min(MESSAGE_LIMIT * 4));
    let words = message.split_whitespace();
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > MESSAGE_LIMIT * 4 {
            break;
        }
    }
    match line.char_indices().nth(MESSAGE_LIMIT) {
        None => line,
        Some(_) => {
            let mut cut: String = line.chars().take(MESSAGE_LIMIT - 1).collect();
            cut.push('…');
            cut
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_at_most_200_characters() {
        let error = request_error(Code::GraphqlParseFailed, &format!(" --> 1:1\n  |\n{}", "ä".repeat(90_000)));
        assert_eq!(error.message.chars().count(), 200);
        assert!(!error.message.contains('\n'));
        assert!(error.message.ends_with('…'));
    }

    #[test]
    fn every_error_of_a_service_has_a_code_of_the_catalogue() {
        let known: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        for error in [
            ServiceError::Unauthenticated,
            ServiceError::NotFound { what: "run" },
            ServiceError::invalid("name", "empty"),
            ServiceError::Conflict { message: String::new() },
            ServiceError::NameTaken { field: "name", what: "workflow", name: "a".to_owned() },
            ServiceError::IdempotencyMismatch,
            ServiceError::ValueTooLarge { bytes: 1, limit: 0 },
            ServiceError::Unavailable { message: String::new() },
            ServiceError::internal("boom"),
        ] {
            assert!(known.contains(&error.code()), "{error:?}");
        }
    }

    #[test]
    fn the_cause_of_an_internal_error_stays_inside() {
        let error = Error::from(GraphqlError(ServiceError::internal("password=geheim")));
        assert!(!format!("{error:?}").contains("geheim"));
    }

    #[test]
    fn an_error_that_the_library_made_gets_a_code() {
        let mut errors = [ServerError::new("Query is too complex.", None), ServerError::new("Unknown field", None)];
        complete(&mut errors, false);
        let codes: Vec<_> =
            errors.iter().map(|error| error.extensions.as_ref().unwrap().get("code").cloned()).collect();
        assert_eq!(codes, [Some(Value::from("COST_LIMIT_EXCEEDED")), Some(Value::from("GRAPHQL_VALIDATION_FAILED"))]);
    }
}
