//! Nodes that start runs.

use engine::catalog::Translation;

pub(crate) const MANUAL: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Start von Hand"),
        ("summary", "Startet einen Lauf, wenn ein Mensch oder ein Programm es verlangt."),
        ("docs", MANUAL_DOCS),
    ],
    aliases: &["start", "knopf", "beginnen", "eingabe", "ausführen", "auslösen"],
};

const MANUAL_DOCS: &str = "\
Startet einen Lauf, wenn ein Mensch oder ein Programm es verlangt: im Editor, über die API oder mit `flowforge workflow run`.
Die Ausgabe ist die Eingabe, mit der der Lauf gestartet wurde, null ohne Eingabe.

```yaml
type: trigger.manual@1
config: {}
```";

pub(crate) const WEBHOOK: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Webhook"),
        ("summary", "Startet einen Lauf je HTTP-Anfrage an eine URL."),
        ("docs", WEBHOOK_DOCS),
    ],
    aliases: &["rückruf", "endpunkt", "adresse", "anfrage", "empfangen", "auslöser"],
};

const WEBHOOK_DOCS: &str = "\
Startet einen Lauf je HTTP-Anfrage an die URL des Workflows unter `/hooks`. Der Aufrufer bekommt erst dann einen Status 2xx,
wenn der Lauf gespeichert ist. Die Ausgabe ist die Anfrage:

| Feld | was |
|---|---|
| `method` | etwa `POST` |
| `path` | der Pfad der Anfrage |
| `headers` | Objekt aus Texten, Namen klein geschrieben |
| `query` | Objekt aus Texten |
| `body` | das gelesene JSON, der Text, oder null, wenn nichts kam |

Ein Lauf, der anders gestartet wurde, gibt die Eingabe weiter, mit der er gestartet wurde.

```yaml
type: trigger.webhook@1
config: {}
```

Spätere Knoten lesen sie als `{{ trigger.body.id }}` oder `{{ trigger.headers['x-request-id'] }}`. Um dem Aufrufer mit Daten
des Laufs zu antworten, kommt ein `http.respond` dazu.";
