import { expect, test } from "vitest";
import { seeded } from "../model/testing";
import { type Line, layers } from "./layers";

function line(from: string, to: string, leaves = 0.5, arrives = 0.5): Line {
  return { from, to, leaves, arrives };
}

/** Pairs of lines that cross when every line is drawn straight. */
function crossing(places: ReturnType<typeof layers>, lines: readonly Line[]): number {
  const drawn = lines.flatMap(({ from, to }) => {
    const [a, b] = [places.get(from), places.get(to)];
    return a && b ? [[a, b] as const] : [];
  });
  let count = 0;
  for (const [index, [a, b]] of drawn.entries()) {
    for (const [c, d] of drawn.slice(index + 1)) {
      if (a.column !== c.column || b.column !== d.column) continue;
      if ((a.row - c.row) * (b.row - d.row) < 0) count += 1;
    }
  }
  return count;
}

test("a row of nodes stays one row", () => {
  const places = layers(["a", "b", "c"], [line("a", "b"), line("b", "c")]);
  expect([...places]).toEqual([
    ["a", { column: 0, row: 0 }],
    ["b", { column: 1, row: 0 }],
    ["c", { column: 2, row: 0 }],
  ]);
});

test("branches stand in the order of their ports, with what parts and joins them in the middle", () => {
  const places = layers(
    ["start", "no", "yes", "end"],
    [line("start", "no", 0.7), line("start", "yes", 0.3), line("no", "end"), line("yes", "end")],
  );
  const row = (key: string) => places.get(key)?.row ?? Number.NaN;
  expect(row("yes")).toBeLessThan(row("no"));
  expect(row("start")).toBeCloseTo((row("yes") + row("no")) / 2, 1);
  expect(row("end")).toBeCloseTo((row("yes") + row("no")) / 2, 1);
});

test("a tree is drawn without a crossing, whatever order its nodes come in", () => {
  const keys = ["d1", "b", "d2", "root", "c", "d3"];
  const lines = [line("root", "c"), line("root", "b"), line("c", "d2"), line("b", "d1"), line("b", "d3")];
  expect(crossing(layers(keys, lines), lines)).toBe(0);
});

test("no two nodes ever cover each other, and lines lead to the right", () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = seeded(seed);
    const keys = Array.from({ length: 2 + Math.floor(random() * 40) }, (_, index) => `n${index}`);
    const lines = keys.flatMap((to, index) =>
      index === 0
        ? []
        : Array.from({ length: 1 + Math.floor(random() * 2) }, () =>
            line(keys[Math.floor(random() * index)] ?? "", to, random(), 0.5),
          ),
    );
    const places = layers(keys, lines);
    const slots = [...places.values()];
    expect(slots).toHaveLength(keys.length);
    for (const [index, one] of slots.entries()) {
      for (const other of slots.slice(index + 1)) {
        if (one.column === other.column) expect(Math.abs(one.row - other.row)).toBeGreaterThanOrEqual(0.999);
      }
    }
    for (const { from, to } of lines) {
      expect(places.get(from)?.column).toBeLessThan(places.get(to)?.column ?? 0);
    }
  }
});

test("a circle and lines to nowhere are drawn as far as they go", () => {
  const places = layers(["a", "b", "c"], [line("a", "b"), line("b", "a"), line("b", "gone"), line("c", "c")]);
  expect([...places.keys()].sort()).toEqual(["a", "b", "c"]);
});

test("the same graph gets the same drawing", () => {
  const lines = [line("a", "c"), line("b", "c"), line("a", "d"), line("c", "e"), line("d", "e")];
  expect(layers(["a", "b", "c", "d", "e"], lines)).toEqual(layers(["a", "b", "c", "d", "e"], lines));
});
