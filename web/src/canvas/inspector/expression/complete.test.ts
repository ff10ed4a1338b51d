import { expect, test } from "vitest";
import { catalog, drawn } from "../../model/testing";
import { complete } from "./complete";
import { scopeOf } from "./types";

const document = drawn(
  {
    start: "trigger.manual@1",
    call: { type: "http.request@1", config: { url: "x" } },
    each: { type: "data.set@1", for_each: { items: "{{ input }}" } },
    later: "data.set@1",
  },
  "start > call",
  "call > each",
  "each > later",
);
document.definition.input_schema = {
  type: "object",
  properties: { id: { type: "string" }, lines: { type: "array", items: { type: "object" } } },
};

function at(marked: string, node = "each") {
  const place = marked.indexOf("|");
  const text = marked.replace("|", "");
  const suggestions = complete(text, place, scopeOf(document, catalog, node));
  return suggestions?.list.filter(({ kind }) => kind !== "function").map(({ label }) => label);
}

test("names come first in an expression, and only there", () => {
  expect(at("{{ | }}")).toEqual(["input", "nodes", "run", "trigger", "vars", "item", "index"]);
  expect(at("plain | {{ 1 }}")).toBeUndefined();
  expect(at("\\{{ | }}")).toBeUndefined();
});

test("only nodes that come before are offered", () => {
  expect(at("{{ nodes.| }}")).toEqual(["call", "start"]);
  expect(at("{{ nodes.| }}", "call")).toEqual(["start"]);
});

test("members come from the schemas of ports and of the run's input", () => {
  expect(at("{{ nodes.call.output.| }}")).toEqual(["status"]);
  expect(at("{{ input.st| }}")).toEqual(["status"]);
  expect(at("{{ run.input.| }}")).toEqual(["id", "lines"]);
  expect(at("{{ nodes.start.output.i| + 1 }}")).toEqual(["id", "lines"]);
});

test("a node that runs once per item gives a list, which has no members of its own", () => {
  expect(at("{{ nodes.each.output.| }}", "later")).toEqual([]);
});

test("inside texts, comments and numbers there is nothing to complete", () => {
  expect(at('{{ "nodes.|" }}')).toBeUndefined();
  expect(at("{{ 1 // nodes.| }}")).toBeUndefined();
});

test("the word that is being written is replaced", () => {
  const suggestions = complete("{{ inp }}", 6, scopeOf(document, catalog, "each"));
  expect(suggestions?.from).toBe(3);
});

test("an expression that is not closed yet is completed too", () => {
  expect(at("{{ nodes.call.|")).toEqual(["output"]);
});
