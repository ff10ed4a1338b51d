import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownToLine, Download, WrapText } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useSettings } from "@/app/settings";
import type { RunEvent } from "@/canvas/overlay/runState";
import { save } from "@/files/download";
import { type MessageKey, useT } from "@/i18n";
import { Button, IconButton } from "@/ui/Button";
import { inputLook } from "@/ui/Field";
import { useWords } from "@/ui/Told";
import { fieldsText, LEVELS, type Level, type LogLine, logOf, type ShownLine, shownOf, writingKey } from "./logLines";
import { useWritten, type Wanted } from "./useWritten";

/** Beyond this many lines, a search looks only at those that were shown already. */
const MOST_SEARCHED = 3_000;

const LOOKS: Record<Level, string> = {
  debug: "text-soft",
  info: "text-running",
  warn: "text-waiting",
  error: "text-failed",
};

interface Props {
  runId: string;
  events: readonly RunEvent[];
  /** The nodes whose results are lines. */
  writers: ReadonlySet<string>;
  /** The line that the address names. */
  marked: string | null;
  onMark: (line: string) => void;
  onShow: (nodeRun: string) => void;
}

/** What the run wrote and what went wrong, as it happens. It follows the end until somebody scrolls up. */
export function Log({ runId, events, writers, marked, onMark, onShow }: Props) {
  const t = useT();
  const inWords = useWords();
  const language = useSettings((settings) => settings.language);
  const [least, setLeast] = useState<Level>("info");
  const [search, setSearch] = useState("");
  const [wrap, setWrap] = useState(true);
  const [follow, setFollow] = useState(marked === null);
  const { known, want } = useWritten(runId);
  const scroll = useRef<HTMLElement>(null);

  const all = useMemo(() => logOf(events, writers), [events, writers]);
  const every = useMemo(() => shownOf(all, known), [all, known]);
  const textOf = (line: ShownLine): string => {
    if (line.dropped > 0) return t("log.dropped", { count: line.dropped });
    if (line.own) return [line.own.message, fieldsText(line.own.fields)].filter(Boolean).join("  ");
    if (line.written) return "…";
    const detail = line.kind === "NODE_RETRYING" || !line.detail ? "" : ` (${line.detail})`;
    const said = t(`log.${line.kind}` as MessageKey) + detail;
    return line.error ? `${said}: ${line.error.code}: ${inWords(line.error)}` : said;
  };
  const typed = search.trim().toLowerCase();
  const fits = (line: ShownLine) =>
    LEVELS.indexOf(line.level) >= LEVELS.indexOf(least) &&
    (typed === "" || `${line.nodeRun ?? ""} ${textOf(line)}`.toLowerCase().includes(typed));
  const shown = every.filter(fits);

  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 24,
    getItemKey: (index) => shown[index]?.id ?? index,
    overscan: 20,
  });
  const items = virtual.getVirtualItems();

  // What is in sight is read; while somebody looks for something, everything is: what it says is not known before.
  const looksFor = typed !== "" || LEVELS.indexOf(least) > LEVELS.indexOf("info");
  const missing = wantedOf(
    looksFor ? all.slice(-MOST_SEARCHED) : items.flatMap(({ index }) => shown[index] ?? []),
  ).filter((one) => !known.has(writingKey(one)));
  const inSight = missing.map(writingKey).join(",");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the keys say whether what is missing has changed
  useEffect(() => {
    void want(missing);
  }, [inSight, want]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: every new line is gone to
  useEffect(() => {
    if (follow && shown.length > 0) virtual.scrollToIndex(shown.length - 1, { align: "end" });
  }, [follow, shown.length, known]);
  const gone = useRef(false);
  useEffect(() => {
    const index = shown.findIndex(({ id }) => id === marked);
    if (gone.current || marked === null || index < 0) return;
    gone.current = true;
    virtual.scrollToIndex(index, { align: "center" });
  });

  const download = async () => {
    const unread = wantedOf(all).filter((one) => !known.has(writingKey(one)));
    const text = shownOf(all, new Map([...known, ...(await want(unread))]))
      .filter(fits)
      .map((line) => [line.at, line.level.toUpperCase().padEnd(5), line.nodeRun ?? "-", textOf(line)].join(" "))
      .join("\n");
    save(new Blob([`${text}\n`], { type: "text/plain" }), `${runId}.log`);
  };

  return (
    <div className="flex h-full flex-col">
      <div className="flex flex-wrap items-center gap-2 border-line border-b bg-surface px-3 py-1.5">
        <select
          aria-label={t("log.level")}
          value={least}
          onChange={(event) => setLeast(event.target.value as Level)}
          className={`${inputLook} h-8 w-auto!`}
        >
          {LEVELS.map((level) => (
            <option key={level} value={level}>
              {t(`log.from.${level}`)}
            </option>
          ))}
        </select>
        <input
          type="search"
          aria-label={t("log.search")}
          placeholder={t("log.search")}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          className={`${inputLook} h-8 w-56! max-sm:w-full!`}
        />
        <span role="status" className="text-small text-soft tabular-nums">
          {t("log.lines", { count: shown.length })}
        </span>
        <span className="ml-auto flex items-center gap-1">
          <Button
            look="quiet"
            aria-pressed={follow}
            className="aria-pressed:bg-accent-soft aria-pressed:text-accent"
            icon={<ArrowDownToLine size={14} aria-hidden />}
            onClick={() => setFollow(!follow)}
          >
            {t("log.follow")}
          </Button>
          <IconButton label={t("log.wrap")} aria-pressed={wrap} onClick={() => setWrap(!wrap)}>
            <WrapText size={16} aria-hidden />
          </IconButton>
          <IconButton label={t("log.download")} disabled={shown.length === 0} onClick={() => void download()}>
            <Download size={16} aria-hidden />
          </IconButton>
        </span>
      </div>
      {shown.length === 0 ? <p className="p-4 text-soft">{t(all.length === 0 ? "log.empty" : "log.noMatch")}</p> : null}
      <section
        ref={scroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        aria-label={t("run.log")}
        onWheel={({ deltaY }) => deltaY < 0 && setFollow(false)}
        onKeyDown={({ key }) => ["ArrowUp", "PageUp", "Home"].includes(key) && setFollow(false)}
        onTouchMove={() => setFollow(false)}
        className="min-h-0 flex-1 overflow-auto bg-page font-mono text-[12.5px] leading-[18px]"
      >
        <ol style={{ height: virtual.getTotalSize() }} className="relative">
          {items.map((item) => {
            const line = shown[item.index];
            if (!line) return null;
            const { level } = line;
            return (
              <li
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                data-testid={`log-${line.id}`}
                style={{ transform: `translateY(${item.start}px)` }}
                className={`absolute top-0 left-0 flex gap-3 px-3 py-0.5 ${wrap ? "w-full" : "min-w-full"} ${line.id === marked ? "bg-accent-soft" : "hover:bg-raised"}`}
              >
                <button
                  type="button"
                  aria-label={t("log.mark", { number: line.id })}
                  onClick={() => onMark(line.id)}
                  className="w-12 shrink-0 self-start text-right text-soft tabular-nums hover:underline"
                >
                  {line.id}
                </button>
                <time dateTime={line.at} className="shrink-0 text-soft tabular-nums max-sm:hidden">
                  {new Date(line.at).toLocaleTimeString(language, TIME)}
                </time>
                <span className={`w-11 shrink-0 font-semibold uppercase ${LOOKS[level]}`}>{level}</span>
                {line.nodeRun === null ? null : (
                  <button
                    type="button"
                    onClick={() => onShow(line.nodeRun ?? "")}
                    className="shrink-0 self-start text-accent hover:underline"
                  >
                    {line.nodeRun}
                  </button>
                )}
                <span className={wrap ? "min-w-0 whitespace-pre-wrap break-words" : "whitespace-pre"}>
                  {textOf(line)}
                </span>
              </li>
            );
          })}
        </ol>
      </section>
    </div>
  );
}

/** What is to be read for these lines. */
function wantedOf(lines: readonly LogLine[]): Wanted[] {
  return lines.filter(({ written, nodeRun }) => written !== null && nodeRun !== null);
}

const TIME = {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
} as Intl.DateTimeFormatOptions;
