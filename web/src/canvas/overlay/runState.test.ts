import { expect, test } from "vitest";
import { GapError, itemsOf, NOTHING_YET, type RunEvent, reduce } from "./runState";

let seq = 0;
function event(kind: string, given: Partial<RunEvent> = {}): RunEvent {
  seq += 1;
  return {
    seq,
    at: new Date(seq * 1000).toISOString(),
    cursor: `c${seq}`,
    kind,
    node: null,
    scope: null,
    attempt: null,
    port: null,
    status: null,
    message: null,
    signal: null,
    lines: null,
    dueAt: null,
    error: null,
    ...given,
  };
}

function story(): RunEvent[] {
  seq = 0;
  const error = { code: "HTTP_STATUS", kind: "TRANSIENT", message: "503" };
  return [
    event("RUN_CREATED"),
    event("RUN_STARTED"),
    event("NODE_STARTED", { node: "call", scope: "", attempt: 1 }),
    event("ATTEMPT_FAILED", { node: "call", scope: "", attempt: 1, error }),
    event("NODE_RETRYING", { node: "call", scope: "", dueAt: "2026-01-01T00:00:00Z" }),
    event("RUN_RECOVERED"),
    event("NODE_STARTED", { node: "call", scope: "", attempt: 2 }),
    event("ATTEMPT_SUCCEEDED", { node: "call", scope: "", attempt: 2, port: "out" }),
    event("NODE_SUCCEEDED", { node: "direct", scope: "", port: "out" }),
    event("NODE_SKIPPED", { node: "other", scope: "" }),
    event("RUN_FINISHED", { status: "SUCCEEDED" }),
  ];
}

test("a run is told by its events: attempts, recovery, ends", () => {
  const run = reduce(NOTHING_YET, story());
  expect(run).toMatchObject({ seq: 11, cursor: "c11", status: "SUCCEEDED", recovered: 1 });
  expect(run.nodes.get("call")).toMatchObject({ status: "SUCCEEDED", port: "out", error: null });
  expect(run.nodes.get("call")?.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
    [1, "failed"],
    [2, "succeeded"],
  ]);
  expect(run.nodes.get("other")?.status).toBe("SKIPPED");
});

test("it does not matter how the events are cut up, nor whether some come twice", () => {
  const events = story();
  const whole = reduce(NOTHING_YET, events);
  for (let cut = 0; cut <= events.length; cut += 1) {
    const first = reduce(NOTHING_YET, events.slice(0, cut));
    expect(reduce(first, events.slice(Math.max(0, cut - 3)))).toEqual(whole);
  }
});

test("a result that was taken over counts as succeeded without an attempt", () => {
  seq = 0;
  const run = reduce(NOTHING_YET, [event("RUN_CREATED"), event("REUSED", { node: "call", scope: "", port: "out" })]);
  expect(run.nodes.get("call")).toMatchObject({ status: "SUCCEEDED", reused: true, port: "out", attempts: [] });
});

test("a gap is an error, never passed over", () => {
  const events = story();
  expect(() => reduce(NOTHING_YET, events.slice(1))).toThrow(GapError);
  expect(() => reduce(NOTHING_YET, [...events.slice(0, 3), ...events.slice(4)])).toThrow(GapError);
});

test("kinds of events that are not known yet move the cursor and change nothing else", () => {
  seq = 0;
  const run = reduce(NOTHING_YET, [event("RUN_CREATED"), event("SOMETHING_NEW", { node: "call", scope: "" })]);
  expect(run.seq).toBe(2);
  expect(run.nodes.size).toBe(0);
});

test("items of a node are counted by how they ended", () => {
  seq = 0;
  const item = (kind: string, scope: string) => event(kind, { node: "each", scope });
  const run = reduce(NOTHING_YET, [
    item("ITEMS_LISTED", ""),
    item("NODE_STARTED", "0"),
    item("NODE_STARTED", "1"),
    item("NODE_STARTED", "2"),
    item("ATTEMPT_SUCCEEDED", "0"),
    item("NODE_FAILED", "2"),
  ]);
  expect(itemsOf(run, "each")).toEqual({ done: 1, failed: 1, all: 3 });
  expect(run.nodes.get("each")?.status).toBe("RUNNING");
});

test("a node that begins again after its result was known counts as repeated; one that was under way does not", () => {
  seq = 0;
  const each = (kind: string, scope: string, attempt: number) => event(kind, { node: "each", scope, attempt });
  const before = [each("NODE_STARTED", "0", 1), each("ATTEMPT_SUCCEEDED", "0", 1), each("NODE_STARTED", "1", 1)];
  const after = [event("RUN_RECOVERED"), each("NODE_STARTED", "1", 2)];
  expect(reduce(NOTHING_YET, [...before, ...after])).toMatchObject({ recovered: 1, repeated: 0 });
  seq = 0;
  const again = [each("NODE_STARTED", "0", 1), each("ATTEMPT_SUCCEEDED", "0", 1), each("NODE_STARTED", "0", 2)];
  expect(reduce(NOTHING_YET, again).repeated).toBe(1);
});
