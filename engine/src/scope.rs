//! Which item or iteration a node run belongs to.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// The path of item indexes from the run down to a node run; empty outside any `for_each`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(SmallVec<[u32; 2]>);

impl Scope {
    /// The scope of a node that runs once.
    pub const ROOT: Self = Self(SmallVec::new_const());

    /// The scope of one item of a root node's `for_each`.
    pub fn item(index: u32) -> Self {
        Self(SmallVec::from_slice(&[index]))
    }

    /// Whether this is the run itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The innermost item index.
    pub fn index(&self) -> Option<u32> {
        self.0.last().copied()
    }

    /// The indexes, outermost first.
    pub fn path(&self) -> &[u32] {
        &self.0
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (depth, index) in self.0.iter().enumerate() {
            if depth > 0 {
                f.write_str("/")?;
            }
            write!(f, "{index}")?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{self}]")
    }
}

/// A text that is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is empty or item indexes joined by `/`")]
pub struct ParseScopeError;

impl std::str::FromStr for Scope {
    type Err = ParseScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::ROOT);
        }
        text.split('/').map(|part| part.parse().map_err(|_| ParseScopeError)).collect::<Result<_, _>>().map(Self)
    }
}
