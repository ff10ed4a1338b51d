//! The forms of a value that turn it as a whole into other characters.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Fewer characters than this would be found everywhere.
const LEAST: usize = 4;

type Form = Zeroizing<String>;

/// A value as base64 and in hex.
pub(super) fn forms(value: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    base64(value.as_bytes(), &mut forms);
    let lower = Zeroizing::new(hex::encode(value));
    forms.push(Zeroizing::new(lower.to_uppercase()));
    forms.push(lower);
    forms.retain(|form| form.len() >= LEAST);
    forms
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
