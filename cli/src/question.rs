//! Every GraphQL document that this command can send. [`Question`] can be made nowhere else, so that the test below,
//! which asks the server's own rules about each, leaves none out.

/// A document of one operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    text: &'static str,
}

impl Question {
    /// The document as it is sent.
    pub(crate) fn text(self) -> &'static str {
        self.text
    }
}

/// Names documents, and lists them for the test.
macro_rules! questions {
    ($($name:ident = $text:expr;)*) => {
        $(pub(crate) const $name: crate::question::Question = crate::question::Question { text: $text };)*
        #[cfg(test)]
        pub(super) const ALL: &[(&str, crate::question::Question)] = &[$((stringify!($name), $name)),*];
    };
}

/// The files of documents, one a noun. A file that is not named here is not compiled.
macro_rules! nouns {
    ($($noun:ident)*) => {
        $(pub(crate) mod $noun;)*
        #[cfg(test)]
        const NOUNS: &[(&str, &[(&str, Question)])] = &[$((stringify!($noun), $noun::ALL)),*];
    };
}

nouns! { artifact audit connection key member notification project run trigger variable version workflow }

#[cfg(test)]
mod tests;
