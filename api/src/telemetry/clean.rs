//! Standard error without the secrets that are in use. Layers below us log what they send, at levels that people turn on
//! when something is wrong.

use std::io::{self, Write};

use runtime::secret::redact::log_line;
use tracing_subscriber::fmt::MakeWriter;

/// Makes a writer for each log line.
pub(super) struct Lines;

/// Writes one line; the formatter hands it over whole.
pub(super) struct Line;

impl MakeWriter<'_> for Lines {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line
    }
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(&log_line(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
