import { expect, test } from "vitest";
import { asSent, asTyped, fieldsOf } from "./fields";

const schema = {
  type: "object",
  required: ["token"],
  properties: {
    hosts: { type: "array", items: { type: "string" }, title: "Hosts" },
    token: { type: "string", "x-secret": true },
    headers: { type: "string", "x-multiline": true, "x-secret": true },
  },
};

test("fields that must be filled in come first, and secrets are known as such", () => {
  const fields = fieldsOf(schema);
  expect(fields.map(({ name, secret, lines, list }) => [name, secret, lines, list])).toEqual([
    ["token", true, false, false],
    ["hosts", false, false, true],
    ["headers", true, true, false],
  ]);
});

test("fields stand as their author put them, with what can be chosen", () => {
  const fields = fieldsOf({
    required: ["host", "database"],
    properties: {
      database: { "x-order": 3 },
      host: { "x-order": 1 },
      port: { "x-order": 2 },
      tls: { "x-order": 4, enum: ["verify", "off"], default: "verify" },
    },
  });
  expect(fields.map(({ name }) => name)).toEqual(["host", "port", "database", "tls"]);
  expect(fields[3]).toMatchObject({ choices: ["verify", "off"], otherwise: "verify" });
});

test("secrets are sent apart, lists as lists, and what is empty not at all", () => {
  const sent = asSent(fieldsOf(schema), { token: "hush-hush", hosts: "a.example.com, b.example.com", headers: " " });
  expect(sent).toEqual({ fields: { hosts: ["a.example.com", "b.example.com"] }, secrets: { token: "hush-hush" } });
});

test("a connection that is changed begins with what can be read, and with empty secrets", () => {
  expect(asTyped(fieldsOf(schema), { hosts: ["a", "b"], token: "never" })).toEqual({
    token: "",
    hosts: "a, b",
    headers: "",
  });
});
