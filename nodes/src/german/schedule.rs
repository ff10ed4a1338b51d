//! The node that the clock starts.

use engine::catalog::Translation;

pub(crate) const SCHEDULE: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Zeitplan"),
        ("summary", "Startet einen Lauf zu festen Zeiten."),
        ("docs", DOCS),
        ("config.cron.title", "Cron-Ausdruck"),
        (
            "config.cron.description",
            "Minute, Stunde, Tag des Monats, Monat, Wochentag, etwa `0 9 * * MON-FRI`; davor auf Wunsch Sekunden.",
        ),
        ("config.every.title", "Alle"),
        (
            "config.every.description",
            "Statt eines Cron-Ausdrucks: ein Abstand von mindestens einer Sekunde, etwa `15m`.",
        ),
        ("config.anchor.title", "Gezählt ab"),
        (
            "config.anchor.description",
            "Ein Zeitpunkt mit Zeitzone, ab dem der Abstand zählt; ohne Angabe der 1.1.1970 in UTC.",
        ),
        ("config.timezone.title", "Zeitzone"),
        ("config.timezone.description", "Ein Name der IANA-Liste, etwa `Europe/Berlin`."),
        ("config.catch_up.title", "Verpasste Zeiten"),
        (
            "config.catch_up.description",
            "`skip` lässt sie aus, `last` startet einen Lauf für die letzte, `all` einen für jede.",
        ),
        ("config.catch_up_most.title", "Höchstens nachgeholt"),
        ("config.catch_up_most.description", "Für wie viele der letzten verpassten Zeiten `all` Läufe startet."),
        ("config.overlap.title", "Während der letzte Lauf läuft"),
        (
            "config.overlap.description",
            "`allow` startet einen weiteren, `skip` lässt die Zeit aus, `queue` wartet auf das Ende, `cancel` bricht den Lauf davor ab.",
        ),
        ("config.jitter.title", "Streuung in Sekunden"),
        (
            "config.jitter.description",
            "Jede Zeit löst bis zu so viel später aus, damit nicht alle Zeitpläne zugleich auslösen.",
        ),
        ("config.input.title", "Eingabe"),
        ("config.input.description", "Bekommt jeder Lauf als `input` mit."),
    ],
    aliases: &["cron", "uhrzeit", "intervall", "täglich", "stündlich", "regelmäßig", "zeitplan"],
};

const DOCS: &str = "\
Startet einen Lauf zu festen Zeiten, solange eine Version des Workflows ausgerollt ist: nach `cron`, oder in festem Abstand
mit `every`. Die Ausgabe ist der Zeitpunkt:

| Feld | was |
|---|---|
| `scheduled_at` | die Zeit, die die Regel nennt, in UTC |
| `local_time` | dieselbe in der Zeitzone |
| `timezone` | der Name der Zeitzone |
| `input` | was die Einstellungen dort sagen, oder null |

Ein Cron-Ausdruck hat fünf Felder (Minute, Stunde, Tag des Monats, Monat, Wochentag), davor auf Wunsch Sekunden. Namen
(`MON`, `JAN`), Listen, Bereiche und Schritte gehen, `L` ist der letzte Tag des Monats, `5L` der letzte Freitag, `1#2` der
zweite Montag. Sind beide Tage eingeschränkt, genügt einer.

Zeitumstellung: Eine feste Zeit, die es nicht gibt, löst im ersten Moment nach der Lücke aus, eine doppelte beim ersten
Mal. Ausdrücke mit mehreren Zeiten am Tag (`*/15 * * * *`) lösen zu jeder Zeit aus, die es gibt, auch zweimal. `every`
zählt die wirklich vergangene Zeit.

Eine Zeit, die 60 Sekunden lang oder bis zur nächsten niemand sah, ist verpasst; `catch_up` sagt, was aus ihr wird. Jede
Zeit, die keinen Lauf startet, hinterlässt ein Ereignis mit dem Grund.

```yaml
type: trigger.schedule@1
config:
  cron: '0 9 * * MON-FRI'
  timezone: Europe/Berlin
  catch_up: last
  overlap: skip
```";
