//! The audit as a chain: what each row's hash is made of, and finding the first row that is not as it was written.
//!
//! The chain tells whoever changes rows without writing the whole rest anew. Anchors, signed by a key that is not in the
//! database, tell the others.

use sha2::{Digest as _, Sha256};

use crate::id::WorkspaceId;
use crate::time::Timestamp;
use crate::value::Digest;

/// Keeps these hashes apart from all others.
const ROW: &[u8] = b"flowforge/audit/1\0";
/// Keeps these signatures apart from all others.
const ANCHOR: &[u8] = b"flowforge/audit-anchor/1\0";

/// Everything of a row that its hash vouches for, as the columns have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// Its id.
    pub id: [u8; 16],
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Counts from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// How often.
    pub times: i32,
    /// Who: kind and id.
    pub actor: (&'a str, Option<&'a str>),
    /// What, and what came of it.
    pub action: (&'a str, &'a str),
    /// Of what.
    pub entity: &'a str,
    /// As it was and as it is.
    pub change: (Option<&'a str>, Option<&'a str>),
    /// The request and where it came from.
    pub request: (Option<&'a str>, Option<&'a str>),
}

impl Row<'_> {
    /// The hash of this row after the row of that hash; the first row comes after zeros.
    pub fn hash(&self, before: &Digest) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(ROW);
        hasher.update(before.0);
        hasher.update(self.id);
        hasher.update(self.workspace.0.as_bytes());
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.at.0.to_be_bytes());
        hasher.update(self.times.to_be_bytes());
        let texts = [
            Some(self.actor.0),
            self.actor.1,
            Some(self.action.0),
            Some(self.action.1),
            Some(self.entity),
            self.change.0,
            self.change.1,
            self.request.0,
            self.request.1,
        ];
        for text in texts {
            // The length before each text, so that nothing can move from one to the next; nothing is not the empty text.
            hasher.update(text.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
            hasher.update(text.unwrap_or_default());
        }
        Digest(hasher.finalize().into())
    }
}

/// What an anchor's signature vouches for.
pub fn anchor(workspace: WorkspaceId, seq: i64, hash: &Digest, at: Timestamp) -> Vec<u8> {
    let mut bytes = ANCHOR.to_vec();
    bytes.extend_from_slice(workspace.0.as_bytes());
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(&hash.0);
    bytes.extend_from_slice(&at.0.to_be_bytes());
    bytes
}

/// The first thing about an audit that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is a gap.
    #[error("row {seq} is missing: somebody dropped it, or moved it elsewhere")]
    Missing {
        /// The number that should come.
        seq: i64,
    },
    /// A row does not have its hash.
    #[error("row {seq} is not what was written: somebody changed it, or put it in another's place")]
    Changed {
        /// Its number.
        seq: i64,
    },
    /// Rows at the end are gone.
    #[error("row {seq} and what came after it is missing: {known} knew of it")]
    Truncated {
        /// The first number that is gone.
        seq: i64,
        /// What knows better.
        known: String,
    },
    /// The chain is whole, but not the one that was signed.
    #[error(
        "row {seq} is not what was signed as {known}: it, or a row before it, and all hashes since were written anew"
    )]
    Rewritten {
        /// The number that was signed.
        seq: i64,
        /// What knows better.
        known: String,
    },
    /// An anchor itself is not ours.
    #[error("{known} is not signed by this workspace's key: somebody changed or made it")]
    Forged {
        /// Which.
        known: String,
    },
}

/// Goes along a chain from its first row.
#[derive(Debug, Clone, Default)]
pub struct Checker {
    last: Option<Digest>,
    seq: i64,
}

impl Checker {
    /// Takes the next row, which says that it has this hash; rows of before the chain have none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take(&mut self, row: &Row<'_>, hash: Option<&Digest>) -> Result<(), Fault> {
        let wanted = self.seq + 1;
        if row.seq != wanted {
            return Err(if row.seq > wanted {
                Fault::Missing { seq: wanted }
            } else {
                Fault::Changed { seq: row.seq }
            });
        }
        match hash {
            // Once there are hashes, every row has one.
            None if self.last.is_none() => {}
            Some(hash) if row.hash(&self.last.unwrap_or(START)) == *hash => self.last = Some(*hash),
            _ => return Err(Fault::Changed { seq: row.seq }),
        }
        self.seq = wanted;
        Ok(())
    }

    /// The number of the last row.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// The hash of the last row.
    pub fn last(&self) -> Option<&Digest> {
        self.last.as_ref()
    }
}

/// What the first row comes after.
pub const START: Digest = Digest([0; 32]);

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: i64, entity: &str) -> Row<'_> {
        Row {
            id: [7; 16],
            workspace: WorkspaceId(uuid::Uuid::from_u128(1)),
            seq,
            at: Timestamp(seq * 1_000),
            times: 1,
            actor: ("USER", Some("usr_1")),
            action: ("workflow.created", "DONE"),
            entity,
            change: (None, Some("{}")),
            request: (None, None),
        }
    }

    fn chain() -> Vec<(Row<'static>, Digest)> {
        let mut last = START;
        ["a", "b", "c", "d"]
            .iter()
            .zip(1..)
            .map(|(entity, seq)| {
                last = row(seq, entity).hash(&last);
                (row(seq, entity), last)
            })
            .collect()
    }

    fn check(rows: &[(Row<'_>, Digest)]) -> Result<Checker, Fault> {
        let mut checker = Checker::default();
        rows.iter().try_for_each(|(row, hash)| checker.take(row, Some(hash)))?;
        Ok(checker)
    }

    #[test]
    fn the_first_row_that_was_changed_dropped_inserted_or_moved_is_named() {
        let whole = chain();
        assert_eq!(check(&whole).unwrap().seq(), 4);
        let mut changed = whole.clone();
        changed[1].0.entity = "x";
        assert_eq!(check(&changed).unwrap_err(), Fault::Changed { seq: 2 });
        let mut dropped = whole.clone();
        dropped.remove(2);
        assert_eq!(check(&dropped).unwrap_err(), Fault::Missing { seq: 3 });
        let mut inserted = whole.clone();
        inserted.insert(2, (row(3, "new"), row(3, "new").hash(&whole[1].1)));
        assert_eq!(check(&inserted).unwrap_err(), Fault::Changed { seq: 3 });
        let mut moved = whole.clone();
        (moved[1].0.seq, moved[2].0.seq) = (3, 2);
        moved.swap(1, 2);
        assert_eq!(check(&moved).unwrap_err(), Fault::Changed { seq: 2 });
    }

    #[test]
    fn no_text_can_move_from_one_column_to_the_next() {
        let apart = Row { change: (Some("a"), Some("b")), ..row(1, "x") };
        for other in [(Some("ab"), None), (Some("ab"), Some("")), (None, Some("ab")), (Some("b"), Some("a"))] {
            assert_ne!(Row { change: other, ..apart.clone() }.hash(&START), apart.hash(&START));
        }
        assert_ne!(row(1, "x").hash(&START), Row { times: 2, ..row(1, "x") }.hash(&START));
    }

    #[test]
    fn rows_of_before_the_chain_have_no_hash_and_rows_since_have_one() {
        let mut checker = Checker::default();
        checker.take(&row(1, "old"), None).unwrap();
        checker.take(&row(2, "new"), Some(&row(2, "new").hash(&START))).unwrap();
        assert_eq!(checker.take(&row(3, "bare"), None), Err(Fault::Changed { seq: 3 }));
    }
}
