//! Spreadsheets: an XLSX is an archive of a few documents, made here by hand.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
                    xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
const KIND: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const STYLES: &str = "<numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"dd\\.mm\\.yyyy\\ hh:mm\"/></numFmts>\
                      <cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>\
                      <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/></cellXfs>";

/// A book of these sheets and shared texts.
fn book(properties: &str, texts: &str, sheets: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let mut put = |path: &str, text: &str| {
        writer.start_file(path, SimpleFileOptions::default()).unwrap();
        writer.write_all(HEAD.as_bytes()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    };
    let relations = |rows: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{rows}</Relationships>"
        )
    };
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{KIND}/{kind}\" Target=\"{target}\"/>")
    };
    put("_rels/.rels", &relations(&relation("rId1", "officeDocument", "xl/workbook.xml")));
    let (mut rows, mut listed) = (String::new(), String::new());
    for (n, (name, sheet)) in sheets.iter().enumerate() {
        // Both ways in which they are named.
        let target = if n == 0 { "worksheets/sheet0.xml".to_owned() } else { format!("/xl/worksheets/sheet{n}.xml") };
        rows += &relation(&format!("s{n}"), "worksheet", &target);
        listed += &format!("<sheet name=\"{name}\" sheetId=\"{}\" r:id=\"s{n}\"/>", n + 1);
        put(&format!("xl/worksheets/sheet{n}.xml"), &format!("<worksheet {MAIN}>{sheet}</worksheet>"));
    }
    rows += &relation("x1", "sharedStrings", "sharedStrings.xml");
    rows += &relation("x2", "styles", "styles.xml");
    put("xl/_rels/workbook.xml.rels", &relations(&rows));
    put("xl/workbook.xml", &format!("<workbook {MAIN}>{properties}<sheets>{listed}</sheets></workbook>"));
    put("xl/sharedStrings.xml", &format!("<sst {MAIN} uniqueCount=\"18446744073709551615\">{texts}</sst>"));
    put("xl/styles.xml", &format!("<styleSheet {MAIN}>{STYLES}</styleSheet>"));
    writer.finish().unwrap().into_inner()
}

fn rows(cells: &str) -> String {
    format!("<dimension ref=\"A1:XFD1048576\"/><sheetData>{cells}</sheetData>")
}

const TEXTS: &str = "<si><t>name</t></si><si><r><t>A</t></r><r><t xml:space=\"preserve\"> &amp; B</t></r><rPh sb=\"0\" eb=\"1\">\
                     <t>x</t></rPh></si><si><t/></si><si><t>born</t></si><si><t>paid</t></si>";

#[tokio::test]
async fn a_sheet_is_a_list_of_objects_with_numbers_booleans_and_dates() {
    let sheet = rows(
        "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"B2\" t=\"inlineStr\"><is><t>sum</t></is></c>\
         <c r=\"C2\" t=\"s\"><v>3</v></c><c r=\"D2\" t=\"s\"><v>4</v></c></row>\
         <row r=\"3\"><c r=\"A3\" t=\"s\"><v>1</v></c><c r=\"B3\"><f>1+1</f><v>0.10000000000000001</v></c>\
         <c r=\"C3\" s=\"1\"><v>45292</v></c><c r=\"D3\" t=\"b\"><v>1</v></c></row>\
         <row r=\"5\"/><row r=\"7\" spans=\"1:4\"><c r=\"B7\"><v>12</v></c><c r=\"C7\" s=\"2\"><v>45292.75</v></c>\
         <c r=\"D7\" t=\"e\"><v>#DIV/0!</v></c><c r=\"E7\" s=\"1\"/></row>\
         <row><c t=\"str\"><f>A1</f><v>x_x000D_y</v></c><c t=\"s\"><v>2</v></c></row>",
    );
    let wanted = json!([
        {"name": "A & B", "sum": 0.1, "born": "2024-01-01", "paid": true},
        {"name": null, "sum": 12, "born": "2024-01-01T18:00:00", "paid": "#DIV/0!"},
        {"name": "x\ry", "sum": null, "born": null, "paid": null},
    ]);
    let first = book("", TEXTS, &[("One", &sheet), ("Two", &rows("<row><c><v>1</v></c></row>"))]);
    assert_eq!(value_of("a.xlsx", &first, json!({})).await, wanted);
    let lists = value_of("a.xlsx", &first, json!({"xlsx": {"sheet": "Two", "header": false}})).await;
    assert_eq!(lists, json!([[1]]));
    let later = value_of("a.xlsx", &first, json!({"xlsx": {"header_row": 3}})).await;
    assert_eq!(later[0]["A & B"], json!(null));
    assert_eq!(later[0]["2024-01-01"], json!("2024-01-01T18:00:00"));
    let table = text_of("a.xlsx", &first, json!({"to": "csv"})).await;
    assert_eq!(table.lines().nth(1), Some("A & B,0.1,2024-01-01,true"));
    let lines = text_of("a.xlsx", &first, json!({"to": "jsonl"})).await;
    assert_eq!(
        lines.lines().nth(1),
        Some("{\"name\":null,\"sum\":12,\"born\":\"2024-01-01T18:00:00\",\"paid\":\"#DIV/0!\"}")
    );
    let mac = book("<workbookPr date1904=\"1\"/>", "", &[("One", &rows("<row><c s=\"1\"><v>43830</v></c></row>"))]);
    assert_eq!(value_of("a.xlsx", mac, json!({"xlsx": {"header": false}})).await, json!([["2024-01-01"]]));
}

#[tokio::test]
async fn what_is_wrong_with_a_spreadsheet_is_told() {
    let of = |sheet: &str| book("", TEXTS, &[("One", &rows(sheet))]);
    let plain = of("<row><c><v>1</v></c></row>");
    for (bytes, config, code, says) in [
        (plain.clone(), json!({"xlsx": {"sheet": "Two"}}), "XLSX_SHAPE", "no sheet \"Two\". Its sheets are \"One\""),
        (
            of("<row r=\"1\"><c><v>1</v></c></row><row r=\"2\"><c r=\"C2\"><v>1</v></c></row>"),
            json!({}),
            "XLSX_SHAPE",
            "the row 2 of the sheet has something in column 3, and the header ends at column 1",
        ),
        (of("<row><c><v>1</v></c><c><v>1</v></c></row>"), json!({}), "XLSX_SHAPE", "names two columns `1`"),
        (of("<row r=\"2\"/><row r=\"2\"/>"), json!({}), "XLSX_INVALID", "row 2 stands after the row 2"),
        (of("<row r=\"9999999\"/>"), json!({}), "XLSX_INVALID", "more than 1048576 rows"),
        (of("<row><c r=\"ABCD1\"><v>1</v></c></row>"), json!({}), "XLSX_INVALID", "a cell is at \"ABCD1\""),
        (of("<row><c r=\"ZZZ1\"><v>1</v></c></row>"), json!({}), "XLSX_INVALID", "beyond the last column"),
        (of("<row><c r=\"B1\"><v>1</v></c><c r=\"A1\"><v>1</v></c></row>"), json!({}), "XLSX_INVALID", "no order"),
        (of("<row><c t=\"s\"><v>99</v></c></row>"), json!({}), "XLSX_INVALID", "no shared text 99"),
        (of("<row><c><v>1</v>"), json!({}), "XLSX_INVALID", ""),
        (of("<row><c t=\"str\"><v>&evil;</v></c></row>"), json!({}), "XLSX_INVALID", "entity"),
        (book("", "", &[]), json!({}), "XLSX_INVALID", "it has no sheets"),
        (b"PK no".to_vec(), json!({}), "ZIP_INVALID", "it is no ZIP"),
    ] {
        let error = refused("a.xlsx", bytes, config).await;
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_spreadsheet_that_is_a_bomb_takes_no_memory() {
    // It says that it is as wide and long as can be, and has one cell in its last corner.
    let corner = rows("<row r=\"1048576\"><c r=\"XFD1048576\"><v>7</v></c></row>");
    let wide = value_of("a.xlsx", book("", "", &[("One", &corner)]), json!({"xlsx": {"header": false}})).await;
    assert_eq!(wide[0].as_array().map(Vec::len), Some(16_384));
    let trusted = json!({"zip": {"max_ratio": 1100}});
    let many = book("", &"<si/>".repeat(300_000), &[("One", &rows(""))]);
    assert_eq!(refused("a.xlsx", &many, json!({})).await.code, "ZIP_TOO_LARGE");
    let cell = format!("<row><c t=\"str\"><v>{}</v></c></row>", "x".repeat(2 << 20));
    let error = refused("a.xlsx", book("", "", &[("One", &rows(&cell))]), trusted.clone()).await;
    assert_eq!(error.code, "RECORD_TOO_LARGE");
    let deep = rows(&"<row>".repeat(100_000));
    let error = refused("a.xlsx", book("", "", &[("One", &deep)]), trusted).await;
    assert_eq!(error.code, "FILE_TOO_DEEP");
}

/// A small book, for others to break.
pub(super) fn small() -> Vec<u8> {
    let sheet = rows("<row><c t=\"s\"><v>0</v></c></row><row><c s=\"1\"><v>45292</v></c></row>");
    book("", TEXTS, &[("One", &sheet)])
}
