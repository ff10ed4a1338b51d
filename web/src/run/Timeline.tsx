import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useSettings } from "@/app/settings";
import { useOverlay } from "@/canvas/overlay/overlay";
import { nodeRunKey } from "@/canvas/overlay/runState";
import { useT } from "@/i18n";
import { StatusIcon, useStatusWord } from "@/ui/StatusBadge";
import { duration, useNow } from "@/ui/time";
import { type Bar, bars, type Gap, type Row, rowsOf, scaleOf } from "./geometry";

interface Props {
  selected: string | null;
  onSelect: (key: string) => void;
}

const ROW = 36;

// Color, pattern and outline all say it.
const looks: Record<Bar["kind"], string> = {
  running: "bg-running",
  succeeded: "bg-succeeded",
  failed: "bg-failed border-r-4 border-text",
  waits: "hatched text-waiting border border-current",
  pause: "border border-dashed border-queued",
};

/** Node runs as rows and their attempts and waits as bars, against the time of the run. Items are folded into their node. */
export function Timeline({ selected, onSelect }: Props) {
  const t = useT();
  const word = useStatusWord();
  const language = useSettings((settings) => settings.language);
  const nodes = useOverlay((state) => state.nodes);
  const endedAt = useOverlay((state) => state.endedAt);
  const now = useNow();
  const scroll = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => rowsOf(nodes, open), [nodes, open]);
  const begin = useMemo(
    () => rows.reduce((first, { state }) => Math.min(first, Date.parse(state.since)), Number.POSITIVE_INFINITY),
    [rows],
  );
  const end = endedAt ? Date.parse(endedAt) : Math.max(now, begin + 1);
  const scale = useMemo(() => scaleOf(nodes, begin, end), [nodes, begin, end]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 20,
  });
  if (rows.length === 0) return <p className="p-4 text-soft">{t("run.nothingYet")}</p>;
  const took = ({ state }: Row) => {
    const first = state.attempts[0]?.startedAt ?? state.since;
    return duration((state.endedAt ? Date.parse(state.endedAt) : end) - Date.parse(first), language);
  };
  const toggle = (node: string) =>
    setOpen((before) => new Set(before.has(node) ? [...before].filter((one) => one !== node) : [...before, node]));
  return (
    <div className="flex h-full flex-col">
      <Axis gaps={scale.gaps} length={end - begin} />
      <div ref={scroll} className="min-h-0 flex-1 overflow-auto" data-testid="timeline">
        <ul aria-label={t("run.timeline")} style={{ height: virtual.getTotalSize() }} className="relative">
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            const { state } = row;
            const key = nodeRunKey(state.node, state.scope);
            return (
              <li
                key={key}
                style={{ transform: `translateY(${item.start}px)` }}
                className="absolute inset-x-0 top-0 flex h-9 border-line/60 border-b"
              >
                <Fold row={row} open={open.has(state.node)} onToggle={toggle} />
                <button
                  type="button"
                  aria-label={`${key}, ${word(state.status)}, ${took(row)}`}
                  aria-pressed={key === selected}
                  onClick={() => onSelect(key)}
                  className="flex h-full min-w-0 flex-1 items-center gap-2 pr-3 text-left -outline-offset-2 hover:bg-raised aria-pressed:bg-accent-soft"
                >
                  <span className="flex w-56 shrink-0 items-center gap-2 pl-1 max-sm:w-32">
                    <StatusIcon status={state.status} size={14} />
                    <span
                      className={`min-w-0 flex-1 truncate ${state.scope === "" ? "" : "pl-2 text-small text-soft"}`}
                    >
                      {state.scope === "" ? state.node : `[${state.scope}]`}
                    </span>
                    {row.items > 0 ? (
                      <span className="shrink-0 text-badge text-soft tabular-nums">
                        ×{row.items}
                        {row.failed > 0 ? (
                          <span className="text-failed"> {t("run.itemsFailed", { count: row.failed })}</span>
                        ) : null}
                      </span>
                    ) : null}
                    <span className="shrink-0 text-badge text-soft tabular-nums max-sm:hidden">{took(row)}</span>
                  </span>
                  <span className="relative h-4 flex-1">
                    {scale.gaps.map(({ left, width }) => (
                      <span
                        key={left}
                        style={{ left: `${left}%`, width: `${width}%` }}
                        className="absolute -inset-y-2.5 border-line border-x border-dashed bg-raised"
                      />
                    ))}
                    {bars(state, scale, end).map((bar) => (
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

/** How long the run took, and how long the pauses were that are drawn short. */
function Axis({ gaps, length }: { gaps: readonly Gap[]; length: number }) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  return (
    <div className="relative h-7 border-line border-b text-badge text-soft leading-7 tabular-nums">
      <div className="absolute inset-y-0 right-3 left-65 max-sm:left-41">
        <span className="absolute left-0">0</span>
        {gaps.length === 0 ? (
          <span className="absolute left-1/2 -translate-x-1/2">{duration(length / 2, language)}</span>
        ) : null}
        {gaps.map(({ left, width, milliseconds }) => (
          <span
            key={left}
            style={{ left: `${left + width / 2}%` }}
            title={t("run.gap", { time: duration(milliseconds, language) })}
            className={`absolute whitespace-nowrap ${left + width > 90 ? "-translate-x-full" : "-translate-x-1/2"}`}
          >
            ⋯ {duration(milliseconds, language)}
          </span>
        ))}
        {gaps.some(({ left, width }) => left + width > 90) ? null : (
          <span className="absolute right-0">{duration(length, language)}</span>
        )}
      </div>
    </div>
  );
}

/** Shows the items of a node, or hides them. */
function Fold({ row, open, onToggle }: { row: Row; open: boolean; onToggle: (node: string) => void }) {
  const t = useT();
  const { node } = row.state;
  if (row.items === 0) return <span className="w-7 shrink-0" />;
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <button
      type="button"
      aria-expanded={open}
      aria-label={t("run.items", { node })}
      onClick={() => onToggle(node)}
      className="flex w-7 shrink-0 items-center justify-center text-soft -outline-offset-2 hover:text-text"
    >
      <Icon size={14} aria-hidden />
    </button>
  );
}
