//! What people and programs are shown: plain lines, a table, or one JSON document.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::exit::Failure;

/// Who reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Lines and tables.
    Human,
    /// One JSON document whose fields do not change their meaning.
    Json,
}

/// A shade that carries meaning; the words alone always say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shade {
    Good,
    Bad,
    Careful,
    Active,
    Dim,
    Strong,
}

impl Shade {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Careful => "33",
            Self::Active => "36",
            Self::Dim => "2",
            Self::Strong => "1",
        }
    }

    /// The shade of a run's or a node run's status.
    pub(crate) fn of_status(status: &str) -> Self {
        match status {
            "SUCCEEDED" => Self::Good,
            "FAILED" | "TIMED_OUT" => Self::Bad,
            "UNCERTAIN" | "CANCELED" | "PAUSED" | "RETRYING" => Self::Careful,
            "RUNNING" | "WAITING" => Self::Active,
            _ => Self::Dim,
        }
    }
}

/// Where the answer goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) format: Format,
    /// Whether lines may be painted over.
    pub(crate) live: bool,
    colors: bool,
}

impl Output {
    /// Standard output; colors only on a terminal and only when `NO_COLOR` is not set.
    pub(crate) fn standard(format: Format, no_color: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        Self { format, live: terminal && format == Format::Human, colors: terminal && !no_color }
    }

    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { format: Format::Human, live: false, colors: false }
    }

    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// `text` in a shade, when there are colors.
    pub(crate) fn paint(self, shade: Shade, text: &str) -> String {
        if self.colors { format!("\x1b[{}m{text}\x1b[0m", shade.code()) } else { text.to_owned() }
    }

    /// One line for people. A reader that went away (`| head`) is no error.
    pub(crate) fn line(self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// A piece of what is passed on as it comes.
    pub(crate) fn piece(self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }

    /// Raw bytes for a terminal.
    pub(crate) fn raw(self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Something to know that is no part of the answer.
    pub(crate) fn note(self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// The JSON document of the answer.
    pub(crate) fn document(self, document: &impl Serialize) {
        match serde_json::to_string_pretty(document) {
            Ok(text) => self.line(&text),
            Err(error) => self.note(&format!("the answer cannot be written as JSON: {error}")),
        }
    }

    /// Why it did not work.
    pub(crate) fn failure(self, failure: &Failure) {
        if self.is_json() {
            return self.document(&failure.document());
        }
        self.note(&format!("error: {} [{}]", failure.message, failure.code));
        for fault in &failure.faults {
            self.note(&format!("  {fault}"));
        }
        if let Some(hint) = &failure.hint {
            self.note(&format!("  hint: {hint}"));
        }
    }

    /// Columns as wide as their widest cell; the last one is not padded.
    pub(crate) fn table(self, head: &[&str], rows: &[Vec<Cell>]) {
        for line in table(self, head, rows) {
            self.line(&line);
        }
    }
}

/// One cell of a table.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    shade: Option<Shade>,
}

impl Cell {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), shade: None }
    }

    pub(crate) fn shaded(text: impl Into<String>, shade: Shade) -> Self {
        Self { text: text.into(), shade: Some(shade) }
    }
}

fn table(output: Output, head: &[&str], rows: &[Vec<Cell>]) -> Vec<String> {
    let mut widths: Vec<usize> = head.iter().map(|title| title.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.chars().count());
        }
    }
    let render = |cells: &[Cell]| {
        let mut line = String::new();
        for (at, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let last = at + 1 == cells.len();
            let gap = if last { 0 } else { width - cell.text.chars().count() + 2 };
            line += &cell.shade.map_or_else(|| cell.text.clone(), |shade| output.paint(shade, &cell.text));
            line += &" ".repeat(gap);
        }
        line.trim_end().to_owned()
    };
    let head: Vec<Cell> = head.iter().map(|title| Cell::shaded(*title, Shade::Dim)).collect();
    std::iter::once(render(&head)).chain(rows.iter().map(|row| render(row))).collect()
}

/// A text of one line and at most `limit` characters.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= limit {
        return line;
    }
    let mut cut: String = line.chars().take(limit.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_widest_cells() {
        let rows = [
            vec![Cell::plain("fetch"), Cell::shaded("SUCCEEDED", Shade::Good)],
            vec![Cell::plain("ö"), Cell::plain("")],
        ];
        assert_eq!(table(Output::plain(), &["NODE", "STATUS"], &rows), ["NODE   STATUS", "fetch  SUCCEEDED", "ö"]);
    }

    #[test]
    fn a_long_text_becomes_one_short_line() {
        assert_eq!(shortened("a\nb", 10), "a b");
        assert_eq!(shortened("äöüäöü", 4), "äöü…");
    }
}
