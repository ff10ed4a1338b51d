//! Every public word for what went wrong: one table from the word to what each face answers with. GraphQL puts the word
//! into `errors[].extensions.code` or `userErrors[].code`, REST into problem JSON with the status, the command ends with
//! the exit code. docs/guides/errors.md is written from this table.

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The word.
    pub code: Code,
    /// The word as clients see it.
    pub word: &'static str,
    /// The status that REST answers with, and that a mistake of this kind would have.
    pub http: u16,
    /// How the command ends.
    pub exit: u8,
    /// What it means and what to do.
    pub meaning: &'static str,
}

macro_rules! codes {
    ($($name:ident = $word:literal, $http:literal, $exit:literal, $meaning:literal;)*) => {
        /// What went wrong, as a stable word. A word never changes its meaning; more may come.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $meaning] $name,)* }

        /// The table.
        pub const TABLE: &[Row] =
            &[$(Row { code: Code::$name, word: $word, http: $http, exit: $exit, meaning: $meaning },)*];

        impl Code {
            /// The row of the table.
            fn row(self) -> Row {
                match self {
                    $(Self::$name => {
                        Row { code: self, word: $word, http: $http, exit: $exit, meaning: $meaning }
                    })*
                }
            }
        }
    };
}

codes! {
    Unauthenticated = "UNAUTHENTICATED", 401, 4, "No or no valid API key. Show one: `Authorization: Bearer ff_…`.";
    Forbidden = "FORBIDDEN", 403, 4, "The key's role does not have the permission that the message names.";
    NotFound = "NOT_FOUND", 404, 5, "Not there, or in another workspace: nobody can tell which.";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, 2, "The path is there, but not for this method.";
    BadUserInput = "BAD_USER_INPUT", 400, 2, "An argument, variable or field cannot be used; the message says which and what would be right.";
    GraphqlParseFailed = "GRAPHQL_PARSE_FAILED", 400, 2, "Not a GraphQL document.";
    GraphqlValidationFailed = "GRAPHQL_VALIDATION_FAILED", 400, 2, "Not a document for this schema.";
    OperationResolutionFailure = "OPERATION_RESOLUTION_FAILURE", 400, 2, "Which operation is meant cannot be told, or it cannot be done over this transport.";
    CostLimitExceeded = "COST_LIMIT_EXCEEDED", 400, 2, "Too many tokens, aliases, directives, root fields or bytes of variables, or too much cost. Ask for less at once.";
    DepthLimitExceeded = "DEPTH_LIMIT_EXCEEDED", 400, 2, "Nested too deep.";
    RateLimited = "RATE_LIMITED", 429, 3, "Too much at once. Wait, then again.";
    Conflict = "CONFLICT", 409, 6, "The thing is in a state that does not allow this. Read it again.";
    NameTaken = "NAME_TAKEN", 409, 6, "There is one of that name already. Choose another name.";
    RevisionConflict = "REVISION_CONFLICT", 409, 6, "Somebody else saved the draft meanwhile. Read it, and save against its revision.";
    NotReusable = "NOT_REUSABLE", 409, 6, "What an earlier run gave cannot be taken over; the message names the nodes that changed or did not succeed. Begin at one of them or before.";
    IdempotencyMismatch = "IDEMPOTENCY_MISMATCH", 422, 6, "The idempotency key was used for another request within 24 hours. Use a new one.";
    DefinitionInvalid = "DEFINITION_INVALID", 422, 2, "The definition has problems; the answer lists all of them.";
    CursorExpired = "CURSOR_EXPIRED", 410, 6, "Events after this cursor are not kept any more. Go on after `oldestCursor` and read the state anew.";
    ValueTooLarge = "VALUE_TOO_LARGE", 413, 2, "The value does not fit an answer, or a request. Read `preview`, a page of it, or all of it by `download`.";
    QuotaExceeded = "QUOTA_EXCEEDED", 429, 3, "A quota of the workspace is used up; `limit`, `used` and, where the clock decides, `resetAt` say more. Wait, or let an admin raise it.";
    SignatureInvalid = "SIGNATURE_INVALID", 409, 6, "The version's signature is wrong or missing: the database was changed by something else than FlowForge. Publish the workflow again.";
    DeliveryRefused = "DELIVERY_REFUSED", 401, 4, "A webhook does not believe who sent this; `reason` says why. Nothing was started.";
    Gone = "GONE", 410, 5, "There was a webhook at this address. Do not send here any more.";
    TriggerPaused = "TRIGGER_PAUSED", 503, 3, "Somebody holds the trigger back. Nothing was started; send again later.";
    Unavailable = "UNAVAILABLE", 503, 3, "It would work at another time. With the same idempotency key, asking again is safe.";
    Timeout = "TIMEOUT", 504, 3, "It took too long. Ask for less at once.";
    Internal = "INTERNAL", 500, 1, "A fault of the server. Its log says what, under the id of the request.";
}

impl Code {
    /// The word that clients see.
    pub fn as_str(self) -> &'static str {
        self.row().word
    }

    /// The HTTP status.
    pub fn http(self) -> u16 {
        self.row().http
    }

    /// The exit code of the command.
    pub fn exit(self) -> u8 {
        self.row().exit
    }

    /// The code of this word.
    pub fn parse(word: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.word == word).map(|row| row.code)
    }
}

/// The page that explains the words, docs/guides/errors.md.
pub fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n| code | HTTP | exit | meaning |\n|---|---|---|---|\n");
    for row in TABLE {
        page.push_str(&format!("| `{}` | {} | {} | {} |\n", row.word, row.http, row.exit, row.meaning));
    }
    page
}

const INTRODUCTION: &str = "\
# Errors

What goes wrong has one stable word, wherever it is told. Written from the table in `api/src/code.rs`.

- GraphQL: mistakes in the input of a mutation are data, `userErrors { code message field }` beside the payload. Everything
  else is in `errors[]` with the word as `extensions.code`. A request that is refused before it is carried out has no
  `data`, and the HTTP status 400 when the answer is `application/graphql-response+json`; with `application/json` it is 200.
- A field of GraphQL that fails is null where the schema allows it; otherwise what it stands in is null, and so on outwards.
  The error's `path` says which field it was.
- What a query or mutation may cost at most stands beside the bound in `extensions.cost` of every answer over HTTP that was
  carried out: `{requestedQueryCost, maximumQueryCost}`. A scalar costs nothing, an object 1, a connection its page size times
  what is selected of each item, another list twice that.
- REST and webhooks: problem JSON (RFC 9457) with the word as `code` and the HTTP status below.
- The command: `error.code` with `--output json`, and the exit code below. 0 is done; 1 is also a run that ended FAILED; 2 is
  also wrong usage.
";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_word_stands_once_and_reads_back() {
        let words: BTreeSet<&str> = TABLE.iter().map(|row| row.word).collect();
        assert_eq!(words.len(), TABLE.len());
        for row in TABLE {
            assert_eq!(Code::parse(row.word), Some(row.code));
            assert_eq!((row.code.as_str(), row.code.http(), row.code.exit()), (row.word, row.http, row.exit));
            assert!((400..600).contains(&row.http) && (1..=6).contains(&row.exit), "{row:?}");
            assert!(row.word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{row:?}");
        }
    }

    #[test]
    fn the_guide_is_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guides/errors.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        let meant = page();
        if written != meant {
            std::fs::write(path, &meant).unwrap();
        }
        assert!(written == meant, "docs/guides/errors.md was not the table; it is now, look at it and keep it");
    }
}
