import { EyeOff } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import type { Json } from "@/canvas/model/json";
import { FileChip, FileLink } from "@/files/FileLink";
import { fileIdsIn } from "@/files/handles";
import { useFiles } from "@/files/useFiles";
import { valueFile } from "@/files/valueFile";
import { useT } from "@/i18n";
import { Json as JsonText, pretty } from "@/ui/Json";
import type { Source } from "./source";
import { ValueTree } from "./ValueTree";

const ValueTable = lazy(() => import("./ValueTable").then((file) => ({ default: file.ValueTable })));
const ShapeView = lazy(() => import("./ShapeView").then((file) => ({ default: file.ShapeView })));

/** The beginning of a value, as the server sends it. */
export interface Head {
  kind: string;
  byteSize: number;
  preview: string;
  truncated: boolean;
  redacted: boolean;
  /** Where all of it is. */
  download?: string | null;
}

const VIEWS = ["tree", "table", "json", "schema"] as const;
type View = (typeof VIEWS)[number];

interface Props {
  head: Head;
  source: Source;
  label: string;
  /** What an expression calls it. */
  path?: string;
}

/** A value as a tree, as a table, as JSON, or by the kinds of its parts. What is large is read page by page. */
export function ValueView({ head, source, label, path }: Props) {
  const t = useT();
  const isTable = head.kind === "LIST";
  const hasParts = isTable || head.kind === "OBJECT";
  const [chosen, setChosen] = useState<View>("json");
  const view = hasParts && (isTable || chosen !== "table") ? chosen : "json";
  const value = head.truncated ? undefined : (JSON.parse(head.preview) as Json);
  const whole = value === undefined ? {} : { value };
  return (
    <section aria-label={label} className="flex flex-col gap-1.5">
      <div className="flex flex-wrap items-center gap-1">
        {hasParts ? (
          <fieldset aria-label={t("data.views", { name: label })} className="flex gap-0.5 rounded-md bg-raised p-0.5">
            {VIEWS.filter((one) => one !== "table" || isTable).map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={view === one}
                onClick={() => setChosen(one)}
                className="h-6 rounded px-2 text-small text-soft hover:text-text aria-pressed:bg-surface aria-pressed:text-text"
              >
                {t(`data.view.${one}`)}
              </button>
            ))}
          </fieldset>
        ) : null}
        <span className="text-badge text-soft tabular-nums">{t("data.bytes", { bytes: head.byteSize })}</span>
        {head.redacted ? <Redacted /> : null}
        {head.truncated && head.download ? (
          <FileLink file={valueFile(head.download)} look="text" label={t("value.whole")} />
        ) : null}
      </div>
      <Suspense fallback={null}>
        {view === "json" ? (
          <>
            <JsonText text={pretty(head.preview)} label={t("data.view.json")} />
            {value === undefined ? null : <FilesIn value={value} source={source} />}
            {head.truncated ? <p className="text-small text-soft">{t("value.cut", { bytes: head.byteSize })}</p> : null}
          </>
        ) : null}
        {view === "tree" ? (
          <ValueTree
            part={{ name: label, kind: head.kind, bytes: head.byteSize, preview: head.preview, ...whole }}
            path={path}
            source={source}
            open
          />
        ) : null}
        {view === "table" ? <ValueTable value={value} source={source} /> : null}
        {view === "schema" ? <ShapeView value={value} kind={head.kind} source={source} /> : null}
      </Suspense>
    </section>
  );
}

/** The files that a value names, below its text. */
function FilesIn({ value, source }: { value: Json; source: Source }) {
  const t = useT();
  const files = useFiles(source, fileIdsIn(value));
  if (files.size === 0) return null;
  return (
    <ul aria-label={t("files.title")} className="flex flex-col gap-1 text-small">
      {[...files.values()].map((file) => (
        <li key={file.id} className="flex min-w-0">
          <FileChip file={file} />
        </li>
      ))}
    </ul>
  );
}

/** Something in the value beside it is hidden from everybody who reads runs. */
export function Redacted() {
  const t = useT();
  return (
    <span
      title={t("value.redacted.help")}
      className="inline-flex items-center gap-1 rounded-full bg-raised px-2 text-badge text-waiting"
    >
      <EyeOff size={12} aria-hidden />
      {t("value.redacted")}
    </span>
  );
}
