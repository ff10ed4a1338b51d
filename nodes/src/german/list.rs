//! Nodes that order lists and make texts.

use engine::catalog::Translation;

pub(crate) const SORT: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Sortieren"),
        ("summary", "Bringt die Einträge einer Liste in eine Reihenfolge."),
        ("docs", SORT_DOCS),
        ("config.items.title", "Einträge"),
        ("config.items.description", "Die Liste, die sortiert wird; ohne Angabe die Eingabe des Knotens."),
        ("config.by.title", "Sortieren nach"),
        (
            "config.by.description",
            "Wonach sortiert wird, das Wichtigste zuerst; ohne Angabe werden die Einträge selbst verglichen.",
        ),
        ("config.by.*.title", "Schlüssel"),
        ("config.by.*.description", "Eines, wonach sortiert wird."),
        ("config.by.*.key.title", "Schlüssel"),
        ("config.by.*.key.description", "Wird je Eintrag ausgewertet, als `item` mit seiner Stelle `index`."),
        ("config.by.*.direction.title", "Richtung"),
        ("config.by.*.direction.description", "Das Kleinste zuerst oder das Größte."),
        ("config.by.*.nulls.title", "Null"),
        ("config.by.*.nulls.description", "Wohin Einträge kommen, deren Schlüssel null ist, in jeder Richtung."),
        ("config.by.*.text.title", "Texte"),
        ("config.by.*.text.description", "Wie Texte verglichen werden: wie man es erwartet oder nach Zeichen."),
    ],
    aliases: &["ordnen", "reihenfolge", "rangliste", "aufsteigend", "absteigend"],
};

const SORT_DOCS: &str = "\
Bringt die Einträge einer Liste in eine Reihenfolge. `by` nennt, wonach sortiert wird, das Wichtigste zuerst; jedes ist ein
Ausdruck über `item` (und seine Stelle `index`) mit einer Richtung. Ohne `by` werden die Einträge selbst verglichen.
Einträge, die in allem gleich sind, behalten ihre Reihenfolge.

Zahlen werden nach ihrem Wert verglichen. Texte so, wie man es erwartet, `natural`: ohne Rücksicht auf Groß- und
Kleinschreibung und Akzente, Zahlen darin nach ihrem Wert, so dass `file 2` vor `File 10` steht; `exact` vergleicht nach
Zeichen. Werte verschiedener Art haben die Reihenfolge false, true, Zahlen, Texte, Listen, Objekte. Null und was fehlt kommt
in jeder Richtung ans Ende, mit `nulls: first` an den Anfang.

```yaml
type: data.sort@1
config:
  items: '{{ input.rows }}'
  by:
    - key: '{{ item.country }}'
    - key: '{{ item.population }}'
      direction: desc
      nulls: first
```

Die Ausgabe ist die Liste in ihrer neuen Reihenfolge.";

pub(crate) const DEDUPE: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Doppelte entfernen"),
        ("summary", "Behält einen von den Einträgen einer Liste, die gleich sind."),
        ("docs", DEDUPE_DOCS),
        ("config.items.title", "Einträge"),
        ("config.items.description", "Die Liste, die durchgesehen wird; ohne Angabe die Eingabe des Knotens."),
        ("config.key.title", "Schlüssel"),
        (
            "config.key.description",
            "Wird je Eintrag ausgewertet, als `item` mit seiner Stelle `index`; Einträge mit gleichem Schlüssel sind \
             gleich. Ohne Angabe der ganze Eintrag.",
        ),
        ("config.keep.title", "Behalten"),
        ("config.keep.description", "Welcher von gleichen Einträgen bleibt."),
    ],
    aliases: &["duplikate", "eindeutig", "doppelt", "mehrfach", "bereinigen"],
};

const DEDUPE_DOCS: &str = "\
Behält einen von den Einträgen, die gleich sind, den ersten oder den letzten, in ihrer Reihenfolge. `key` sagt, was Einträge
gleich macht: ein Ausdruck über `item` (und seine Stelle `index`); ohne ihn werden ganze Einträge verglichen. Schlüssel sind
als Zahlen (1 und 1.0) oder als Texte gleich, nie über Kreuz; null ist ein Schlüssel wie jeder andere, von den Einträgen,
denen er fehlt, bleibt also einer.

```yaml
type: data.dedupe@1
config:
  items: '{{ input.rows }}'
  key: '{{ item.email.lower() }}'
  keep: last
```

Die Ausgabe ist die Liste der behaltenen Einträge.";

pub(crate) const TEXT: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Text"),
        ("summary", "Macht, schneidet und durchsucht Texte."),
        ("docs", TEXT_DOCS),
        ("config.text.title", "Text"),
        ("config.text.description", "Der Text, mit dem begonnen wird, oder eine Liste von Texten; sonst die Eingabe."),
        ("config.steps.title", "Schritte"),
        ("config.steps.description", "Was damit geschieht, eines nach dem anderen."),
        ("config.steps.*.title", "Schritt"),
        ("config.steps.*.description", "Eines, was geschieht."),
        ("config.steps.*.do.title", "Tun"),
        ("config.steps.*.do.description", "Was der Schritt tut. Eine Konstante."),
        ("config.steps.*.find.title", "Suchen"),
        ("config.steps.*.find.description", "Der Text oder der reguläre Ausdruck, der gesucht wird."),
        ("config.steps.*.with.title", "Durch"),
        ("config.steps.*.with.description", "Was an seine Stelle tritt oder zwischen den verbundenen Teilen steht."),
        ("config.steps.*.length.title", "Länge"),
        ("config.steps.*.length.description", "Wie viele Zeichen höchstens bleiben."),
    ],
    aliases: &["zeichenkette", "vorlage", "ersetzen", "teilen", "verbinden", "suchen", "großbuchstaben"],
};

const TEXT_DOCS: &str = "\
Beginnt mit `text`, der Ausdrücke enthalten darf, und tut `steps` der Reihe nach. Ein Schritt, der einen Text nimmt, tut
dasselbe mit jedem Text einer Liste.

| Schritt | tut |
|---|---|
| `trim` | nimmt Leerzeichen und Zeilenumbrüche an beiden Enden weg |
| `collapse` | macht ein Leerzeichen aus mehreren, aus Tabulatoren und Zeilenumbrüchen |
| `upper`, `lower`, `title` | ändert die Schreibung; `title` macht den ersten Buchstaben jedes Wortes groß |
| `replace` | setzt `with` an die Stelle von jedem `find` |
| `regex_replace` | setzt `with` an die Stelle von jedem Treffer von `find`; `$1` oder `${name}` ist eine Gruppe davon |
| `regex_extract` | ergibt den ersten Treffer von `find`, oder seine erste Gruppe; ohne Treffer null |
| `regex_extract_all` | ergibt die Liste aller Treffer |
| `split` | ergibt die Liste der Teile zwischen `find`; ohne `find` die Wörter |
| `lines` | ergibt die Liste der Zeilen |
| `join` | macht einen Text aus einer Liste, mit `with` dazwischen |
| `truncate` | schneidet nach `length` Zeichen ab |

Reguläre Ausdrücke sind die von Rusts `regex`: ohne Blick voraus oder zurück und ohne Rückverweise, darum in linearer Zeit.
Null in einer Liste bleibt null, `join` lässt es weg.

```yaml
type: data.text@1
config:
  text: 'Re: Order {{ input.number }} from {{ input.name }}'
  steps:
    - { do: regex_replace, find: '(?i)^re:\\s*', with: '' }
    - { do: collapse }
    - { do: truncate, length: 80 }
```

Fehler: `TEXT_PATTERN_INVALID`, wenn ein regulärer Ausdruck nicht gelesen werden kann oder zu groß würde, `TEXT_SHAPE`, wenn
ein Schritt bekommt, was er nicht nimmt, `TEXT_TOO_LARGE` über 8 MiB.";
