import { CombinedError } from "@urql/core";
import { beforeAll, expect, test, vi } from "vitest";

let refusal: typeof import("./refusal");

beforeAll(async () => {
  vi.stubGlobal("navigator", { language: "en" });
  vi.stubGlobal("window", { matchMedia: () => ({ matches: false, addEventListener: () => undefined }) });
  vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
  refusal = await import("./refusal");
});

const taken = { code: "NAME_TAKEN", message: "there is one", field: ["input", "name"] };

test("a change is refused for what its payload says, and made when that says nothing", () => {
  expect(refusal.refusalIn({ data: { createRole: { role: null, userErrors: [taken] } } })).toBe("there is one");
  expect(refusal.refusalIn({ data: { createRole: { role: { key: "rol_1" }, userErrors: [] } } })).toBe("");
  expect(refusal.faultsOf({ data: { __typename: "Mutation", createRole: { userErrors: [taken] } } })).toEqual([taken]);
});

test("a change that the server refuses as a whole says why", () => {
  const error = new CombinedError({ graphQLErrors: [{ message: "it takes member:manage" }] });
  expect(refusal.refusalIn({ error })).toBe("it takes member:manage");
});
