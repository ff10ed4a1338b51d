import { expect, test } from "vitest";
import { isObject, type Json } from "@/canvas/model/json";
import { columnsOf, shapeOf } from "./shape";

test("the shape of a list of objects names every field, and those that are not always there", () => {
  expect(
    shapeOf([
      [
        { id: 1, price: 2 },
        { id: 2, price: 2.5, note: null },
      ],
    ]),
  ).toEqual({
    kinds: ["list"],
    items: {
      kinds: ["object"],
      fields: { id: { kinds: ["integer"] }, price: { kinds: ["number"] }, note: { kinds: ["null"] } },
      optional: ["note"],
    },
  });
});

test("values of different kinds at one place are all named", () => {
  expect(shapeOf([{ a: "x" }, { a: [1] }, null])).toEqual({
    kinds: ["null", "object"],
    fields: { a: { kinds: ["list", "string"], items: { kinds: ["integer"] } } },
  });
});

test("what is known to be a file is one thing, and what only looks like one is data", () => {
  const isFile = (value: Json) => isObject(value) && value.$file === "art_1";
  expect(shapeOf([{ a: { $file: "art_1", name: "x" }, b: { $file: "art_2" } }], isFile)).toEqual({
    kinds: ["object"],
    fields: { a: { kinds: ["file"] }, b: { kinds: ["object"], fields: { $file: { kinds: ["string"] } } } },
  });
});

test("what nobody asked about is left out", () => {
  const isFile = (value: Json) => (isObject(value) && value.$file ? value.$file === "art_1" || undefined : false);
  expect(shapeOf([[{ $file: "art_1" }, { $file: "art_2" }]], isFile)).toEqual({
    kinds: ["list"],
    items: { kinds: ["file"] },
  });
});

test("a table has a column for every field of any of its rows", () => {
  expect(columnsOf([{ b: 1, a: 2 }, 3, { c: 1, a: 1 }])).toEqual(["b", "a", "c"]);
  expect(columnsOf([1, "x"])).toEqual([]);
});
