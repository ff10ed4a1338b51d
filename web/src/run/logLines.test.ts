import { expect, test } from "vitest";
import type { RunEvent } from "@/canvas/overlay/runState";
import { fieldsText, logOf, readConsole, readWritten, shownOf, writersOf } from "./logLines";

function event(seq: number, kind: string, given: Partial<RunEvent> = {}): RunEvent {
  const nothing = { attempt: null, port: null, status: null, message: null, signal: null, dueAt: null, error: null };
  return { seq, at: "2026-01-01T00:00:00Z", cursor: `${seq}`, kind, node: null, scope: null, ...nothing, ...given };
}

test("a log has what nodes wrote and what went wrong, in its order, and nothing of what merely went on", () => {
  const error = { code: "HTTP_STATUS", kind: "TRANSIENT", message: "503" };
  const lines = logOf(
    [
      event(1, "RUN_STARTED"),
      event(2, "NODE_STARTED", { node: "call" }),
      event(3, "ATTEMPT_FAILED", { node: "call", scope: "", attempt: 1, error }),
      event(4, "ATTEMPT_SUCCEEDED", { node: "call", scope: "" }),
      event(5, "ATTEMPT_SUCCEEDED", { node: "note", scope: "3" }),
      event(6, "RUN_FINISHED", { status: "FAILED" }),
    ],
    new Map([["note", "line"]]),
  );
  expect(lines.map(({ seq, level, nodeRun, written }) => [seq, level, nodeRun, written])).toEqual([
    [1, "info", null, null],
    [3, "warn", "call", null],
    [5, "info", "note[3]", "line"],
    [6, "error", null, null],
  ]);
});

test("what a node wrote is read, and what has another form is shown as it is", () => {
  expect(readWritten({ level: "warn", message: "m", fields: { a: 1 }, at: "x" })).toEqual({
    level: "warn",
    message: "m",
    fields: { a: 1 },
  });
  expect(readWritten({ level: "loud", message: "m" }).message).toBe('{"level":"loud","message":"m"}');
  expect(fieldsText({ customer: "a7", note: "two words", n: [1] })).toBe('customer=a7 note="two words" n=[1]');
});

test("only code that keeps its console writes, and whoever writes the log", () => {
  const nodes = {
    note: { type: "log.write@1", config: { message: "m" } },
    kept: { type: "code.js@1", config: { code: "", keep_console: true } },
    quiet: { type: "code.js@1", config: { code: "" } },
    off: { type: "code.js@1", config: { code: "", keep_console: false } },
    other: { type: "http.request@1", config: { keep_console: true } },
  };
  expect([...writersOf(nodes)]).toEqual([
    ["note", "line"],
    ["kept", "console"],
  ]);
});

test("a console is as many lines as it has, and says how many were dropped", () => {
  const lines = logOf(
    ["kept", "empty", "note", "unread"].map((node, index) => event(index + 1, "ATTEMPT_SUCCEEDED", { node })),
    new Map([
      ["kept", "console"],
      ["empty", "console"],
      ["note", "line"],
      ["unread", "console"],
    ]),
  );
  const said = (level: string, message: string) => readConsole({ level, message });
  const known = new Map([
    ["kept", { lines: [said("warn", "a"), said("debug", "b")], dropped: 7 }],
    ["empty", { lines: [], dropped: 0 }],
    ["note", { lines: [said("error", "c")], dropped: 0 }],
  ]);
  expect(shownOf(lines, known).map(({ id, level, own, dropped }) => [id, level, own?.message, dropped])).toEqual([
    ["1.1", "warn", "a", 0],
    ["1.2", "debug", "b", 0],
    ["1.3", "warn", undefined, 7],
    ["3", "error", "c", 0],
    ["4", "info", undefined, 0],
  ]);
});

test("a line of a console that has another form is shown as it is", () => {
  expect(readConsole({ level: "loud", message: "m" })).toEqual({ level: "info", message: "m", fields: {} });
  expect(readConsole(3).message).toBe("3");
});
