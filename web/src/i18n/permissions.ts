import type { Language } from "@/app/settings";

/** What permissions allow, in German. The server says it in English; one that is not here is shown in its words. */
const meanings: Readonly<Record<string, string>> = {
  read: "Workflows, Versionen, Läufe und ihre Werte sehen.",
  "run:start": "Läufe starten.",
  "run:signal": "Einem wartenden Lauf sein Signal schicken, etwa eine Freigabe.",
  "run:control": "Läufe anhalten, sagen, wie ein ungewisser Knotenlauf ausging.",
  "workflow:edit": "Workflows und ihre Entwürfe anlegen, ändern, archivieren und löschen.",
  "workflow:publish": "Versionen veröffentlichen, Entwürfe ausprobieren, Variablen ändern.",
  "workflow:deploy": "Bestimmen, welche Version eine Umgebung ausführt und wann ihre Auslöser feuern.",
  "connection:use": "Verbindungen sehen, in Workflows nennen und testen.",
  "connection:manage": "Verbindungen anlegen, ändern und löschen.",
  "project:manage": "Projekte und Umgebungen anlegen und umbenennen.",
  "quota:manage": "Ändern, wie viel der Arbeitsbereich verbrauchen darf.",
  "outgoing:manage": "Bestimmen, welche Server die Knoten des Arbeitsbereichs aufrufen dürfen.",
  "member:read": "Sehen, wer Mitglied ist und als was.",
  "member:manage": "Einladen, Rollen ändern und entfernen; Rollen anlegen.",
  "key:manage": "Schlüssel und Dienstkonten anlegen, sehen und widerrufen.",
  "audit:read": "Sehen, wer was geändert hat.",
  "workspace:manage": "Den Arbeitsbereich umbenennen.",
  "workspace:own": "Besitzer ernennen und entfernen, weitere Arbeitsbereiche anlegen.",
};

/** What a permission allows. */
export function permissionMeaning(
  language: Language,
  { key, description }: { key: string; description: string },
): string {
  return (language === "de" ? meanings[key] : undefined) ?? description;
}
