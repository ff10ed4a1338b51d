import { expect, test } from "vitest";
import type { RunEvent } from "@/canvas/overlay/runState";
import { fieldsText, logOf, readWritten } from "./logLines";

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
    new Set(["note"]),
  );
  expect(lines.map(({ seq, level, nodeRun, written }) => [seq, level, nodeRun, written])).toEqual([
    [1, "info", null, false],
    [3, "warn", "call", false],
    [5, "info", "note[3]", true],
    [6, "error", null, false],
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
