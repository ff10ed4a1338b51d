import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { useSettings } from "@/app/settings";
import type { RunEvent } from "@/canvas/overlay/runState";
import { nodeRunKey } from "@/canvas/overlay/runState";
import { useT } from "@/i18n";
import { useWords } from "@/ui/Told";

/** Everything that happened, one line each, as the server stored it. */
export function EventList({ events }: { events: readonly RunEvent[] }) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  const inWords = useWords();
  const scroll = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 32,
    overscan: 20,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section ref={scroll} tabIndex={0} aria-label={t("run.events")} className="h-full overflow-auto">
      <ol style={{ height: virtual.getTotalSize() }} className="relative">
        {virtual.getVirtualItems().map((item) => {
          const event = events[item.index];
          if (!event) return null;
          return (
            <li
              key={event.seq}
              data-testid={`event-${event.seq}`}
              style={{ transform: `translateY(${item.start}px)` }}
              className="absolute inset-x-0 top-0 flex h-8 items-center gap-3 whitespace-nowrap border-line border-b px-3"
            >
              <span className="w-10 shrink-0 text-right text-small text-soft tabular-nums">{event.seq}</span>
              <time dateTime={event.at} className="shrink-0 text-small text-soft tabular-nums max-sm:hidden">
                {new Date(event.at).toLocaleTimeString(language, {
                  hour: "2-digit",
                  minute: "2-digit",
                  second: "2-digit",
                  fractionalSecondDigits: 3,
                } as Intl.DateTimeFormatOptions)}
              </time>
              <span className="shrink-0 font-mono text-small">{event.kind}</span>
              <span className="truncate">
                {event.node === null ? "" : nodeRunKey(event.node, event.scope ?? "")}
                {event.attempt && event.attempt > 1 ? ` #${event.attempt}` : ""}
              </span>
              <span className="truncate text-soft">
                {event.error
                  ? `${event.error.code}: ${inWords(event.error)}`
                  : (event.message ?? event.signal ?? event.status ?? "")}
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
