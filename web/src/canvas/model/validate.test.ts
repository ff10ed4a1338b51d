import { expect, test } from "vitest";
import { openDocument } from "./document";
import { placed, problemsAt } from "./problems";
import { catalog, drawn } from "./testing";
import { validate } from "./validate";

const codes = (document: Parameters<typeof validate>[0]) =>
  validate(document, catalog).map((problem) => `${problem.code} ${problem.path}`);

test("a whole workflow has no problem", () => {
  const document = drawn(
    { start: "trigger.manual@1", call: { type: "http.request@1", config: { url: "{{ nodes.start.output.url }}" } } },
    "start > call",
  );
  expect(codes(document)).toEqual([]);
});

test.each([
  ["TRIGGER_MISSING /nodes", drawn({})],
  ["NODE_KEY_INVALID /nodes/Bad", drawn({ start: "trigger.manual@1", Bad: "data.set@1" }, "start > Bad")],
  ["NODE_TYPE_UNKNOWN /nodes/a/type", drawn({ start: "trigger.manual@1", a: "no.such@1" }, "start > a")],
  ["CONFIG_INVALID /nodes/a/config", drawn({ start: "trigger.manual@1", a: "http.request@1" }, "start > a")],
  ["EDGE_DANGLING /edges/0", drawn({ start: "trigger.manual@1" }, "start > gone")],
  ["PORT_UNKNOWN /edges/1/from", drawn({ start: "trigger.manual@1", a: "data.set@1" }, "start > a", "start.error > a")],
  ["EDGE_DUPLICATE /edges/1", drawn({ start: "trigger.manual@1", a: "data.set@1" }, "start > a", "start.out > a.in")],
  [
    "PORT_TAKEN /edges/2/to",
    drawn({ start: "trigger.manual@1", a: "data.set@1", b: "data.set@1" }, "start > a", "start > b", "a > b"),
  ],
  [
    "PORT_TYPE_MISMATCH /edges/1",
    drawn(
      { start: "trigger.manual@1", a: { type: "http.request@1", config: { url: "x" } }, b: "data.list@1" },
      "start > a",
      "a > b",
    ),
  ],
  ["NODE_UNREACHABLE /nodes/a", drawn({ start: "trigger.manual@1", a: "data.set@1" })],
  [
    "REFERENCE_NOT_UPSTREAM /nodes/a",
    drawn(
      { start: "trigger.manual@1", a: { type: "data.set@1", config: { value: "{{ nodes.b.output }}" } } },
      "start > a",
    ),
  ],
  [
    "EXPRESSION_INVALID /nodes/a/config/fields/x",
    drawn({ start: "trigger.manual@1", a: { type: "data.set@1", config: { fields: { x: "{{ 1" } } } }, "start > a"),
  ],
  [
    "FOR_EACH_INVALID /nodes/a/for_each",
    drawn({ start: "trigger.manual@1", a: { type: "flow.merge@1", for_each: { items: [] } } }, "start > a"),
  ],
])("%s is found, and nothing else", (expected, document) => {
  expect(codes(document)).toEqual([expected]);
});

test("the members of a cycle are named, and not what lies behind it", () => {
  const document = drawn(
    { start: "trigger.manual@1", m: "flow.merge@1", a: "data.set@1", z: "data.set@1" },
    "start > m",
    "m > a",
    "a > m",
    "a > z",
  );
  const [problem] = validate(document, catalog).filter(({ code }) => code === "CYCLE");
  expect(problem?.message).toBe("these nodes lead back to themselves: a, m");
});

test("a broken document opens and is checked", () => {
  for (const broken of [null, 7, [], { nodes: [] }, { nodes: { a: 1, b: {} }, edges: [1, { from: "b" }] }]) {
    expect(validate(openDocument(broken), catalog).map(({ code }) => code)).toContain("TRIGGER_MISSING");
  }
});

test("problems know their node, their field and their edge", () => {
  const document = drawn({ start: "trigger.manual@1", a: "http.request@1" }, "start > a", "a > gone");
  const all = placed(validate(document, catalog), document);
  expect(problemsAt(all, "a", "/config").map(({ code }) => code)).toEqual(["CONFIG_INVALID"]);
  expect(problemsAt(all, "a", "/retry")).toEqual([]);
  expect(all.find(({ code }) => code === "EDGE_DANGLING")?.place).toEqual({ edge: "a.out>gone.in" });
});

test("what a disabled node says is not looked at, and a trigger cannot be disabled", () => {
  const disabled = { type: "http.request@1", disabled: true, config: { body: "{{ nodes.gone.output" } };
  expect(codes(drawn({ start: "trigger.manual@1", a: disabled }, "start > a"))).toEqual([]);
  expect(codes(drawn({ start: { type: "trigger.manual@1", disabled: true } }))).toEqual([
    "TRIGGER_DISABLED /nodes/start/disabled",
  ]);
});
