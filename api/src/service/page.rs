//! Keyset pages: a cursor says after which item to go on, so that a page is right while rows come and go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::ServiceError;

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items.
    pub first: u32,
    /// The cursor of the item before.
    pub after: Option<String>,
}

/// Which page is wanted of a list that is read from either end: `count` items after one place and before another, the
/// first of them or the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// How many items.
    pub count: u32,
    /// Whether the last ones are wanted.
    pub from_end: bool,
    /// The cursor of the item before.
    pub after: Option<String>,
    /// The cursor of the item after.
    pub before: Option<String>,
}

/// Some items in order, each with the cursor that goes on after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Cursor and item.
    pub items: Vec<(String, T)>,
    /// Whether there are more after the last one.
    pub has_next: bool,
    /// Whether there are some before the first one, as far as the request tells.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Makes a page of rows that were read with `first + 1` as their limit.
    pub(crate) fn of(mut rows: Vec<T>, first: u32, cursor: impl Fn(&T) -> String) -> Self {
        let first = first as usize;
        let has_next = rows.len() > first;
        rows.truncate(first);
        Self { items: rows.into_iter().map(|row| (cursor(&row), row)).collect(), has_next, has_previous: false }
    }

    /// Makes a page of rows that were read from the wanted end with `count + 1` as their limit.
    pub(crate) fn within(mut rows: Vec<T>, window: &Window, cursor: impl Fn(&T) -> String) -> Self {
        let count = window.count as usize;
        let has_more = rows.len() > count;
        rows.truncate(count);
        if window.from_end {
            rows.reverse();
        }
        let (has_next, has_previous) =
            if window.from_end { (window.before.is_some(), has_more) } else { (has_more, window.after.is_some()) };
        Self { items: rows.into_iter().map(|row| (cursor(&row), row)).collect(), has_next, has_previous }
    }
}

/// How many bytes of a hash a cursor carries: enough that no damaged one is taken for another place.
const SUM_LEN: usize = 4;

/// Makes a cursor of a list of this `kind`. It is no secret: whoever makes one up sees only what they may see.
pub(crate) fn cursor(kind: &str, place: &str) -> String {
    let mut bytes = sum(kind, place.as_bytes()).to_vec();
    bytes.extend_from_slice(place.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that a cursor of a list of this `kind` names.
pub(crate) fn place(kind: &str, cursor: &str) -> Result<String, ServiceError> {
    let wrong = || ServiceError::invalid("after", "`after` is not a cursor of this list");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    let (found, place) = bytes.split_at_checked(SUM_LEN).ok_or_else(wrong)?;
    if found != sum(kind, place) {
        return Err(wrong());
    }
    String::from_utf8(place.to_vec()).map_err(|_| wrong())
}

fn sum(kind: &str, place: &[u8]) -> [u8; SUM_LEN] {
    let hash: [u8; 32] = Sha256::new().chain_update(kind).chain_update([0]).chain_update(place).finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_in_its_own_list_only() {
        let made = cursor("runs", "run_1");
        assert_eq!(place("runs", &made).unwrap(), "run_1");
        assert!(place("workflows", &made).is_err());
        for at in 0..made.len() {
            let mut bytes = made.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(bytes).unwrap();
            assert!(place("runs", &damaged).map_or(true, |found| found == "run_1"), "{damaged}");
        }
        for wrong in ["", "x", "äöü", "AAAA", "////////"] {
            assert!(place("runs", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_row_more_than_wanted_means_that_there_is_another_page() {
        let page = Page::of(vec![1, 2, 3], 2, |row| row.to_string());
        assert_eq!(page, Page { items: vec![("1".into(), 1), ("2".into(), 2)], has_next: true, has_previous: false });
        assert!(!Page::of(vec![1, 2], 2, |row| row.to_string()).has_next);
    }
}
