import type { NodeState } from "@/canvas/overlay/runState";

/** A part of a row: an attempt, a wait, or the pause between two attempts. In percent of the run's time. */
export interface Bar {
  kind: "running" | "succeeded" | "failed" | "waits" | "pause";
  left: number;
  width: number;
}

/** Node runs in the order in which they began, items behind their node. What was skipped took no time and is left out. */
export function rowsOf(nodes: ReadonlyMap<string, NodeState>): NodeState[] {
  const begin = new Map<string, string>();
  for (const { node, since } of nodes.values()) {
    const known = begin.get(node);
    if (known === undefined || since < known) begin.set(node, since);
  }
  const item = (scope: string) => scope.split("/").map(Number);
  return [...nodes.values()]
    .filter(({ status }) => status !== "SKIPPED")
    .sort((a, b) => {
      if (a.node !== b.node) {
        return (begin.get(a.node) ?? "").localeCompare(begin.get(b.node) ?? "") || a.node.localeCompare(b.node);
      }
      if (a.scope === "" || b.scope === "") return a.scope === "" ? -1 : 1;
      const [left, right] = [item(a.scope), item(b.scope)];
      return left.map((one, index) => one - (right[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
    });
}

/** The bars of a row between the run's begin and its end, or now. */
export function bars(row: NodeState, begin: number, end: number): Bar[] {
  const span = Math.max(1, end - begin);
  const percent = (time: number) => Math.min(100, Math.max(0, ((time - begin) / span) * 100));
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
