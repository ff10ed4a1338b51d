import { beforeAll, describe, expect, test, vi } from "vitest";

let session: typeof import("./session");

/** What a browser keeps, in a map. */
function storage() {
  const kept = new Map<string, string>();
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
    clear: () => kept.clear(),
  };
}

beforeAll(async () => {
  vi.stubGlobal("sessionStorage", storage());
  vi.stubGlobal("localStorage", storage());
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

test("somebody who is invited comes back to that, and not with the token in the address", () => {
  session.useSession.getState().keepInvitation("secret");
  const page = { pathname: "/sign-in", search: "", hash: "#secret" };
  expect(session.signInAddress(page)).toBe("/auth/sign-in?return_to=%2Finvitation");
  session.useSession.getState().keepInvitation(null);
  expect(session.signInAddress({ ...page, hash: "" })).toBe("/auth/sign-in?return_to=%2F");
});

test("a refusal is one that has words, and only on the sign-in page", () => {
  const at = (pathname: string, search: string) => session.refusalOf({ pathname, search });
  expect(at("/sign-in", "?refused=stranger")).toBe("stranger");
  expect(at("/sign-in", "?refused=__proto__")).toBe("unbelieved");
  expect(at("/sign-in", "")).toBeNull();
  expect(at("/runs", "?refused=stranger")).toBeNull();
});

test("the token of an invitation is what stands behind the address of its page", () => {
  expect(session.invitationOf({ pathname: "/invitation", hash: "#abc" })).toBe("abc");
  expect(session.invitationOf({ pathname: "/invitation", hash: "" })).toBeNull();
  expect(session.invitationOf({ pathname: "/runs", hash: "#abc" })).toBeNull();
});

test("a session names the workspace that was chosen, in this tab before others; a key names none", () => {
  expect([session.authorization(""), session.greeting("")]).toEqual([{}, {}]);
  localStorage.setItem("flowforge.workspace", "ws_1");
  expect(session.authorization("")).toEqual({ "x-flowforge-workspace": "ws_1" });
  sessionStorage.setItem("flowforge.workspace", "ws_2");
  expect(session.authorization("")).toEqual({ "x-flowforge-workspace": "ws_2" });
  expect(session.greeting("")).toEqual({ workspace: "ws_2" });
  expect(session.authorization("ff_x")).toEqual({ authorization: "Bearer ff_x" });
  expect(session.greeting("ff_x")).toEqual({ authorization: "Bearer ff_x" });
  session.forgetWorkspace();
  expect(session.authorization("")).toEqual({});
});

test("somebody whose chosen workspace is gone is let in to another", async () => {
  vi.stubGlobal("location", { pathname: "/runs", search: "", hash: "" });
  localStorage.setItem("flowforge.workspace", "ws_gone");
  const asked: (string | null)[] = [];
  await session.arrive((key) => {
    asked.push(session.chosenWorkspace());
    return Promise.resolve(key === "" && session.chosenWorkspace() === null ? "ok" : "elsewhere");
  });
  expect(asked).toEqual(["ws_gone", null]);
  expect(session.useSession.getState()).toMatchObject({ key: "", arriving: false });
});

test("a server that does not answer is told from one that knows nobody", async () => {
  vi.stubGlobal("location", { pathname: "/runs", search: "", hash: "" });
  vi.stubGlobal("fetch", () => Promise.reject(new Error("nobody there")));
  const after = async (answer: "unreachable" | "refused") => {
    session.useSession.setState({ key: null });
    await session.arrive(() => Promise.resolve(answer));
    return session.useSession.getState().unreachable;
  };
  expect(await after("unreachable")).toBe(true);
  expect(await after("refused")).toBe(false);
});

test("a tab stays in its workspace wherever another tab goes, and a link is enough where there is only one", () => {
  localStorage.clear();
  sessionStorage.clear();
  session.useSession.setState({ key: "" });
  session.stayIn("ws_1", 1);
  localStorage.setItem("flowforge.workspace", "ws_2");
  expect(session.authorization("")).toEqual({ "x-flowforge-workspace": "ws_1" });
  expect(session.isLinkEnough()).toBe(true);
  session.stayIn("ws_1", 2);
  expect(session.isLinkEnough()).toBe(false);
  session.useSession.setState({ key: "ff_key" });
  session.stayIn("ws_1", 1);
  expect(session.isLinkEnough()).toBe(false);
});
