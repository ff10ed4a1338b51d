import { expect, test } from "vitest";
import { expressions, hasExpression, nodesRead, renameInText } from "./expression";

const inside = (text: string) => expressions(text).map((span) => text.slice(span.start, span.end));
const rename = (text: string, from: string, to: string) => renameInText(text, (key) => (key === from ? to : undefined));

test("an expression ends at its own braces, not at those of a text or an object in it", () => {
  expect(inside('a {{ "}}" }} b {{ {"k": {"l": 1}} }}')).toEqual([' "}}" ', ' {"k": {"l": 1}} ']);
});

test("an odd number of backslashes makes the braces literal", () => {
  expect(hasExpression("\\{{ no }}")).toBe(false);
  expect(hasExpression("\\\\{{ yes }}")).toBe(true);
  expect(inside("\\{{ a }} {{ b }}")).toEqual([" b "]);
});

test("an expression that is not closed reaches to the end and says so", () => {
  const [span] = expressions("{{ input.name");
  expect(span).toMatchObject({ start: 2, end: 13, closed: false });
});

test("a comment ends before the braces that close the expression", () => {
  expect(inside("{{ 1 // one }} tail")).toEqual([" 1 // one "]);
});

test("quotes in triple quotes, raw text and escapes do not end a text", () => {
  expect(inside(`{{ '''it's''' + r"\\" + 'it\\'s' }}`)).toHaveLength(1);
  expect(expressions(`{{ '''it's''' + r"\\" + 'it\\'s' }}`)[0]?.closed).toBe(true);
});

test("nodes are found by member and by index, and not in texts, comments or members called nodes", () => {
  expect([...nodesRead('{{ nodes.a.output + nodes["b"].output + nodes?.c.output }}')]).toEqual(["a", "b", "c"]);
  expect([...nodesRead("{{ 'nodes.a' + input.nodes.b }} nodes.c {{ 1 // nodes.d }}")]).toEqual([]);
});

test("renaming changes the mentions of one node and no other letter", () => {
  const text = `total {{ nodes.total.output  /*no*/ }} of {{ nodes['total'].output + nodes.totals.output + "nodes.total" }}`;
  expect(rename(text, "total", "sum")).toBe(
    `total {{ nodes.sum.output  /*no*/ }} of {{ nodes['sum'].output + nodes.totals.output + "nodes.total" }}`,
  );
});

test("blanks between the parts of a mention are kept", () => {
  expect(rename("{{ nodes . a . output }}", "a", "b")).toBe("{{ nodes . b . output }}");
});

test("two names may change places in one go", () => {
  const swap = (key: string) => ({ a: "b", b: "a" })[key];
  expect(renameInText("{{ nodes.a.output - nodes.b.output }}", swap)).toBe("{{ nodes.b.output - nodes.a.output }}");
});
