import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { useSettings } from "@/app/settings";
import { useOverlay } from "@/canvas/overlay/overlay";
import { type NodeState, nodeRunKey } from "@/canvas/overlay/runState";
import { useT } from "@/i18n";
import { StatusIcon, useStatusWord } from "@/ui/StatusBadge";
import { duration, useNow } from "@/ui/time";
import { type Bar, bars, rowsOf } from "./geometry";

interface Props {
  selected: string | null;
  onSelect: (key: string) => void;
}

// Color, pattern and outline all say it.
const looks: Record<Bar["kind"], string> = {
  running: "bg-running",
  succeeded: "bg-succeeded",
  failed: "bg-failed border-r-4 border-text",
  waits: "hatched text-waiting border border-current",
  pause: "border border-dashed border-queued",
};

/** Node runs as rows and their attempts and waits as bars, against the time of the run. */
export function Timeline({ selected, onSelect }: Props) {
  const t = useT();
  const word = useStatusWord();
  const language = useSettings((settings) => settings.language);
  const run = useOverlay((state) => state);
  const now = useNow();
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => rowsOf(run.nodes), [run.nodes]);
  const begin = useMemo(
    () => rows.reduce((first, { since }) => Math.min(first, Date.parse(since)), Number.POSITIVE_INFINITY),
    [rows],
  );
  const end = run.endedAt ? Date.parse(run.endedAt) : Math.max(now, begin + 1);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 36,
    overscan: 20,
  });
  if (rows.length === 0) return <p className="p-4 text-soft">{t("run.nothingYet")}</p>;
  const labelOf = (row: NodeState) => {
    const first = row.attempts[0]?.startedAt ?? row.since;
    const took = duration((row.endedAt ? Date.parse(row.endedAt) : end) - Date.parse(first), language);
    return `${nodeRunKey(row.node, row.scope)}, ${word(row.status)}, ${took}`;
  };
  return (
    <div className="flex h-full flex-col">
      <div className="flex justify-between border-line border-b py-1 pr-3 pl-60 text-badge text-soft tabular-nums max-sm:pl-36">
        <span>0</span>
        <span>{duration((end - begin) / 2, language)}</span>
        <span>{duration(end - begin, language)}</span>
      </div>
      <div ref={scroll} className="min-h-0 flex-1 overflow-auto" data-testid="timeline">
        <ul aria-label={t("run.timeline")} style={{ height: virtual.getTotalSize() }} className="relative">
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            const key = nodeRunKey(row.node, row.scope);
            return (
              <li
                key={key}
                style={{ transform: `translateY(${item.start}px)` }}
                className="absolute inset-x-0 top-0 h-9"
              >
                <button
                  type="button"
                  aria-label={labelOf(row)}
                  aria-pressed={key === selected}
                  onClick={() => onSelect(key)}
                  className="flex h-9 w-full items-center gap-2 pr-3 text-left -outline-offset-2 hover:bg-raised aria-pressed:bg-accent-soft"
                >
                  <span
                    className={`flex w-58 shrink-0 items-center gap-2 truncate max-sm:w-34 ${row.scope === "" ? "pl-3" : "pl-8 text-small text-soft"}`}
                  >
                    <StatusIcon status={row.status} size={14} />
                    <span className="truncate">{row.scope === "" ? row.node : `[${row.scope}]`}</span>
                  </span>
                  <span className="relative h-4 flex-1">
                    {bars(row, begin, end).map((bar) => (
                      <span
                        key={`${bar.kind} ${bar.left}`}
                        style={{ left: `${bar.left}%`, width: `${bar.width}%` }}
                        className={`absolute inset-y-0 min-w-[3px] rounded-sm ${looks[bar.kind]}`}
                      />
                    ))}
                  </span>
                </button>
              </li>
            );
          })}
        </ul>
      </div>
    </div>
  );
}
