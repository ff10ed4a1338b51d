import type { Language } from "@/app/settings";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** How large something is, for people: `0 B`, `17 KiB`, `1.4 MiB`. */
export function size(bytes: number, language: Language): string {
  let amount = bytes;
  let unit = 0;
  // What would be rounded up to 1,024 is one of the next unit.
  while (Math.round(amount) >= 1_024 && unit < UNITS.length - 1) {
    amount /= 1_024;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 10 ? 0 : 1;
  return `${amount.toLocaleString(language, { maximumFractionDigits: digits })} ${UNITS[unit]}`;
}
