import { expect, test } from "vitest";
import { drawn } from "../../model/testing";
import { around } from "./check";
import { writtenAt } from "./spans";

test("the expression at the cursor is found, with the cursor inside it", () => {
  const text = "a {{ input.id }} b {{ nodes.x.out }}";
  expect(writtenAt(text, 11, false)).toEqual({ expression: " input.id ", cursor: 7, from: 11 });
  expect(writtenAt(text, text.indexOf("out") + 2, false)).toMatchObject({ expression: " nodes.x.out " });
});

test("outside of every expression the first one is looked at, and without any nothing", () => {
  expect(writtenAt("a {{ input }}", 0, false)?.expression).toBe(" input ");
  expect(writtenAt("nothing", 3, false)).toBeUndefined();
});

test("inside of JSON quotes are meant as they are read, and the cursor is counted so", () => {
  const text = '{"a": "{{ input[\\"b\\"].c }}"}';
  const written = writtenAt(text, text.indexOf(".c") + 1, true);
  expect(written?.expression).toBe(' input["b"].c ');
  expect(written?.cursor).toBe(' input["b"].'.length);
});

test("characters are counted as the server counts them", () => {
  const text = "{{ '😀'.size() }}";
  expect(writtenAt(text, text.indexOf("size"), false)?.cursor).toBe([..." '😀'."].length);
});

test("only what comes before a node is sent with a question about it", () => {
  const { definition } = drawn(
    { start: "trigger.manual@1", a: "data.set@1", b: "data.set@1", other: "data.set@1" },
    "start > a",
    "a > b",
    "start > other",
  );
  const part = around(definition, "b");
  expect(Object.keys(part.nodes)).toEqual(["start", "a", "b"]);
  expect(part.edges).toHaveLength(2);
});
