import type { ResultOf } from "@graphql-typed-document-node/core";
import { ChevronDown, ChevronRight, CircleCheck, ShieldX } from "lucide-react";
import { useId, useState } from "react";
import { Link } from "react-router";
import { useSettings } from "@/app/settings";
import type { Json } from "@/canvas/model/json";
import { useT } from "@/i18n";
import { shortId } from "@/people/names";
import { IconButton } from "@/ui/Button";
import { Time } from "@/ui/time";
import { actionWord } from "./actions";
import { changesBetween, type FieldChange } from "./changes";
import type { AuditQuery } from "./queries";

export type Entry = ResultOf<typeof AuditQuery>["audit"]["nodes"][number];

interface Props {
  entry: Entry;
  nameOf: (id: string) => string;
  /** The address of the list with only what this filter fits. */
  only: (filter: "actor" | "entity" | "action", value: string) => string;
}

/** One row of the audit, with what it changed behind a button. */
export function AuditEntryRow({ entry, nameOf, only }: Props) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  const id = useId();
  const [open, setOpen] = useState(false);
  const denied = entry.result === "DENIED";
  const actor = entry.actorId ? nameOf(entry.actorId) : t("actor.command");
  const thing = nameOf(entry.entityId);
  const label = `${actionWord(language, entry.action)}, ${actor}`;
  return (
    <li aria-label={label} className={denied ? "bg-page" : ""}>
      <div className="grid grid-cols-[2rem_minmax(0,5fr)_minmax(0,4fr)_minmax(0,4fr)_7rem] items-center gap-x-3 px-2 py-1.5 max-md:grid-cols-[2rem_minmax(0,1fr)]">
        <IconButton label={t("audit.details")} aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          {open ? <ChevronDown size={16} aria-hidden /> : <ChevronRight size={16} aria-hidden />}
        </IconButton>
        <p className="flex min-w-0 items-center gap-2">
          {denied ? (
            <ShieldX size={16} aria-hidden className="shrink-0 text-failed" />
          ) : (
            <CircleCheck size={16} aria-hidden className="shrink-0 text-succeeded" />
          )}
          <Link to={only("action", entry.action)} title={entry.action} className="truncate hover:underline">
            {actionWord(language, entry.action)}
          </Link>
          {denied ? (
            <strong className="shrink-0 rounded-full border border-failed px-2 font-medium text-badge text-failed">
              {entry.times > 1 ? t("audit.deniedTimes", { count: entry.times }) : t("audit.denied")}
            </strong>
          ) : null}
        </p>
        <p className="min-w-0 truncate max-md:col-start-2">
          {entry.actorId ? (
            <>
              <Link to={only("actor", entry.actorId)} title={entry.actorId} className="hover:underline">
                {actor}
              </Link>{" "}
              <span className="text-small text-soft">{t(`audit.kind.${entry.actorKind}`)}</span>
            </>
          ) : (
            actor
          )}
        </p>
        <p className="min-w-0 truncate max-md:col-start-2">
          <Link
            to={only("entity", entry.entityId)}
            title={entry.entityId}
            className={`hover:underline ${thing === shortId(entry.entityId) ? "font-mono text-small" : ""}`}
          >
            {thing}
          </Link>
        </p>
        <p className="text-small text-soft max-md:col-start-2 md:text-right">
          <Time at={entry.at} />
        </p>
      </div>
      {open ? <Details id={id} entry={entry} /> : null}
    </li>
  );
}

function Details({ id, entry }: { id: string; entry: Entry }) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  const changes = changesBetween(entry.before as Json | undefined, entry.after as Json | undefined);
  const facts = [
    ["audit.at", new Date(entry.at).toLocaleString(language, { dateStyle: "medium", timeStyle: "medium" })],
    ["audit.entity", entry.entityId],
    ["audit.actor", entry.actorId],
    ["audit.action", entry.action],
    ["audit.address", entry.address],
    ["audit.request", entry.requestId],
    ["audit.seq", String(entry.seq)],
    ["audit.hash", entry.hash],
  ] as const;
  return (
    <div id={id} className="grid gap-4 border-line border-t bg-page px-4 py-3 md:grid-cols-2">
      <section aria-label={t("audit.changes")} className="min-w-0">
        <h3 className="mb-1 font-medium text-small text-soft">{t("audit.changes")}</h3>
        {changes.length > 0 ? (
          <ul className="flex flex-col gap-2">
            {changes.map((change) => (
              <Change key={change.path} change={change} />
            ))}
          </ul>
        ) : (
          <p className="text-soft">{t("audit.noChanges")}</p>
        )}
      </section>
      <dl className="grid min-w-0 grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 self-start text-small">
        {facts.map(([key, value]) =>
          value ? (
            <div key={key} className="contents">
              <dt className="text-soft">{t(key)}</dt>
              <dd className="break-all font-mono">{value}</dd>
            </div>
          ) : null,
        )}
      </dl>
    </div>
  );
}

const shown = (value: Json) => (typeof value === "string" ? value : JSON.stringify(value, null, 1));

/** A field as it was and is. What left and what came have signs and words, not only colors. */
function Change({ change: { path, before, after, items } }: { change: FieldChange }) {
  const t = useT();
  const gone = items ? items.removed : before === undefined ? [] : [shown(before)];
  const came = items ? items.added : after === undefined ? [] : [shown(after)];
  return (
    <li className="font-mono text-small">
      <p className="text-soft">{path}</p>
      {gone.map((text) => (
        <p key={text} className="whitespace-pre-wrap break-words border-failed border-l-2 pl-2">
          <span className="sr-only">{t("difference.before")} </span>
          <span aria-hidden className="select-none text-failed">
            −{" "}
          </span>
          <del className="no-underline">{text}</del>
        </p>
      ))}
      {came.map((text) => (
        <p key={text} className="whitespace-pre-wrap break-words border-succeeded border-l-2 pl-2">
          <span className="sr-only">{t("difference.after")} </span>
          <span aria-hidden className="select-none text-succeeded">
            +{" "}
          </span>
          <ins className="no-underline">{text}</ins>
        </p>
      ))}
      {items && items.kept > 0 ? <p className="pl-2 text-soft">{t("audit.kept", { count: items.kept })}</p> : null}
    </li>
  );
}
