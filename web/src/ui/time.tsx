import { useSyncExternalStore } from "react";
import { type Language, useSettings } from "@/app/settings";

// One clock for everything on the page that grows older.
let now = Date.now();
const listeners = new Set<() => void>();
let timer: number | undefined;
function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now = Date.now();
    for (const one of listeners) one();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      window.clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time in milliseconds, anew every second. */
export function useNow(): number {
  return useSyncExternalStore(listen, () => now);
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 12],
  ["year", Number.POSITIVE_INFINITY],
];

/** How long ago or ahead a time is: `3 minutes ago`. */
export function relative(milliseconds: number, language: Language): string {
  let amount = milliseconds / 1_000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(Math.round(amount)) < size) {
      return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(Math.round(amount), unit);
    }
    amount /= size;
  }
  return "";
}

/** A time, relative, with the exact one as its tip. */
export function Time({ at }: { at: string }) {
  const language = useSettings((settings) => settings.language);
  const current = useNow();
  const exact = new Date(at);
  // A server's clock may be a moment ahead of this one; nothing on a list lies in the future.
  const text = relative(Math.min(0, exact.getTime() - current), language);
  return (
    <time dateTime={at} title={exact.toLocaleString(language)} className="tabular-nums">
      {text}
    </time>
  );
}

/** A time to come, relative, with the exact one as its tip. */
export function Until({ at }: { at: string }) {
  const language = useSettings((settings) => settings.language);
  const current = useNow();
  const exact = new Date(at);
  return (
    <time dateTime={at} title={exact.toLocaleString(language)} className="tabular-nums">
      {relative(exact.getTime() - current, language)}
    </time>
  );
}

/** A duration for people: `950 ms`, `4.2 s`, `3 min 12 s`, `2 h 5 min`. */
export function duration(milliseconds: number, language: Language): string {
  const number = (value: number, digits: number) => value.toLocaleString(language, { maximumFractionDigits: digits });
  if (milliseconds < 1_000) return `${number(Math.max(0, milliseconds), 0)} ms`;
  if (milliseconds < 60_000) return `${number(milliseconds / 1_000, 1)} s`;
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((milliseconds % 60_000) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long something took, or has taken so far. */
export function Duration({ from, to }: { from: string; to?: string | null | undefined }) {
  const language = useSettings((settings) => settings.language);
  const current = useNow();
  const end = to ? Date.parse(to) : current;
  return <span className="tabular-nums">{duration(end - Date.parse(from), language)}</span>;
}
