//! The forms that a value takes on its way through other programs.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Fewer characters than this would be found everywhere.
const LEAST: usize = 4;

type Form = Zeroizing<String>;

/// What besides letters and digits each kind of percent-encoding leaves as it is: RFC 3986, browsers'
/// `encodeURIComponent`, HTML forms, and the query and the path of the URL standard.
const UNRESERVED: [&str; 5] =
    ["-._~", "-_.!~*'()", "*-._", "!$%&()*+,-./:;=?@[\\]^_`{|}~", "!$%&'()*+,-./:;=@[\\]^_|~"];

/// A value in every form, itself included.
pub(super) fn forms(value: &str) -> Vec<Form> {
    let mut plain = vec![Zeroizing::new(value.to_owned())];
    if !value.is_ascii() {
        // What a program makes of it that reads a header byte by byte, as Latin-1.
        plain.push(Zeroizing::new(value.bytes().map(char::from).collect()));
    }
    let mut forms = Vec::new();
    for text in &plain {
        json(text, &mut forms);
        percent(text, &mut forms);
        forms.push(html(text));
    }
    base64(value.as_bytes(), &mut forms);
    let lower = Zeroizing::new(hex::encode(value));
    forms.push(Zeroizing::new(lower.to_uppercase()));
    forms.push(lower);
    forms.extend(plain);
    forms.retain(|form| form.chars().count() >= LEAST);
    forms
}

/// As a text inside JSON: with and without `\u` for what is not ASCII, with and without `\/`, and once more inside that.
fn json(text: &str, forms: &mut Vec<Form>) {
    let inside = |text: &str| -> Form {
        let quoted = Zeroizing::new(serde_json::to_string(text).unwrap_or_default());
        Zeroizing::new(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned())
    };
    let once = inside(text);
    let (low, high) = (ascii_only(&once, false), ascii_only(&once, true));
    for form in [once, low, high] {
        forms.push(Zeroizing::new(form.replace('/', "\\/")));
        forms.push(inside(&form));
        forms.push(form);
    }
}

/// JSON with `\uXXXX` for what is not ASCII.
fn ascii_only(json: &str, upper: bool) -> Form {
    let mut text = Zeroizing::new(String::with_capacity(json.len() * 2));
    let mut units = [0; 2];
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            // Writing to a text cannot fail.
            let _ = if upper { write!(text, "\\u{unit:04X}") } else { write!(text, "\\u{unit:04x}") };
        }
    }
    text
}

fn percent(text: &str, forms: &mut Vec<Form>) {
    for (index, kept) in UNRESERVED.iter().enumerate() {
        for upper in [true, false] {
            let encoded = percent_encoded(text, kept, upper);
            if index == 2 {
                forms.push(Zeroizing::new(encoded.replace("%20", "+")));
            }
            forms.push(encoded);
        }
    }
}

fn percent_encoded(text: &str, kept: &str, upper: bool) -> Form {
    let mut encoded = Zeroizing::new(String::with_capacity(text.len() * 3));
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || (c.is_ascii() && kept.contains(c)) {
            encoded.push(c);
        } else {
            // Writing to a text cannot fail.
            let _ = if upper { write!(encoded, "%{byte:02X}") } else { write!(encoded, "%{byte:02x}") };
        }
    }
    encoded
}

fn html(text: &str) -> Form {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Zeroizing::new(Zeroizing::new(escaped).replace('"', "&quot;").replace('\'', "&#39;"))
}

/// In both alphabets: alone, and as the part of something longer (`user:password`) that the value alone decides, at each
/// of the three places where it can begin.
fn base64(value: &[u8], forms: &mut Vec<Form>) {
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        let alone = Zeroizing::new(engine.encode(value));
        let padding = "=".repeat((4 - alone.len() % 4) % 4);
        forms.push(Zeroizing::new(format!("{}{padding}", *alone)));
        forms.push(alone);
        for before in 0..3 {
            let mut longer = Zeroizing::new(vec![0; before]);
            longer.extend_from_slice(value);
            let encoded = Zeroizing::new(engine.encode(longer.as_slice()));
            let (start, end) = ((before * 8).div_ceil(6), longer.len() * 8 / 6);
            forms.extend(encoded.get(start..end).map(|part| Zeroizing::new(part.to_owned())));
        }
    }
}
