//! Formats, and which of them become which.

use super::super::media;
use crate::file::FileHandle;

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Json,
    JsonLines,
    Xml,
    Xlsx,
    Zip,
    Text,
    Base64,
}

/// What is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A value.
    Value,
    /// Files, of the members of an archive.
    Files,
    /// A file of the bytes that Base64 stands for.
    Bytes,
    /// A file in this format.
    File(Format),
}

/// The words of `config.from`, after the one that lets the file say it.
pub(super) const SOURCES: [(&str, Format); 8] = [
    ("csv", Format::Csv),
    ("json", Format::Json),
    ("jsonl", Format::JsonLines),
    ("xml", Format::Xml),
    ("xlsx", Format::Xlsx),
    ("zip", Format::Zip),
    ("text", Format::Text),
    ("base64", Format::Base64),
];

/// The words of `config.to`.
pub(super) const TARGETS: [(&str, Target); 10] = [
    ("value", Target::Value),
    ("csv", Target::File(Format::Csv)),
    ("json", Target::File(Format::Json)),
    ("jsonl", Target::File(Format::JsonLines)),
    ("xml", Target::File(Format::Xml)),
    ("zip", Target::File(Format::Zip)),
    ("files", Target::Files),
    ("text", Target::File(Format::Text)),
    ("base64", Target::File(Format::Base64)),
    ("bytes", Target::Bytes),
];

impl Format {
    /// The word that a config has for it.
    pub(super) fn word(self) -> &'static str {
        SOURCES.iter().find(|(_, format)| *format == self).map_or("", |(word, _)| word)
    }

    /// The format that a file says it is in, by its type, else by its name.
    pub(super) fn of(file: &FileHandle) -> Option<Self> {
        let essence = file.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Self::of_media_type(&essence)
            .or_else(|| Self::of_media_type(media::of_name(file.name.as_str())?))
            .or_else(|| matches!(media::ending(file.name.as_str())?.as_str(), "b64" | "base64").then_some(Self::Base64))
    }

    fn of_media_type(essence: &str) -> Option<Self> {
        match essence {
            "text/csv" | "text/tab-separated-values" => Some(Self::Csv),
            "application/json" => Some(Self::Json),
            "application/jsonl" | "application/x-ndjson" | "application/x-jsonlines" => Some(Self::JsonLines),
            "application/xml" | "text/xml" => Some(Self::Xml),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => Some(Self::Xlsx),
            "application/zip" | "application/x-zip-compressed" => Some(Self::Zip),
            other if other.ends_with("+json") => Some(Self::Json),
            other if other.ends_with("+xml") => Some(Self::Xml),
            _ => None,
        }
    }

    fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Json | Self::JsonLines | Self::Xlsx)
    }

    /// Whether a text holds it.
    pub(super) fn is_text(self) -> bool {
        !matches!(self, Self::Xlsx | Self::Zip)
    }
}

impl Target {
    /// The word that a config has for it.
    pub(super) fn word(self) -> &'static str {
        TARGETS.iter().find(|(_, target)| *target == self).map_or("", |(word, _)| word)
    }

    /// Whether whatever bytes come are taken as they are.
    pub(super) fn takes_anything(self) -> bool {
        matches!(self, Self::File(Format::Zip | Format::Base64))
    }

    /// How a file of it is called at its end, and what it says it is.
    pub(super) fn looks(self) -> (&'static str, &'static str) {
        match self {
            Self::File(Format::Csv) => ("csv", "text/csv; charset=utf-8"),
            Self::File(Format::Json) => ("json", "application/json"),
            Self::File(Format::JsonLines) => ("jsonl", "application/jsonl"),
            Self::File(Format::Xml) => ("xml", "application/xml"),
            Self::File(Format::Zip) => ("zip", "application/zip"),
            Self::File(Format::Text) => ("txt", "text/plain; charset=utf-8"),
            Self::File(Format::Base64) => ("b64", "text/plain; charset=us-ascii"),
            Self::File(Format::Xlsx) | Self::Value | Self::Files | Self::Bytes => ("", crate::file::UNKNOWN_MEDIA_TYPE),
        }
    }
}

/// Why a format does not become another; `None` when it does.
pub(super) fn fault(from: Format, to: Target) -> Option<String> {
    use Format::{Base64, Json, JsonLines, Text, Xlsx, Xml, Zip};
    let fits = match to {
        Target::File(Zip | Base64) => true,
        Target::Files => from == Zip,
        Target::Bytes => from == Base64,
        Target::Value => from != Base64,
        Target::File(Format::Csv | JsonLines) => from.is_table(),
        Target::File(Json) => from.is_table() || from == Xml,
        Target::File(Xml) => matches!(from, Xml | Json),
        Target::File(Text) => from.is_text() && from != Base64,
        Target::File(Xlsx) => false,
    };
    let hint = match (from, to) {
        _ if fits => return None,
        (Base64, _) => "Base64 becomes `bytes`, which another file.convert reads",
        (Zip, _) => "an archive becomes `files`, one for each member, or a `value` that lists them",
        (_, Target::Files) => "only an archive becomes `files`",
        (_, Target::Bytes) => "only Base64 becomes `bytes`",
        (_, Target::File(Xml)) => "XML is made of a JSON document or a value",
        (Xml, _) => "XML becomes a `value` or JSON; of a list in that value another file.convert makes a table",
        _ => "convert to a `value` first, and take what you need of that",
    };
    Some(format!("{} does not become {}: {hint}", from.word(), to.word()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::FileName;

    #[test]
    fn a_file_says_what_it_is_by_its_type_and_else_by_its_name() {
        for (name, media_type, format) in [
            ("a", "text/csv; charset=utf-8", Some(Format::Csv)),
            ("a.csv", "application/octet-stream", Some(Format::Csv)),
            ("a.txt", "application/problem+json", Some(Format::Json)),
            ("feed", "application/atom+xml", Some(Format::Xml)),
            ("a.XLSX", "application/octet-stream", Some(Format::Xlsx)),
            ("a.b64", "text/plain", Some(Format::Base64)),
            ("a.ndjson", "text/plain", Some(Format::JsonLines)),
            ("a.txt", "text/plain", None),
        ] {
            let id = "art_01920000000070008000000000000001".parse().unwrap();
            let (name, media_type) = (FileName::parse(name).unwrap(), media_type.to_owned());
            let file = FileHandle { id, name, media_type, size: 0, sha256: [0; 32] };
            assert_eq!(Format::of(&file), format, "{file:?}");
        }
    }

    #[test]
    fn every_pair_works_or_says_what_to_do_instead() {
        let faults = SOURCES.iter().flat_map(|(_, from)| TARGETS.iter().map(|(_, to)| fault(*from, *to)));
        let (works, not): (Vec<_>, Vec<_>) = faults.partition(Option::is_none);
        assert_eq!((works.len(), not.len()), (45, 35));
        assert!(fault(Format::Csv, Target::Files).unwrap().starts_with("csv does not become files: "));
    }
}
