//! `[testing]`: how tests end a process at a chosen moment. Debug builds only; a release does not know the section.

use super::Fault;
use super::reader::Reader;

/// What tests ask for.
#[derive(Debug, Clone, Default)]
pub struct TestingConfig {
    /// `crash_at`: `point` or `point:n`; the process ends the nth time it meets the point.
    pub crash_at: Option<(String, u32)>,
    /// `nodes`: whether there is the node type `test.abort@1`, which ends the process.
    pub nodes: bool,
    wrong: Option<String>,
}

impl TestingConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut config = Self { nodes: reader.value("nodes", false, "true or false"), ..Self::default() };
        if let Some(text) = reader.text("crash_at") {
            let (point, nth) = text.split_once(':').unwrap_or((&text, "1"));
            match nth.parse() {
                Ok(nth) if runtime::crash::POINTS.contains(&point) => config.crash_at = Some((point.to_owned(), nth)),
                _ => config.wrong = Some(text),
            }
        }
        config
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        if let Some(text) = &self.wrong {
            let points = runtime::crash::POINTS.join(", ");
            faults.push(Fault::new("testing.crash_at", format!("`{text}` is not `point:n` with one of {points}")));
        }
    }
}
