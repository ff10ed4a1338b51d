import { isObject, type Json } from "@/canvas/model/json";
import { nodeRunKey, type RunEvent } from "@/canvas/overlay/runState";

/** How much a line matters. */
export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

/** What a node wrote in one line. */
export interface Written {
  level: Level;
  message: string;
  fields: Json;
}

/** All that one writing has: of a `log.write` node one line, of an attempt's log as many as were kept. */
export interface Writing {
  lines: readonly Written[];
  dropped: number;
}

/** How a node writes: its output is a line, or its attempt has a log. */
export type Writer = "line" | "attempt";

/** The nodes whose outputs are lines of the log. */
export function writersOf(nodes: Readonly<Record<string, { type: string }>>): Set<string> {
  return new Set(Object.keys(nodes).filter((key) => nodes[key]?.type.startsWith("log.write@")));
}

/** What a line's writing is known by: a node run has one output and as many logs as attempts. */
export function writingKey({ written, nodeRun, attempt }: Pick<LogLine, "written" | "nodeRun" | "attempt">): string {
  return written === "attempt" ? `${nodeRun}#${attempt}` : (nodeRun ?? "");
}

/** Something that happened and is told in the log, or that a node wrote, which is read by the node run's name. */
export interface LogLine {
  seq: number;
  at: string;
  /** `node` or `node[scope]`; nothing for what concerns the whole run. */
  nodeRun: string | null;
  attempt: number | null;
  level: Level;
  /** How a node wrote it; else it is told by the kind of the event. */
  written: Writer | null;
  kind: string;
  error: RunEvent["error"];
  /** A signal's name, a status, or when something is due. */
  detail: string | null;
}

const TOLD: Readonly<Record<string, Level>> = {
  RUN_CREATED: "debug",
  RUN_STARTED: "info",
  RUN_RECOVERED: "warn",
  RUN_RELEASED: "debug",
  RUN_FINISHED: "info",
  CANCEL_REQUESTED: "warn",
  SIGNAL_RECEIVED: "info",
  ATTEMPT_FAILED: "warn",
  NODE_RETRYING: "debug",
  NODE_FAILED: "error",
  NODE_TIMED_OUT: "error",
  NODE_UNCERTAIN: "error",
  EVALUATION_FAILED: "error",
  UNCERTAIN_RESOLVED: "info",
};

/** The lines of a run, from its events. What an attempt wrote comes before how it ended. */
export function logOf(events: readonly RunEvent[], writers: ReadonlySet<string>): LogLine[] {
  return events.flatMap((event): LogLine[] => {
    const { seq, at, kind, attempt, error } = event;
    const nodeRun = event.node === null ? null : nodeRunKey(event.node, event.scope ?? "");
    const line = { seq, at, nodeRun, attempt, kind, error, detail: event.signal ?? event.dueAt ?? event.status };
    const lines: LogLine[] = event.lines === null ? [] : [{ ...line, level: "info", written: "attempt" }];
    if (kind === "ATTEMPT_SUCCEEDED" && event.node !== null && writers.has(event.node)) {
      return [...lines, { ...line, level: "info", written: "line" }];
    }
    const level = TOLD[kind];
    if (level === undefined) return lines;
    const failed = kind === "RUN_FINISHED" && event.status !== "SUCCEEDED";
    return [...lines, { ...line, level: failed ? "error" : level, written: null }];
  });
}

/** One line as it is shown. */
export interface ShownLine extends LogLine {
  /** What the address calls it: `12`, or `12.3` for the third line of an attempt's log. */
  id: string;
  /** What was written, once it is read. */
  own: Written | null;
  /** That so many lines were written and not kept. */
  dropped: number;
}

/** Lines with what was written in them, as far as it is read. */
export function shownOf(lines: readonly LogLine[], known: ReadonlyMap<string, Writing>): ShownLine[] {
  return lines.flatMap((line): ShownLine[] => {
    const ofAttempt = line.written === "attempt";
    const id = (index: number) => (ofAttempt ? `${line.seq}.${index}` : String(line.seq));
    const plain = { ...line, id: id(0), own: null, dropped: 0 };
    const writing = line.written === null ? undefined : known.get(writingKey(line));
    if (!writing) return [plain];
    const shown = writing.lines.map(
      (own, index): ShownLine => ({ ...plain, id: id(index + 1), own, level: own.level }),
    );
    const { dropped } = writing;
    return dropped > 0 ? [...shown, { ...plain, id: id(shown.length + 1), level: "warn", dropped }] : shown;
  });
}

/** Reads what a `log.write` node gave; a value of another form is shown as it is. */
export function readWritten(value: Json): Written {
  const { level, message, fields } = isObject(value) ? value : {};
  const known = LEVELS.find((one) => one === level);
  if (known === undefined || typeof message !== "string") {
    return { level: "info", message: JSON.stringify(value), fields: {} };
  }
  return { level: known, message, fields: fields ?? {} };
}

/** Fields on one line: `customer=7 tags=["a"]`; empty without any. */
export function fieldsText(fields: Json): string {
  if (!isObject(fields)) return "";
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === "string" && !/\s/.test(value) ? value : JSON.stringify(value)}`)
    .join(" ");
}
