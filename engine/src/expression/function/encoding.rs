//! JSON, Base64 and URLs.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde_json::Value;

use super::super::budget::Budget;
use super::super::error::Fault;
use super::super::value::{Val, charge, to_json};
use super::{Arguments, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("toJson", "value", to_json_text, "The value as compact JSON, keys sorted."),
    function("parseJson", "text", parse_json, "The value that the JSON text stands for."),
    function("base64Encode", "text", base64_encode, "The UTF-8 bytes of the text in Base64, with padding."),
    function(
        "base64Decode",
        "text",
        base64_decode,
        "The text whose UTF-8 bytes are given in Base64, standard or for URLs, padded or not.",
    ),
    function("urlEncode", "text", url_encode, "Safe as one part of a URL: all but letters, digits and `-_.~` as %XX."),
    function("urlDecode", "text", url_decode, "The reverse; `+` stays a plus sign."),
];

/// Takes padding or not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn to_json_text<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    match arguments.get(0) {
        Some(value) => to_json(value, budget).map(|json| Val::Owned(Value::String(json))),
        None => Ok(Val::NULL),
    }
}

fn parse_json<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    budget.reading(text.len())?;
    // `[[],[],…` becomes many times as large as its text: what may become a value is charged before it does.
    budget.items(text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count())?;
    budget.bytes(text.len())?;
    let value: Value = serde_json::from_str(text).map_err(|error| {
        Fault::argument(format!("the text is no JSON (line {}, column {})", error.line(), error.column()))
    })?;
    charge(&value, budget, 0)?;
    Ok(Val::Owned(value))
}

fn base64_encode<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    budget.reading(text.len())?;
    budget.bytes(text.len() / 3 * 4 + 4)?;
    Ok(Val::Owned(Value::String(STANDARD.encode(text))))
}

fn base64_decode<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    budget.reading(text.len())?;
    budget.bytes(text.len())?;
    let standard: String = text
        .trim()
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    let bytes = LENIENT.decode(standard).map_err(|_| Fault::argument("the text is no Base64"))?;
    let decoded = String::from_utf8(bytes).map_err(|_| Fault::argument("the bytes in Base64 are no UTF-8 text"))?;
    Ok(Val::Owned(Value::String(decoded)))
}

fn url_encode<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let value = arguments.get(0).filter(|value| value.as_text().is_some() || value.as_num().is_some());
    let mut plain = String::new();
    match value {
        Some(value) => super::super::value::write_text(&mut plain, value, budget)?,
        None => return Err(arguments.unfit(0, "text")),
    }
    budget.bytes(plain.len().saturating_mul(3))?;
    let mut encoded = String::with_capacity(plain.len());
    for byte in plain.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(Val::Owned(Value::String(encoded)))
}

fn url_decode<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    budget.reading(text.len())?;
    budget.bytes(text.len())?;
    let wrong = || Fault::argument("a % is followed by two hexadecimal digits");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let [high, low, after @ ..] = rest else { return Err(wrong()) };
        let digit =
            |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or_else(wrong);
        bytes.push(digit(*high)? * 16 + digit(*low)?);
        rest = after;
    }
    let decoded = String::from_utf8(bytes).map_err(|_| Fault::argument("the bytes are no UTF-8 text"))?;
    Ok(Val::Owned(Value::String(decoded)))
}
