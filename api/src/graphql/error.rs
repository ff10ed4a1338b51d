//! The one crossing from our errors to GraphQL's; internal causes stop here.

use async_graphql::{Error, ErrorExtensions as _, ServerError, Value};

pub use crate::code::Code;
use crate::service::{ServiceError, quota};

/// Longest message of an error, in characters; the parser would repeat the whole offending line.
const MESSAGE_LIMIT: usize = 200;

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
        Self::new(error.to_string()).extend_with(|_, extensions| {
            extensions.set("code", code);
            if let ServiceError::Forbidden { permission, .. } = &error {
                extensions.set("permission", permission.as_str());
            }
            if let ServiceError::CursorExpired { oldest } = &error {
                extensions.set("oldestCursor", oldest.clone());
            }
            if let ServiceError::QuotaExceeded(exceeded) = &error {
                let details = async_graphql::Value::from_json(quota::details(exceeded));
                extensions.set("quota", details.unwrap_or_default());
            }
        })
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
    fn every_error_of_a_service_says_its_code() {
        for error in [
            ServiceError::Unauthenticated,
            ServiceError::NotFound { what: "run" },
            ServiceError::Absent { message: String::new() },
            ServiceError::invalid("name", "empty"),
            ServiceError::Conflict { message: String::new() },
            ServiceError::NotReusable { message: String::new(), changed: Vec::new(), unfinished: Vec::new() },
            ServiceError::NameTaken { field: "name", what: "workflow", name: "a".to_owned() },
            ServiceError::IdempotencyMismatch,
            ServiceError::CursorExpired { oldest: String::new() },
            ServiceError::ValueTooLarge { bytes: 1, limit: 0 },
            ServiceError::Unavailable { message: String::new() },
            ServiceError::internal("boom"),
        ] {
            let shown = Error::from(GraphqlError(error));
            let code = shown.extensions.as_ref().and_then(|extensions| extensions.get("code")).cloned();
            let Some(Value::String(code)) = code else { panic!("{shown:?}") };
            assert!(Code::parse(&code).is_some(), "{code}");
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
