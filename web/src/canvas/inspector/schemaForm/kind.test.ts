import { expect, test } from "vitest";
import { defaultText, fieldNames, kindOf, parse, parseValue } from "./kind";

test("a field is shown by its schema, and as text as soon as it holds an expression", () => {
  expect(kindOf({ enum: ["GET", "POST"] }, "GET")).toBe("choice");
  expect(kindOf({ enum: ["GET", "POST"] }, "{{ input.method }}")).toBe("text");
  expect(kindOf({ type: "integer" }, 3)).toBe("number");
  expect(kindOf({ type: "integer" }, "{{ input.n }}")).toBe("text");
  expect(kindOf({ type: "string" }, undefined)).toBe("text");
  expect(kindOf({ type: ["string", "number"] }, 5)).toBe("json");
  expect(kindOf({}, { a: 1 })).toBe("json");
  expect(kindOf({}, undefined)).toBe("json");
  expect(kindOf({ type: "array" }, [])).toBe("json");
  expect(kindOf({ type: "object", properties: { name: {} } }, undefined)).toBe("object");
  expect(kindOf({ type: "object", additionalProperties: {} }, { a: "1" })).toBe("map");
});

test("a condition that must be given is written as an expression until it is a constant", () => {
  expect(kindOf({ type: "boolean" }, undefined, true)).toBe("text");
  expect(kindOf({ type: "boolean" }, true, true)).toBe("boolean");
  expect(kindOf({ type: "boolean" }, undefined)).toBe("boolean");
});

test("literal braces are no expression", () => {
  expect(kindOf({ enum: ["\\{{"] }, "\\{{")).toBe("choice");
});

test("defaults are shown, and nothing where the schema has none", () => {
  expect(defaultText({ default: "30s" })).toBe("30s");
  expect(defaultText({ default: ["2xx"] })).toBe('["2xx"]');
  expect(defaultText({})).toBeUndefined();
});

test("an empty field is no value, and what is no JSON says so", () => {
  expect(parse(" ")).toEqual({ ok: true, value: undefined });
  expect(parse('{"a": 1}')).toEqual({ ok: true, value: { a: 1 } });
  expect(parse("{a: 1}").ok).toBe(false);
});

test("fields stand as their author put them, what must be filled in first", () => {
  const schema = {
    required: ["url"],
    properties: {
      body: { "x-order": 3 },
      method: { "x-order": 1 },
      odd: {},
      url: { "x-order": 2 },
    },
  };
  expect(fieldNames(schema).names).toEqual(["url", "method", "body", "odd"]);
});

test("a list of described entries is a list of forms, unless an expression stands for it", () => {
  const cases = { type: "array", items: { type: "object", properties: { port: { type: "string" } } } };
  expect(kindOf(cases, undefined)).toBe("list");
  expect(kindOf(cases, [{ port: "a" }])).toBe("list");
  expect(kindOf(cases, "{{ input }}")).toBe("text");
  expect(kindOf({ ...cases, "x-widget": "expression" }, undefined)).toBe("text");
});

test("an expression for a whole value needs no quotes", () => {
  expect(parseValue("{{ item * 2 }}")).toEqual({ ok: true, value: "{{ item * 2 }}" });
  expect(parseValue('{"a": "{{ item }}"}')).toEqual({ ok: true, value: { a: "{{ item }}" } });
  expect(parseValue("{{ item").ok).toBe(false);
  expect(parseValue("item }}").ok).toBe(false);
});

test("a field that is taken as it is written is a script, whatever it holds", () => {
  const schema = { type: "string", "x-verbatim": true };
  expect(kindOf(schema, undefined, true)).toBe("script");
  expect(kindOf(schema, "return `{{ input }}`")).toBe("script");
});
