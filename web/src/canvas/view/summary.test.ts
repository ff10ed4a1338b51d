import { expect, test } from "vitest";
import type { NodeTypeSpec } from "../model/catalog";
import { summaryOf } from "./summary";

const kind = (title: string, configSchema: NodeTypeSpec["configSchema"]) => ({ title, configSchema }) as NodeTypeSpec;
const call = kind("HTTP request", {
  required: ["url"],
  properties: { method: { type: "string" }, url: { type: "string" } },
});
const wait = kind("Wait", { properties: { for: {}, signal: { properties: { name: { type: "string" } } } } });

test("a card says what its node does: what must be given comes first, without what every expression has", () => {
  expect(summaryOf({ type: "x", config: { method: "POST", url: "https://a.example/b" } }, call)).toBe(
    "HTTP request · /b",
  );
  expect(summaryOf({ type: "x", config: { url: "https://a.example/" } }, call)).toBe("HTTP request · a.example/");
  expect(summaryOf({ type: "x", config: { url: "{{ input.url }}" } }, call)).toBe("HTTP request · input.url");
  expect(summaryOf({ type: "x", config: { signal: { name: "payment" } } }, wait)).toBe("Wait · payment");
});

test("where there is nothing to tell, the card says the kind alone", () => {
  expect(summaryOf({ type: "x" }, call)).toBe("HTTP request");
  expect(summaryOf({ type: "x.gone@1", config: { url: "a" } }, undefined)).toBe("x.gone@1");
});
