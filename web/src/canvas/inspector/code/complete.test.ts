import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { PortType } from "../../model/catalog";
import { declared, propose } from "./complete";

const types = readFileSync(new URL("../../../../../nodes/src/code/js.d.ts", import.meta.url), "utf8");
const price: PortType = {
  type: "object",
  open: true,
  fields: { price: { type: "number" }, "odd name": { type: "string" } },
};
const input: PortType = {
  type: "object",
  open: true,
  fields: { rows: { type: "list", items: price }, name: { type: "string" } },
};
const at = (text: string) => propose(text, text.length, input, types);
const labels = (text: string) => at(text)?.list.map(({ label }) => label);

test("the members of the input are those that schemas tell of", () => {
  expect(labels("return input.")).toEqual(["rows", "name"]);
  expect(labels("const a = input.rows[0].")).toEqual(["price"]);
  expect(labels("const a = input?.rows?.[0]?.pr")).toEqual(["price"]);
  expect(at("return input.na")).toMatchObject({ from: 13 });
  expect(at("return input.")?.list[0]).toEqual({ label: "rows", detail: "object[]", kind: "property" });
});

test("nothing is proposed where nothing is known", () => {
  for (const text of ["other.", "my.input.", "input.name.", "input.rows.map((row) => row.", "1.", ""]) {
    expect(at(text), text).toBeUndefined();
  }
});

test("what the server declares is proposed with its members", () => {
  expect([...declared(types).keys()]).toEqual(["input", "console", "crypto", "performance", "queueMicrotask"]);
  expect(labels("console.")).toEqual(["debug", "log", "info", "warn", "error", "trace"]);
  expect(labels("crypto.")).toEqual(["randomUUID", "getRandomValues"]);
  expect(labels("performance.")).toEqual(["timeOrigin", "now"]);
  expect(labels("cons")).toContain("console");
});
