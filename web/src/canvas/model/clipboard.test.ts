import { expect, test } from "vitest";
import { copy, paste, read } from "./clipboard";
import { addNote } from "./commands";
import { emptyDocument, type FlowDocument } from "./document";
import { drawn } from "./testing";

const order = drawn(
  {
    start: "trigger.manual@1",
    total: "data.set@1",
    check: { type: "flow.if@1", config: { condition: "{{ nodes.total.output > nodes.start.output.limit }}" } },
    big: "data.set@1",
  },
  "start > total",
  "total > check",
  "check.true > big",
);

function part(text: string): FlowDocument {
  const document = read(text);
  if (!document) throw new Error("nothing to paste");
  return document;
}

test("a copy holds the chosen nodes, the edges between them and nothing else", () => {
  const text = JSON.parse(copy(order, ["total", "check"]));
  expect(text).toMatchObject({ apiVersion: "flowforge/v1", kind: "Nodes" });
  expect(Object.keys(text.definition.nodes)).toEqual(["total", "check"]);
  expect(text.definition.edges).toEqual([{ from: "total", to: "check" }]);
});

test("pasting where the keys are taken renames them, with edges, ports and expressions inside the part", () => {
  const pasted = paste(order, part(copy(order, ["total", "check", "big"])), { x: 64, y: 640 });
  expect(pasted.keys).toEqual(["total_2", "check_2", "big_2"]);
  expect(pasted.document.definition.nodes.check_2?.config).toEqual({
    condition: "{{ nodes.total_2.output > nodes.start.output.limit }}",
  });
  expect(pasted.document.definition.edges.slice(3)).toEqual([
    { from: "total_2", to: "check_2" },
    { from: "check_2.true", to: "big_2" },
  ]);
  expect(pasted.missing).toEqual([]);
});

test("the part's upper left corner lands at the pointer and its shape stays", () => {
  const { document } = paste(emptyDocument(), part(copy(order, ["total", "check"])), { x: 103, y: 57 });
  expect(document.sidecar.layout).toEqual({ total: { x: 104, y: 56 }, check: { x: 424, y: 56 } });
});

test("nodes that the part reads and that are not here are reported", () => {
  const pasted = paste(emptyDocument(), part(copy(order, ["check"])), { x: 0, y: 0 });
  expect(pasted.missing).toEqual(["start", "total"]);
});

test("sheets of text come along under names of their own", () => {
  const noted = addNote(order, { x: 0, y: 200 }, "why");
  const pasted = paste(noted.document, part(copy(noted.document, [], [noted.id])), { x: 800, y: 0 });
  expect(pasted.document.sidecar.notes).toMatchObject({ N1: { text: "why" }, N2: { text: "why", x: 800, y: 0 } });
});

test("a whole workflow document can be pasted, and other texts cannot", () => {
  expect(
    read(JSON.stringify({ apiVersion: "flowforge/v1", kind: "Workflow", definition: order.definition })),
  ).toMatchObject({
    definition: order.definition,
  });
  expect(read(JSON.stringify(order.definition))?.definition).toEqual(order.definition);
  for (const text of ["", "hello", "[1]", "null", '{"a": 1}', '{"apiVersion": "v2", "definition": {}}']) {
    expect(read(text)).toBeUndefined();
  }
});

test("a part with broken keys is made to fit", () => {
  const broken = part(
    '{"apiVersion":"flowforge/v1","definition":{"nodes":{"My Node":{"type":"data.set@1"},"in":{}},"edges":[]}}',
  );
  expect(paste(emptyDocument(), broken, { x: 0, y: 0 }).keys).toEqual(["my_node", "in_node"]);
});
