//! Nodes that make and read files.

use engine::catalog::Translation;

pub(crate) const WRITE: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Datei schreiben"),
        ("summary", "Macht aus einem Wert eine Datei."),
        ("docs", WRITE_DOCS),
        ("config.content.title", "Inhalt"),
        ("config.content.description", "Was in der Datei steht; ohne Angabe die Eingabe des Knotens."),
        ("config.encoding.title", "Kodierung"),
        (
            "config.encoding.description",
            "Wie der Inhalt geschrieben wird: ein Text, wie er ist, und alles andere als JSON, immer als JSON, oder als die \
             Bytes, für die ein Text in Base64 steht.",
        ),
        ("config.name.title", "Name"),
        ("config.name.description", "Wie die Datei heißt, etwa `report.csv`."),
        ("config.media_type.title", "Medientyp"),
        (
            "config.media_type.description",
            "Was die Datei zu sein angibt, etwa `text/csv`; ohne Angabe, wofür die Endung ihres Namens steht.",
        ),
    ],
    aliases: &["speichern", "ablegen", "datei", "anhang", "hochladen", "erzeugen"],
};

const WRITE_DOCS: &str = "\
Hebt einen Wert als Datei des Laufs auf. Die Ausgabe ist der Griff der Datei, die `http.request` weitersendet,
`file.convert` und `artifact.read` lesen und Menschen herunterladen.

```yaml
type: artifact.write@1
config:
  content: '{{ input.letter }}'
  name: 'letter-{{ input.id }}.txt'
```

Mit `encoding: text`, der Vorgabe, wird ein Text die Datei, wie er ist, in UTF-8, und alles andere wird als JSON geschrieben.
`encoding: json` schreibt auch einen Text als JSON, in Anführungszeichen. Mit `encoding: base64` ist der Inhalt ein Text in
Base64, in beiden Alphabeten und mit oder ohne Zeilenumbrüche, und die Datei sind die Bytes, für die er steht.

Ohne `name` heißt die Datei `file.txt`, `file.json` oder `file`. Ohne `media_type` sagt die Endung des Namens, was sie ist.

Zweimal aufgehoben ist wie einmal, nur nennt der Lauf sie dann zweimal: Nach einem Absturz kann sie noch einmal aufgehoben
werden. Fehler: `FILE_NOT_BASE64`, `FILE_TOO_LARGE`.";

pub(crate) const READ: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Datei lesen"),
        ("summary", "Gibt als Wert, was in einer Datei steht."),
        ("docs", READ_DOCS),
        ("config.file.title", "Datei"),
        ("config.file.description", "Die Datei, etwa `{{ input.body }}` nach einem Webhook, der Dateien nimmt."),
        ("config.as.title", "Als"),
        (
            "config.as.description",
            "Was daraus wird: ein Text in UTF-8, das JSON, das darin steht, oder für beliebige Bytes ein Text in Base64.",
        ),
        ("config.max_bytes.title", "Höchste Zahl von Bytes"),
        ("config.max_bytes.description", "Wie groß die Datei sein darf; höchstens 16 MiB."),
    ],
    aliases: &["laden", "öffnen", "inhalt", "datei", "einlesen"],
};

const READ_DOCS: &str = "\
Gibt als Wert, was in einer Datei steht: als Text, als das JSON, das es ist, oder als Text in Base64.

```yaml
type: artifact.read@1
config:
  file: '{{ input.body }}'
  as: json
```

Ein Wert liegt als Ganzes im Speicher und wird mit dem Lauf aufgehoben, darum ist das etwas für kleine Dateien: bis 1 MiB, oder
was `max_bytes` sagt, höchstens 16 MiB. Eine größere lässt den Knoten mit `FILE_VALUE_TOO_LARGE` fehlschlagen, bevor etwas
davon gelesen ist. Große bleiben Dateien: `http.request` sendet sie weiter, und `file.convert` macht aus einer Datei eine
andere.

Ein Text ist UTF-8; ein Zeichen dafür an seinem Anfang bleibt weg. Fehler: `FILE_NOT_TEXT`, wenn die Bytes kein UTF-8 sind, mit
der Stelle des ersten, das es nicht ist (`file.convert` liest andere Kodierungen), `FILE_NOT_JSON` mit Zeile und Spalte,
`FILE_NOT_FOUND` für einen Griff, der nicht von diesem Lauf ist.";
