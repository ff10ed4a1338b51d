//! Nodes that publish events, and those that what happens inside starts.

use engine::catalog::Translation;

pub(crate) const PUBLISH: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Ereignis melden"),
        ("summary", "Sagt anderen Workflows, dass etwas geschehen ist."),
        ("docs", PUBLISH_DOCS),
        ("config.subject.title", "Betreff"),
        ("config.subject.description", "Was geschehen ist, als Wörter mit Punkten dazwischen, etwa `order.paid`."),
        ("config.data.title", "Daten"),
        ("config.data.description", "Was die Zuhörer bekommen; ohne Angabe die Eingabe des Knotens."),
    ],
    aliases: &["senden", "benachrichtigen", "veröffentlichen", "nachricht", "thema", "betreff", "ereignis"],
};

const PUBLISH_DOCS: &str = "\
Meldet ein Ereignis den Workflows des Projekts, deren `trigger.event` auf seinen Betreff hört, und denen anderer Projekte,
die Ereignisse des ganzen Arbeitsbereichs verlangen, in derselben Umgebung. Die Ausgabe ist das Ereignis `{id, subject, data,
published_at}`; `id` bleibt gleich, so oft der Knoten auch versucht wird.

Das Ereignis wird in dem Commit gemeldet, der das Ergebnis des Knotens speichert. Jeder Auslöser, der es hört, startet also
genau einen Lauf dafür, was auch immer inzwischen abstürzt. Ein Testlauf meldet nichts, ebenso wenig ein Ergebnis, das aus
einem früheren Lauf übernommen wird. Die Daten haben höchstens 1 MiB. In einem `for_each` ist jedes Element ein Ereignis.

```yaml
type: event.publish@1
config:
  subject: order.paid
  data:
    id: '{{ input.id }}'
    total: '{{ input.total }}'
```

Läufe, die einander so starten, enden nach zehn in einer Reihe; der Start, der einer zu viel wäre, hinterlässt ein Ereignis
mit dem Grund `LOOP`.";

pub(crate) const EVENT: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Ereignis"),
        ("summary", "Startet einen Lauf je Ereignis, das ein Workflow meldet."),
        ("docs", EVENT_DOCS),
        ("config.subject.title", "Betreff"),
        (
            "config.subject.description",
            "Welche Ereignisse: Wörter mit Punkten dazwischen; `*` ist irgendein Wort, `>` am Ende eines oder mehrere.",
        ),
        ("config.from.title", "Von"),
        ("config.from.description", "Wessen Ereignisse: die desselben Projekts oder des ganzen Arbeitsbereichs."),
        ("config.filter.title", "Filter"),
        (
            "config.filter.description",
            "Lässt einen Start zu, wenn er true ergibt: ein Ausdruck über `trigger`, etwa `{{ trigger.data.total > 100 }}`.",
        ),
    ],
    aliases: &["hören", "abonnieren", "nachricht", "thema", "betreff", "bei"],
};

const EVENT_DOCS: &str = "\
Startet einen Lauf je Ereignis, das ein Knoten `event.publish` in derselben Umgebung unter einem Betreff meldet, auf den er
hört: `order.paid` nennt einen Betreff, `*` steht für irgendein Wort (`order.*`), `>` am Ende für eines oder mehrere
(`order.>`). Ereignisse anderer Projekte des Arbeitsbereichs zählen, wenn `from` auf `workspace` steht.

`filter` ist ein Ausdruck, der `trigger` liest und true oder false ergibt; ein Ereignis, das er nicht zulässt, startet nichts
und hinterlässt nichts. Die Ausgabe ist das Ereignis:

| Feld | was |
|---|---|
| `id` | des Ereignisses; die Knotenausführung, die es gemeldet hat |
| `subject` | worunter es gemeldet wurde |
| `data` | was es mitbringt |
| `published_at` | wann |
| `run` | die id des Laufs, der es gemeldet hat |
| `workflow` | der Name des Workflows dieses Laufs |

```yaml
type: trigger.event@1
config:
  subject: order.>
  filter: '{{ trigger.data.total > 100 }}'
```

Jedes Ereignis startet genau einen Lauf jedes Auslösers, der es hört. Ein angehaltener Auslöser hinterlässt ein Ereignis mit
dem Grund `PAUSED`.";

pub(crate) const ERROR: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Fehlgeschlagener Lauf"),
        ("summary", "Startet einen Lauf, wenn ein Lauf eines anderen Workflows fehlschlägt."),
        ("docs", ERROR_DOCS),
        ("config.of.title", "Von"),
        (
            "config.of.description",
            "Wessen Fehlschläge: die des Projekts, des ganzen Arbeitsbereichs oder eines Workflows.",
        ),
        ("config.workflow.title", "Workflow"),
        ("config.workflow.description", "Der Name des Workflows im Projekt, wenn `of` auf `workflow` steht."),
        ("config.filter.title", "Filter"),
        (
            "config.filter.description",
            "Lässt einen Start zu, wenn er true ergibt: ein Ausdruck über `trigger`, etwa `{{ trigger.error.code == 'ORDER_EMPTY' }}`.",
        ),
    ],
    aliases: &["fehler", "fehlschlag", "auffangen", "alarm", "behandlung", "ausnahme"],
};

const ERROR_DOCS: &str = "\
Startet einen Lauf, wenn ein Lauf eines anderen Workflows in derselben Umgebung fehlschlägt oder seine Zeit überschreitet: im
Projekt, im ganzen Arbeitsbereich oder bei einem Workflow des Projekts. Abgebrochene Läufe und Testläufe zählen nicht, ebenso
wenig Fehlschläge des eigenen Workflows. Die Ausgabe:

| Feld | was |
|---|---|
| `run` | `{id, workflow, project, status, key, created_by, created_at, finished_at}` |
| `error` | `{code, message, node}` |

```yaml
type: trigger.error@1
config:
  of: project
```

Was der fehlgeschlagene Workflow als vertraulich kennzeichnet, ist in der Meldung verborgen. Jeder fehlgeschlagene Lauf startet
genau einen Lauf jedes Auslösers, der ihn hört.";

pub(crate) const WORKFLOW: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Beendeter Lauf"),
        ("summary", "Startet einen Lauf, wenn ein Lauf eines anderen Workflows endet."),
        ("docs", WORKFLOW_DOCS),
        ("config.workflow.title", "Workflow"),
        ("config.workflow.description", "Der Name des Workflows im Projekt."),
        ("config.statuses.title", "Geendet als"),
        ("config.statuses.description", "Wie der Lauf geendet hat; ohne Angabe jedes Ende."),
        ("config.filter.title", "Filter"),
        (
            "config.filter.description",
            "Lässt einen Start zu, wenn er true ergibt: ein Ausdruck über `trigger`, etwa `{{ trigger.output.count > 0 }}`.",
        ),
    ],
    aliases: &["danach", "kette", "folgen", "fertig", "beendet", "workflow"],
};

const WORKFLOW_DOCS: &str = "\
Startet einen Lauf, wenn ein Lauf eines anderen Workflows des Projekts in derselben Umgebung endet. Testläufe zählen nicht. Die
Ausgabe:

| Feld | was |
|---|---|
| `run` | `{id, workflow, project, status, key, created_by, created_at, finished_at}` |
| `output` | was der Lauf ergeben hat, bis 1 MiB; sonst null |
| `error` | `{code, message, node}` oder null |

```yaml
type: trigger.workflow@1
config:
  workflow: import-orders
  statuses: [SUCCEEDED]
```

Jeder Lauf, der endet, startet genau einen Lauf jedes Auslösers, der ihn hört. Kennzeichnen Sie im `input_schema` dieses
Workflows, was der andere als vertraulich behandelt: Seine Kennzeichen kommen mit der Ausgabe nicht mit.";
