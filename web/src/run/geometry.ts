import type { NodeState } from "@/canvas/overlay/runState";

/** A part of a row: an attempt, a wait, or the pause between two attempts. In percent of the width. */
export interface Bar {
  kind: "running" | "succeeded" | "failed" | "waits" | "pause";
  left: number;
  width: number;
}

/** A row of the timeline: a node run, and how many items it has when it runs once per item. */
export interface Row {
  state: NodeState;
  items: number;
  failed: number;
}

/**
 * Node runs in the order in which they began. The items of a node follow it when it is named in `open`, those that failed
 * first. What was skipped took no time and is left out.
 */
export function rowsOf(nodes: ReadonlyMap<string, NodeState>, open: ReadonlySet<string>): Row[] {
  const begin = new Map<string, { since: string; nth: number }>();
  const items = new Map<string, NodeState[]>();
  const whole: NodeState[] = [];
  let nth = 0;
  for (const state of nodes.values()) {
    const known = begin.get(state.node);
    if (known === undefined || state.since < known.since) {
      begin.set(state.node, { since: state.since, nth: known?.nth ?? nth++ });
    }
    if (state.scope === "") {
      if (state.status !== "SKIPPED") whole.push(state);
      continue;
    }
    const own = items.get(state.node);
    if (own) own.push(state);
    else items.set(state.node, [state]);
  }
  whole.sort((a, b) => {
    const [left, right] = [begin.get(a.node), begin.get(b.node)];
    return (left?.since ?? "").localeCompare(right?.since ?? "") || (left?.nth ?? 0) - (right?.nth ?? 0);
  });
  return whole.flatMap((state) => {
    const own = items.get(state.node) ?? NONE;
    const row = { state, items: own.length, failed: own.filter(isFailed).length };
    if (!open.has(state.node)) return [row];
    return [row, ...[...own].sort(inOrder).map((item) => ({ state: item, items: 0, failed: 0 }))];
  });
}

const NONE: NodeState[] = [];

function isFailed({ status }: NodeState): boolean {
  return status === "FAILED" || status === "TIMED_OUT";
}

/** What failed first, then by number. */
function inOrder(a: NodeState, b: NodeState): number {
  const [left, right] = [a, b].map(({ scope }) => scope.split("/").map(Number)) as [number[], number[]];
  const differs = left.map((one, index) => one - (right[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
  return Number(isFailed(b)) - Number(isFailed(a)) || differs;
}

/** A stretch of time in which nothing was computed, drawn shorter than it was. */
export interface Gap {
  left: number;
  width: number;
  milliseconds: number;
}

/** Where times are drawn, in percent. */
export interface Scale {
  at: (time: number) => number;
  gaps: Gap[];
}

/** A pause longer than this part of the whole is drawn short, and how wide it is drawn. */
const LONG = 0.25;
const GAP_WIDTH = 8;

/** The scale of a run's time. Long pauses, such as a wait for a person, leave the room to what was done. */
export function scaleOf(nodes: ReadonlyMap<string, NodeState>, begin: number, end: number): Scale {
  const span = Math.max(1, end - begin);
  const busy = [...nodes.values()]
    .flatMap(({ attempts }) =>
      attempts.map((one) => [Date.parse(one.startedAt), Date.parse(one.endedAt ?? "")] as const),
    )
    .map(([from, to]) => [from, Number.isNaN(to) ? end : to] as const)
    .sort(([a], [b]) => a - b);
  const pauses: (readonly [number, number])[] = [];
  let reached = begin;
  for (const [from, to] of [...busy, [end, end] as const]) {
    if (from - reached > span * LONG) pauses.push([reached, from]);
    reached = Math.max(reached, to);
  }
  const shown = Math.max(1, span - pauses.reduce((sum, [from, to]) => sum + to - from, 0));
  const each = (100 - GAP_WIDTH * pauses.length) / shown;
  const at = (time: number) => {
    const inside = Math.min(end, Math.max(begin, time));
    let percent = (inside - begin) * each;
    for (const [from, to] of pauses) {
      if (inside <= from) break;
      const part = (Math.min(inside, to) - from) / (to - from);
      percent += part * (GAP_WIDTH - (to - from) * each);
    }
    return Math.min(100, Math.max(0, percent));
  };
  const gaps = pauses.map(([from, to]) => ({ left: at(from), width: at(to) - at(from), milliseconds: to - from }));
  return { at, gaps };
}

/** The bars of a row up to the run's end, or now. */
export function bars(row: NodeState, { at: percent }: Pick<Scale, "at">, end: number): Bar[] {
  const found: Bar[] = [];
  const add = (kind: Bar["kind"], from: number, to: number) => {
    if (to > from || kind !== "pause") found.push({ kind, left: percent(from), width: percent(to) - percent(from) });
  };
  row.attempts.forEach((attempt, index) => {
    const started = Date.parse(attempt.startedAt);
    const ended = attempt.endedAt ? Date.parse(attempt.endedAt) : end;
    const next = row.attempts[index + 1];
    const until = next ? Date.parse(next.startedAt) : row.endedAt ? Date.parse(row.endedAt) : end;
    if (attempt.outcome === "waits") {
      add("waits", started, until);
    } else {
      add(attempt.outcome, started, ended);
      const retrying = next !== undefined || row.status === "RETRYING";
      if (retrying) add("pause", ended, until);
    }
  });
  if (row.attempts.length === 0) {
    const outcome = row.status === "SUCCEEDED" ? "succeeded" : row.endedAt ? "failed" : "running";
    add(outcome, Date.parse(row.since), row.endedAt ? Date.parse(row.endedAt) : end);
  }
  return found;
}
