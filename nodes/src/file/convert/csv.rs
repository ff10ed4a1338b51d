//! CSV: rows in, rows out.

use std::io::{Read, Write};

use csv::{ReaderBuilder, StringRecord, Terminator, Trim, WriterBuilder};
use engine::error::ErrorInfo;

use super::bound::{COLUMNS, Metered, RECORD, unread};
use super::pipe::{Trouble, unwritten};
use super::record::{Cell, Names, Record, Records};

/// How tables are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::file) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    /// Whether the first row names the columns.
    pub(super) header: bool,
    /// Whether spaces around fields go.
    pub(super) trim: bool,
    /// What is written, in this order; all that comes when there are none.
    pub(super) columns: Option<Vec<String>>,
    /// Whether texts that a spreadsheet would take for formulas are written so that it does not.
    pub(super) escape_formulas: bool,
    /// Whether a mark at the beginning says UTF-8, which spreadsheets need.
    pub(super) bom: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            header: true,
            trim: false,
            columns: None,
            escape_formulas: true,
            bom: false,
        }
    }
}

/// The rows of a table.
pub(super) struct Rows<R: Read> {
    reader: csv::Reader<Metered<R>>,
    row: StringRecord,
    is_header_due: bool,
    names: Names,
    /// Fields of each row, once one came.
    width: Option<usize>,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(source: R, dialect: &Dialect, trouble: Trouble) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .trim(if dialect.trim { Trim::All } else { Trim::None })
            .buffer_capacity(64 * 1024)
            .from_reader(Metered::new(source, too_long, trouble));
        Self { reader, row: StringRecord::new(), is_header_due: dialect.header, names: None, width: None }
    }

    /// Reads a row; `None` after the last, else the line that it begins in.
    fn read(&mut self) -> Result<Option<u64>, ErrorInfo> {
        let next = self.reader.position().line();
        self.reader.get_mut().begin(next);
        let found = self.reader.read_record(&mut self.row).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => unread(&error),
            other => invalid(next, &format!("{other:?}")),
        })?;
        let line = self.line();
        if self.row.len() > COLUMNS {
            return Err(invalid(line, &format!("has {} fields; {COLUMNS} are the most", self.row.len())));
        }
        Ok(found.then_some(line))
    }

    /// The line in which the row begins that was read. The reader knows where it ended: behind the line's end, or between
    /// the two characters of one, and before that come the lines that stand in fields.
    fn line(&self) -> u64 {
        let source = self.reader.get_ref();
        let is_behind = !source.is_over() && !source.has_pairs();
        let inner = self.row.iter().map(|field| field.matches('\n').count() as u64).sum::<u64>();
        self.reader.position().line().saturating_sub(inner + u64::from(is_behind)).max(1)
    }
}

impl<R: Read> Records for Rows<R> {
    fn next(&mut self) -> Result<Option<Record>, ErrorInfo> {
        if std::mem::take(&mut self.is_header_due) {
            let Some(line) = self.read()? else { return Ok(None) };
            let names = names(self.row.iter()).map_err(|why| invalid(line, &why))?;
            self.width = Some(names.len());
            self.names = Some(names.into());
        }
        let Some(line) = self.read()? else { return Ok(None) };
        let width = *self.width.get_or_insert(self.row.len());
        if self.row.len() != width {
            let first = if self.names.is_some() { "the header" } else { "the first row" };
            let why = format!(
                "has {} fields, {first} has {width}. Look for a quote or delimiter that is missing or too much, and whether \
                 config.csv.delimiter and config.csv.quote are those of the file",
                self.row.len()
            );
            return Err(invalid(line, &why));
        }
        let cells = self.row.iter().map(|field| Cell::Text(field.to_owned())).collect();
        Ok(Some(Record::Row(self.names.clone(), cells)))
    }
}

/// The names of columns: what stands in a header, with a name for each that has none. Why not, where two are the same.
pub(super) fn names<'a>(header: impl Iterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = std::collections::HashMap::new();
    for (index, name) in header.enumerate() {
        let name = if name.is_empty() { format!("column_{}", index + 1) } else { name.to_owned() };
        if let Some(before) = seen.insert(name.clone(), index) {
            return Err(format!(
                "names two columns `{name:.100}`, the columns {} and {}. Set config's `header` to false to get rows as lists",
                before + 1,
                index + 1
            ));
        }
        names.push(name);
    }
    Ok(names)
}

fn invalid(line: u64, why: &str) -> ErrorInfo {
    ErrorInfo::permanent("CSV_INVALID", format!("line {line} of the table {why}"))
}

fn too_long(line: u64) -> ErrorInfo {
    let message = format!(
        "the row that begins in line {line} has more than {RECORD} bytes, which is the most of one. Look for a quote that is \
         not closed, and whether config.csv.quote is that of the file"
    );
    ErrorInfo::permanent("RECORD_TOO_LARGE", message)
}

/// Writes a table.
pub(super) struct Table<W: Write> {
    writer: csv::Writer<W>,
    dialect: Dialect,
    /// What is written; known from the first record, unless the config says it.
    columns: Option<Vec<String>>,
    count: u64,
}

impl<W: Write> Table<W> {
    pub(super) fn new(mut out: W, dialect: &Dialect) -> Result<Self, ErrorInfo> {
        if dialect.bom {
            out.write_all("\u{FEFF}".as_bytes()).map_err(|error| unwritten(&error))?;
        }
        let writer = WriterBuilder::new()
            .flexible(true)
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .terminator(Terminator::CRLF)
            .from_writer(out);
        let mut table = Self { writer, dialect: dialect.clone(), columns: dialect.columns.clone(), count: 0 };
        if let Some(columns) = dialect.columns.clone() {
            table.head(&columns)?;
        }
        Ok(table)
    }

    fn head(&mut self, columns: &[String]) -> Result<(), ErrorInfo> {
        if columns.len() > COLUMNS {
            return Err(shape(self.count, &format!("has {} fields; {COLUMNS} are the most", columns.len())));
        }
        if self.dialect.header {
            let names = columns.iter().map(|name| self.shown(name)).collect::<Vec<_>>();
            self.put(&names)?;
        }
        Ok(())
    }

    fn put(&mut self, fields: &[String]) -> Result<(), ErrorInfo> {
        self.writer.write_record(fields).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => unwritten(&error),
            other => shape(self.count, &format!("cannot be written: {other:?}")),
        })
    }

    /// Adds a record.
    pub(super) fn add(&mut self, record: Record) -> Result<(), ErrorInfo> {
        self.count += 1;
        let expected = "an object or a list is expected, whose fields are the columns";
        let row = record.row().map_err(|came| shape(self.count, &format!("is {came}; {expected}")))?;
        let fields = match row {
            (None, cells) => cells.iter().map(|cell| self.field(cell)).collect(),
            (Some(names), cells) => self.ordered(&names, &cells)?,
        };
        if fields.len() > COLUMNS {
            return Err(shape(self.count, &format!("has {} fields; {COLUMNS} are the most", fields.len())));
        }
        self.put(&fields)
    }

    /// The fields in the order of the columns.
    fn ordered(&mut self, names: &[String], cells: &[Cell]) -> Result<Vec<String>, ErrorInfo> {
        if self.columns.is_none() {
            self.head(names)?;
            self.columns = Some(names.to_vec());
        }
        let columns = self.columns.as_deref().unwrap_or_default();
        // Mostly they come in the same order.
        if columns == names {
            return Ok(cells.iter().map(|cell| self.field(cell)).collect());
        }
        if self.dialect.columns.is_none()
            && let Some(extra) = names.iter().find(|name| !columns.contains(name))
        {
            let why = format!(
                "has a field `{extra:.100}`, which the first record does not have. Name all columns in config.csv.columns"
            );
            return Err(shape(self.count, &why));
        }
        let place = |column: &String| names.iter().position(|name| name == column).and_then(|at| cells.get(at));
        Ok(columns.iter().map(|column| place(column).map_or_else(String::new, |cell| self.field(cell))).collect())
    }

    fn field(&self, cell: &Cell) -> String {
        match cell {
            Cell::Text(text) => self.shown(text),
            Cell::Json(text) if text == "null" => String::new(),
            Cell::Json(text) => text.clone(),
        }
    }

    /// A text, so that no spreadsheet computes it.
    fn shown(&self, text: &str) -> String {
        if self.dialect.escape_formulas && is_formula(text) { format!("'{text}") } else { text.to_owned() }
    }

    /// Ends the table.
    pub(super) fn end(mut self) -> Result<(), ErrorInfo> {
        self.writer.flush().map_err(|error| unwritten(&error))
    }
}

/// Whether a spreadsheet would compute this. Signed numbers and numbers of phones compute to no harm, and stay.
fn is_formula(text: &str) -> bool {
    let mut chars = text.chars();
    match chars.next() {
        Some('=' | '@' | '\t' | '\r' | '\n' | '＝' | '＠') => true,
        Some('+' | '-' | '＋' | '－') => {
            !chars.all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | ',' | '(' | ')' | '/' | '-' | '%'))
        }
        _ => false,
    }
}

fn shape(count: u64, why: &str) -> ErrorInfo {
    ErrorInfo::permanent("CSV_SHAPE", format!("record {count} {why}"))
}
