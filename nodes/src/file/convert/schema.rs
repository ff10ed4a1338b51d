//! The form of the config.

use serde_json::{Value, json};

use super::format::{SOURCES, TARGETS};
use super::zip::{MOST, USUAL};
use crate::file::read::{LARGEST_VALUE, USUAL_VALUE};

pub(super) fn config() -> Value {
    let sources: Vec<_> = std::iter::once("auto").chain(SOURCES.map(|(word, _)| word)).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "file": {
                "x-order": 1,
                "title": "File",
                "description": "The file, such as `{{ input.body }}` after a webhook that takes files; for `zip` also a list, of files or of `{path, file}`.",
            },
            "value": {
                "x-order": 2,
                "x-widget": "json",
                "title": "Value",
                "description": "Instead of a file: a value; or with `from` a text in that format.",
            },
            "from": {
                "x-order": 3,
                "x-widget": "select",
                "title": "From",
                "description": "The format that comes; `auto` for what the file's type or name says.",
                "enum": sources,
                "default": "auto",
            },
            "to": {
                "x-order": 4,
                "x-widget": "select",
                "title": "To",
                "description": "What is made of it: a value, a file in a format, `files` for the members of an archive, or `bytes` for the file that Base64 stands for.",
                "enum": TARGETS.map(|(word, _)| word),
                "default": "value",
            },
            "name": {
                "x-order": 5,
                "title": "Name",
                "description": "What the new file is called; like the old one with another ending when absent.",
                "type": "string",
                "minLength": 1,
                "maxLength": 255,
            },
            "media_type": {
                "x-order": 6,
                "title": "Media type",
                "description": "What the new file says it is; what its format stands for when absent.",
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
            },
            "charset": {
                "x-order": 7,
                "title": "Charset",
                "description": "What texts are written in, such as `windows-1252` or `utf-16le`; `auto` for UTF-8, for UTF-16 with its mark, and for what XML says of itself.",
                "type": "string",
                "default": "auto",
            },
            "max_bytes": {
                "x-order": 8,
                "title": "Most bytes",
                "description": "How large a value may become, as JSON; at most 16 MiB.",
                "type": "integer",
                "minimum": 1,
                "maximum": LARGEST_VALUE,
                "default": USUAL_VALUE,
            },
            "csv": csv(),
            "xlsx": xlsx(),
            "xml": xml(),
            "zip": zip(),
        },
    })
}

fn csv() -> Value {
    json!({
        "x-order": 9,
        "title": "CSV",
        "description": "How tables are read and written.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "delimiter": {
                "x-order": 1,
                "title": "Delimiter",
                "description": "The character between fields, such as `;`, or `tab`.",
                "type": "string",
                "default": ",",
            },
            "quote": {
                "x-order": 2,
                "title": "Quote",
                "description": "The character around fields that hold a delimiter, a quote or a line break.",
                "type": "string",
                "default": "\"",
            },
            "header": {
                "x-order": 3,
                "title": "Header",
                "description": "Whether the first row names the columns; records are lists when not.",
                "type": "boolean",
                "default": true,
            },
            "trim": {
                "x-order": 4,
                "title": "Trim",
                "description": "Whether spaces around fields are left out when reading.",
                "type": "boolean",
                "default": false,
            },
            "columns": {
                "x-order": 5,
                "title": "Columns",
                "description": "Which fields are written, in this order; all of the first record when absent, or of all records of a value.",
                "type": "array",
                "items": { "type": "string" },
            },
            "escape_formulas": {
                "x-order": 6,
                "title": "Escape formulas",
                "description": "Whether texts that a spreadsheet would compute are written with `'` before them.",
                "type": "boolean",
                "default": true,
            },
            "bom": {
                "x-order": 7,
                "title": "Mark of UTF-8",
                "description": "Whether the file begins with a mark that says UTF-8, which Excel needs.",
                "type": "boolean",
                "default": false,
            },
        },
    })
}

fn xlsx() -> Value {
    json!({
        "x-order": 10,
        "title": "XLSX",
        "description": "Which part of a spreadsheet is read.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "sheet": {
                "x-order": 1,
                "title": "Sheet",
                "description": "The name of the sheet; the first one when absent.",
                "type": "string",
                "minLength": 1,
            },
            "header": {
                "x-order": 2,
                "title": "Header",
                "description": "Whether a row names the columns; records are lists when not.",
                "type": "boolean",
                "default": true,
            },
            "header_row": {
                "x-order": 3,
                "title": "Header row",
                "description": "The number of the row that names the columns; the first that is not empty when absent.",
                "type": "integer",
                "minimum": 1,
                "maximum": 1_048_576,
            },
        },
    })
}

fn xml() -> Value {
    json!({
        "x-order": 11,
        "title": "XML",
        "description": "How elements and attributes are called in a value.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "attribute_prefix": {
                "x-order": 1,
                "title": "Prefix of attributes",
                "description": "What stands before the names of attributes.",
                "type": "string",
                "default": "@",
            },
            "text_key": {
                "x-order": 2,
                "title": "Key of text",
                "description": "What the text of an element is called that has attributes or other elements.",
                "type": "string",
                "minLength": 1,
                "default": "#text",
            },
            "lists": {
                "x-order": 3,
                "title": "Lists",
                "description": "Names of elements that become a list also when there is one.",
                "type": "array",
                "items": { "type": "string" },
            },
            "root": {
                "x-order": 4,
                "title": "Outermost element",
                "description": "The element that is written around a value; the only member of the value when absent.",
                "type": "string",
                "minLength": 1,
            },
            "item": {
                "x-order": 5,
                "title": "Element of items",
                "description": "What the items of a list are called that have no name of their own.",
                "type": "string",
                "minLength": 1,
                "default": "item",
            },
        },
    })
}

fn zip() -> Value {
    json!({
        "x-order": 12,
        "title": "ZIP",
        "description": "What of an archive or a spreadsheet is taken; all of it, or nothing.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "max_members": {
                "x-order": 1,
                "title": "Most members",
                "description": "How many members it may have.",
                "type": "integer",
                "minimum": 1,
                "maximum": MOST.members,
                "default": USUAL.members,
            },
            "max_bytes": {
                "x-order": 2,
                "title": "Most bytes",
                "description": "How many bytes all members may have, unpacked.",
                "type": "integer",
                "minimum": 1,
                "maximum": MOST.bytes,
                "default": USUAL.bytes,
            },
            "max_ratio": {
                "x-order": 3,
                "title": "Most unpacked per packed",
                "description": "How many times its packed size a member of more than 1 MiB may unpack to.",
                "type": "integer",
                "minimum": 1,
                "maximum": MOST.ratio,
                "default": USUAL.ratio,
            },
        },
    })
}
