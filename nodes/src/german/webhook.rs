//! The node that requests from outside start.

use engine::catalog::Translation;

pub(crate) const WEBHOOK: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Webhook"),
        ("summary", "Startet einen Lauf je HTTP-Anfrage an eine URL."),
        ("docs", DOCS),
        ("config.verify.title", "Wer aufrufen darf"),
        (
            "config.verify.description",
            "`url`: wer den geheimen Teil der URL kennt. `none`: jeder. Alles andere braucht eine Verbindung mit dem, was \
             der Absender zeigt oder womit er signiert.",
        ),
        ("config.path.title", "Eigener Pfad"),
        (
            "config.path.description",
            "Das Ende der URL, etwa `orders/new`; ohne Angabe Workflow und Knoten. Nicht bei `verify: url`.",
        ),
        ("config.methods.title", "Methoden"),
        ("config.methods.description", "Ohne Angabe jede."),
        ("config.body.title", "Inhalt"),
        (
            "config.body.description",
            "`auto`: JSON, ein Formular oder Text, wie er sich ausgibt. `json`, `text`: das, was immer er sagt; bis 16 MiB. \
             `file`: aufgehoben als Datei beliebiger Größe; von einem Formular mit Dateien (multipart/form-data) jede Datei, \
             unter ihrem Feld.",
        ),
        ("config.answer.title", "Antwort"),
        (
            "config.answer.description",
            "`auto`: durch `http.respond`, wenn es eines gibt, sonst `at_once`: 202, sobald der Lauf gespeichert ist. \
             `run_end`: die Ausgabe des Laufs. `respond`: durch `http.respond`.",
        ),
        ("config.answer_within.title", "Höchstens warten"),
        (
            "config.answer_within.description",
            "Wie lange der Aufrufer auf den Lauf wartet; danach bekommt er 202. 1 s bis 5 min.",
        ),
        ("config.most_per_minute.title", "Höchstens je Minute"),
        ("config.most_per_minute.description", "Was darüber liegt, bekommt 429. Jeder Server-Prozess zählt für sich."),
        ("config.delivery_header.title", "Header mit der Kennung"),
        (
            "config.delivery_header.description",
            "Zustellungen mit derselben Kennung starten einen Lauf; ohne Angabe gelten die üblichen Header.",
        ),
        ("config.delivery_id.title", "Kennung der Zustellung"),
        ("config.delivery_id.description", "Statt eines Headers: ein Ausdruck ohne Klammern, etwa `body.event.id`."),
        ("config.delivery_window.title", "Gemerkt für"),
        (
            "config.delivery_window.description",
            "Wie lange die Kennung einer Zustellung gemerkt wird. 1 min bis 30 Tage.",
        ),
        ("config.tolerance.title", "Toleranz"),
        (
            "config.tolerance.description",
            "Wie weit die Zeit einer signierten Zustellung von der des Servers abweichen darf. 10 s bis 1 h.",
        ),
        ("config.signature_header.title", "Header der Signatur"),
        ("config.signature_header.description", "Für `verify: hmac`. Etwa `X-Signature`."),
        ("config.signature_algorithm.title", "Hash"),
        ("config.signature_algorithm.description", "Für `verify: hmac`. Der Hash des HMAC."),
        ("config.signature_encoding.title", "Geschrieben als"),
        ("config.signature_encoding.description", "Für `verify: hmac`. Wie die Signatur geschrieben ist."),
        ("config.signature_prefix.title", "Präfix"),
        ("config.signature_prefix.description", "Für `verify: hmac`. Was vor der Signatur steht, etwa `sha256=`."),
        ("config.timestamp_header.title", "Header der Zeit"),
        (
            "config.timestamp_header.description",
            "Für `verify: hmac`. Sekunden seit 1970, wenn der Absender sie mitsigniert.",
        ),
        ("config.signed_text.title", "Was signiert wird"),
        (
            "config.signed_text.description",
            "Für `verify: hmac`. `{body}`, mit einer Zeit `{timestamp}.{body}`, und was drumherum steht.",
        ),
    ],
    aliases: &["rückruf", "endpunkt", "adresse", "anfrage", "empfangen", "auslöser"],
};

const DOCS: &str = "\
Startet einen Lauf je HTTP-Anfrage an die URL des Workflows unter `/hooks`. Der Aufrufer bekommt erst dann einen Status 2xx,
wenn der Lauf gespeichert ist. Die Ausgabe ist die Anfrage:

| Feld | was |
|---|---|
| `method` | etwa `POST` |
| `path` | der Pfad der Anfrage, ohne den geheimen Teil |
| `headers` | Objekt aus Texten, Namen klein geschrieben, ohne Zugangsdaten |
| `query` | Objekt aus Texten |
| `body` | das gelesene JSON, der Text, oder null, wenn nichts kam |

Ein Lauf, der anders gestartet wurde, gibt die Eingabe weiter, mit der er gestartet wurde.

Wer aufrufen darf, sagt `verify`: ohne Angabe, wer den geheimen Teil der URL kennt. Signaturen werden über die rohen Bytes
geprüft, mit dem Geheimnis aus der Verbindung des Knotens.

```yaml
type: trigger.webhook@1
connection: github
config:
  verify: github
  methods: [POST]
  most_per_minute: 600
```

Eine Zustellung, die noch einmal kommt, erkannt an ihrer Kennung, wird mit dem Lauf beantwortet, den sie schon gestartet hat.
Spätere Knoten lesen die Anfrage als `{{ trigger.body.id }}` oder `{{ trigger.headers['x-request-id'] }}`. Um dem Aufrufer
mit Daten des Laufs zu antworten, kommt ein `http.respond` dazu, oder das Ende des Laufs ist die `answer`.";
