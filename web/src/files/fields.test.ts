import { expect, test } from "vitest";
import { fileFields, freeName, withoutFields } from "./fields";
import { isMediaType } from "./mediaType";

const schema = {
  type: "object",
  required: ["report", "who"],
  properties: {
    photo: { anyOf: [{ type: "object", required: ["$file"] }, { type: "null" }] },
    report: { "x-file": true, title: "The report" },
    who: { type: "string" },
    size: { type: "object", required: ["width"] },
  },
};

test("members that are files are told from the schema, by their mark or by what they must have", () => {
  expect(fileFields(schema)).toEqual([
    { name: "report", title: "The report", isRequired: true },
    { name: "photo", title: "photo", isRequired: false },
  ]);
  for (const none of [undefined, true, {}, { properties: 1 }, { properties: { a: null } }]) {
    expect(fileFields(none)).toEqual([]);
  }
});

test("what is left to be typed is the rest", () => {
  expect(withoutFields(schema, fileFields(schema))).toEqual({
    type: "object",
    required: ["who"],
    properties: { who: schema.properties.who, size: schema.properties.size },
  });
  expect(withoutFields(undefined, [])).toBeUndefined();
});

test("one more file gets a name that is not taken", () => {
  expect([freeName([]), freeName(["file"]), freeName(["file", "file2"])]).toEqual(["file", "file2", "file3"]);
});

test("a browser's guess is told only when it is a media type", () => {
  expect(["text/csv", "image/svg+xml", "text/plain; charset=utf-8"].every(isMediaType)).toBe(true);
  expect(["", "csv", "text/", "a/b\r\nx: y", `a/${"b".repeat(200)}`].some(isMediaType)).toBe(false);
});
