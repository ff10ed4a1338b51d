//! Names of members. One that would lead out of the folder that it is unpacked into is refused with the whole archive.

use engine::error::ErrorInfo;

/// Longest name, in bytes.
const LONGEST: usize = 1_024;

/// The upper half of code page 437, which names are in that do not say otherwise.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                     αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}";

/// The name as text. Many tools write UTF-8 without saying so.
pub(super) fn text(raw: &[u8]) -> String {
    let other = || {
        let upper = |byte: u8| CP437.chars().nth(usize::from(byte).saturating_sub(128)).unwrap_or('\u{FFFD}');
        raw.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { upper(*byte) }).collect()
    };
    std::str::from_utf8(raw).map_or_else(|_| other(), str::to_owned)
}

/// What is wrong with a path in an archive; `None` when nothing is.
pub(in crate::file::convert) fn fault(path: &str) -> Option<&'static str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let drive =
        |text: &str| text.as_bytes().get(1) == Some(&b':') && text.starts_with(|c: char| c.is_ascii_alphabetic());
    if path.is_empty() {
        Some("it is empty")
    } else if path.len() > LONGEST {
        Some("it is too long")
    } else if path.starts_with('/') {
        Some("it begins at the root of a disk")
    } else if drive(path) {
        Some("it names a drive")
    } else if path.contains('\\') {
        Some("it has a backslash, which leads elsewhere on some systems")
    } else if path.chars().any(char::is_control) {
        Some("it has control characters")
    } else if path.split('/').any(|part| part == "..") {
        Some("it leads out of its folder")
    } else if path.split('/').any(|part| part.is_empty() || part == ".") {
        Some("it has a part that is none")
    } else {
        None
    }
}

/// Refuses an archive for the name of a member.
pub(super) fn check(path: &str) -> Result<(), ErrorInfo> {
    let Some(why) = fault(path) else { return Ok(()) };
    let message = format!(
        "the archive has a member called {:?}, and {why}. Nothing of it was unpacked; such names are made to write where they \
         should not",
        path.chars().take(200).collect::<String>()
    );
    Err(ErrorInfo::permanent("ZIP_UNSAFE_NAME", message))
}
