//! Names of files. No name is ever a path of ours; these rules are for whoever saves a file under its name.

/// Longest name, in bytes: what most file systems take.
const LONGEST: usize = 255;
/// What a file without a usable name is called.
const NAMELESS: &str = "file";
/// Names that are devices on Windows, with any ending.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$"];

/// The name of a file: one part of a path, without control characters, at most 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

/// A text that names no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}; a file's name is up to {LONGEST} bytes without `/`, `\\` and control characters, such as `report.csv`")]
pub struct FileNameError {
    /// What is wrong with it.
    why: &'static str,
}

impl FileName {
    /// The name that an author wrote, as it is.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, FileNameError> {
        let wrong = |why| Err(FileNameError { why });
        match text {
            "" => wrong("it is empty"),
            "." | ".." => wrong("it is a folder"),
            _ if text.len() > LONGEST => wrong("it is too long"),
            _ if text.contains(['/', '\\']) => wrong("it is a path"),
            _ if text.chars().any(is_unseen) => wrong("it has characters that nobody sees"),
            _ if is_device(text) => wrong("it is a device on some systems"),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// A name from outside, made harmless: the last part of a path, without what no name has.
    pub fn tame(text: &str) -> Self {
        let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
        let mut name: String = last.chars().filter(|c| !is_unseen(*c)).collect();
        while name.len() > LONGEST {
            name.pop();
        }
        let name = name.trim_matches(|c: char| c.is_whitespace() || c == '.').to_owned();
        // Dots at the ends hide a file, or are cut off by some systems.
        match name.as_str() {
            "" => Self(NAMELESS.to_owned()),
            device if is_device(device) => Self(format!("{NAMELESS}-{device}").chars().take(LONGEST / 4).collect()),
            _ => Self(name),
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Controls, and marks that turn the direction of text, by which an ending can be hidden.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |prefix: &str| stem.strip_prefix(prefix).is_some_and(|rest| rest.len() == 1 && rest != "0");
    DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e3_a_path_from_outside_becomes_a_name() {
        for (text, name) in [
            ("report.csv", "report.csv"),
            ("../../etc/passwd", "passwd"),
            ("/etc/passwd", "passwd"),
            ("C:\\Windows\\win.ini", "win.ini"),
            ("..", "file"),
            ("", "file"),
            ("a/", "file"),
            (" . ", "file"),
            ("a\0b\r\n.txt", "ab.txt"),
            ("nul.txt", "file-nul.txt"),
            ("com1", "file-com1"),
            ("invoice\u{202E}fdp.exe", "invoicefdp.exe"),
            ("größe.txt", "größe.txt"),
        ] {
            assert_eq!(FileName::tame(text).as_str(), name, "{text:?}");
        }
        let long = FileName::tame(&"ä".repeat(4_000));
        assert!(long.as_str().len() <= LONGEST);
    }

    #[test]
    fn e3_an_author_is_told_what_is_wrong_with_a_name() {
        for text in ["", ".", "..", "a/b", "a\\b", "a\0", "NUL", "lpt1.txt", "a\u{202E}b", &"x".repeat(256)] {
            assert!(FileName::parse(text).is_err(), "{text:?}");
        }
        for text in ["a", ".env", "a b.tar.gz", "console.txt", "größe"] {
            assert_eq!(FileName::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn e3_every_tamed_name_is_a_name() {
        for text in ["..", "con", "a/../b", "x\u{7f}", "....", "\\\\server\\share", "%2e%2e%2f", "aux.", "~", "-rf"] {
            let tamed = FileName::tame(text);
            assert_eq!(FileName::parse(tamed.as_str()).as_ref(), Ok(&tamed), "{text:?}");
        }
    }
}
