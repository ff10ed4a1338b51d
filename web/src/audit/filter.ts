/** What the list is filtered by, as it stands in the address. */
export const FILTERS = ["actor", "entity", "action", "result", "since", "until"] as const;

export type Filter = Partial<Record<(typeof FILTERS)[number], string>>;

/** The filter of an address. A time that is none is left out, so that a mangled link still shows something. */
export function filterIn(params: URLSearchParams): Filter {
  const filter: Filter = {};
  for (const name of FILTERS) {
    const value = params.get(name);
    if (!value) continue;
    if (name === "result" && value !== "DONE" && value !== "DENIED") continue;
    if ((name === "since" || name === "until") && Number.isNaN(Date.parse(value))) continue;
    filter[name] = value;
  }
  return filter;
}

/** The same as the query wants it. */
export function asQuery({ actor, entity, action, result, since, until }: Filter) {
  return {
    ...(actor ? { actorId: actor } : {}),
    ...(entity ? { entityId: entity } : {}),
    ...(action ? { actions: action.split(",") } : {}),
    ...(result === "DONE" || result === "DENIED" ? { result: result as "DONE" | "DENIED" } : {}),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
  };
}

/** Where the rows that fit are written to a file. */
export function exportAddress(filter: Filter, format: "jsonl" | "csv"): string {
  return `/api/v1/audit?${new URLSearchParams({ format, ...filter }).toString()}`;
}

/** A time as a field of a page takes it, in the zone of whoever looks. */
export function asTyped(instant: string | undefined): string {
  if (!instant) return "";
  const at = new Date(instant);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** What was typed there, as an instant; empty when nothing was. */
export function asInstant(typed: string): string {
  const at = new Date(typed);
  return typed === "" || Number.isNaN(at.getTime()) ? "" : at.toISOString();
}
