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

/** All that an attempt wrote: `log.write` one line, code as many as it likes, of which only some are kept. */
export interface Writing {
  lines: readonly Written[];
  dropped: number;
}

/** How a node writes: its output is a line, or has the lines of a console in it. */
export type Writer = "line" | "console";

/** The nodes whose outputs are lines of the log. Code has some only when it keeps its console. */
export function writersOf(nodes: Readonly<Record<string, { type: string; config?: unknown }>>): Map<string, Writer> {
  const writers = new Map<string, Writer>();
  for (const [key, { type, config }] of Object.entries(nodes)) {
    if (type.startsWith("log.write@")) writers.set(key, "line");
    if (type.startsWith("code.js@") && isObject(config) && config.keep_console === true) writers.set(key, "console");
  }
  return writers;
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

/** The lines of a run, from its events. */
export function logOf(events: readonly RunEvent[], writers: ReadonlyMap<string, Writer>): LogLine[] {
  return events.flatMap((event): LogLine[] => {
    const { seq, at, kind, attempt, error } = event;
    const nodeRun = event.node === null ? null : nodeRunKey(event.node, event.scope ?? "");
    const line = { seq, at, nodeRun, attempt, kind, error, detail: event.signal ?? event.dueAt ?? event.status };
    const writer = kind === "ATTEMPT_SUCCEEDED" && event.node !== null ? writers.get(event.node) : undefined;
    if (writer !== undefined) return [{ ...line, level: "info", written: writer }];
    const level = TOLD[kind];
    if (level === undefined) return [];
    const failed = kind === "RUN_FINISHED" && event.status !== "SUCCEEDED";
    return [{ ...line, level: failed ? "error" : level, written: null }];
  });
}

/** One line as it is shown. */
export interface ShownLine extends LogLine {
  /** What the address calls it: `12`, or `12.3` for the third line of one console. */
  id: string;
  /** What was written, once it is read. */
  own: Written | null;
  /** That so many lines were written and not kept. */
  dropped: number;
}

/** Lines with what was written in them, as far as it is read; an empty console has none. */
export function shownOf(lines: readonly LogLine[], known: ReadonlyMap<string, Writing>): ShownLine[] {
  return lines.flatMap((line): ShownLine[] => {
    const plain = { ...line, id: String(line.seq), own: null, dropped: 0 };
    const writing = line.written === null ? undefined : known.get(line.nodeRun ?? "");
    if (!writing) return [plain];
    const shown = writing.lines.map((own, index): ShownLine => {
      const id = line.written === "console" ? `${line.seq}.${index + 1}` : plain.id;
      return { ...plain, id, own, level: own.level };
    });
    const { dropped } = writing;
    return dropped > 0
      ? [...shown, { ...plain, id: `${line.seq}.${shown.length + 1}`, level: "warn", dropped }]
      : shown;
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

/** Reads one line of a console. */
export function readConsole(value: Json): Written {
  const { level, message } = isObject(value) ? value : {};
  const known = LEVELS.find((one) => one === level) ?? "info";
  return { level: known, message: typeof message === "string" ? message : JSON.stringify(value), fields: {} };
}

/** Fields on one line: `customer=7 tags=["a"]`; empty without any. */
export function fieldsText(fields: Json): string {
  if (!isObject(fields)) return "";
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === "string" && !/\s/.test(value) ? value : JSON.stringify(value)}`)
    .join(" ");
}
