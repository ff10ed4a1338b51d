import { expect, test } from "vitest";
import { difference, isSame, together } from "./difference";
import { drawn } from "./testing";

const before = drawn(
  { start: "trigger.manual@1", call: { type: "http.request@1", config: { url: "a", n: [1, 2] } }, gone: "data.set@1" },
  "start > call",
  "call > gone",
);
const after = drawn(
  { start: "trigger.manual@1", call: { type: "http.request@1", config: { url: "b", n: [1, 3] } }, made: "data.set@1" },
  "start > call",
  "call > made",
);

test("nodes that were added, removed and changed are told apart, with the values of their fields", () => {
  const found = difference(before.definition, after.definition);
  expect(found.nodes).toEqual([
    {
      key: "call",
      change: "CHANGED",
      fields: [
        { path: "/config/url", from: "a", to: "b" },
        { path: "/config/n/1", from: 2, to: 3 },
      ],
    },
    { key: "gone", change: "REMOVED", fields: [] },
    { key: "made", change: "ADDED", fields: [] },
  ]);
  expect(found.edgesAdded).toEqual([{ from: "call", to: "made" }]);
  expect(found.edgesRemoved).toEqual([{ from: "call", to: "gone" }]);
});

test("the same definition differs in nothing, and what differs beside nodes is said", () => {
  expect(isSame(difference(before.definition, before.definition))).toBe(true);
  const limited = { ...before.definition, settings: { timeout: "1h" } };
  expect(difference(before.definition, limited).fields).toEqual([
    { path: "/settings", from: undefined, to: { timeout: "1h" } },
  ]);
});

test("one drawing shows both: every node and every edge once", () => {
  const both = together(before.definition, after).definition;
  expect(Object.keys(both.nodes).sort()).toEqual(["call", "gone", "made", "start"]);
  expect(both.edges).toHaveLength(3);
});
