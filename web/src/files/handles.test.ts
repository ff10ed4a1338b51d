import { expect, test } from "vitest";
import { fileIdIn, fileIdsIn, runOf, shares } from "./handles";

const id = (digit: string) => `art_${digit.repeat(32)}`;

test("only an object with a well-formed id looks like a file", () => {
  expect(fileIdIn({ $file: id("a"), name: "x" })).toBe(id("a"));
  for (const other of [
    null,
    "art",
    [],
    { $file: 1 },
    { $file: "art_1" },
    { $file: `${id("a")}/..` },
    { file: id("a") },
  ]) {
    expect(fileIdIn(other), JSON.stringify(other)).toBeUndefined();
  }
});

test("what looks like a file is found anywhere in a value, in its order and once", () => {
  const value = { body: { $file: id("b") }, rows: [{ a: { $file: id("a") } }, { a: { $file: id("b") } }, 1, null] };
  expect(fileIdsIn(value)).toEqual([id("b"), id("a")]);
  expect(
    fileIdsIn(Array.from({ length: 90 }, (_, n) => ({ $file: `art_${String(n).padStart(32, "0")}` }))),
  ).toHaveLength(60);
});

test("a value belongs to the run of its node run", () => {
  const source = { of: "output", nodeRun: `nrun_${"1".repeat(32)}.rows.3` } as const;
  expect(runOf(source)).toBe(`run_${"1".repeat(32)}`);
  expect(runOf({ of: "runInput", run: "run_2" })).toBe("run_2");
});

test("a run has its own files and those of the run that it tries again, and no others", () => {
  const first = { id: "run_1" };
  const again = { id: "run_2", retryOf: first };
  expect(shares(first, first)).toBe(true);
  expect(shares(again, first)).toBe(true);
  expect(shares(again, { id: "run_3", retryOf: null })).toBe(false);
});
