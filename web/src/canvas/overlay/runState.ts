import type { Status } from "@/ui/StatusBadge";

/** One thing that happened in a run, as `runEvents` delivers it. */
export interface RunEvent {
  seq: number;
  at: string;
  cursor: string;
  kind: string;
  node: string | null;
  scope: string | null;
  attempt: number | null;
  port: string | null;
  status: string | null;
  message: string | null;
  signal: string | null;
  /** How many lines the attempt wrote. */
  lines: number | null;
  dueAt: string | null;
  error: { code: string; kind: string; message: string } | null;
}

/** One try of a node run. */
export interface AttemptState {
  number: number;
  startedAt: string;
  endedAt: string | null;
  outcome: "running" | "succeeded" | "failed" | "waits";
}

/** What is known of a node run from the events so far. */
export interface NodeState {
  node: string;
  scope: string;
  status: Status;
  attempts: readonly AttemptState[];
  /** The first sign of it. */
  since: string;
  endedAt: string | null;
  /** The port it left by. */
  port: string | null;
  error: RunEvent["error"];
  dueAt: string | null;
  /** The signal it waits for. */
  signal: string | null;
  /** It did not run: its result was taken over from an earlier run or from a pin. */
  reused: boolean;
}

/** How many items of a `for_each` have begun, and how many of them ended how. */
export interface Items {
  done: number;
  failed: number;
  all: number;
}

/** A run as its events tell it. */
export interface RunState {
  /** The number of the last event that is counted in. */
  seq: number;
  cursor: string | null;
  status: Status | null;
  /** Node runs by `node` or `node[scope]`. */
  nodes: ReadonlyMap<string, NodeState>;
  /** How far the items of a `for_each` are, by node key. */
  items: ReadonlyMap<string, Items>;
  /** How often another driver has taken it over, as after a kill. */
  recovered: number;
  /** Node runs that began again although their result was known. Durable runs have none. */
  repeated: number;
  startedAt: string | null;
  endedAt: string | null;
}

export const NOTHING_YET: RunState = {
  seq: 0,
  cursor: null,
  status: null,
  nodes: new Map(),
  items: new Map(),
  recovered: 0,
  repeated: 0,
  startedAt: null,
  endedAt: null,
};

/** The name of a node run inside its run. */
export function nodeRunKey(node: string, scope: string): string {
  return scope === "" ? node : `${node}[${scope}]`;
}

/** A gap in the numbers: something was missed, and the events must be read again. */
export class GapError extends Error {}

/**
 * The run after more events. An event that is counted in already is passed over; one that leaves a number out is an
 * error, so a lost event is never papered over.
 */
export function reduce(state: RunState, events: readonly RunEvent[]): RunState {
  const nodes = new Map(state.nodes);
  const items = new Map(state.items);
  const next = { ...state, nodes, items };
  for (const event of events) {
    if (event.seq <= next.seq) continue;
    if (event.seq !== next.seq + 1) throw new GapError(`after event ${next.seq} came ${event.seq}`);
    next.seq = event.seq;
    next.cursor = event.cursor;
    reduceRun(next, event);
    if (event.node !== null) {
      const key = nodeRunKey(event.node, event.scope ?? "");
      const before = nodes.get(key);
      if (event.kind === "NODE_STARTED" && event.attempt !== 0 && before?.status === "SUCCEEDED") next.repeated += 1;
      const node = reduceNode(before, event);
      if (!node) continue;
      nodes.set(key, node);
      if (node.scope !== "" && node.status !== before?.status) {
        items.set(node.node, counted(items.get(node.node) ?? NO_ITEMS, before, node));
      }
    }
  }
  return next;
}

function reduceRun(run: { -readonly [Field in keyof RunState]: RunState[Field] }, event: RunEvent): void {
  switch (event.kind) {
    case "RUN_CREATED":
      run.status = "QUEUED";
      break;
    case "RUN_STARTED":
      run.status = "RUNNING";
      run.startedAt ??= event.at;
      break;
    case "RUN_RECOVERED":
      run.recovered += 1;
      break;
    case "RUN_FINISHED":
      run.status = (event.status ?? "SUCCEEDED") as Status;
      run.endedAt = event.at;
      break;
  }
}

function reduceNode(known: NodeState | undefined, event: RunEvent): NodeState | undefined {
  const node: NodeState = known ?? {
    node: event.node ?? "",
    scope: event.scope ?? "",
    status: "PENDING",
    attempts: [],
    since: event.at,
    endedAt: null,
    port: null,
    error: null,
    dueAt: null,
    signal: null,
    reused: false,
  };
  const settled = (status: Status): NodeState => ({
    ...node,
    status,
    endedAt: event.at,
    port: event.port ?? node.port,
    error: event.error ?? (status === "SUCCEEDED" ? null : node.error),
    dueAt: null,
    signal: null,
    attempts: closed(node.attempts, event.at, status === "SUCCEEDED" ? "succeeded" : "failed"),
  });
  switch (event.kind) {
    case "NODE_STARTED": {
      // With number 0 a `for_each` finds out what its items are; that is no attempt.
      if (event.attempt === 0) return { ...node, status: "RUNNING" };
      const attempt: AttemptState = {
        number: event.attempt ?? node.attempts.length + 1,
        startedAt: event.at,
        endedAt: null,
        outcome: "running",
      };
      const attempts = [...closed(node.attempts, event.at, "failed"), attempt];
      return { ...node, status: "RUNNING", attempts, dueAt: null, signal: null };
    }
    case "ATTEMPT_FAILED":
      return { ...node, error: event.error, attempts: closed(node.attempts, event.at, "failed") };
    case "ATTEMPT_WAITS":
      return {
        ...node,
        status: "WAITING",
        dueAt: event.dueAt,
        signal: event.signal,
        attempts: closed(node.attempts, event.at, "waits"),
      };
    case "ITEMS_LISTED":
      return { ...node, status: "RUNNING" };
    case "NODE_RETRYING":
      return { ...node, status: "RETRYING", dueAt: event.dueAt, error: event.error ?? node.error };
    // An attempt that succeeds settles its node run; only what needed no attempt is said to have succeeded by itself.
    case "ATTEMPT_SUCCEEDED":
    case "NODE_SUCCEEDED":
    case "ITEMS_COLLECTED":
      return settled("SUCCEEDED");
    case "REUSED":
      return { ...settled("SUCCEEDED"), reused: true };
    case "NODE_FAILED":
      return settled("FAILED");
    case "NODE_SKIPPED":
      return settled("SKIPPED");
    case "NODE_CANCELED":
      return settled("CANCELED");
    case "NODE_TIMED_OUT":
      return settled("TIMED_OUT");
    case "NODE_UNCERTAIN":
      return { ...settled("UNCERTAIN"), endedAt: null };
    default:
      return known;
  }
}

function closed(
  attempts: readonly AttemptState[],
  at: string,
  outcome: AttemptState["outcome"],
): readonly AttemptState[] {
  const last = attempts.at(-1);
  if (!last || last.endedAt !== null) return attempts;
  return [...attempts.slice(0, -1), { ...last, endedAt: at, outcome }];
}

const NO_ITEMS: Items = { done: 0, failed: 0, all: 0 };

function counted({ done, failed, all }: Items, before: NodeState | undefined, after: NodeState): Items {
  const is = (status: Status, state: NodeState | undefined) => Number(state?.status === status);
  const change = (status: Status) => is(status, after) - is(status, before);
  return {
    done: done + change("SUCCEEDED"),
    failed: failed + change("FAILED") + change("TIMED_OUT"),
    all: all + (before ? 0 : 1),
  };
}

/** How many items of a `for_each` are done, of those that have begun. */
export function itemsOf(state: RunState, node: string): Items {
  return state.items.get(node) ?? NO_ITEMS;
}
