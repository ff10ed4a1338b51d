import { ChevronRight } from "lucide-react";
import { type DragEvent, useEffect, useState } from "react";
import { useClient } from "urql";
import { insertExpression } from "@/canvas/inspector/expression/target";
import { isObject, type Json, pointer } from "@/canvas/model/json";
import { FileChip } from "@/files/FileLink";
import { fileIdIn } from "@/files/handles";
import { useFiles } from "@/files/useFiles";
import { useT } from "@/i18n";
import { useToasts } from "@/ui/toast";
import { EXPRESSION } from "./drag";
import { localPage, type Page, type Part, readPage, type Source } from "./source";

/** How an expression names a member of something. */
export function memberOf(path: string, name: string | number): string {
  if (typeof name === "number") return `${path}[${name}]`;
  return /^[A-Za-z_]\w*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}

function shortly(value: Json): string {
  if (Array.isArray(value)) return `[${value.length}]`;
  if (isObject(value)) return `{${Object.keys(value).length}}`;
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

interface Props {
  /** What is known of it. */
  part: Part;
  /** What an expression calls it; without it, it cannot be put into a field. */
  path?: string | undefined;
  /** Where its parts are read when it is not known whole, and at which pointer. */
  source?: Source | undefined;
  at?: string;
  open?: boolean;
}

/** A value as a tree, its parts read as they are opened. Each can be dragged into a field, or put into the last one by a click. */
export function ValueTree({ part, path, source, at = "", open: opened = false }: Props) {
  const t = useT();
  const client = useClient();
  const toast = useToasts((toasts) => toasts.show);
  const [open, setOpen] = useState(opened);
  const [pages, setPages] = useState<Page>();
  const { value } = part;
  const isList = value === undefined ? part.kind === "LIST" : Array.isArray(value);
  const hasParts = value === undefined ? isList || part.kind === "OBJECT" : localPage(value, null).total > 0;

  const read = async (before: Page | undefined) => {
    const after = before?.next ?? null;
    const more =
      value === undefined && source
        ? await readPage(client, source, at, after).catch((error: unknown) => {
            toast(error instanceof Error ? error.message : String(error));
            return undefined;
          })
        : value === undefined
          ? undefined
          : localPage(value, after);
    if (more) setPages({ ...more, parts: [...(before?.parts ?? []), ...more.parts] });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: read anew when it is opened and when it is another value
  useEffect(() => {
    if (open && hasParts) void read(undefined);
  }, [open, hasParts, value, source]);

  const fileId = fileIdIn(value);
  const file = useFiles(source, fileId === undefined ? [] : [fileId]).get(fileId ?? "");
  const label = path ?? part.name;
  const shown =
    value === undefined ? (hasParts ? t("data.bytes", { bytes: part.bytes }) : `${part.preview}…`) : shortly(value);
  const text = (
    <>
      <span className="shrink-0 font-medium">{part.name}</span>
      {file ? null : <span className="truncate text-soft">{shown}</span>}
    </>
  );
  return (
    <div className="font-mono text-small">
      <div className="flex items-center gap-0.5">
        {hasParts ? (
          <button
            type="button"
            aria-expanded={open}
            aria-label={t("data.parts", { name: label })}
            onClick={() => setOpen(!open)}
            className="flex size-6 shrink-0 items-center justify-center rounded text-soft hover:bg-raised"
          >
            <ChevronRight size={14} aria-hidden className={open ? "rotate-90" : ""} />
          </button>
        ) : (
          <span className="w-6 shrink-0" />
        )}
        {path === undefined ? (
          <span className="flex min-h-6 min-w-0 items-center gap-2 px-1">{text}</span>
        ) : (
          <button
            type="button"
            draggable
            onDragStart={(event: DragEvent) => {
              event.dataTransfer.setData(EXPRESSION, `{{ ${path} }}`);
              event.dataTransfer.setData("text/plain", `{{ ${path} }}`);
              event.dataTransfer.effectAllowed = "copy";
            }}
            title={`{{ ${path} }}`}
            aria-label={t("data.insert", { path })}
            onClick={() => insertExpression(path) || toast(t("data.noField"))}
            className="flex min-h-6 min-w-0 cursor-grab items-center gap-2 rounded px-1 text-left hover:bg-accent-soft"
          >
            {text}
          </button>
        )}
        {file ? <FileChip file={file} /> : null}
      </div>
      {open && pages ? (
        <div className="ml-3 border-line border-l pl-1">
          {pages.parts.map((one) => (
            <ValueTree
              key={one.name}
              part={one}
              path={path && memberOf(path, isList ? Number(one.name) : one.name)}
              source={source}
              at={at + pointer(one.name)}
            />
          ))}
          {pages.next === null ? null : (
            <button
              type="button"
              className="min-h-6 rounded px-1 text-accent underline"
              onClick={() => void read(pages)}
            >
              {t("data.showMore", { count: pages.total - pages.parts.length })}
            </button>
          )}
        </div>
      ) : null}
    </div>
  );
}
