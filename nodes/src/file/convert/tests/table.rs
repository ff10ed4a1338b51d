//! Tables and lists: CSV, JSON, JSON lines.

use super::*;

#[tokio::test]
async fn a_table_is_a_list_of_objects_of_texts() {
    let table = "id,name\r\n007,\"A \"\"B\"\", C\"\n\n8,\"two\nlines\"\n";
    assert_eq!(
        value_of("a.csv", table, json!({})).await,
        json!([{"id": "007", "name": "A \"B\", C"}, {"id": "8", "name": "two\nlines"}])
    );
    let config = json!({"csv": {"delimiter": ";", "quote": "'", "trim": true, "header": false}});
    let lists = value_of("a.csv", " a ;'b;c'\n 1 ; 2", config).await;
    assert_eq!(lists, json!([["a", "b;c"], ["1", "2"]]));
    assert_eq!(value_of("a.tsv", "a\tb\n1\t2", json!({})).await, json!([{"a": "1", "b": "2"}]));
    assert_eq!(value_of("a.tsv", "a;b\n1;2", json!({"csv": {"delimiter": ";"}})).await, json!([{"a": "1", "b": "2"}]));
    assert_eq!(value_of("a.csv", ",b,\n1,2,3", json!({})).await, json!([{"column_1": "1", "b": "2", "column_3": "3"}]));
    for empty in ["", "a,b\n", "\u{FEFF}a,b"] {
        assert_eq!(value_of("a.csv", empty, json!({})).await, json!([]), "{empty:?}");
    }
}

#[tokio::test]
async fn a_table_is_read_in_its_encoding() {
    let wanted = json!([{"größe": "1€"}]);
    let utf_16: Vec<u8> = "\u{FEFF}größe\n1€".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(value_of("a.csv", "\u{FEFF}größe\n1€", json!({})).await, wanted);
    assert_eq!(value_of("a.csv", utf_16, json!({})).await, wanted);
    let latin = b"gr\xF6\xDFe\n1\x80";
    assert_eq!(value_of("a.csv", latin, json!({"charset": "windows-1252"})).await, wanted);
    let error = refused("a.csv", latin, json!({"to": "jsonl"})).await;
    assert_eq!(error.code, "FILE_NOT_TEXT");
    assert!(error.message.contains("offset 2, in line 1") && error.message.contains("config.charset"), "{error}");
}

#[tokio::test]
async fn lists_become_one_another_without_losing_a_digit() {
    let lines = "{\"z\":\"1\",\"a\":12345678901234567890.10}\n{\"z\":null,\"a\":[1, 2]}\n";
    let list = "[\n{\"z\":\"1\",\"a\":12345678901234567890.10},\n{\"z\":null,\"a\":[1,2]}\n]\n";
    assert_eq!(text_of("a.jsonl", lines, json!({"to": "json"})).await, list);
    assert_eq!(text_of("a.json", list, json!({"to": "jsonl"})).await, lines.replace(", ", ","));
    let table = text_of("a.json", list, json!({"to": "csv"})).await;
    assert_eq!(table, "z,a\r\n1,12345678901234567890.10\r\n,\"[1,2]\"\r\n");
    assert_eq!(text_of("a.csv", "z,a\n1,2\n", json!({"to": "jsonl"})).await, "{\"z\":\"1\",\"a\":\"2\"}\n");
    assert_eq!(text_of("a.csv", "z,a\n1,2\n", json!({"to": "json"})).await, "[\n{\"z\":\"1\",\"a\":\"2\"}\n]\n");
    assert_eq!(text_of("a.csv", "a\n", json!({"to": "json"})).await, "[]\n");
    assert_eq!(text_of("a.json", " {\"a\" : 1}", json!({"to": "json"})).await, "{\"a\":1}\n");
    assert_eq!(value_of("a.json", "{\"a\" : 1}", json!({})).await, json!({"a": 1}));
    assert_eq!(value_of("a.jsonl", "{\"a\" : 1}\n\n[2]", json!({})).await, json!([{"a": 1}, [2]]));
}

#[tokio::test]
async fn tables_are_written_as_asked() {
    let lists = json!({"to": "csv", "csv": {"delimiter": ";", "header": false, "bom": true}});
    assert_eq!(text_of("a.json", "[[1,\"a;b\"],[true,null]]", lists).await, "\u{FEFF}1;\"a;b\"\r\ntrue;\r\n");
    let columns = json!({"to": "csv", "csv": {"columns": ["b", "c"]}});
    let records = "{\"a\":1,\"b\":2}\n{\"c\":3}\n";
    assert_eq!(text_of("a.jsonl", records, columns).await, "b,c\r\n2,\r\n,3\r\n");
    // The columns of a value are those of all its records.
    let made = made_of(json!([{"b": 1}, {"a": 2, "b": null}]), json!({"to": "csv"})).await.unwrap();
    assert_eq!(made, "b,a\r\n1,\r\n,2\r\n");
    assert_eq!(made_of(json!([]), json!({"to": "csv"})).await.unwrap(), "");
    assert_eq!(made_of(json!([1, {"a": 2}]), json!({"to": "jsonl"})).await.unwrap(), "1\n{\"a\":2}\n");
    assert_eq!(made_of(json!({"a": 2}), json!({"to": "json"})).await.unwrap(), "{\"a\":2}\n");
    assert_eq!(made_of(json!("grün"), json!({"to": "text"})).await.unwrap(), "grün");
    assert_eq!(
        made_of(json!("a;b\n1;2"), json!({"from": "csv", "to": "jsonl", "csv": {"delimiter": ";"}})).await.unwrap(),
        "{\"a\":\"1\",\"b\":\"2\"}\n"
    );
}

#[tokio::test]
async fn a_spreadsheet_computes_nothing_that_comes_from_outside() {
    let texts =
        ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|'x'", "\t=1", "=HYPERLINK(\"http://evil\")", "＝1"];
    let harmless = ["-5", "+43 660 123-4", "-1.5", "a=b", "", "1", "-", "(=1"];
    let records: Value = texts.iter().chain(&harmless).map(|text| json!([text])).collect();
    let made = made_of(records.clone(), json!({"to": "csv"})).await.unwrap();
    let read: Vec<String> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(made.as_bytes())
        .records()
        .map(|row| row.unwrap()[0].to_owned())
        .collect();
    let wanted: Vec<String> =
        texts.iter().map(|text| format!("'{text}")).chain(harmless.iter().map(|&text| text.to_owned())).collect();
    assert_eq!(read, wanted);
    let plain = made_of(records, json!({"to": "csv", "csv": {"escape_formulas": false}})).await.unwrap();
    assert!(plain.starts_with("=1+1\r\n"), "{plain}");
    // Numbers are none of anybody's texts, and names of columns may be.
    assert_eq!(made_of(json!([{"=a": -1}]), json!({"to": "csv"})).await.unwrap(), "'=a\r\n-1\r\n");
}

#[tokio::test]
async fn what_is_wrong_with_a_table_is_told_with_its_line() {
    for (table, config, code, says) in [
        ("a,b\n1,2\n\n3\n", json!({}), "CSV_INVALID", "line 4 of the table has 1 fields, the header has 2"),
        ("a,b\n\"1\n2\",3\n4,5,6\n", json!({"to": "jsonl"}), "CSV_INVALID", "line 4 of the table has 3 fields"),
        ("a,b\n\"1\n2\",3\n4,5,6", json!({"to": "jsonl"}), "CSV_INVALID", "line 4 of the table has 3 fields"),
        ("a,b\r\n\"1\r\n2\",3\r\n\r\n4,5,6\r\n", json!({}), "CSV_INVALID", "line 5 of the table has 3 fields"),
        (
            "1,2\n3\n",
            json!({"csv": {"header": false}}),
            "CSV_INVALID",
            "line 2 of the table has 1 fields, the first row",
        ),
        ("a,b,a\n", json!({}), "CSV_INVALID", "line 1 of the table names two columns `a`, the columns 1 and 3"),
    ] {
        let error = refused("a.csv", table, config).await;
        assert_eq!(error.code, code);
        assert!(error.message.contains(says), "{error}");
    }
    for (records, says) in [
        ("{\"a\":1}\n{\"b\":1}", "record 2 has a field `b`, which the first record does not have. Name all columns"),
        ("3", "record 1 is a number; an object or a list is expected"),
    ] {
        let error = refused("a.jsonl", records, json!({"to": "csv"})).await;
        assert!(error.code == "CSV_SHAPE" && error.message.contains(says), "{error}");
    }
    let error = refused("a.json", "[1,\n2", json!({"to": "jsonl"})).await;
    assert!(error.code == "FILE_NOT_JSON" && error.message.contains("line 2"), "{error}");
}

#[tokio::test]
async fn records_columns_and_values_have_bounds_that_are_told() {
    let open = format!("a,b\n1,\"{}", "x\n".repeat(600_000));
    let error = refused("a.csv", open, json!({"to": "jsonl"})).await;
    assert_eq!(error.code, "RECORD_TOO_LARGE");
    assert!(error.message.contains("line 2") && error.message.contains("a quote that is not closed"), "{error}");
    // The bound is of a row, not of all.
    let rows = "x".repeat(1000) + "\n";
    let many = text_of("a.csv", rows.repeat(3_000), json!({"to": "csv", "csv": {"header": false}})).await;
    assert_eq!(many.lines().count(), 3_000);
    let wide = refused("a.csv", ",".repeat(20_000), json!({"csv": {"header": false}})).await;
    assert!(wide.code == "CSV_INVALID" && wide.message.contains("20001 fields; 16384 are the most"), "{wide}");
    let list = made_of(json!([vec![1; 20_000]]), json!({"to": "csv"})).await.unwrap_err();
    assert_eq!(list.code, "CSV_SHAPE");
    let rows = "a\n".to_owned() + &"1\n".repeat(200_000);
    let error = refused("a.csv", &rows, json!({})).await;
    assert_eq!(error.code, "FILE_VALUE_TOO_LARGE");
    assert!(error.message.contains("more than 1048576 bytes") && error.message.contains("config.max_bytes"), "{error}");
    let all = value_of("a.csv", &rows, json!({"max_bytes": 16 * 1024 * 1024})).await;
    assert_eq!(all.as_array().map(Vec::len), Some(200_000));
    for (name, bytes) in [("a.json", format!("\"{}\"", "x".repeat(100))), ("a.txt", "x".repeat(100))] {
        let error =
            refused(name, bytes, json!({"max_bytes": 50, "from": if name == "a.txt" { "text" } else { "auto" }})).await;
        assert_eq!(error.code, "FILE_VALUE_TOO_LARGE", "{name}");
    }
    let error = refused("a.json", format!("\"{}\"", "x".repeat(17 << 20)), json!({"to": "jsonl"})).await;
    assert_eq!(error.code, "FILE_DOCUMENT_TOO_LARGE");
    for (name, to) in [("a.json", "jsonl"), ("a.jsonl", "json"), ("a.json", "value")] {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(refused(name, deep, json!({"to": to})).await.code, "FILE_TOO_DEEP", "{name}");
    }
}

#[tokio::test]
async fn texts_and_base64_go_through_whatever_they_are() {
    let utf_16: Vec<u8> = "\u{FEFF}grün".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(text_of("a.txt", &utf_16, json!({"to": "text"})).await, "grün");
    assert_eq!(value_of("a.txt", &utf_16, json!({"from": "text"})).await, json!("grün"));
    let bytes: Vec<u8> = (0..=255_u8).cycle().take(200_001).collect();
    let packed = text_of("a.bin", &bytes, json!({"to": "base64"})).await;
    assert_eq!(packed.len(), 266_668);
    let lines: Vec<&str> = packed.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    assert_eq!(file_of("a.b64", lines.join("\r\n"), json!({"to": "bytes"})).await.1, bytes);
    let made = made_of(json!("aGk"), json!({"from": "base64", "to": "bytes"})).await.unwrap();
    assert_eq!(made, "hi");
    let error = refused("a.b64", "aGk?", json!({"to": "bytes"})).await;
    assert!(error.code == "FILE_NOT_BASE64" && error.message.contains("offset 3"), "{error}");
}
