import { Download } from "lucide-react";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { useList } from "@/api/useList";
import { Allowed } from "@/app/Allowed";
import { useSettings } from "@/app/settings";
import { useViewer } from "@/app/viewer";
import { AuditEntryRow } from "@/audit/AuditEntryRow";
import { ACTIONS, actionWord } from "@/audit/actions";
import { asInstant, asQuery, asTyped, exportAddress, FILTERS, type Filter, filterIn } from "@/audit/filter";
import { AuditQuery } from "@/audit/queries";
import { download } from "@/files/download";
import { useT } from "@/i18n";
import { shortId, useActors, useNames } from "@/people/names";
import { useRoles } from "@/people/roles";
import { Button } from "@/ui/Button";
import { Empty } from "@/ui/Empty";
import { Select, TextField } from "@/ui/Field";
import { ListOf } from "@/ui/ListOf";
import { useToasts } from "@/ui/toast";

/** Who changed what, and who wanted to do what they may not; the latest first. */
export default function AuditPage() {
  return (
    <Allowed to="audit:read">
      <Audit />
    </Allowed>
  );
}

function Audit() {
  const t = useT();
  const { may } = useViewer();
  const toast = useToasts((toasts) => toasts.show);
  const actors = useActors();
  const actorName = useNames(actors);
  const { roles } = useRoles(!may("member:read"));
  const nameOf = (id: string) => roles.find(({ key }) => key === id)?.name ?? actorName(id);
  const [params, setParams] = useSearchParams();
  const [busy, setBusy] = useState(false);
  const filter = filterIn(params);
  const filtered = Object.keys(filter).length > 0;
  const list = useList(AuditQuery, { filter: filtered ? asQuery(filter) : null }, ({ audit }) => audit);
  const put = (changes: Filter) => {
    const next = new URLSearchParams(params);
    for (const [name, value] of Object.entries(changes)) value ? next.set(name, value) : next.delete(name);
    setParams(next);
  };
  const only = (name: keyof Filter, value: string) =>
    `?${new URLSearchParams({ ...filter, [name]: value }).toString()}`;
  const save = async (format: "jsonl" | "csv") => {
    setBusy(true);
    const refused = await download(exportAddress(filter, format), `audit.${format}`);
    setBusy(false);
    if (refused) toast(refused);
  };
  return (
    <div className="mx-auto max-w-6xl p-4">
      <header className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <div className="min-w-0 flex-1 basis-60">
          <h1 className="font-semibold text-title">{t("settings.page.audit")}</h1>
          <p className="text-soft">{t("audit.about")}</p>
        </div>
        <div className="flex flex-wrap gap-2">
          <Button onClick={list.again}>{t("action.refresh")}</Button>
          {(["jsonl", "csv"] as const).map((format) => (
            <Button
              key={format}
              icon={<Download size={14} aria-hidden />}
              disabled={busy}
              onClick={() => void save(format)}
            >
              {t(`audit.export.${format}`)}
            </Button>
          ))}
        </div>
      </header>
      <Filters filter={filter} actors={actors} nameOf={nameOf} onChange={put} />
      <ListOf
        list={list}
        none={
          <Empty
            title={t(filtered ? "audit.noMatch" : "audit.none")}
            action={filtered ? <Button onClick={() => setParams({})}>{t("runs.clear")}</Button> : null}
          />
        }
      >
        {(nodes) => (
          <ul
            aria-label={t("settings.page.audit")}
            className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface"
          >
            {nodes.map((entry) => (
              <AuditEntryRow key={entry.id} entry={entry} nameOf={nameOf} only={only} />
            ))}
          </ul>
        )}
      </ListOf>
    </div>
  );
}

interface FiltersProps {
  filter: Filter;
  actors: ReturnType<typeof useActors>;
  nameOf: (id: string) => string;
  onChange: (changes: Filter) => void;
}

function Filters({ filter, actors, nameOf, onChange }: FiltersProps) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  const { members, accounts, keys } = actors;
  const people = useMemo(() => {
    const known = [
      ...(members.nodes ?? []).map(({ user }) => [user.id, user.name] as const),
      ...(accounts.nodes ?? []).map(({ id, name }) => [id, name] as const),
      ...(keys.nodes ?? [])
        .filter(({ userId }) => !userId)
        .map(({ id, name, shown }) => [id, `${name} (${shown}…)`] as const),
    ];
    return known;
  }, [members.nodes, accounts.nodes, keys.nodes]);
  const actions = Object.keys(ACTIONS).map((action) => [action, actionWord(language, action)] as const);
  /** What is filtered for can be seen, also when it is nothing that this page knows. */
  const withChosen = (known: readonly (readonly [string, string])[], chosen: string | undefined) => [
    ["", t("runs.all")] as const,
    ...(chosen && !known.some(([value]) => value === chosen) ? [[chosen, nameOf(chosen)] as const] : []),
    ...known,
  ];
  return (
    <form
      aria-label={t("audit.filter")}
      className="mb-3 grid grid-cols-6 items-end gap-3 max-lg:grid-cols-3 max-sm:grid-cols-2"
      // A text counts once it is said, not at every letter.
      key={filter.entity}
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ entity: String(new FormData(event.currentTarget).get("entity") ?? "").trim() });
      }}
    >
      <Select
        label={t("audit.actor")}
        value={filter.actor ?? ""}
        options={withChosen(people, filter.actor)}
        onChange={(actor) => onChange({ actor })}
      />
      <Select
        label={t("audit.action")}
        value={filter.action ?? ""}
        options={withChosen(actions, filter.action)}
        onChange={(action) => onChange({ action })}
      />
      <Select
        label={t("audit.result")}
        value={filter.result ?? ""}
        options={[
          ["", t("runs.all")],
          ["DONE", t("audit.done")],
          ["DENIED", t("audit.denied")],
        ]}
        onChange={(result) => onChange({ result })}
      />
      <TextField
        label={t("audit.entity")}
        name="entity"
        defaultValue={filter.entity ?? ""}
        placeholder={t("audit.entity.example")}
        title={filter.entity ? shortId(filter.entity) : undefined}
        onChange={() => undefined}
      />
      <TextField
        label={t("audit.since")}
        type="datetime-local"
        value={asTyped(filter.since)}
        onChange={(typed) => onChange({ since: asInstant(typed) })}
      />
      <TextField
        label={t("audit.until")}
        type="datetime-local"
        value={asTyped(filter.until)}
        onChange={(typed) => onChange({ until: asInstant(typed) })}
      />
      {FILTERS.some((name) => filter[name]) ? (
        <Button
          className="max-sm:col-span-2"
          onClick={() => onChange(Object.fromEntries(FILTERS.map((name) => [name, ""])))}
        >
          {t("runs.clear")}
        </Button>
      ) : null}
      <button type="submit" className="sr-only focus:not-sr-only">
        {t("audit.apply")}
      </button>
    </form>
  );
}
