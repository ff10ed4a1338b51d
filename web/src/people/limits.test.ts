import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OVER_THE_WHOLE, sameLimit, slugsOf, underLimit, within } from "./limits";

const project = (slug: string) => ({ slug, title: slug.toUpperCase() });

test("a limit names its projects by their slugs, and none is no limit", () => {
  expect(slugsOf([project("b"), project("a")])).toEqual(["a", "b"]);
  expect([slugsOf(null), slugsOf(undefined), slugsOf([])]).toEqual([null, null, []]);
  expect(sameLimit(["a", "b"], ["b", "a"])).toBe(true);
  expect([sameLimit(["a"], ["b"]), sameLimit(null, []), sameLimit(null, null)]).toEqual([false, false, true]);
});

test("what two limits let through is what both do", () => {
  const [a, b] = [project("a"), project("b")];
  expect(within([a, b], [b])).toEqual([b]);
  expect(within([a], [b])).toEqual([]);
  expect([within(null, [a]), within([a], null), within(null, undefined)]).toEqual([[a], [a], null]);
});

test("a limit leaves nothing over the workspace as a whole", () => {
  expect(underLimit(["read", "key:manage"], ["a"])).toEqual(["read"]);
  expect(underLimit(["read", "key:manage"], null)).toEqual(["read", "key:manage"]);
});

test("the permissions over the workspace as a whole are those that the guide names", () => {
  const guide = readFileSync(new URL("../../../docs/guides/access.md", import.meta.url), "utf8");
  const [, told = ""] = /no permission over the workspace as a whole:\n([\s\S]*?)\.\n/.exec(guide) ?? [];
  expect([...told.matchAll(/`([^`]+)`/g)].map(([, word]) => word)).toEqual(OVER_THE_WHOLE);
});
