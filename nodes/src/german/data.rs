//! Nodes that shape data.

use engine::catalog::Translation;

pub(crate) const AGGREGATE: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Zusammenfassen"),
        ("summary", "Zählt, summiert und gruppiert die Einträge einer Liste."),
        ("docs", AGGREGATE_DOCS),
        ("config.items.title", "Einträge"),
        ("config.items.description", "Die Liste, die zusammengefasst wird; ohne Angabe die Eingabe des Knotens."),
        ("config.group_by.title", "Gruppieren nach"),
        (
            "config.group_by.description",
            "Wird je Eintrag ausgewertet, als `item` mit seiner Stelle `index`; Einträge mit gleichem Wert bilden eine \
             Gruppe. Ohne Angabe bilden alle Einträge eine Gruppe.",
        ),
        ("config.values.title", "Werte"),
        ("config.values.description", "Was berechnet wird, unter den Namen, die die Ergebnisse tragen sollen."),
        ("config.values.*.title", "Wert"),
        ("config.values.*.description", "Ein Ergebnis: eine Operation und wovon sie genommen wird."),
        ("config.values.*.op.title", "Operation"),
        ("config.values.*.op.description", "Wie aus den Werten der Einträge einer wird. Eine Konstante."),
        ("config.values.*.of.title", "Wovon"),
        (
            "config.values.*.of.description",
            "Wird je Eintrag ausgewertet, als `item` mit seiner Stelle `index`; null wird übergangen. `count` ohne \
             Angabe zählt die Einträge.",
        ),
    ],
    aliases: &["gruppieren", "summe", "anzahl", "durchschnitt", "statistik", "auswerten", "aggregieren"],
};

const AGGREGATE_DOCS: &str = "\
Berechnet Werte über eine Liste: ein Objekt über alle Einträge oder, mit `group_by`, eine Liste von Objekten
`{group, …Werte}`, eines je verschiedenem Wert dieses Ausdrucks. Die Gruppen sind sortiert: null, false, true, Zahlen nach
Größe, Texte nach Zeichen, Listen, Objekte; 1 und 1.0 sind eine Gruppe.

Jeder Eintrag von `values` hat eine Operation `op` und einen Ausdruck `of`, der je Eintrag der Liste als `item`, mit seiner
Stelle als `index`, ausgewertet wird:

| op | ergibt | ohne Werte |
|---|---|---|
| `count` | die Anzahl der Einträge; mit `of` die Anzahl der Werte | 0 |
| `count_distinct` | die Anzahl verschiedener Werte | 0 |
| `sum` | genau bei ganzen Zahlen, die in 64 Bit passen, sonst eine Gleitkommazahl | null |
| `avg` | die Summe durch die Anzahl | null |
| `min`, `max` | die kleinste oder größte Zahl, oder der erste oder letzte Text | null |
| `first`, `last` | nach der Reihenfolge der Liste | null |
| `list` | alle Werte der Reihe nach | `[]` |

Null ist kein Wert: Jede Operation übergeht sie, wie in SQL.

```yaml
type: data.aggregate@1
config:
  items: '{{ input.rows }}'
  group_by: '{{ item.country }}'
  values:
    cities: { op: count }
    people: { op: sum, of: '{{ item.population }}' }
    largest: { op: max, of: '{{ item.population }}' }
```

ergibt `[{\"group\": \"Austria\", \"cities\": 5, \"largest\": 1973403, \"people\": 2900000}, …]`.";

pub(crate) const FILTER: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Filtern"),
        ("summary", "Behält die Einträge einer Liste, die eine Bedingung erfüllen."),
        ("docs", FILTER_DOCS),
        ("config.items.title", "Einträge"),
        ("config.items.description", "Die Liste, die durchgesehen wird; ohne Angabe die Eingabe des Knotens."),
        ("config.condition.title", "Bedingung"),
        (
            "config.condition.description",
            "Wird je Eintrag ausgewertet, als `item` mit seiner Stelle `index`; bei true bleibt der Eintrag.",
        ),
        ("config.limit.title", "Höchstzahl"),
        ("config.limit.description", "So viele Einträge bleiben höchstens; ohne Angabe alle passenden."),
    ],
    aliases: &["filter", "auswählen", "suchen", "bedingung", "begrenzen", "nur", "entfernen"],
};

const FILTER_DOCS: &str = "\
Behält die Einträge einer Liste, für die `condition` true ergibt, in ihrer Reihenfolge. Die Bedingung sieht den Eintrag als
`item` und seine Stelle, von 0 an, als `index`. Sie muss `true` oder `false` ergeben: Alles andere, auch null, ist ein
Fehler, der die Stelle nennt. `limit` hört nach so vielen behaltenen Einträgen auf; spätere werden nicht angesehen.

```yaml
type: data.filter@1
config:
  items: '{{ input.rows }}'
  condition: '{{ item.magnitude >= 4.5 && item.place != null }}'
  limit: 100
```

Die Ausgabe ist die Liste der behaltenen Einträge.";

pub(crate) const SET: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Setzen"),
        ("summary", "Bildet einen Wert aus Konstanten und Ausdrücken."),
        ("docs", SET_DOCS),
        ("config.value.title", "Wert"),
        ("config.value.description", "Die ganze Ausgabe: beliebiges JSON, überall darin sind Ausdrücke möglich."),
        ("config.fields.title", "Felder"),
        ("config.fields.description", "Die Felder der Ausgabe, nach Namen."),
        ("config.keep_input.title", "Eingabe behalten"),
        ("config.keep_input.description", "Legt die Felder über die der Eingabe, statt mit nichts zu beginnen."),
    ],
    aliases: &["zuweisen", "felder", "umformen", "variable", "objekt", "konstante", "abbilden"],
};

const SET_DOCS: &str = "\
Bildet einen Wert: entweder `value`, das ist die ganze Ausgabe, oder `fields`, das ist ein Objekt. Mit `keep_input` werden
die Felder über die der Eingabe gelegt, die dann ein Objekt sein muss; haben beide ein Feld, gilt das neue. Nur die erste
Ebene wird zusammengeführt.

```yaml
type: data.set@1
config:
  keep_input: true
  fields:
    total: '{{ input.price * input.quantity }}'
    label: 'Order {{ input.id }}'
```

Die Eingabe `{\"id\": 7, \"price\": 2.5, \"quantity\": 4}` ergibt
`{\"id\": 7, \"label\": \"Order 7\", \"price\": 2.5, \"quantity\": 4, \"total\": 10}`.";
