import { useId } from "react";
import { useList } from "@/api/useList";
import { useT } from "@/i18n";
import { Failure } from "@/ui/Empty";
import { type ProjectLimit, slugsOf } from "./limits";
import { ProjectsQuery } from "./queries";

/** Pages of projects that are read; a limit names a hundred at most. */
const MOST = 10;

interface Props {
  /** The slugs of the only projects; null for all. */
  value: string[] | null;
  error?: string | undefined;
  /** What holds whatever is chosen here. */
  help?: string | undefined;
  onChange: (projects: string[] | null) => void;
}

/** All projects, or only some: whoever is limited sees nothing of the others. */
export function ProjectChoice({ value, error, help, onChange }: Props) {
  const t = useT();
  const id = useId();
  const list = useList(ProjectsQuery, {}, ({ projects }) => projects, { most: MOST });
  const toggle = (slug: string, isChosen: boolean) =>
    onChange(isChosen ? [...(value ?? []), slug].sort() : (value ?? []).filter((one) => one !== slug));
  return (
    <fieldset
      className="min-w-0"
      aria-describedby={`${id}-help${error ? ` ${id}-error` : ""}`}
      aria-invalid={error !== undefined}
    >
      <legend className="font-medium">{t("limit.title")}</legend>
      <div className="mt-1 flex flex-wrap gap-x-5 gap-y-1">
        {([false, true] as const).map((some) => (
          <label key={String(some)} className="flex min-h-6 items-center gap-2 max-sm:min-h-11">
            <input
              type="radio"
              name={id}
              checked={(value !== null) === some}
              onChange={() => onChange(some ? [] : null)}
              className="size-4 accent-(--accent)"
            />
            {t(some ? "limit.some" : "limit.all")}
          </label>
        ))}
      </div>
      {value === null ? null : list.nodes ? (
        <ul
          aria-label={t("limit.title")}
          className="mt-1 grid max-h-48 grid-cols-2 gap-x-4 overflow-auto rounded-md border border-line p-1 max-sm:grid-cols-1"
        >
          {list.nodes.map(({ slug, title }) => (
            <li key={slug}>
              <label className="flex items-center gap-2 rounded-md px-1 py-1 hover:bg-raised max-sm:min-h-11">
                <input
                  type="checkbox"
                  checked={value.includes(slug)}
                  onChange={({ target }) => toggle(slug, target.checked)}
                  className="size-4 shrink-0 accent-(--accent)"
                />
                <span className="min-w-0 truncate">
                  {title}
                  {slug === title ? null : <span className="font-mono text-small text-soft"> {slug}</span>}
                </span>
              </label>
            </li>
          ))}
        </ul>
      ) : list.error ? (
        <Failure error={list.error} onRetry={list.again} />
      ) : null}
      {error ? (
        <p id={`${id}-error`} className="text-failed text-small">
          {error}
        </p>
      ) : null}
      <p id={`${id}-help`} className="mt-1 text-small text-soft">
        {value === null ? (help ?? t("limit.all.help")) : t("limit.some.help")}
      </p>
    </fieldset>
  );
}

/** Which projects somebody is limited to, in a list; nothing for all of them. */
export function LimitedTo({ projects }: { projects: ProjectLimit }) {
  const t = useT();
  if (projects === null || projects === undefined) return null;
  const names = projects.map(({ title }) => title).join(", ");
  return (
    <p className="truncate text-small text-soft" title={slugsOf(projects)?.join(", ")}>
      {projects.length === 0 ? t("limit.none") : t("limit.only", { projects: names })}
    </p>
  );
}
