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
