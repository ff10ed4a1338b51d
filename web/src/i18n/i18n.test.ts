import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { meanings } from "./codes";
import { de } from "./de";
import { en, type MessageKey } from "./en";

const keys = Object.keys(en) as MessageKey[];

test("every language puts in the same values", () => {
  const values = (text: string) => [...text.matchAll(/\{(\w+)/g)].map(([, name]) => name).sort();
  for (const key of keys) expect(values(de[key]), key).toEqual(values(en[key]));
});

test("every text is used somewhere", () => {
  const root = new URL("../", import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => /\.tsx?$/.test(file) && !file.startsWith("i18n") && !file.startsWith("gql"),
  );
  const source = files.map((file) => readFileSync(new URL(file, root), "utf8")).join("\n");
  const prefixes = [...source.matchAll(/`([a-zA-Z.]+\.)\$\{/g)].map(([, prefix]) => prefix ?? "");
  const unused = keys.filter(
    (key) => !source.includes(`"${key}"`) && !prefixes.some((prefix) => key.startsWith(prefix)),
  );
  expect(unused).toEqual([]);
});

test("every published code has a meaning in German", () => {
  const codes = ["errors", "problems"].flatMap((guide) => {
    const text = readFileSync(new URL(`../../../docs/guides/${guide}.md`, import.meta.url), "utf8");
    return [...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code ?? "");
  });
  expect(codes.length).toBeGreaterThan(40);
  expect(codes.filter((code) => !(code in meanings))).toEqual([]);
});
