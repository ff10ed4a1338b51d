//! The node that asks GraphQL servers.

use engine::catalog::Translation;

pub(crate) const GRAPHQL: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "GraphQL"),
        ("summary", "Fragt einen GraphQL-Server."),
        ("docs", DOCS),
        ("config.url.title", "URL"),
        ("config.url.description", "Der Endpunkt, mit http:// oder https://."),
        ("config.query.title", "Dokument"),
        ("config.query.description", "Abfragen und Änderungen, eine Konstante; Daten kommen über Variablen hinein."),
        ("config.variables.title", "Variablen"),
        ("config.variables.description", "Werte der Variablen, nach Namen."),
        ("config.operation_name.title", "Operation"),
        ("config.operation_name.description", "Welche Operation ausgeführt wird, wenn das Dokument mehrere hat."),
        ("config.errors.title", "Fehler in der Antwort"),
        (
            "config.errors.description",
            "Der Knoten schlägt fehl, die Antwort verlässt ihn durch `partial`, oder sie gilt wie ohne Fehler.",
        ),
        ("config.headers.title", "Kopfzeilen"),
        ("config.headers.description", "Namen und Werte; ein Wert null bleibt weg."),
        ("config.timeout.title", "Frist"),
        (
            "config.timeout.description",
            "Wie lange auf die ganze Antwort gewartet wird, etwa `10s`; höchstens so lange wie der Versuch.",
        ),
        ("config.idempotency_header.title", "Kopfzeile für Wiederholungen"),
        (
            "config.idempotency_header.description",
            "Die Kopfzeile, an der der Dienst einen wiederholten Aufruf erkennt. Nur angeben, wenn er sie beachtet.",
        ),
    ],
    aliases: &["abfrage", "schnittstelle", "mutation", "dienst", "api"],
};

const DOCS: &str = "\
Sendet eine Operation an einen GraphQL-Server und ergibt `{data, errors, extensions}`.

```yaml
type: http.graphql@1
connection: shop
config:
  url: https://api.example.com/graphql
  query: |
    query Order($id: ID!) {
      order(id: $id) { number total }
    }
  variables:
    id: '{{ input.id }}'
```

Das Dokument ist eine Konstante: Ein Ausdruck darin ist der Fehler `EXPRESSION_NOT_ALLOWED_HERE`, so dass keine Daten die
Abfrage verändern. Werte kommen über `variables` hinein.

**Fehler in der Antwort.** Mit `errors: fail` (Vorgabe) schlägt der Knoten mit `GRAPHQL_ERRORS` und den Meldungen fehl. Mit
`partial` verlässt eine Antwort mit Fehlern den Knoten durch den Port `partial`, samt den Daten, die es gibt. Mit `allow`
verlässt sie ihn durch `out`. Ein Fehler ohne Daten, weil der Server die Anfrage nicht ausgeführt hat, schlägt immer fehl.

**Wiederholungen.** Ein Dokument, das nur Abfragen enthält, darf wiederholt werden. Eines mit einer `mutation` nicht, außer
`idempotency_header` nennt eine Kopfzeile, an der der Server eine Wiederholung erkennt. Eine `subscription` wird abgelehnt.

**Andere Fehler** sind die von `http.request`, dazu `GRAPHQL_ANSWER_INVALID`, wenn die Antwort keine von GraphQL ist. Auch
Zugangsdaten, Adressen und Größen werden behandelt wie dort.";
