import { beforeAll, describe, expect, test, vi } from "vitest";

let session: typeof import("./session");

beforeAll(async () => {
  vi.stubGlobal("sessionStorage", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
  session = await import("./session");
});

describe("the way to the provider", () => {
  test("leads back to the page that is open", () => {
    const page = { pathname: "/runs/run_1", search: "?tab=log", hash: "#l5" };
    expect(session.signInAddress(page)).toBe("/auth/sign-in?return_to=%2Fruns%2Frun_1%3Ftab%3Dlog%23l5");
  });

  test("leads to the first page from the sign-in page", () => {
    const page = { pathname: "/sign-in", search: "?refused=expired", hash: "" };
    expect(session.signInAddress(page)).toBe("/auth/sign-in?return_to=%2F");
  });
});

test("a refusal is one that has words, and only on the sign-in page", () => {
  const at = (pathname: string, search: string) => session.refusalOf({ pathname, search });
  expect(at("/sign-in", "?refused=stranger")).toBe("stranger");
  expect(at("/sign-in", "?refused=__proto__")).toBe("unbelieved");
  expect(at("/sign-in", "")).toBeNull();
  expect(at("/runs", "?refused=stranger")).toBeNull();
});
