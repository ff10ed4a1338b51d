import { expect, test } from "vitest";
import {
  addAfter,
  addNode,
  connect,
  connectByMerge,
  connectRefusal,
  disconnect,
  freePlace,
  insertIntoEdge,
  keyForType,
  mayBeDisabled,
  move,
  removeNodes,
  renameNode,
  renameRefusal,
  setConfig,
  setDisabled,
  setNode,
  setSettings,
} from "./commands";
import { CARD, emptyDocument, GRID } from "./document";
import { freeKey, keyFits, keyFrom } from "./key";
import { catalog, drawn } from "./testing";

const out = (node: string, port = "out") => ({ node, port });
const into = (node: string, port = "in") => ({ node, port });

test("keys come from types and stay valid", () => {
  expect(keyForType("http.request@1")).toBe("http_request");
  expect(keyForType("data.set@1")).toBe("set");
  expect(keyForType("flow.if@1")).toBe("if_node");
  expect(keyForType("acme/mail.send@2")).toBe("mail_send");
  for (const text of ["", "in", "Größe", "1st", "x".repeat(90), "日本"]) expect(keyFits(keyFrom(text))).toBe(true);
});

test("a taken key gets the next number, also at the longest length", () => {
  expect(freeKey("set", (key) => ["set", "set_2"].includes(key))).toBe("set_3");
  expect(freeKey("set_2", (key) => key === "set_2")).toBe("set_3");
  const long = "x".repeat(63);
  expect(keyFits(freeKey(long, (key) => key === long))).toBe(true);
});

test("a new node stands on the grid and covers no other", () => {
  const one = addNode(emptyDocument(), "data.set@1", { x: 13, y: 3 });
  const two = addNode(one.document, "data.set@1", { x: 13, y: 3 });
  const [first, second] = [two.document.sidecar.layout.set, two.document.sidecar.layout.set_2];
  expect(first).toEqual({ x: 16, y: 0 });
  expect(second?.y).toBeGreaterThanOrEqual(CARD.height);
  expect((second?.y ?? 1) % GRID).toBe(0);
  expect(freePlace(two.document, { x: 4000, y: -3 })).toEqual({ x: 4000, y: 0 });
});

test("a node that follows another is joined to it", () => {
  const start = drawn({ start: "trigger.manual@1" });
  const { document, key } = addAfter(start, out("start"), "data.set@1", catalog);
  expect(document.definition.edges).toEqual([{ from: "start", to: key }]);
});

test("a branch's port is named in the edge and the usual ports are not", () => {
  const joined = connect(drawn({ a: "flow.if@1", b: "data.set@1" }), out("a", "true"), into("b"), catalog);
  expect(joined.ok && joined.document.definition.edges).toEqual([{ from: "a.true", to: "b" }]);
});

test.each([
  ["EDGE_DANGLING", out("gone"), into("b")],
  ["PORT_UNKNOWN", out("a", "left"), into("b")],
  ["PORT_UNKNOWN", out("a"), into("start")],
  ["EDGE_DUPLICATE", out("start"), into("a")],
  ["CYCLE", out("b"), into("b")],
  ["PORT_TAKEN", out("start"), into("b")],
  ["PORT_TYPE_MISMATCH", out("call"), into("list")],
] as const)("%s keeps %j from %j", (refusal, from, to) => {
  const document = drawn(
    { start: "trigger.manual@1", a: "data.set@1", b: "data.set@1", call: "http.request@1", list: "data.list@1" },
    "start > a",
    "a > b",
  );
  expect(connectRefusal(document, from, to, catalog)).toBe(refusal);
  expect(connect(document, from, to, catalog)).toEqual({ ok: false, because: refusal });
});

test("an edge that would lead back to where it began is refused", () => {
  const document = drawn({ a: "flow.merge@1", b: "data.set@1", c: "data.set@1" }, "a > b", "b > c");
  expect(connectRefusal(document, out("c"), into("a"), catalog)).toBe("CYCLE");
});

test("a port that takes many edges takes a second one", () => {
  const document = drawn({ a: "data.set@1", b: "data.set@1", m: "flow.merge@1" }, "a > m");
  expect(connectRefusal(document, out("b"), into("m"), catalog)).toBeUndefined();
});

test("once per item makes a list of what leaves, so it may arrive where a list is wanted", () => {
  const once = drawn({ call: "http.request@1", list: "data.list@1" });
  expect(connectRefusal(once, out("call"), into("list"), catalog)).toBe("PORT_TYPE_MISMATCH");
  const each = setNode(once, "call", { for_each: { items: "{{ input }}" } });
  expect(connectRefusal(each, out("call"), into("list"), catalog)).toBeUndefined();
});

test("a second edge into a port that takes one can go through a merge", () => {
  const document = drawn({ a: "data.set@1", b: "data.set@1", c: "data.set@1" }, "a > c");
  const made = connectByMerge(document, out("b"), into("c"), catalog);
  expect(made?.document.definition.edges).toEqual([
    { from: "a", to: "merge" },
    { from: "merge", to: "c" },
    { from: "b", to: "merge" },
  ]);
});

test("a node put into an edge takes its place and makes room", () => {
  const document = drawn({ a: "trigger.manual@1", b: "data.set@1", c: "data.set@1" }, "a > b", "b > c");
  const made = insertIntoEdge(document, "a.out>b.in", "flow.if@1", catalog);
  expect(made?.document.definition.edges).toEqual([
    { from: "a", to: "if_node" },
    { from: "if_node.true", to: "b" },
    { from: "b", to: "c" },
  ]);
  const layout = made?.document.sidecar.layout ?? {};
  expect((layout.b?.x ?? 0) - (layout.if_node?.x ?? 0)).toBeGreaterThanOrEqual(CARD.width);
  expect((layout.c?.x ?? 0) - (layout.b?.x ?? 0)).toBeGreaterThanOrEqual(CARD.width);
});

test("a trigger cannot be put into an edge", () => {
  const document = drawn({ a: "trigger.manual@1", b: "data.set@1" }, "a > b");
  expect(insertIntoEdge(document, "a.out>b.in", "trigger.manual@1", catalog)).toBeUndefined();
});

test("removing nodes takes their edges and places along and touches no other node", () => {
  const document = drawn({ a: "data.set@1", b: "data.set@1", c: "data.set@1" }, "a > b", "b > c", "a > c");
  const left = removeNodes(document, ["b"]);
  expect(left.definition.edges).toEqual([{ from: "a", to: "c" }]);
  expect(Object.keys(left.sidecar.layout)).toEqual(["a", "c"]);
  expect(left.definition.nodes.a).toBe(document.definition.nodes.a);
});

test("renaming follows edges, ports, expressions, the run's result and the place", () => {
  const before = drawn(
    {
      total: "data.set@1",
      check: { type: "flow.if@1", config: { condition: "{{ nodes.total.output > 1 }}" } },
      each: {
        type: "data.set@1",
        for_each: { items: "{{ nodes.total.output }}" },
        config: { value: ["{{ nodes['total'].output }}"] },
      },
      other: { type: "data.set@1", config: { value: "nodes.total" } },
    },
    "total > check",
    "check.true > each",
  );
  before.definition.output = { sum: "{{ nodes.total.output }}" };
  const after = renameNode(renameNode(before, "total", "sum"), "check", "is_large");
  expect(Object.keys(after.definition.nodes).sort()).toEqual(["each", "is_large", "other", "sum"]);
  expect(after.definition.edges).toEqual([
    { from: "sum", to: "is_large" },
    { from: "is_large.true", to: "each" },
  ]);
  expect(after.definition.nodes.is_large?.config).toEqual({ condition: "{{ nodes.sum.output > 1 }}" });
  expect(after.definition.nodes.each).toMatchObject({
    for_each: { items: "{{ nodes.sum.output }}" },
    config: { value: ["{{ nodes['sum'].output }}"] },
  });
  expect(after.definition.output).toEqual({ sum: "{{ nodes.sum.output }}" });
  expect(after.sidecar.layout.sum).toEqual(before.sidecar.layout.total);
  expect(after.definition.nodes.other).toBe(before.definition.nodes.other);
});

test("a key that is taken, reserved or misspelled is not given", () => {
  const document = drawn({ a: "data.set@1", b: "data.set@1" });
  expect(renameRefusal(document, "a", "b")).toBe("taken");
  expect(renameRefusal(document, "a", "in")).toBe("invalid");
  expect(renameRefusal(document, "a", "A b")).toBe("invalid");
  expect(renameRefusal(document, "a", "a")).toBeUndefined();
  expect(renameNode(document, "a", "b")).toBe(document);
});

test("config is set by pointer, made on the way and taken away when empty", () => {
  let document = drawn({ a: "data.set@1" });
  document = setConfig(document, "a", "/fields/name", "Ada");
  document = setConfig(document, "a", "/list", [1, 2, 3]);
  expect(document.definition.nodes.a?.config).toEqual({ fields: { name: "Ada" }, list: [1, 2, 3] });
  document = setConfig(document, "a", "/list/1", undefined);
  expect(document.definition.nodes.a?.config).toEqual({ fields: { name: "Ada" }, list: [1, 3] });
  document = setConfig(setConfig(document, "a", "/fields", undefined), "a", "/list", undefined);
  expect(document.definition.nodes.a).toEqual({ type: "data.set@1" });
});

test("what changes nothing gives the same document", () => {
  const document = drawn({ a: "data.set@1", b: "data.set@1" }, "a > b");
  expect(move(document, { a: { x: 1, y: 2 }, gone: { x: 5, y: 5 } })).toBe(document);
  expect(disconnect(document, ["x.out>y.in"])).toBe(document);
  expect(removeNodes(document, [])).toBe(document);
});

test("a node is disabled and enabled again without a trace; a trigger is not offered", () => {
  const document = drawn({ start: "trigger.manual@1", a: "data.set@1" }, "start > a");
  expect(mayBeDisabled(document, "a", catalog)).toBe(true);
  expect(mayBeDisabled(document, "start", catalog)).toBe(false);
  const disabled = setDisabled(document, ["a"], true);
  expect(disabled.definition.nodes.a).toEqual({ type: "data.set@1", disabled: true });
  expect(setDisabled(disabled, ["a"], false)).toEqual(document);
});

test("settings of runs that are emptied leave nothing behind", () => {
  const document = drawn({ start: "trigger.manual@1" });
  const set = setSettings(document, { timeout: "1h", labels: { shop: "{{ input.shop }}" } });
  expect(set.definition.settings).toEqual({ timeout: "1h", labels: { shop: "{{ input.shop }}" } });
  expect(setSettings(set, { timeout: "", labels: {} })).toEqual(document);
});
