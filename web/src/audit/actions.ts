import type { Language } from "@/app/settings";

type Words = readonly [en: string, de: string];

/** What actions are called. More words may come from the server; one that is not here is shown as it is. */
export const ACTIONS: Readonly<Record<string, Words>> = {
  "access.denied": ["Access denied", "Zugriff verweigert"],
  "user.signed_in": ["Signed in", "Angemeldet"],
  "user.signed_out": ["Signed out", "Abgemeldet"],
  "member.added": ["Member added", "Mitglied hinzugefügt"],
  "member.updated": ["Role of a member changed", "Rolle eines Mitglieds geändert"],
  "member.removed": ["Member removed", "Mitglied entfernt"],
  "invitation.created": ["Somebody invited", "Jemand eingeladen"],
  "invitation.accepted": ["Invitation accepted", "Einladung angenommen"],
  "invitation.revoked": ["Invitation revoked", "Einladung widerrufen"],
  "role.created": ["Role made", "Rolle angelegt"],
  "role.updated": ["Role changed", "Rolle geändert"],
  "role.deleted": ["Role deleted", "Rolle gelöscht"],
  "service_account.created": ["Service account made", "Dienstkonto angelegt"],
  "service_account.updated": ["Service account changed", "Dienstkonto geändert"],
  "service_account.disabled": ["Service account disabled", "Dienstkonto stillgelegt"],
  "api_key.created": ["API key made", "API-Schlüssel angelegt"],
  "api_key.rotated": ["API key rotated", "API-Schlüssel ersetzt"],
  "api_key.revoked": ["API key revoked", "API-Schlüssel widerrufen"],
  "workspace.created": ["Workspace made", "Arbeitsbereich angelegt"],
  "workspace.updated": ["Workspace renamed", "Arbeitsbereich umbenannt"],
  "quota.updated": ["Quota changed", "Kontingent geändert"],
  "allowed_hosts.updated": ["Allowed hosts changed", "Erlaubte Server geändert"],
  "project.created": ["Project made", "Projekt angelegt"],
  "project.updated": ["Project changed", "Projekt geändert"],
  "environment.created": ["Environment made", "Umgebung angelegt"],
  "environment.updated": ["Environment changed", "Umgebung geändert"],
  "environment.deleted": ["Environment deleted", "Umgebung gelöscht"],
  "workflow.created": ["Workflow made", "Workflow angelegt"],
  "workflow.updated": ["Workflow changed", "Workflow geändert"],
  "workflow.deleted": ["Workflow deleted", "Workflow gelöscht"],
  "draft.updated": ["Draft edited", "Entwurf bearbeitet"],
  "version.published": ["Version published", "Version veröffentlicht"],
  "deployment.changed": ["Deployment changed", "Einsatz geändert"],
  "trigger.paused": ["Trigger paused", "Auslöser angehalten"],
  "trigger.resumed": ["Trigger resumed", "Auslöser fortgesetzt"],
  "trigger.url_rotated": ["Webhook address replaced", "Webhook-Adresse ersetzt"],
  "backfill.begun": ["Backfill begun", "Nachholen begonnen"],
  "backfill.canceled": ["Backfill stopped", "Nachholen abgebrochen"],
  "run.cancel_requested": ["Run asked to stop", "Lauf soll anhalten"],
  "run.resume_requested": ["Run asked to go on", "Lauf soll weitergehen"],
  "run.signaled": ["Signal sent to a run", "Signal an einen Lauf geschickt"],
  "node_run.resolved": ["Uncertain call settled", "Ungewisser Aufruf geklärt"],
  "variable.created": ["Variable made", "Variable angelegt"],
  "variable.updated": ["Variable changed", "Variable geändert"],
  "variable.deleted": ["Variable deleted", "Variable gelöscht"],
  "artifact.upload_created": ["File to be sent", "Datei zum Hochladen angelegt"],
  "artifact.linked": ["Link to a file made", "Link auf eine Datei angelegt"],
  "connection.created": ["Connection made", "Verbindung angelegt"],
  "connection.updated": ["Connection changed", "Verbindung geändert"],
  "connection.deleted": ["Connection deleted", "Verbindung gelöscht"],
  "notification.created": ["Notification made", "Benachrichtigung angelegt"],
  "notification.updated": ["Notification changed", "Benachrichtigung geändert"],
  "notification.deleted": ["Notification deleted", "Benachrichtigung gelöscht"],
};

/** What an action is called in a language. */
export function actionWord(language: Language, action: string): string {
  const words = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  return words?.[language === "de" ? 1 : 0] ?? action;
}
