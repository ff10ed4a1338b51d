//! XLSX: the rows of a sheet as they come. Only the texts that sheets share are in memory; a sheet of a million columns
//! that says so and has one cell is one cell.

mod book;
mod number;
mod part;

use std::io::{Read, Seek};

use engine::error::ErrorInfo;

use self::book::{Book, Strings};
use self::number::Look;
use self::part::{Part, Seen};
use super::bound::COLUMNS;
use super::csv::names;
use super::pipe::Trouble;
use super::record::{Cell, Names, Record, Records};
use super::zip::{Archive, Unpacked};

/// Most rows of a sheet.
const ROWS: u64 = 1_048_576;

/// Which sheet is read, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::file) struct SheetChoice {
    /// Its name; the first one when there is none.
    pub(super) name: Option<String>,
    /// Whether a row names the columns.
    pub(super) header: bool,
    /// Which row does, from 1; the first that is not empty when there is none.
    pub(super) header_row: Option<u64>,
}

/// What a cell says of itself.
#[derive(Default)]
struct Head {
    column: usize,
    kind: String,
    style: usize,
}

/// The rows of a sheet.
pub(super) struct Sheet<'a, R: Read> {
    part: Part<Unpacked<'a, R>>,
    strings: Strings,
    looks: Vec<Look>,
    is_1904: bool,
    choice: SheetChoice,
    row: u64,
    names: Names,
    is_over: bool,
}

impl<'a, R: Read + Seek> Sheet<'a, R> {
    /// Opens a sheet.
    pub(super) fn open(
        archive: &'a mut Archive<R>,
        choice: &SheetChoice,
        trouble: &Trouble,
    ) -> Result<Self, ErrorInfo> {
        let book = Book::read(archive, trouble)?;
        let path = book.sheet(choice.name.as_deref())?;
        let strings = book.strings(archive, trouble)?;
        let looks = book.looks(archive, trouble)?;
        let part = part::open(archive, &path, trouble)?;
        let (is_1904, choice) = (book.is_1904, choice.clone());
        Ok(Self { part, strings, looks, is_1904, choice, row: 0, names: None, is_over: false })
    }
}

impl<R: Read> Sheet<'_, R> {
    /// The cells of the next row that has any, up to its last that is not empty; null where none is between.
    fn next_row(&mut self) -> Result<Option<Vec<Cell>>, ErrorInfo> {
        let mut cells = Vec::new();
        while !self.is_over {
            match self.part.next()? {
                Seen::Begin("row", attributes) => {
                    self.row = match attributes.get("r") {
                        Some(number) => number.parse().ok().filter(|row| *row > self.row).ok_or_else(|| {
                            invalid(format!("its row {number:.20} stands after the row {}", self.row))
                        })?,
                        None => self.row + 1,
                    };
                    if self.row > ROWS {
                        return Err(invalid(format!("it has more than {ROWS} rows")));
                    }
                    cells.clear();
                }
                Seen::Begin("c", attributes) => {
                    let head = Head {
                        column: match attributes.get("r") {
                            Some(place) => column(place).ok_or_else(|| invalid(format!("a cell is at {place:?}")))?,
                            None => cells.len(),
                        },
                        kind: attributes.get("t").unwrap_or("n").to_owned(),
                        style: attributes.get("s").and_then(|style| style.parse().ok()).unwrap_or_default(),
                    };
                    self.cell(&head, &mut cells)?;
                }
                Seen::End("row") if !cells.is_empty() => return Ok(Some(cells)),
                Seen::End("sheetData") | Seen::Over => self.is_over = true,
                _ => {}
            }
        }
        Ok(None)
    }

    /// Reads a cell that has begun, and puts it where it belongs.
    fn cell(&mut self, head: &Head, cells: &mut Vec<Cell>) -> Result<(), ErrorInfo> {
        let (mut text, mut is_value, mut reading) = (String::new(), false, 0_u32);
        loop {
            match self.part.next()? {
                Seen::Begin("v" | "t", _) => (is_value, reading) = (true, reading + 1),
                Seen::End("v" | "t") => reading = reading.saturating_sub(1),
                Seen::Begin("rPh", _) => self.part.skip("rPh")?,
                Seen::Text(more) if reading > 0 => text.push_str(&more),
                Seen::End("c") => break,
                Seen::Over => return Err(invalid("a cell is not closed".to_owned())),
                _ => {}
            }
        }
        let cell = if is_value { self.value(head, text)? } else { None };
        let Some(cell) = cell else { return Ok(()) };
        if head.column < cells.len() || head.column >= COLUMNS {
            return Err(invalid(format!("cells of the row {} stand in no order, or beyond the last column", self.row)));
        }
        cells.resize(head.column, Cell::Json("null".to_owned()));
        cells.push(cell);
        Ok(())
    }

    fn value(&self, head: &Head, text: String) -> Result<Option<Cell>, ErrorInfo> {
        Ok(match head.kind.as_str() {
            "s" => {
                let found = text.trim().parse().ok().and_then(|index| self.strings.get(index));
                let found = found.ok_or_else(|| invalid(format!("it has no shared text {text:.20}")))?;
                (!found.is_empty()).then(|| Cell::Text(found.to_owned()))
            }
            "b" => Some(Cell::Json(if text.trim() == "1" { "true" } else { "false" }.to_owned())),
            "n" => {
                let look = self.looks.get(head.style).copied().unwrap_or_default();
                number::cell(text.trim(), look, self.is_1904)
            }
            // Results of formulas, texts that stand in their cell, dates as texts, and errors such as `#DIV/0!`.
            _ => (!text.is_empty()).then(|| Cell::Text(number::unescaped(&text))),
        })
    }

    fn header(&mut self) -> Result<bool, ErrorInfo> {
        loop {
            let Some(cells) = self.next_row()? else { return Ok(false) };
            if self.choice.header_row.is_some_and(|wanted| self.row < wanted) {
                continue;
            }
            let texts = cells.iter().map(|cell| match cell {
                Cell::Text(text) => text.as_str(),
                Cell::Json(text) if text == "null" => "",
                Cell::Json(text) => text.as_str(),
            });
            let names = names(texts).map_err(|why| shape(self.row, &why))?;
            self.names = Some(names.into());
            return Ok(true);
        }
    }
}

impl<R: Read> Records for Sheet<'_, R> {
    fn next(&mut self) -> Result<Option<Record>, ErrorInfo> {
        if self.choice.header && self.names.is_none() && !self.header()? {
            return Ok(None);
        }
        let Some(mut cells) = self.next_row()? else { return Ok(None) };
        if let Some(names) = &self.names {
            if cells.len() > names.len() {
                let why = format!(
                    "has something in column {}, and the header ends at column {}. Name that column, say in \
                     config.xlsx.header_row where the header stands, or set config.xlsx.header to false",
                    cells.len(),
                    names.len()
                );
                return Err(shape(self.row, &why));
            }
            cells.resize(names.len(), Cell::Json("null".to_owned()));
        }
        Ok(Some(Record::Row(self.names.clone(), cells)))
    }
}

/// The column of a place such as `AB12`, from 0.
fn column(place: &str) -> Option<usize> {
    let letters = place.trim_end_matches(|c: char| c.is_ascii_digit());
    let known = (1..=3).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_uppercase());
    let number = letters.bytes().fold(0, |number, byte| number * 26 + usize::from(byte.saturating_sub(b'A')) + 1);
    known.then_some(number - 1)
}

fn shape(row: u64, why: &str) -> ErrorInfo {
    shape_of_book(format!("the row {row} of the sheet {why}"))
}

fn shape_of_book(message: String) -> ErrorInfo {
    ErrorInfo::permanent("XLSX_SHAPE", message)
}

fn invalid(why: String) -> ErrorInfo {
    ErrorInfo::permanent("XLSX_INVALID", format!("the spreadsheet cannot be read: {why}"))
}
