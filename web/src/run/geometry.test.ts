import { expect, test } from "vitest";
import type { NodeState } from "@/canvas/overlay/runState";
import { bars, rowsOf, scaleOf } from "./geometry";

const at = (second: number) => new Date(second * 1000).toISOString();
const row = (given: Partial<NodeState>): NodeState => ({
  node: "a",
  scope: "",
  status: "SUCCEEDED",
  attempts: [],
  since: at(0),
  endedAt: at(10),
  port: null,
  error: null,
  dueAt: null,
  signal: null,
  reused: false,
  ...given,
});

const even = (seconds: number) => ({ at: (time: number) => time / (seconds * 10) });
const mapOf = (nodes: NodeState[]) => new Map(nodes.map((one) => [`${one.node}[${one.scope}]`, one]));

test("attempts, the pauses between them and waits are told apart", () => {
  const retried = row({
    attempts: [
      { number: 1, startedAt: at(0), endedAt: at(2), outcome: "failed" },
      { number: 2, startedAt: at(4), endedAt: at(10), outcome: "succeeded" },
    ],
  });
  expect(bars(retried, even(10), 10_000)).toEqual([
    { kind: "failed", left: 0, width: 20 },
    { kind: "pause", left: 20, width: 20 },
    { kind: "succeeded", left: 40, width: 60 },
  ]);
  const waiting = row({
    status: "WAITING",
    endedAt: null,
    attempts: [{ number: 1, startedAt: at(5), endedAt: at(5), outcome: "waits" }],
  });
  expect(bars(waiting, even(20), 20_000)).toEqual([{ kind: "waits", left: 25, width: 75 }]);
});

test("what is under way reaches to now and never beyond", () => {
  const running = row({
    status: "RUNNING",
    endedAt: null,
    attempts: [{ number: 1, startedAt: at(5), endedAt: null, outcome: "running" }],
  });
  expect(bars(running, even(10), 10_000)).toEqual([{ kind: "running", left: 50, width: 50 }]);
});

test("rows begin in order, items are folded into their node, and what was skipped is left out", () => {
  const nodes = mapOf([
    row({ node: "b", since: at(3) }),
    row({ node: "each", scope: "10", since: at(1) }),
    row({ node: "each", scope: "2", since: at(2) }),
    row({ node: "each", scope: "7", since: at(2), status: "FAILED" }),
    row({ node: "each", since: at(1) }),
    row({ node: "never", status: "SKIPPED", since: at(0) }),
  ]);
  const folded = rowsOf(nodes, new Set());
  expect(folded.map(({ state }) => state.node + state.scope)).toEqual(["each", "b"]);
  expect(folded[0]).toMatchObject({ items: 3, failed: 1 });
  const open = rowsOf(nodes, new Set(["each"]));
  expect(open.map(({ state }) => state.node + state.scope)).toEqual(["each", "each7", "each2", "each10", "b"]);
});

test("nodes that began in the same moment stand in the order in which the events named them", () => {
  const nodes = mapOf([row({ node: "start" }), row({ node: "is_large" }), row({ node: "credit" })]);
  expect(rowsOf(nodes, new Set()).map(({ state }) => state.node)).toEqual(["start", "is_large", "credit"]);
});

test("a long wait is drawn short, so that what was done can be seen", () => {
  const worked = row({ attempts: [{ number: 1, startedAt: at(0), endedAt: at(10), outcome: "succeeded" }] });
  const waited = row({
    node: "b",
    attempts: [{ number: 1, startedAt: at(10), endedAt: at(10), outcome: "waits" }],
  });
  const last = row({
    node: "c",
    attempts: [{ number: 1, startedAt: at(990), endedAt: at(1_000), outcome: "succeeded" }],
  });
  const scale = scaleOf(mapOf([worked, waited, last]), 0, 1_000_000);
  expect(scale.gaps).toEqual([{ left: 46, width: 8, milliseconds: 980_000 }]);
  expect([0, 5_000, 10_000, 500_000, 990_000, 1_000_000].map(scale.at)).toEqual([0, 23, 46, 50, 54, 100]);
});

test("without a long wait time is drawn evenly", () => {
  const worked = row({ attempts: [{ number: 1, startedAt: at(0), endedAt: at(10), outcome: "succeeded" }] });
  const scale = scaleOf(mapOf([worked]), 0, 10_000);
  expect(scale.gaps).toEqual([]);
  expect(scale.at(2_500)).toBe(25);
});
