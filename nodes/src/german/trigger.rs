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
