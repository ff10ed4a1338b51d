//! The node that converts files.

use engine::catalog::Translation;

pub(crate) const CONVERT: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Datei umwandeln"),
        ("summary", "Macht Dateien und Werte zueinander: CSV, JSON, XML, XLSX, ZIP, Text – in beide Richtungen."),
        ("docs", CONVERT_DOCS),
        ("config.file.title", "Datei"),
        (
            "config.file.description",
            "Die Datei, etwa `{{ input.body }}` nach einem Webhook, der Dateien nimmt; für `zip` auch eine Liste, von Dateien \
             oder von `{path, file}`.",
        ),
        ("config.value.title", "Wert"),
        ("config.value.description", "Statt einer Datei: ein Wert; oder mit `from` ein Text in diesem Format."),
        ("config.from.title", "Von"),
        ("config.from.description", "Das Format, das kommt; `auto` für das, was Typ oder Name der Datei sagen."),
        ("config.to.title", "Nach"),
        (
            "config.to.description",
            "Was daraus wird: ein Wert, eine Datei in einem Format, `files` für die Teile eines Archivs oder `bytes` für die \
             Datei, für die Base64 steht.",
        ),
        ("config.name.title", "Name"),
        ("config.name.description", "Wie die neue Datei heißt; ohne Angabe wie die alte, mit anderer Endung."),
        ("config.media_type.title", "Medientyp"),
        ("config.media_type.description", "Was die neue Datei zu sein angibt; ohne Angabe, wofür ihr Format steht."),
        ("config.charset.title", "Zeichensatz"),
        (
            "config.charset.description",
            "Worin Texte geschrieben sind, etwa `windows-1252` oder `utf-16le`; `auto` für UTF-8, für UTF-16 mit seinem \
             Zeichen und für das, was XML von sich sagt.",
        ),
        ("config.max_bytes.title", "Höchste Zahl von Bytes"),
        ("config.max_bytes.description", "Wie groß ein Wert werden darf, als JSON; höchstens 16 MiB."),
        ("config.csv.title", "CSV"),
        ("config.csv.description", "Wie Tabellen gelesen und geschrieben werden."),
        ("config.csv.delimiter.title", "Trennzeichen"),
        ("config.csv.delimiter.description", "Das Zeichen zwischen Feldern, etwa `;`, oder `tab`."),
        ("config.csv.quote.title", "Anführungszeichen"),
        (
            "config.csv.quote.description",
            "Das Zeichen um Felder, in denen ein Trennzeichen, ein Anführungszeichen oder ein Zeilenumbruch steht.",
        ),
        ("config.csv.header.title", "Kopfzeile"),
        (
            "config.csv.header.description",
            "Ob die erste Zeile die Spalten benennt; wenn nicht, sind Datensätze Listen.",
        ),
        ("config.csv.trim.title", "Stutzen"),
        ("config.csv.trim.description", "Ob Leerzeichen um Felder beim Lesen wegbleiben."),
        ("config.csv.columns.title", "Spalten"),
        (
            "config.csv.columns.description",
            "Welche Felder geschrieben werden, in dieser Reihenfolge; ohne Angabe alle des ersten Datensatzes, bei einem Wert \
             alle von allen.",
        ),
        ("config.csv.escape_formulas.title", "Formeln entschärfen"),
        (
            "config.csv.escape_formulas.description",
            "Ob Texte, die eine Tabellenkalkulation ausrechnen würde, mit `'` davor geschrieben werden.",
        ),
        ("config.csv.bom.title", "Zeichen für UTF-8"),
        ("config.csv.bom.description", "Ob die Datei mit einem Zeichen beginnt, das UTF-8 sagt; Excel braucht es."),
        ("config.xlsx.title", "XLSX"),
        ("config.xlsx.description", "Welcher Teil einer Tabellenkalkulation gelesen wird."),
        ("config.xlsx.sheet.title", "Blatt"),
        ("config.xlsx.sheet.description", "Der Name des Blattes; ohne Angabe das erste."),
        ("config.xlsx.header.title", "Kopfzeile"),
        ("config.xlsx.header.description", "Ob eine Zeile die Spalten benennt; wenn nicht, sind Datensätze Listen."),
        ("config.xlsx.header_row.title", "Nummer der Kopfzeile"),
        (
            "config.xlsx.header_row.description",
            "Die Nummer der Zeile, die die Spalten benennt; ohne Angabe die erste, die nicht leer ist.",
        ),
        ("config.xml.title", "XML"),
        ("config.xml.description", "Wie Elemente und Attribute in einem Wert heißen."),
        ("config.xml.attribute_prefix.title", "Vor Attributen"),
        ("config.xml.attribute_prefix.description", "Was vor den Namen von Attributen steht."),
        ("config.xml.text_key.title", "Schlüssel des Textes"),
        (
            "config.xml.text_key.description",
            "Wie der Text eines Elementes heißt, das Attribute oder andere Elemente hat.",
        ),
        ("config.xml.lists.title", "Listen"),
        ("config.xml.lists.description", "Namen von Elementen, die auch dann eine Liste werden, wenn es eines ist."),
        ("config.xml.root.title", "Äußerstes Element"),
        (
            "config.xml.root.description",
            "Das Element, das um einen Wert geschrieben wird; ohne Angabe das einzige Feld des Wertes.",
        ),
        ("config.xml.item.title", "Element von Einträgen"),
        ("config.xml.item.description", "Wie die Einträge einer Liste heißen, die keinen eigenen Namen haben."),
        ("config.zip.title", "ZIP"),
        (
            "config.zip.description",
            "Was von einem Archiv oder einer Tabellenkalkulation genommen wird; alles davon oder nichts.",
        ),
        ("config.zip.max_members.title", "Höchste Zahl von Teilen"),
        ("config.zip.max_members.description", "Wie viele Teile es haben darf."),
        ("config.zip.max_bytes.title", "Höchste Zahl von Bytes"),
        ("config.zip.max_bytes.description", "Wie viele Bytes alle Teile zusammen haben dürfen, entpackt."),
        ("config.zip.max_ratio.title", "Höchstes Vielfaches"),
        (
            "config.zip.max_ratio.description",
            "Auf das Wievielfache seiner gepackten Größe ein Teil von mehr als 1 MiB entpackt werden darf.",
        ),
    ],
    aliases: &["tabelle", "umwandeln", "einlesen", "entpacken", "packen", "archiv", "konvertieren"],
};

const CONVERT_DOCS: &str = "\
Macht aus einer Datei einen Wert oder eine andere Datei, und aus einem Wert eine Datei. `from` sagt, was kommt, `to`, was daraus
wird; ohne `from` sagt es der Typ der Datei oder die Endung ihres Namens.

```yaml
type: file.convert@1
config:
  file: '{{ input.body }}'
  from: csv
  to: jsonl
  csv: { delimiter: ';', trim: true }
```

| from | nach `value` | zu Dateien |
|---|---|---|
| `csv` | eine Liste von Objekten, mit `csv.header: false` von Listen; alle Felder sind Texte | `csv`, `json`, `jsonl` |
| `json`, `jsonl` | was darin steht; Zeilen sind eine Liste | `csv`, `json`, `jsonl`; ein Dokument aus JSON auch `xml` |
| `xlsx` | eine Liste wie bei CSV, mit Zahlen, Wahrheitswerten und Tagen als `2026-01-31` | `csv`, `json`, `jsonl` |
| `xml` | ein Objekt: `{order: {'@id': '7', line: [..]}}` | `xml`, `json` |
| `zip` | eine Liste von `{path, size}` | `files`: eine Liste von `{path, file}` |
| `text` | ein Text | `text` in UTF-8 |
| `base64` | | `bytes`: die Datei, für die es steht |

Jede Datei wird `base64`, und eine oder eine Liste von Dateien `zip`: In `file` stehen Griffe, oder `{path, file}` für einen Platz
in Ordnern. Statt `file` nimmt `value` einen Wert, für `csv`, `json`, `jsonl`, `xml` und `text`; oder mit `from` einen Text in diesem
Format, etwa die Antwort eines Dienstes.

Die Ausgabe ist der Wert oder der Griff der Datei. Sie heißt wie die, aus der sie gemacht ist, mit anderer Endung, oder `name`.

**Größe.** Ein Wert darf als JSON 1 MiB haben, oder was `max_bytes` sagt, höchstens 16 MiB. Von Datei zu Datei gehen CSV, Listen in
JSON, JSON-Zeilen, XLSX, Text, Base64 und die Teile von Archiven durch, wie sie kommen, in jeder Größe, mit Datensätzen von höchstens
1 MiB. XML und Dokumente aus JSON, die keine Liste sind, werden als Ganzes gelesen, höchstens 16 MiB. Eine Tabellenkalkulation und
ein Archiv, das entpackt wird, liegen solange auf der Platte des Servers.

**Archive.** Nichts wird entpackt, wenn der Name eines Teils aus seinem Ordner führen würde, wenn eines ein Verweis, ein Gerät oder
verschlüsselt ist oder Bytes mit einem anderen teilt, oder wenn es mehr als `zip.max_members` (1.000) sind, sie mehr als
`zip.max_bytes` (1 GiB) ergeben oder eines mehr als das `zip.max_ratio`-Fache (200) seiner Größe. Archive in einem Archiv bleiben
Dateien.

**XML.** Entitäten, die ein Dokument erklärt, werden abgelehnt, nichts außerhalb wird je gelesen, und Elemente sind höchstens 56 tief
verschachtelt. Attribute sind Felder mit `@` vor ihrem Namen, Text neben anderen Feldern ist `#text`, wiederholte Elemente sind
Listen; welche auch dann Listen sein sollen, wenn es eines ist, nennt `xml.lists`.

**CSV für Menschen.** Ein Text, den eine Tabellenkalkulation ausrechnen würde, etwa `=HYPERLINK(..)`, wird mit `'` davor geschrieben;
Zahlen mit Vorzeichen und Telefonnummern bleiben. Für Programme gibt es `csv.escape_formulas: false`. Excel braucht
`csv.bom: true`, um zu sehen, dass es UTF-8 ist.

Fehler: `FILE_FORMAT_UNKNOWN`, `FILE_NOT_TEXT`, `FILE_NOT_JSON`, `FILE_NOT_BASE64`, `FILE_TOO_DEEP`, `FILE_VALUE_TOO_LARGE`,
`FILE_DOCUMENT_TOO_LARGE`, `RECORD_TOO_LARGE`, `CSV_INVALID` und `CSV_SHAPE`, `XML_INVALID`, `XML_ENTITY` und `XML_SHAPE`,
`XLSX_INVALID` und `XLSX_SHAPE`, `ZIP_INVALID`, `ZIP_DAMAGED`, `ZIP_UNSAFE_NAME`, `ZIP_UNSAFE_MEMBER`, `ZIP_TOO_LARGE`,
`ZIP_OVERLAP`, `ZIP_ENCRYPTED` und `ZIP_METHOD_UNSUPPORTED`; jeder sagt, wo und was zu tun ist.";
