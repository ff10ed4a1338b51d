import { expect, test } from "vitest";
import { type Json, same } from "./json";
import { applyPatch, diff, PatchError } from "./patch";
import { seeded } from "./testing";

test("a difference names only what changed", () => {
  const before = { nodes: { a: { type: "x" }, b: { type: "y", name: "B" } }, edges: [1, 2, 3] };
  const after = { nodes: { b: { type: "y" }, c: { type: "z" } }, edges: [1, 3, 4] };
  expect(diff(before, after)).toEqual([
    { op: "remove", path: "/nodes/a" },
    { op: "remove", path: "/nodes/b/name" },
    { op: "add", path: "/nodes/c", value: { type: "z" } },
    { op: "replace", path: "/edges/1", value: 3 },
    { op: "replace", path: "/edges/2", value: 4 },
  ]);
});

test("taking the first of many list entries away is one operation", () => {
  const list = Array.from({ length: 1000 }, (_, index) => ({ from: `a${index}`, to: `b${index}` }));
  expect(diff(list, list.slice(1))).toEqual([{ op: "remove", path: "/0" }]);
});

test("names with slashes and tildes are escaped", () => {
  expect(diff({ "a/b": { "c~d": 1 } }, { "a/b": { "c~d": 2 } })).toEqual([
    { op: "replace", path: "/a~1b/c~0d", value: 2 },
  ]);
  expect(applyPatch({ "a/b": { "c~d": 1 } }, [{ op: "replace", path: "/a~1b/c~0d", value: 2 }])).toEqual({
    "a/b": { "c~d": 2 },
  });
});

test("a patch leaves the given document as it was", () => {
  const document = { list: [1] };
  expect(applyPatch(document, [{ op: "add", path: "/list/-", value: 2 }])).toEqual({ list: [1, 2] });
  expect(document).toEqual({ list: [1] });
});

test.each([
  [{ op: "remove", path: "/b" }],
  [{ op: "replace", path: "/b", value: 1 }],
  [{ op: "remove", path: "/list/3" }],
  [{ op: "add", path: "/list/9", value: 1 }],
  [{ op: "add", path: "/b/c", value: 1 }],
  [{ op: "remove", path: "" }],
] as const)("a patch that does not fit is refused: %j", (operation) => {
  expect(() => applyPatch({ a: 1, list: [1, 2, 3] } as Json, [operation])).toThrow(PatchError);
});

/** Any JSON, not too deep. */
function anything(random: () => number, depth = 0): Json {
  const pick = Math.floor(random() * (depth > 3 ? 4 : 6));
  if (pick === 0) return null;
  if (pick === 1) return random() < 0.5;
  if (pick === 2) return Math.floor(random() * 10);
  if (pick === 3) return ["", "a", "a/b", "~", "ü"][Math.floor(random() * 5)] ?? "";
  const size = Math.floor(random() * 5);
  if (pick === 4) return Array.from({ length: size }, () => anything(random, depth + 1));
  const names = ["a", "b", "c/d", "e~f", "", "0"];
  return Object.fromEntries(
    Array.from({ length: size }, () => [names[Math.floor(random() * names.length)], anything(random, depth + 1)]),
  );
}

test("the difference of any two values, put to the one, gives the other", () => {
  const random = seeded(20261121);
  for (let round = 0; round < 3000; round += 1) {
    const [before, after] = [anything(random), anything(random)];
    const patched = applyPatch(before, diff(before, after));
    expect(same(patched, after), `round ${round}: ${JSON.stringify([before, after, patched])}`).toBe(true);
  }
});
