//! What a spreadsheet says of itself: where its parts are, which sheets it has, the texts that they share, and how
//! their numbers look.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use engine::error::ErrorInfo;

use super::super::pipe::Trouble;
use super::super::zip::Archive;
use super::number::{self, Look};
use super::part::{self, Seen};
use super::{invalid, shape_of_book};

/// Longest texts of all cells together that share them, in bytes.
const TEXTS: usize = 64 * 1024 * 1024;
/// Most shared texts.
const MOST_TEXTS: usize = 4_000_000;
/// Most sheets, looks and parts that are kept in mind.
const MOST: usize = 65_536;
/// Where a book is when nobody says.
const USUAL: &str = "xl/workbook.xml";

/// Parts that a part names: by their id, with their kind and path.
type Relations = BTreeMap<String, (String, String)>;

/// A spreadsheet.
#[derive(Default)]
pub(super) struct Book {
    /// Names of sheets and where they are, in their order.
    sheets: Vec<(String, String)>,
    relations: Relations,
    /// Whether its days count from 1904.
    pub(super) is_1904: bool,
}

/// Texts one after another, so that a million short ones take little.
#[derive(Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    /// One of them.
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..end)
    }

    /// Adds one, while there is room.
    fn add(&mut self, text: &str) -> Result<(), ErrorInfo> {
        if self.text.len() + text.len() > TEXTS || self.ends.len() >= MOST_TEXTS {
            let message = format!(
                "the spreadsheet has more than {TEXTS} bytes or {MOST_TEXTS} pieces of text, which have to be in memory. Let it be \
                 made as CSV, which goes through at any size"
            );
            return Err(ErrorInfo::permanent("FILE_DOCUMENT_TOO_LARGE", message));
        }
        self.text.push_str(text);
        self.ends.push(self.text.len());
        Ok(())
    }
}

impl Book {
    pub(super) fn read(archive: &mut Archive<impl Read + Seek>, trouble: &Trouble) -> Result<Self, ErrorInfo> {
        let outer = relations(archive, "_rels/.rels", "", trouble)?;
        let path = of_kind(&outer, "officeDocument").unwrap_or(USUAL).to_owned();
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let relations_at = format!("{folder}/_rels/{file}.rels");
        let relations = relations(archive, relations_at.trim_start_matches('/'), folder, trouble)?;
        let mut book = Self { relations, ..Self::default() };
        let mut part = part::open(archive, &path, trouble)?;
        loop {
            match part.next()? {
                Seen::Begin("workbookPr", attributes) => {
                    book.is_1904 = matches!(attributes.get("date1904"), Some("1" | "true"));
                }
                Seen::Begin("sheet", attributes) => {
                    let path = attributes.get("id").and_then(|id| book.relations.get(id)).map(|(_, path)| path.clone());
                    if let (Some(name), Some(path)) = (attributes.get("name"), path) {
                        book.sheets.push((name.to_owned(), path));
                    }
                }
                Seen::Over => break,
                _ => {}
            }
            most(book.sheets.len(), "sheets")?;
        }
        Ok(book)
    }

    /// Where the sheet of this name is; the first one where none is named.
    pub(super) fn sheet(&self, name: Option<&str>) -> Result<String, ErrorInfo> {
        let found = match name {
            None => self.sheets.first(),
            Some(name) => self.sheets.iter().find(|(known, _)| known == name),
        };
        found.map(|(_, path)| path.clone()).ok_or_else(|| {
            let names: Vec<_> = self.sheets.iter().take(20).map(|(name, _)| format!("{name:?}")).collect();
            match name {
                None => invalid("it has no sheets".to_owned()),
                Some(name) => {
                    shape_of_book(format!("the spreadsheet has no sheet {name:?}. Its sheets are {}", names.join(", ")))
                }
            }
        })
    }

    /// The texts that cells share.
    pub(super) fn strings(
        &self,
        archive: &mut Archive<impl Read + Seek>,
        trouble: &Trouble,
    ) -> Result<Strings, ErrorInfo> {
        let mut strings = Strings::default();
        let Some(path) = of_kind(&self.relations, "sharedStrings") else { return Ok(strings) };
        let Some(mut part) = part::maybe(archive, path, trouble)? else { return Ok(strings) };
        let (mut one, mut reading) = (String::new(), false);
        loop {
            match part.next()? {
                Seen::Begin("t", _) => reading = true,
                Seen::End("t") => reading = false,
                // How the text is read aloud, not the text.
                Seen::Begin("rPh", _) => part.skip("rPh")?,
                Seen::Text(text) if reading && one.len() <= TEXTS => one.push_str(&text),
                Seen::End("si") => {
                    strings.add(&number::unescaped(&one))?;
                    one.clear();
                }
                Seen::Over => return Ok(strings),
                _ => {}
            }
        }
    }

    /// How the cells of each style look.
    pub(super) fn looks(
        &self,
        archive: &mut Archive<impl Read + Seek>,
        trouble: &Trouble,
    ) -> Result<Vec<Look>, ErrorInfo> {
        let mut looks = Vec::new();
        let Some(path) = of_kind(&self.relations, "styles") else { return Ok(looks) };
        let Some(mut part) = part::maybe(archive, path, trouble)? else { return Ok(looks) };
        let (mut own, mut in_cells) = (BTreeMap::new(), false);
        loop {
            match part.next()? {
                Seen::Begin("numFmt", attributes) => {
                    let id = attributes.get("numFmtId").and_then(|id| id.parse::<u32>().ok());
                    if let (Some(id), Some(format)) = (id, attributes.get("formatCode")) {
                        own.insert(id, Look::of_format(format));
                    }
                }
                Seen::Begin("cellXfs", _) => in_cells = true,
                Seen::End("cellXfs") => in_cells = false,
                Seen::Begin("xf", attributes) if in_cells => {
                    let id = attributes.get("numFmtId").and_then(|id| id.parse().ok()).unwrap_or(0);
                    looks.push(own.get(&id).copied().unwrap_or_else(|| Look::of_id(id)));
                }
                Seen::Over => return Ok(looks),
                _ => {}
            }
            most(looks.len().max(own.len()), "styles")?;
        }
    }
}

fn most(count: usize, what: &str) -> Result<(), ErrorInfo> {
    if count > MOST { Err(invalid(format!("it has more than {MOST} {what}"))) } else { Ok(()) }
}

/// The path of the part of a kind, whose name is a URL that ends in it.
fn of_kind<'a>(relations: &'a Relations, kind: &str) -> Option<&'a str> {
    let is = |found: &str| found.rsplit('/').next() == Some(kind);
    relations.values().find(|(found, _)| is(found)).map(|(_, path)| path.as_str())
}

/// The parts that a part in `folder` names.
fn relations(
    archive: &mut Archive<impl Read + Seek>,
    path: &str,
    folder: &str,
    trouble: &Trouble,
) -> Result<Relations, ErrorInfo> {
    let mut relations = Relations::new();
    let Some(mut part) = part::maybe(archive, path, trouble)? else { return Ok(relations) };
    loop {
        match part.next()? {
            Seen::Begin("Relationship", attributes) => {
                let get = |name| attributes.get(name);
                if let (Some(id), Some(kind), Some(target)) = (get("Id"), get("Type"), get("Target"))
                    && get("TargetMode") != Some("External")
                {
                    relations.insert(id.to_owned(), (kind.to_owned(), path_of(folder, target)));
                }
            }
            Seen::Over => return Ok(relations),
            _ => {}
        }
        most(relations.len(), "parts")?;
    }
}

/// Where a part is that another part in `folder` names. It is looked up among the members only.
fn path_of(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_texts_have_a_bound_in_number_and_in_length() {
        let refused = |text: &str, most: usize| {
            let mut strings = Strings::default();
            for _ in 0..most {
                strings.add(text).unwrap();
            }
            strings.add(text).unwrap_err().code
        };
        assert_eq!(refused("", MOST_TEXTS), "FILE_DOCUMENT_TOO_LARGE");
        assert_eq!(refused(&"x".repeat(1 << 20), TEXTS >> 20), "FILE_DOCUMENT_TOO_LARGE");
        let mut strings = Strings::default();
        for text in ["a", "", "bc"] {
            strings.add(text).unwrap();
        }
        assert_eq!([0, 1, 2, 3].map(|index| strings.get(index)), [Some("a"), Some(""), Some("bc"), None]);
    }

    #[test]
    fn parts_are_found_from_where_they_are_named() {
        for (folder, target, path) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/xl/sheet.xml", "xl/sheet.xml"),
            ("xl", "../a/./b.xml", "a/b.xml"),
            ("", "../../../etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(path_of(folder, target), path);
        }
    }
}
