//! Nodes that open sessions with servers.

use engine::catalog::Translation;

pub(crate) const SQL: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "SQL"),
        ("summary", "Fragt und ändert eine Datenbank."),
        ("docs", SQL_DOCS),
        ("config.statement.title", "Anweisung"),
        (
            "config.statement.description",
            "Eine Anweisung im SQL der Datenbank, eine Konstante; Daten stehen für ihre Platzhalter.",
        ),
        ("config.parameters.title", "Parameter"),
        ("config.parameters.description", "Was für die Platzhalter steht, in ihrer Reihenfolge."),
        ("config.statements.title", "Anweisungen"),
        ("config.statements.description", "Mehrere Anweisungen statt einer, die zusammen gelten oder gar nicht."),
        ("config.statements.*.title", "Anweisung"),
        ("config.statements.*.description", "Eine Anweisung mit ihren Parametern."),
        ("config.statements.*.statement.title", "Anweisung"),
        (
            "config.statements.*.statement.description",
            "Eine Anweisung im SQL der Datenbank, eine Konstante; Daten stehen für ihre Platzhalter.",
        ),
        ("config.statements.*.parameters.title", "Parameter"),
        ("config.statements.*.parameters.description", "Was für die Platzhalter steht, in ihrer Reihenfolge."),
        ("config.read_only.title", "Nur lesen"),
        (
            "config.read_only.description",
            "Lässt die Datenbank Änderungen ablehnen. Ein solcher Knoten darf wiederholt werden.",
        ),
        ("config.max_rows.title", "Meiste Zeilen"),
        ("config.max_rows.description", "Mehr Zeilen als das sind ein Fehler."),
        ("config.timeout.title", "Frist"),
        ("config.timeout.description", "Wie lange alles dauern darf, etwa `10s`; höchstens so lange wie der Versuch."),
    ],
    aliases: &["datenbank", "abfrage", "tabelle", "lesen", "einfügen", "ändern"],
};

const SQL_DOCS: &str = "\
Führt eine Anweisung in PostgreSQL, MySQL, MariaDB oder SQLite aus, die `connection` nennt. Die Ausgabe ist
`{rows, affected}`: Zeilen sind Objekte nach Spalten, `affected` ist die Zahl der geänderten (oder gelesenen) Zeilen.

```yaml
type: sql.query@1
connection: shop_db
config:
  statement: select id, total from orders where customer = $1 and total > $2
  parameters: ['{{ input.customer }}', 100]
  read_only: true
```

**Nur Parameter.** Eine Anweisung ist eine Konstante: Ein Ausdruck darin ist der Fehler `EXPRESSION_NOT_ALLOWED_HERE`, so
dass keine Daten ein Teil von ihr werden. Daten stehen für ihre Platzhalter: `$1`, `$2` in PostgreSQL, `?` in den anderen.

**Transaktionen.** Eine Anweisung hat eine eigene Transaktion. `statements` nimmt mehrere `{statement, parameters}`, die
zusammen gelten oder gar nicht; dann ist die Ausgabe `{results}` mit `{rows, affected}` für jede. In MySQL gelten Änderungen
an Tabellen und in Tabellen ohne Transaktionen sofort.

**Typen.** Ganze Zahlen mit 64 Bit, Gleitkommazahlen, Wahrheitswerte und Texte sind sie selbst. Dezimalzahlen sind Zahlen, wo
eine Gleitkommazahl sie genau hält, sonst Texte. Zeiten mit Zone sind RFC 3339 in UTC; Zeiten ohne Zone, Tage und Uhrzeiten
ISO 8601; Bytes base64; JSON ist JSON; Listen von PostgreSQL sind Listen. Was keine Form hat, ist `SQL_TYPE_UNSUPPORTED`: in
Text umwandeln. Ein Parameter von PostgreSQL wird nach dem Typ seines Platzhalters gelesen; hat der keine Form, hilft
`$1::text::inet`.

**Grenzen.** `max_rows` Zeilen (1.000 ohne Angabe, höchstens 100.000), 16 MiB als JSON, `timeout`. Mehr ist ein Fehler, nie
ein Teil des Ergebnisses.

**Wiederholungen.** Mit `read_only: true` lehnt die Datenbank Änderungen ab, und die Anweisung darf wiederholt werden. Sonst
wird ein Versuch mit unbekanntem Ausgang nicht wiederholt, außer `on_uncertain` sagt es.

**Fehler.** Ein neuer Versuch kann helfen: `SQL_CONNECT`, `SQL_CONFLICT` (Verklemmung, gesperrt), `SQL_TIMEOUT` und
`SQL_CONNECTION_LOST` vor dem Ende der Transaktion. Niemand weiß, ob es getan ist: die letzten beiden an ihrem Ende, in MySQL
jederzeit. Endgültig: `SQL_HOST_DENIED`, `SQL_FILE_DENIED`, `SQL_TLS`, `SQL_SIGN_IN`, `SQL_REFUSED`, `SQL_CONSTRAINT`,
`SQL_PARAMETER_INVALID`, `SQL_TYPE_UNSUPPORTED`, `SQL_COLUMN_REPEATED`, `SQL_TOO_MANY_ROWS`, `SQL_RESULT_TOO_LARGE`.

**Wohin es gehen darf.** Wie bei `http.request`, dazu die Ports 5432 und 3306. SQLite-Dateien liegen unter dem Ordner, den
der Betreiber mit `FLOWFORGE__HTTP__SQLITE_FOLDER` öffnet; ohne Angabe gibt es keinen.";

pub(crate) const REDIS: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Redis"),
        ("summary", "Sendet einen Befehl an Redis."),
        ("docs", REDIS_DOCS),
        ("config.command.title", "Befehl"),
        ("config.command.description", "Was zu tun ist. Eine Konstante."),
        ("config.arguments.title", "Argumente"),
        ("config.arguments.description", "Seine Argumente in ihrer Reihenfolge: Schlüssel, Werte, Optionen."),
        ("config.response.title", "Antwort"),
        ("config.response.description", "Ob Texte der Antwort als UTF-8 gelesen oder in base64 gegeben werden."),
        ("config.timeout.title", "Frist"),
        (
            "config.timeout.description",
            "Wie lange auf die Antwort gewartet wird, etwa `5s`; höchstens so lange wie der Versuch.",
        ),
    ],
    aliases: &["zwischenspeicher", "zähler", "schlüssel", "warteschlange", "speicher"],
};

const REDIS_DOCS: &str = "\
Sendet einen Befehl an Redis oder Valkey, die `connection` nennt, und gibt die Antwort: Texte, ganze Zahlen, null, Listen;
Zuordnungen sind Objekte. `OK` ist ein Text.

```yaml
type: redis.command@1
connection: cache
config:
  command: SET
  arguments: ['order:{{ input.id }}', '{{ input.total }}', EX, 3600]
```

Der Befehl ist eine Konstante aus der Liste unten; Argumente sind Texte, Zahlen und Wahrheitswerte und werden gesendet, wie
sie sind, so dass Daten nie ein anderer Befehl werden. Befehle, die warten, Programme ausführen, alle Schlüssel sehen oder
den Server verwalten, stehen nicht darauf.

**Bytes.** `response: text` (Vorgabe) liest Antworten als UTF-8, andere Bytes sind der Fehler `REDIS_NOT_TEXT`.
`response: base64` gibt jeden Text der Antwort in base64. Argumente haben höchstens 8 MiB, eine Antwort 16 MiB.

**Wiederholungen.** Befehle, die nur lesen, und solche, die dasselbe hinterlassen, so oft sie auch kommen (`DEL`, `HSET`,
`SADD`, `SETEX`, …, und `SET` mit Schlüssel und Wert allein), dürfen wiederholt werden. Die anderen (`INCR`, `LPUSH`,
`PUBLISH`, `SET` mit Optionen, …) nicht, wenn niemand weiß, ob sie ausgeführt wurden.

**Fehler.** Ein neuer Versuch kann helfen: `REDIS_CONNECT`, `REDIS_UNAVAILABLE`. Niemand weiß, ob es getan ist:
`REDIS_TIMEOUT`, `REDIS_CONNECTION_LOST`. Endgültig: `REDIS_HOST_DENIED`, `REDIS_TLS`, `REDIS_SIGN_IN`, `REDIS_REFUSED`,
`REDIS_NOT_TEXT`, `REDIS_ANSWER_TOO_LARGE`.

**Wohin es gehen darf.** Wie bei `http.request`, dazu die Ports 6379 und 6380.";

pub(crate) const MAIL: Translation = Translation {
    language: "de",
    messages: &[
        ("title", "Mail senden"),
        ("summary", "Sendet eine Mail per SMTP."),
        ("docs", MAIL_DOCS),
        ("config.to.title", "An"),
        ("config.to.description", "Wer sie bekommt: eine Adresse oder eine Liste von Adressen."),
        ("config.subject.title", "Betreff"),
        ("config.subject.description", "Eine Zeile."),
        ("config.text.title", "Text"),
        ("config.text.description", "Die Mail als reiner Text."),
        ("config.html.title", "HTML"),
        ("config.html.description", "Die Mail als HTML. Was von anderen kommt, gehört maskiert."),
        ("config.attachments.title", "Anhänge"),
        ("config.attachments.description", "Dateien, die mitgehen."),
        ("config.attachments.*.title", "Anhang"),
        ("config.attachments.*.description", "Eine Datei."),
        ("config.attachments.*.name.title", "Name"),
        ("config.attachments.*.name.description", "Ihr Name, ohne Ordner."),
        ("config.attachments.*.media_type.title", "Medientyp"),
        ("config.attachments.*.media_type.description", "Etwa `text/csv`; ohne Angabe Bytes."),
        ("config.attachments.*.content.title", "Inhalt"),
        ("config.attachments.*.content.description", "Ihre Bytes in base64."),
        ("config.cc.title", "Kopie"),
        ("config.cc.description", "Wer eine Kopie bekommt, die alle sehen."),
        ("config.bcc.title", "Blindkopie"),
        ("config.bcc.description", "Wer eine Kopie bekommt, die niemand sieht."),
        ("config.from.title", "Von"),
        ("config.from.description", "Der Absender; ohne Angabe der der Verbindung."),
        ("config.reply_to.title", "Antwort an"),
        ("config.reply_to.description", "Wohin Antworten gehen."),
        ("config.timeout.title", "Frist"),
        (
            "config.timeout.description",
            "Wie lange die Übergabe dauern darf, etwa `30s`; höchstens so lange wie der Versuch.",
        ),
    ],
    aliases: &["e-mail", "nachricht", "benachrichtigen", "anhang", "post"],
};

const MAIL_DOCS: &str = "\
Übergibt eine Mail an den Mailserver, den `connection` nennt. Die Ausgabe ist `{message_id, recipients, answer}`.

```yaml
type: mail.send@1
connection: mailer
config:
  to: ['{{ input.customer.email }}', 'Sales <sales@example.com>']
  subject: 'Order {{ input.id }} has left'
  text: 'Hello {{ input.customer.name }}, your order is on its way.'
  html: '<p>Your order is <b>on its way</b>.</p>'
  attachments:
    - { name: invoice.pdf, media_type: application/pdf, content: '{{ input.invoice }}' }
```

Adressen sind `name@example.com` oder `Name <name@example.com>`, eine als Text oder mehrere als Liste; null bleibt weg. Mit
`text` und `html` wählt das Programm des Lesers. Der Inhalt eines Anhangs ist base64. Ohne `from` ist der Absender der der
Verbindung. Eine Mail hat höchstens 100 Empfänger und 25 MiB; es werden alle Empfänger angenommen oder keiner.

**Einmal.** Eine Mail wird höchstens einmal übergeben: Bricht die Verbindung ab, bevor der Server gesagt hat, dass er sie
annimmt, weiß es niemand, der Fehler ist `MAIL_UNCERTAIN`, und sie wird nicht noch einmal gesendet, außer `on_uncertain` sagt
es. Jeder Versuch hat dieselbe `Message-ID`, an der viele Programme eine Mail nur einmal zeigen, auch wenn sie zweimal kam.

**Fehler.** Ein neuer Versuch kann helfen: `MAIL_CONNECT` und `MAIL_DEFERRED` (der Server hat keine Mail). Endgültig:
`MAIL_HOST_DENIED`, `MAIL_TLS`, `MAIL_SIGN_IN`, `MAIL_REFUSED`, `MAIL_ADDRESS_INVALID`, `MAIL_TOO_LARGE`.

**Wohin es gehen darf.** Wie bei `http.request`, dazu die Ports 25, 465 und 587.";
