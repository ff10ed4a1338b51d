import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ACTIONS, actionWord } from "./actions";
import { changesBetween } from "./changes";
import { asInstant, asQuery, asTyped, exportAddress, filterIn } from "./filter";

describe("what an action changed", () => {
  test("is told field by field, down into objects", () => {
    expect(changesBetween({ role: "viewer", name: "a" }, { role: "editor", name: "a" })).toEqual([
      { path: "role", before: "viewer", after: "editor" },
    ]);
    expect(changesBetween({ quota: { runs: 1, nodes: 2 } }, { quota: { runs: 3, nodes: 2 } })).toEqual([
      { path: "quota / runs", before: 1, after: 3 },
    ]);
  });

  test("is all of a thing that was made or is gone", () => {
    expect(changesBetween(undefined, { name: "a", email: null })).toEqual([
      { path: "name", before: undefined, after: "a" },
    ]);
    expect(changesBetween({ name: "a" }, undefined)).toEqual([{ path: "name", before: "a", after: undefined }]);
  });

  test("of a list of words is what came and what left", () => {
    const [change] = changesBetween({ permissions: ["read", "a"] }, { permissions: ["read", "b"] });
    expect(change?.items).toEqual({ added: ["b"], removed: ["a"], kept: 1 });
    const [made] = changesBetween(undefined, { permissions: ["read"] });
    expect(made?.items).toEqual({ added: ["read"], removed: [], kept: 0 });
  });

  test("is shown whole where it is of another kind now", () => {
    expect(changesBetween({ value: { a: 1 } }, { value: [1] })).toEqual([
      { path: "value", before: { a: 1 }, after: [1] },
    ]);
  });

  test("is nothing when nothing differs", () => {
    expect(changesBetween({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toEqual([]);
    expect(changesBetween(undefined, undefined)).toEqual([]);
  });
});

test("every action of the server has its words, and none is made up", () => {
  const source = readFileSync(new URL("../../../api/src/service/audit.rs", import.meta.url), "utf8");
  const words = [...source.matchAll(/^ {4}\w+ = "([a-z_.]+)", (?:true|false);/gm)].map(([, word]) => word ?? "");
  expect(words.length).toBeGreaterThan(40);
  expect(Object.keys(ACTIONS).sort()).toEqual(words.sort());
  expect(actionWord("de", "member.added")).toBe("Mitglied hinzugefügt");
  expect(actionWord("en", "moon.landed")).toBe("moon.landed");
  expect(actionWord("en", "constructor")).toBe("constructor");
});

describe("the filter in the address", () => {
  test("is what the query and the export are asked", () => {
    const filter = filterIn(new URLSearchParams("actor=usr_1&action=member.added&result=DENIED&after=x"));
    expect(asQuery(filter)).toEqual({ actorId: "usr_1", actions: ["member.added"], result: "DENIED" });
    expect(exportAddress(filter, "csv")).toBe("/api/v1/audit?format=csv&actor=usr_1&action=member.added&result=DENIED");
  });

  test("leaves out what it cannot mean", () => {
    expect(filterIn(new URLSearchParams("since=yesterday&result=MAYBE&until="))).toEqual({});
  });

  test("has times as instants, and shows them in the zone of the page", () => {
    const instant = "2026-11-22T12:30:00.000Z";
    expect(asInstant(asTyped(instant))).toBe(instant);
    expect(asTyped(undefined)).toBe("");
    expect(asInstant("")).toBe("");
  });
});
