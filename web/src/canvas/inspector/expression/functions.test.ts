import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FUNCTIONS } from "./functions";

test("the functions offered are those of the guide, no more and no fewer", () => {
  const guide = readFileSync(new URL("../../../../../docs/guides/expressions.md", import.meta.url), "utf8");
  const described = [...guide.matchAll(/^\| `(\w+)\([^`]*\)` \|/gm)].map(([, name]) => name);
  expect(described.length).toBeGreaterThan(60);
  expect(FUNCTIONS.map(({ name }) => name)).toEqual(described);
});
