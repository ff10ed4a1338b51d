import { expect, test } from "vitest";
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

test("a table has a column for every field of any of its rows", () => {
  expect(columnsOf([{ b: 1, a: 2 }, 3, { c: 1, a: 1 }])).toEqual(["b", "a", "c"]);
  expect(columnsOf([1, "x"])).toEqual([]);
});
