//! XML: as a value and back, and what is made to grow without end.

use super::*;

#[tokio::test]
async fn a_document_is_an_object_by_a_convention() {
    let document = "<?xml version=\"1.0\"?>\n<!-- c --><order id=\"7\" xmlns:x=\"urn:x\">\n  <line n='1'>A &amp; B</line>\n  \
                    <line>&#x43;<![CDATA[<D>]]></line><x:note/> tail\n</order>";
    assert_eq!(
        value_of("a.xml", document, json!({})).await,
        json!({"order": {
            "@id": "7", "@xmlns:x": "urn:x", "line": [{"@n": "1", "#text": "A & B"}, "C<D>"], "x:note": "", "#text": "tail",
        }})
    );
    let config = json!({"xml": {"attribute_prefix": "_", "text_key": "text", "lists": ["b"]}});
    assert_eq!(
        value_of("a.xml", "<a><b c='1'>x</b></a>", config).await,
        json!({"a": {"b": [{"_c": "1", "text": "x"}]}})
    );
    assert_eq!(text_of("a.xml", "<a>1</a>", json!({"to": "json"})).await, "{\"a\":\"1\"}\n");
    assert_eq!(value_of("a.xml", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", json!({})).await, json!({"a": ""}));
}

#[tokio::test]
async fn a_document_is_read_in_the_encoding_that_it_says() {
    let wanted = json!({"a": "grün"});
    let utf_16: Vec<u8> = "\u{FEFF}<a>grün</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>gr\xFCn</a>";
    assert_eq!(value_of("a.xml", utf_16, json!({})).await, wanted);
    assert_eq!(value_of("a.xml", latin, json!({})).await, wanted);
    assert_eq!(value_of("a.xml", b"<a>gr\xFCn</a>", json!({"charset": "latin1"})).await, wanted);
    assert_eq!(refused("a.xml", b"<a>gr\xFCn</a>", json!({})).await.code, "FILE_NOT_TEXT");
}

#[tokio::test]
async fn a_value_becomes_a_document() {
    let made = async |value: Value, config: Value| {
        let mut config = config;
        config["to"] = json!("xml");
        made_of(value, config).await.map(|text| text.lines().skip(1).collect::<Vec<_>>().join("\n"))
    };
    let order = json!({"order": {"@id": 7, "line": [{"@n": "\"<\n", "#text": "A & B"}, null], "paid": true}});
    assert_eq!(
        made(order.clone(), json!({})).await.unwrap(),
        "<order id=\"7\"><line n=\"&quot;&lt;&#10;\">A &amp; B</line><line/><paid>true</paid></order>"
    );
    let list = made(json!([1, {"a": [[2]]}]), json!({"xml": {"root": "list", "item": "entry"}})).await.unwrap();
    assert_eq!(list, "<list><entry>1</entry><entry><a><entry>2</entry></a></entry></list>");
    assert!(text_of("a.json", "{\"a\":1}", json!({"to": "xml"})).await.ends_with("?>\n<a>1</a>\n"));
    for (value, says) in [
        (json!([1]), "the value is a list; expected an object with one member"),
        (json!({"a": 1, "b": 2}), "config.xml.root"),
        (json!({"a b": 1}), "`a b` is no name"),
        (json!({"a": {"@x": {}}}), "the attribute `x` of `a` is an object"),
        (json!({"a": {"#text": []}}), "`a`"),
        (json!({"a": "\u{1}"}), "U+0001"),
    ] {
        let error = made(value.clone(), json!({})).await.unwrap_err();
        assert!(error.code == "XML_SHAPE" && error.message.contains(says), "{value}: {error}");
    }
    // There and back.
    let there = made_of(order, json!({"to": "xml"})).await.unwrap();
    let back = value_of("a.xml", there, json!({})).await;
    assert_eq!(back["order"]["line"], json!([{"@n": "\"<\n", "#text": "A & B"}, ""]));
}

#[tokio::test]
async fn e5_no_document_declares_entities_or_reads_others() {
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><lolz>&lol2;</lolz>";
    let outside = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
    let parameter = "<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://169.254.169.254/\"> %x;]><a/>";
    for (document, says) in [
        (laughs, "declares a type of its own, in line 1, column 22"),
        (outside, "declares a type"),
        (parameter, "declares a type"),
        ("<a>\n&lol2;</a>", "uses an entity `&lol2;`, in line 2, column 1"),
        ("<a b='&lol2;'/>", "uses an entity `&lol2;`"),
    ] {
        let error = refused("a.xml", document, json!({})).await;
        assert!(error.code == "XML_ENTITY" && error.message.contains(says), "{document}: {error}");
    }
}

#[tokio::test]
async fn what_is_no_document_says_where() {
    for (document, code, says) in [
        ("", "XML_INVALID", "no element"),
        ("<a>", "XML_INVALID", "`a` is not closed"),
        ("<a>\n</b>", "XML_INVALID", "in line 2, column 1"),
        ("<a/><b/>", "XML_INVALID", "more than one outermost element, in line 1, column 5"),
        ("<a/>x", "XML_INVALID", "outside of the outermost element"),
        ("<a b='1' b='2'/>", "XML_INVALID", "line 1"),
        ("<a>&#0;</a>", "XML_INVALID", "line 1"),
        ("<a", "XML_INVALID", "line 1"),
    ] {
        let error = refused("a.xml", document, json!({})).await;
        assert_eq!(error.code, code, "{document}: {error}");
        assert!(error.message.contains(says), "{document}: {error}");
    }
    let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    assert!(value_of("a.xml", deep(56), json!({})).await.is_object());
    assert_eq!(refused("a.xml", deep(57), json!({})).await.code, "FILE_TOO_DEEP");
    assert_eq!(refused("a.xml", "<a>".repeat(1_000_000), json!({})).await.code, "FILE_TOO_DEEP");
    let many = format!("<a>{}</a>", "<b/>".repeat(500_000));
    assert_eq!(refused("a.xml", many, json!({"to": "json"})).await.code, "FILE_DOCUMENT_TOO_LARGE");
    let large = format!("<a>{}</a>", "x".repeat(16 << 20));
    assert_eq!(refused("a.xml", large, json!({"to": "json"})).await.code, "FILE_DOCUMENT_TOO_LARGE");
    let much = format!("<a>{}</a>", "x".repeat(2 << 20));
    assert_eq!(refused("a.xml", much, json!({})).await.code, "FILE_VALUE_TOO_LARGE");
}
