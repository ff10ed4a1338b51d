//! Nodes that run code.

use engine::catalog::Translation;

pub(crate) const JS: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "JavaScript"),
        ("summary", "Führt eigenes JavaScript aus."),
        ("docs", JS_DOCS),
        ("config.code.title", "Code"),
        (
            "config.code.description",
            "Der Rumpf einer asynchronen Funktion, die `input` liest und die Ausgabe zurückgibt.",
        ),
        ("config.input.title", "Eingabe"),
        ("config.input.description", "Was `input` im Code ist; ohne Angabe, was am Knoten ankommt."),
        ("config.time_limit.title", "Zeitgrenze"),
        ("config.time_limit.description", "Wie lange der Code laufen darf, etwa `2s`."),
        ("config.memory_limit.title", "Speichergrenze"),
        ("config.memory_limit.description", "Wie viel Speicher der Code belegen darf, in MiB."),
        ("config.keep_console.title", "Konsole behalten"),
        (
            "config.keep_console.description",
            "Ob die Ausgabe ein Objekt aus dem Ergebnis und dem ist, was der Code auf seine Konsole schreibt.",
        ),
    ],
    aliases: &["code", "skript", "funktion", "programm", "eigener code", "umformen"],
};

const JS_DOCS: &str = "\
Führt JavaScript aus. Der Code ist der Rumpf einer asynchronen Funktion: Er liest `input`, und was er zurückgibt, ist die
Ausgabe. `input` ist, was am Knoten ankommt, oder was `config.input` ergibt; mehr sieht der Code vom Lauf nicht, und keine
Geheimnisse.

```yaml
type: code.js@1
config:
  code: |
    const total = input.lines.reduce((sum, line) => sum + line.price * line.quantity, 0);
    console.log('order', input.id, 'is worth', total);
    if (total < 0) throw Object.assign(new Error('negative total'), { code: 'ORDER_INVALID' });
    return { ...input, total };
```

Der Code läuft in einem eigenen Prozess, der nichts erreichen kann: keine Dateien, kein Netz, keine Module, keine Wecker und
nichts von einem anderen Lauf. Die ganze Sprache JavaScript ist da (ES2023), dazu `console`, `crypto.randomUUID` und
`crypto.getRandomValues`. Die Uhr steht auf dem Beginn der Knotenausführung, in UTC, und der Zufall kommt aus einem Anfangswert
der Knotenausführung: Der Code gibt für dieselbe Eingabe dieselbe Ausgabe, so oft er auch wiederholt wird. Für Geheimnisse
taugt dieser Zufall nicht.

Die Ausgabe ist, was `JSON.stringify` aus dem Rückgabewert macht: `undefined` wird null, Zeitpunkte werden Texte. Ganze Zahlen
über 2^53 verlieren im Code Stellen. Was der Code wirft, lässt den Knoten fehlschlagen, mit Zeile und Spalte; eine Eigenschaft
`code` wie `ORDER_INVALID` wird der Code des Fehlers, sonst ist er `CODE_THREW`.

`console` schreibt in das Protokoll des Versuchs, das beim Lauf bleibt, auch wenn der Code fehlschlägt: bis zu 1.000 Zeilen und
64 KiB. Das Protokoll des Servers bekommt davon die ersten 100 Zeilen, auf 2.000 Zeichen gekürzt. Für Code, dessen Zeilen andere
Knoten brauchen, gibt es `keep_console: true`: Dann ist die Ausgabe `{result, console, console_dropped}`.

Grenzen: 10 s und 64 MiB, wenn der Knoten nichts anderes sagt, 256 KiB Code, 16 MiB Eingabe und Ausgabe; Server und
Arbeitsbereiche können andere setzen. Fehler: `CODE_THREW`, `CODE_SYNTAX`, `CODE_TIME_LIMIT`, `CODE_MEMORY_LIMIT`,
`CODE_NEVER_ENDS`, `CODE_INPUT_TOO_LARGE`, `CODE_INPUT_INVALID`, `CODE_OUTPUT_TOO_LARGE`, `CODE_OUTPUT_INVALID`, `CODE_KILLED`,
wenn das System den Prozess beendet hat, und `SANDBOX_UNAVAILABLE`, das noch einmal versucht wird, wenn gar kein Code
ausgeführt werden kann.";
