import { ChevronRight } from "lucide-react";
import { type DragEvent, useState } from "react";
import { useT } from "@/i18n";
import { useToasts } from "@/ui/toast";
import { isObject, type Json } from "../model/json";
import { insertExpression } from "./expression/target";

/** More parts than this of one list or object are not shown. */
const MOST = 100;

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
  value: Json;
  /** What an expression calls it. */
  path: string;
  /** What is shown for it. */
  name: string;
  open?: boolean;
}

/** A value as a tree. Each part can be dragged into a field, or put into the last one by a click. */
export function DataTree({ value, path, name, open: opened = false }: Props) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const [open, setOpen] = useState(opened);
  const parts: [string | number, Json][] = Array.isArray(value)
    ? value.map((item, index) => [index, item])
    : isObject(value)
      ? Object.entries(value)
      : [];
  const onDragStart = (event: DragEvent) => {
    event.dataTransfer.setData("text/plain", `{{ ${path} }}`);
    event.dataTransfer.effectAllowed = "copy";
  };
  return (
    <div className="font-mono text-small">
      <div className="flex items-center gap-0.5">
        {parts.length > 0 ? (
          <button
            type="button"
            aria-expanded={open}
            aria-label={t("data.parts", { name })}
            onClick={() => setOpen(!open)}
            className="flex size-6 shrink-0 items-center justify-center rounded text-soft hover:bg-raised"
          >
            <ChevronRight size={14} aria-hidden className={open ? "rotate-90" : ""} />
          </button>
        ) : (
          <span className="w-6 shrink-0" />
        )}
        <button
          type="button"
          draggable
          onDragStart={onDragStart}
          title={`{{ ${path} }}`}
          aria-label={t("data.insert", { path })}
          onClick={() => insertExpression(path) || toast(t("data.noField"))}
          className="flex min-h-6 min-w-0 cursor-grab items-baseline gap-2 rounded px-1 text-left hover:bg-accent-soft"
        >
          <span className="shrink-0 font-medium">{name}</span>
          <span className="truncate text-soft">{shortly(value)}</span>
        </button>
      </div>
      {open && parts.length > 0 ? (
        <div className="ml-3 border-line border-l pl-1">
          {parts.slice(0, MOST).map(([part, item]) => (
            <DataTree key={part} value={item} path={memberOf(path, part)} name={String(part)} />
          ))}
          {parts.length > MOST ? (
            <p className="px-1 text-soft">{t("data.more", { count: parts.length - MOST })}</p>
          ) : null}
        </div>
      ) : null}
    </div>
  );
}
