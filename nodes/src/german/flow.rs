//! Nodes that decide where a run goes and when.

use engine::catalog::Translation;

pub(crate) const FAIL: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Fehlschlagen"),
        ("summary", "Schlägt mit eigenem Code und eigener Meldung fehl."),
        ("docs", FAIL_DOCS),
        ("config.code.title", "Code"),
        (
            "config.code.description",
            "Ein festes Wort für Programme: Großbuchstaben, Ziffern und Unterstriche, höchstens 64.",
        ),
        ("config.message.title", "Meldung"),
        ("config.message.description", "Was schiefgegangen ist, für Menschen."),
    ],
    aliases: &["fehler", "abbrechen", "stopp", "beenden", "ausnahme", "werfen"],
};

const FAIL_DOCS: &str = "\
Schlägt mit eigenem Code und eigener Meldung fehl. Der Fehler ist endgültig: Er wird nicht noch einmal versucht. Er beendet
den Lauf als FAILED, wenn keine Kante vom Port `error` des Knotens ausgeht.

```yaml
type: flow.fail@1
config:
  code: ORDER_EMPTY
  message: 'Order {{ input.id }} has no lines.'
```";

pub(crate) const IF: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Wenn"),
        ("summary", "Gibt die Eingabe auf einem von zwei Wegen weiter."),
        ("docs", IF_DOCS),
        ("config.condition.title", "Bedingung"),
        ("config.condition.description", "Welcher Weg: true oder false."),
    ],
    aliases: &["bedingung", "verzweigung", "sonst", "entscheidung", "weiche", "falls"],
};

const IF_DOCS: &str = "\
Gibt die Eingabe durch den Port `true` oder `false` weiter, je nach `condition`. Der andere Weg wird übersprungen und alles,
was nur von ihm gespeist wird. Die Bedingung muss `true` oder `false` ergeben; null und Zahlen sind Fehler, damit ein
verschriebenes Feld nicht unbemerkt einen Weg wählt.

```yaml
type: flow.if@1
config:
  condition: '{{ input.total > 1000 }}'
```

Kanten gehen von `<key>.true` und `<key>.false` aus.";

pub(crate) const MERGE: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Zusammenführen"),
        ("summary", "Macht einen Wert aus dem, was mehrere Knoten gegeben haben."),
        ("docs", MERGE_DOCS),
        ("config.mode.title", "Art"),
        ("config.mode.description", "Wie aus den Quellen ein Wert wird."),
        ("config.key.title", "Schlüssel"),
        (
            "config.key.description",
            "Für `join_by_key`: das Feld, dessen Wert Objekte verschiedener Quellen gemeinsam haben.",
        ),
        ("config.order.title", "Reihenfolge"),
        (
            "config.order.description",
            "Schlüssel von Knoten, die zuerst kommen, in dieser Reihenfolge; die übrigen folgen nach ihrem Schlüssel.",
        ),
    ],
    aliases: &["verbinden", "vereinigen", "anhängen", "kombinieren", "sammeln", "nachschlagen"],
};

const MERGE_DOCS: &str = "\
Nimmt beliebig viele Kanten und macht einen Wert aus dem, was ankommt. Übersprungene Quellen bleiben weg. Quellen haben eine
Reihenfolge: zuerst die in `order`, wie dort aufgeführt, dann die übrigen nach dem Schlüssel ihres Knotens.

| mode | erwartet | ergibt |
|---|---|---|
| `object` (Vorgabe) | beliebiges | ein Objekt: Schlüssel des Knotens → Wert |
| `append` | Listen | eine Liste: die Einträge der ersten Quelle, dann die der nächsten |
| `zip` | gleich lange Listen | eine Liste von Objekten: Eintrag `i` ist Schlüssel → Eintrag `i` dieser Quelle |
| `join_by_key` | Listen von Objekten | eine Liste: Objekte mit gleichem Wert im Feld `key` werden eines |
| `first` | beliebiges | der Wert der ersten Quelle, die angekommen ist |

`join_by_key` beginnt mit den Einträgen der ersten Quelle. Aus jeder weiteren Quelle werden die Felder eines Eintrags über
die aller bisherigen Einträge mit gleichem Schlüssel gelegt; ein Eintrag ohne Gegenstück kommt ans Ende. Schlüssel sind als
Zahlen (1 und 1.0) oder als Texte gleich, nie über Kreuz. In der ersten Quelle darf sich ein Schlüssel wiederholen; in einer
weiteren ist das ein Fehler (`MERGE_KEY_REPEATED`), ebenso ein Eintrag, dessen Schlüssel fehlt oder null ist. Hat etwas eine
andere Form als erwartet, ist das der Fehler `MERGE_SHAPE`, der Quelle und Stelle nennt.

```yaml
type: flow.merge@1
config:
  mode: join_by_key
  key: customer_id
  order: [orders, customers]
```

`orders` `[{\"customer_id\": 1, \"total\": 5}]` und `customers` `[{\"customer_id\": 1, \"name\": \"Ada\"}]` ergeben
`[{\"customer_id\": 1, \"name\": \"Ada\", \"total\": 5}]`.";

pub(crate) const WAIT: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Warten"),
        ("summary", "Wartet eine Zeit lang, bis zu einem Zeitpunkt oder auf ein Signal."),
        ("docs", WAIT_DOCS),
        ("config.for.title", "Dauer"),
        ("config.for.description", "Wie lange, etwa `30s`, `1h30m` oder `2d`; höchstens zehn Jahre."),
        ("config.until.title", "Zeitpunkt"),
        ("config.until.description", "Eine Zeit mit Zone, etwa `2030-01-31T09:00:00+01:00`."),
        ("config.signal.title", "Signal"),
        ("config.signal.description", "Eine Nachricht von außen."),
        ("config.signal.name.title", "Name"),
        ("config.signal.name.description", "Der Name des Signals."),
        ("config.signal.key.title", "Schlüssel"),
        (
            "config.signal.key.description",
            "Unterscheidet Warten auf denselben Namen, etwa durch die Nummer einer Bestellung.",
        ),
        ("config.signal.timeout.title", "Frist"),
        ("config.signal.timeout.description", "Wie lange gewartet wird, etwa `3d`; ohne Angabe für immer."),
    ],
    aliases: &["verzögern", "pause", "zeit", "signal", "rückruf", "schlafen", "frist"],
};

const WAIT_DOCS: &str = "\
Wartet dauerhaft: Der Lauf darf inzwischen den Speicher verlassen und der Server neu starten. Genau eines von

- `for`: eine Dauer wie `30s` oder `1h30m`, vom Start des Knotens an gerechnet;
- `until`: eine Zeit mit Zone wie `2030-01-31T09:00:00+01:00`; ist sie vorbei, wird nicht gewartet;
- `signal`: eine Nachricht von außen mit einem Namen `name` und, wo mehrere Läufe auf denselben Namen warten, einem
  Schlüssel `key`.

Nach `for` und `until` verlässt die Eingabe den Knoten durch `out`. Der Inhalt eines Signals verlässt ihn durch `out`;
vergeht `timeout` ohne Signal, verlässt ihn die Eingabe durch `timeout`.

```yaml
type: flow.wait@1
config:
  signal:
    name: payment_received
    key: '{{ input.order_id }}'
    timeout: 3d
```";

pub(crate) const SWITCH: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Weiche"),
        ("summary", "Schickt seine Eingabe auf einen von mehreren Wegen."),
        ("docs", SWITCH_DOCS),
        ("config.value.title", "Wert"),
        ("config.value.description", "Womit das `equals` der Fälle verglichen wird."),
        ("config.cases.title", "Fälle"),
        ("config.cases.description", "Die Wege, von denen der erste passende genommen wird."),
        ("config.cases.*.title", "Fall"),
        ("config.cases.*.description", "Ein Weg und wann er genommen wird."),
        ("config.cases.*.port.title", "Port"),
        ("config.cases.*.port.description", "Der Name des Ports, eine Konstante: Kleinbuchstaben, Ziffern und `_`."),
        ("config.cases.*.when.title", "Wenn"),
        ("config.cases.*.when.description", "Der Weg wird genommen, wenn das true ist."),
        ("config.cases.*.equals.title", "Gleich"),
        ("config.cases.*.equals.description", "Der Weg wird genommen, wenn der Wert diesem gleich ist."),
    ],
    aliases: &["fall", "verzweigung", "entscheidung", "bedingung", "sonst", "auswahl"],
};

const SWITCH_DOCS: &str = "\
Gibt seine Eingabe durch den Port des ersten Falls weiter, der passt, und durch `else`, wenn keiner passt. Die anderen Wege
werden übersprungen, samt allem, was nur sie speisen. Ein Fall passt, wenn sein `when` true ist oder wenn `value` seinem
`equals` gleich ist: Zahlen nach ihrem Wert, Texte Zeichen für Zeichen, nie über Kreuz. Die Fälle werden der Reihe nach
angesehen und nach dem passenden keiner mehr. Ein `when`, das weder true noch false ergibt, ist der Fehler
`CONDITION_NOT_BOOLEAN`. Zwei Fälle dürfen denselben Port haben.

```yaml
type: flow.switch@1
config:
  value: '{{ input.country }}'
  cases:
    - { port: home, equals: AT }
    - { port: neighbors, equals: DE }
    - { port: large, when: '{{ input.total > 1000 }}' }
```

Kanten gehen von `<key>.home`, `<key>.neighbors`, `<key>.large` und `<key>.else` aus.";

pub(crate) const LOG: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Protokollzeile"),
        ("summary", "Schreibt eine Zeile, die beim Lauf bleibt."),
        ("docs", LOG_DOCS),
        ("config.level.title", "Stufe"),
        ("config.level.description", "Wie wichtig die Zeile ist."),
        ("config.message.title", "Nachricht"),
        ("config.message.description", "Die Zeile, für Menschen."),
        ("config.fields.title", "Felder"),
        ("config.fields.description", "Werte, die dazugehören, nach Namen."),
    ],
    aliases: &["ausgabe", "meldung", "notiz", "protokoll", "mitschrift"],
};

const LOG_DOCS: &str = "\
Schreibt eine Zeile: Stufe, Nachricht und Felder. Sie bleibt als Ausgabe des Knotens `{level, message, fields, at}` beim Lauf
und ist dort zu lesen, wo die Ausgaben eines Laufs sind; `at` ist die Zeit des Versuchs. Der Server schreibt sie auch in sein
eigenes Protokoll, mit den Kennungen von Lauf und Knoten, gekürzt auf 2.000 Zeichen und ohne die Felder; nach einem Absturz
kann sie dort zweimal stehen. Eine Nachricht hat höchstens 16 KiB.

```yaml
type: log.write@1
config:
  level: warn
  message: 'Order {{ input.id }} has no address.'
  fields:
    customer: '{{ input.customer }}'
```

Die Eingabe wird nicht weitergegeben: Die Protokollzeile gehört an einen Nebenweg, oder spätere Knoten lesen
`nodes.<key>.output` des Knotens davor.";
