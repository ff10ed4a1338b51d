import { expect, test } from "vitest";
import type { NodeState } from "@/canvas/overlay/runState";
import { bars, rowsOf } from "./geometry";

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

test("attempts, the pauses between them and waits are told apart", () => {
  const retried = row({
    attempts: [
      { number: 1, startedAt: at(0), endedAt: at(2), outcome: "failed" },
      { number: 2, startedAt: at(4), endedAt: at(10), outcome: "succeeded" },
    ],
  });
  expect(bars(retried, 0, 10_000)).toEqual([
    { kind: "failed", left: 0, width: 20 },
    { kind: "pause", left: 20, width: 20 },
    { kind: "succeeded", left: 40, width: 60 },
  ]);
  const waiting = row({
    status: "WAITING",
    endedAt: null,
    attempts: [{ number: 1, startedAt: at(5), endedAt: at(5), outcome: "waits" }],
  });
  expect(bars(waiting, 0, 20_000)).toEqual([{ kind: "waits", left: 25, width: 75 }]);
});

test("what is under way reaches to now and never beyond", () => {
  const running = row({
    status: "RUNNING",
    endedAt: null,
    attempts: [{ number: 1, startedAt: at(5), endedAt: null, outcome: "running" }],
  });
  expect(bars(running, 0, 10_000)).toEqual([{ kind: "running", left: 50, width: 50 }]);
});

test("rows begin in order, items follow their node by number, and what was skipped is left out", () => {
  const nodes = [
    row({ node: "b", since: at(3) }),
    row({ node: "each", scope: "10", since: at(1) }),
    row({ node: "each", scope: "2", since: at(2) }),
    row({ node: "each", since: at(1) }),
    row({ node: "never", status: "SKIPPED", since: at(0) }),
  ];
  const map = new Map(nodes.map((one) => [`${one.node}[${one.scope}]`, one]));
  expect(rowsOf(map).map(({ node, scope }) => node + scope)).toEqual(["each", "each2", "each10", "b"]);
});
