import { expect, test } from "vitest";
import { addNode, connect, disconnect, move, removeNodes, setConfig, setNode } from "./commands";
import type { FlowDocument } from "./document";
import { merge } from "./merge";
import { catalog, drawn } from "./testing";

const base = drawn({ a: "trigger.manual@1", b: "data.set@1", c: "data.set@1" }, "a > b", "b > c");

function joined(document: FlowDocument, from: string, to: string): FlowDocument {
  const result = connect(document, { node: from, port: "out" }, { node: to, port: "in" }, catalog);
  if (!result.ok) throw new Error(result.because);
  return result.document;
}

test("changes of different nodes are both kept", () => {
  const mine = setNode(base, "b", { name: "Mine" });
  const theirs = addNode(setNode(base, "c", { name: "Theirs" }), "flow.if@1", { x: 0, y: 400 }).document;
  const { document, conflicts } = merge(base, mine, theirs);
  expect(conflicts).toEqual([]);
  expect(document.definition.nodes.b?.name).toBe("Mine");
  expect(document.definition.nodes.c?.name).toBe("Theirs");
  expect(document.definition.nodes.if_node).toEqual({ type: "flow.if@1" });
});

test("changes of different fields of one node are both kept", () => {
  const mine = setConfig(base, "b", "/fields/x", 1);
  const theirs = setNode(setConfig(base, "b", "/fields/y", 2), "b", { timeout: "1s" });
  const { document, conflicts } = merge(base, mine, theirs);
  expect(conflicts).toEqual([]);
  expect(document.definition.nodes.b).toEqual({
    type: "data.set@1",
    timeout: "1s",
    config: { fields: { x: 1, y: 2 } },
  });
});

test("two values for one field are reported, and mine stays until somebody chooses", () => {
  const mine = setNode(base, "b", { name: "Mine" });
  const theirs = setNode(base, "b", { name: "Theirs" });
  const { document, conflicts } = merge(base, mine, theirs);
  expect(document.definition.nodes.b?.name).toBe("Mine");
  expect(conflicts).toEqual([
    { path: "/definition/nodes/b/name", node: "b", base: undefined, mine: "Mine", theirs: "Theirs" },
  ]);
});

test("a node that one removed and the other worked on is kept and reported", () => {
  const changed = setNode(base, "c", { name: "Kept" });
  const removed = removeNodes(base, ["c"]);
  for (const [mine, theirs] of [
    [changed, removed],
    [removed, changed],
  ] as const) {
    const { document, conflicts } = merge(base, mine, theirs);
    expect(document.definition.nodes.c?.name).toBe("Kept");
    expect(conflicts.map((conflict) => conflict.path)).toEqual(["/definition/nodes/c"]);
  }
});

test("edges that either made are there, and those that either took away are not", () => {
  const mine = joined(disconnect(base, ["b.out>c.in"]), "a", "c");
  const extra = addNode(base, "data.set@1", { x: 0, y: 400 });
  const theirs = joined(extra.document, "b", extra.key);
  expect(merge(base, mine, theirs).document.definition.edges).toEqual([
    { from: "a", to: "b" },
    { from: "b", to: "set" },
    { from: "a", to: "c" },
  ]);
});

test("places on the canvas are no reason to ask", () => {
  const mine = move(base, { b: { x: 800, y: 0 } });
  const theirs = move(base, { b: { x: 0, y: 800 }, c: { x: 40, y: 40 } });
  const { document, conflicts } = merge(base, mine, theirs);
  expect(conflicts).toEqual([]);
  expect(document.sidecar.layout).toMatchObject({ b: { x: 800, y: 0 }, c: { x: 40, y: 40 } });
});

test("the same change on both sides is no conflict", () => {
  const changed = setNode(base, "b", { name: "Same" });
  expect(merge(base, changed, setNode(base, "b", { name: "Same" }))).toEqual({ document: changed, conflicts: [] });
});

test("without changes on one side the other's document comes out", () => {
  const theirs = removeNodes(setNode(base, "c", { name: "X" }), ["b"]);
  expect(merge(base, base, theirs).document).toEqual(theirs);
  expect(merge(base, theirs, base).document).toEqual(theirs);
});
