import { expect, test } from "vitest";
import type { RunEvent } from "@/canvas/overlay/runState";
import { fieldsText, logOf, readWritten, shownOf, type Written, writersOf } from "./logLines";

function event(seq: number, kind: string, given: Partial<RunEvent> = {}): RunEvent {
  const nothing = {
    attempt: null,
    port: null,
    status: null,
    message: null,
    signal: null,
    dueAt: null,
    error: null,
    lines: null,
  };
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
    new Set(["note"]),
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

test("whoever writes the log is known by its type", () => {
  const nodes = { note: { type: "log.write@1" }, code: { type: "code.js@1" }, other: { type: "http.request@1" } };
  expect([...writersOf(nodes)]).toEqual(["note"]);
});

test("what an attempt wrote comes before how it ended", () => {
  const error = { code: "CODE_THREW", kind: "PERMANENT", message: "no" };
  const lines = logOf(
    [
      event(1, "ATTEMPT_FAILED", { node: "code", scope: "", attempt: 1, error, lines: 2 }),
      event(2, "ATTEMPT_SUCCEEDED", { node: "code", scope: "", attempt: 2, lines: 1 }),
    ],
    new Set(),
  );
  expect(lines.map(({ seq, written, attempt }) => [seq, written, attempt])).toEqual([
    [1, "attempt", 1],
    [1, null, 1],
    [2, "attempt", 2],
  ]);
});

test("a log of an attempt is as many lines as it has, and says how many were dropped", () => {
  const lines = logOf(
    [
      event(1, "ATTEMPT_SUCCEEDED", { node: "code", attempt: 1, lines: 2 }),
      event(2, "ATTEMPT_FAILED", { node: "code", attempt: 2, lines: 0 }),
      event(3, "ATTEMPT_SUCCEEDED", { node: "note", attempt: 1 }),
      event(4, "ATTEMPT_SUCCEEDED", { node: "unread", attempt: 1, lines: 5 }),
    ],
    new Set(["note"]),
  );
  const said = (level: Written["level"], message: string): Written => ({ level, message, fields: {} });
  const known = new Map([
    ["code#1", { lines: [said("warn", "a"), said("debug", "b")], dropped: 7 }],
    ["code#2", { lines: [], dropped: 3 }],
    ["note", { lines: [said("error", "c")], dropped: 0 }],
  ]);
  expect(shownOf(lines, known).map(({ id, level, own, dropped }) => [id, level, own?.message, dropped])).toEqual([
    ["1.1", "warn", "a", 0],
    ["1.2", "debug", "b", 0],
    ["1.3", "warn", undefined, 7],
    ["2.1", "warn", undefined, 3],
    ["2", "warn", undefined, 0],
    ["3", "error", "c", 0],
    ["4.0", "info", undefined, 0],
  ]);
});
