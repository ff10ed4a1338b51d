import { isObject, type Json } from "@/canvas/model/json";
import { nodeRunKey, type RunEvent } from "@/canvas/overlay/runState";

/** How much a line matters. */
export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

/** What a `log.write` node wrote. */
export interface Written {
  level: Level;
  message: string;
  fields: Json;
}

/** One line of a run's log: something that happened, or what a node wrote, which is read by the node run's name. */
export interface LogLine {
  seq: number;
  at: string;
  /** `node` or `node[scope]`; nothing for what concerns the whole run. */
  nodeRun: string | null;
  attempt: number | null;
  level: Level;
  /** A node wrote it; else it is told by the kind of the event. */
  written: boolean;
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

/** The lines of a run, from its events. `writers` are the nodes whose results are lines. */
export function logOf(events: readonly RunEvent[], writers: ReadonlySet<string>): LogLine[] {
  return events.flatMap((event): LogLine[] => {
    const { seq, at, kind, attempt, error } = event;
    const nodeRun = event.node === null ? null : nodeRunKey(event.node, event.scope ?? "");
    const line = { seq, at, nodeRun, attempt, kind, error, detail: event.signal ?? event.dueAt ?? event.status };
    if (kind === "ATTEMPT_SUCCEEDED" && event.node !== null && writers.has(event.node)) {
      return [{ ...line, level: "info", written: true }];
    }
    const level = TOLD[kind];
    if (level === undefined) return [];
    const failed = kind === "RUN_FINISHED" && event.status !== "SUCCEEDED";
    return [{ ...line, level: failed ? "error" : level, written: false }];
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
