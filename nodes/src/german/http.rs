//! Nodes that speak HTTP.

use engine::catalog::Translation;

pub(crate) const REQUEST: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "HTTP-Aufruf"),
        ("summary", "Ruft einen Dienst über HTTP auf."),
        ("docs", REQUEST_DOCS),
        ("config.method.title", "Methode"),
        ("config.method.description", "Was mit der Ressource geschehen soll."),
        ("config.url.title", "URL"),
        ("config.url.description", "Wohin der Aufruf geht, mit http:// oder https://."),
        ("config.headers.title", "Kopfzeilen"),
        ("config.headers.description", "Namen und Werte; ein Wert null bleibt weg."),
        ("config.query.title", "Parameter"),
        (
            "config.query.description",
            "Werden hinter die der URL gestellt; eine Liste wiederholt ihren Parameter, null lässt ihn weg.",
        ),
        ("config.body.title", "Inhalt"),
        ("config.body.description", "Wird als JSON gesendet; ohne Angabe oder bei null nichts."),
        ("config.response.title", "Antwort"),
        (
            "config.response.description",
            "Wie der Inhalt gelesen wird: als JSON (leer ergibt null) oder als Text in UTF-8, höchstens 16 MiB; oder als Datei beliebiger Größe aufgehoben. Mit gzip Gepacktes wird entpackt.",
        ),
        ("config.body_file.title", "Inhalt aus einer Datei"),
        (
            "config.body_file.description",
            "Statt `body`: eine Datei, etwa `{{ input.body }}` nach einem Webhook, der Dateien nimmt. Wird gesendet, wie sie ist, mit ihrem Typ.",
        ),
        ("config.form.title", "Formular"),
        (
            "config.form.description",
            "Statt `body`: Felder eines Formulars (multipart/form-data). Ein Wert ist ein Text, eine Zahl, eine Datei oder eine Liste davon.",
        ),
        ("config.file_name.title", "Dateiname"),
        (
            "config.file_name.description",
            "Bei `response: file`: wie die Datei heißt; ohne Angabe, was die Antwort oder die URL sagt.",
        ),
        ("config.timeout.title", "Frist"),
        (
            "config.timeout.description",
            "Wie lange auf die ganze Antwort gewartet wird, etwa `10s`; höchstens so lange wie der Versuch.",
        ),
        ("config.success.title", "Erfolg"),
        ("config.success.description", "Status, die kein Fehler sind: Zahlen wie 404 oder Klassen wie `4xx`."),
        ("config.idempotency_header.title", "Kopfzeile für Wiederholungen"),
        (
            "config.idempotency_header.description",
            "Die Kopfzeile, an der der Dienst einen wiederholten Aufruf erkennt, etwa `Idempotency-Key`. Nur angeben, \
             wenn der Dienst sie beachtet: Ein Aufruf mit unbekanntem Ausgang wird dann wiederholt.",
        ),
    ],
    aliases: &["schnittstelle", "aufruf", "anfrage", "abrufen", "dienst", "senden"],
};

const REQUEST_DOCS: &str = "\
Ruft einen Dienst über HTTP oder HTTPS auf. Die Ausgabe ist `{status, headers, body}`; Namen von Kopfzeilen sind klein
geschrieben, mehrere Kopfzeilen eines Namens durch Komma verbunden.

```yaml
type: http.request@1
config:
  method: POST
  url: 'https://api.example.com/orders/{{ input.id }}/payments'
  headers:
    Accept: application/json
  query:
    expand: [customer, lines]
  body:
    amount: '{{ input.total }}'
  timeout: 10s
  idempotency_header: Idempotency-Key
```

**Wiederholungen.** GET, HEAD, OPTIONS, PUT und DELETE dürfen wiederholt werden. POST, PATCH und eine Methode, die ein
Ausdruck ergibt, nicht, außer `idempotency_header` nennt eine Kopfzeile, an der der Dienst eine Wiederholung erkennt. Jeder
Aufruf, der etwas ändern kann, trägt in jedem Versuch denselben Schlüssel, als `Idempotency-Key` oder unter dem genannten
Namen.

**Fehler.** Ein neuer Versuch kann helfen: `HTTP_CONNECT` (nichts wurde gesendet) und `HTTP_STATUS` mit 408, 425, 429, 500,
502, 503 und 504, deren `Retry-After` beachtet wird. Niemand weiß, ob der Dienst gehandelt hat: `HTTP_TIMEOUT`,
`HTTP_CONNECTION_LOST`. Alle anderen sind endgültig: andere Status, `HTTP_BODY_NOT_JSON`, `HTTP_BODY_TOO_LARGE` (über
16 MiB), `HTTP_HOST_DENIED`.

**Dateien.** `response: file` hebt den Inhalt als Datei des Laufs auf, so groß er ist: `body` ist dann ihr Griff, den
`body_file` und `form` eines anderen Aufrufs weitersenden. Bytes gehen durch, wie sie kommen, und liegen nie als Ganzes im
Speicher.

**Spuren.** In einem verfolgten Lauf trägt ein Aufruf `traceparent` und `tracestate`; ein eigener `traceparent` geht vor.

**Wohin Aufrufe gehen dürfen.** Ins öffentliche Internet auf den Ports 80 und 443, und wohin der Betreiber es mit
`FLOWFORGE__HTTP__ALLOW_HOSTS` erlaubt. Bis zu fünf Weiterleitungen werden nach denselben Regeln befolgt, keine aber von
https zu http; andere Kopfzeilen als `Accept`, `Content-Type`, `User-Agent` und die für Wiederholungen gehen zu keinem
anderen Ursprung mit.";

pub(crate) const RESPOND: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Antworten"),
        ("summary", "Beantwortet die HTTP-Anfrage, die den Lauf gestartet hat."),
        ("docs", RESPOND_DOCS),
        ("config.status.title", "Status"),
        ("config.status.description", "Der HTTP-Status."),
        ("config.headers.title", "Kopfzeilen"),
        ("config.headers.description", "Namen und Werte; ein Wert null bleibt weg."),
        ("config.body.title", "Inhalt"),
        ("config.body.description", "Ein Text, oder alles andere als JSON; ohne Angabe leer."),
    ],
    aliases: &["antwort", "rückgabe", "erwidern", "status", "ergebnis"],
};

const RESPOND_DOCS: &str = "\
Beantwortet die HTTP-Anfrage, die den Lauf gestartet hat. Der Knoten selbst sendet nichts: Seine Ausgabe
`{status, headers, body}` wird mit dem Lauf gespeichert, und der Server, der die Verbindung des Aufrufers hält, antwortet
damit.

```yaml
type: http.respond@1
config:
  status: 201
  headers:
    Location: '/orders/{{ input.id }}'
  body:
    id: '{{ input.id }}'
    accepted: true
```

Ein Text in `body` wird gesendet, wie er ist, alles andere als JSON.";
