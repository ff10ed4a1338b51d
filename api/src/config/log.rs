//! `[log]`: what the process tells about itself.

use super::reader::Reader;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For eyes.
    Human,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `level`: error, warn, info, debug, trace, or a filter such as `info,api=debug`; `info` by default.
    pub level: String,
    /// `format`: `human` (default) or `json`.
    pub format: LogFormat,
}

impl LogConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            level: reader.parsed("level", "info".to_owned(), |text| {
                match text.parse::<tracing_subscriber::filter::Targets>() {
                    Ok(_) => Ok(text.to_owned()),
                    Err(_) => Err(format!("`{text}` is not a level; write error, warn, info, debug or trace")),
                }
            }),
            format: reader.parsed("format", LogFormat::Human, |text| match text {
                "human" => Ok(LogFormat::Human),
                "json" => Ok(LogFormat::Json),
                other => Err(format!("`{other}` is not a format; write human or json")),
            }),
        }
    }
}
