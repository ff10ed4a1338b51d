import type { Locator, Page } from "@playwright/test";
import { expect, type Forge, node, service, test } from "./forge";

// webhook → if → http with retry → once per item → merge → respond: from an empty canvas to an answer over its real
// URL, by mouse, by keyboard alone, and in the outline alone.

const KEYS = ["webhook", "if_node", "http_request", "set", "merge", "http_respond"] as const;
const ORDER = { total: 130, lines: [1, 2, 3] };

/** What the shop's prices are asked at; the first half of a test asks at the wrong place. */
interface Shop {
  url: string;
  calls: string[];
  close: () => void;
}

/** Answers with lines, and fails on demand in a way that is retried, or in one that is not. */
async function openShop(state: { broken: boolean; flaky: number }): Promise<Shop> {
  return service((path) => {
    if (path !== "/prices") return { status: 404, body: {} };
    if (state.broken) return { status: 400, body: {} };
    if (state.flaky > 0) {
      state.flaky -= 1;
      return { status: 503, body: {} };
    }
    return { status: 200, body: { lines: ORDER.lines } };
  });
}

async function choose(page: Page, words: string) {
  await expect(page.getByRole("dialog").getByRole("combobox")).toBeFocused();
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
}

/** Puts a text into the field that has the focus. */
async function type(page: Page, text: string) {
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(text);
}

async function write(page: Page, label: string, text: string) {
  await page.getByRole("textbox", { name: label, exact: true }).click();
  await type(page, text);
}

/** Presses Tab until something has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, goal: Locator, key = "Tab") {
  for (let step = 0; step < 60; step += 1) {
    if (await goal.evaluate((element) => element === document.activeElement).catch(() => false)) return;
    await page.keyboard.press(key);
  }
  await expect(goal).toBeFocused();
}

/** The parameters of all nodes, with the way to a node and into a field left to whoever builds. */
async function fill(shop: Shop, open: (key: string) => Promise<void>, into: Into) {
  await open("if_node");
  await into.text("Condition", "{{ input.body.total > 100 }}");
  await open("http_request");
  await into.text("URL", `${shop.url}/prizes`);
  await into.press("tab", "Settings");
  await into.press("button", "Retry on errors");
  await into.text("First delay", "100ms");
  await open("set");
  await into.press("tab", "Parameters");
  await into.text("Value", "{{ item * 2 }}");
  await into.press("tab", "Settings");
  await into.press("button", "Run once per item");
  await into.text("Items", "{{ input.body.lines }}");
  await open("merge");
  await into.press("tab", "Parameters");
  await into.select("Mode", "first");
  await open("http_respond");
  await into.text("Body", "{{ input }}");
}

interface Into {
  text: (label: string, value: string) => Promise<void>;
  press: (role: "button" | "tab", label: string) => Promise<void>;
  select: (label: string, value: string) => Promise<void>;
}

const byPointer = (page: Page): Into => ({
  text: (label, value) => write(page, label, value),
  press: (role, label) => page.getByRole(role, { name: label, exact: true }).click(),
  select: async (label, value) => {
    await page.getByLabel(label, { exact: true }).selectOption(value);
  },
});

const byKeys = (page: Page): Into => ({
  text: async (label, value) => {
    await tabTo(page, page.getByRole("textbox", { name: label, exact: true }));
    await type(page, value);
  },
  press: async (role, label) => {
    if (role === "tab") {
      await tabTo(page, page.getByRole("tablist", { name: "Parts of this node" }).locator("[aria-selected=true]"));
      const goal = page.getByRole("tab", { name: label, exact: true });
      for (let step = 0; step < 3 && (await goal.getAttribute("aria-selected")) !== "true"; step += 1) {
        await page.keyboard.press("ArrowRight");
      }
      return;
    }
    await tabTo(page, page.getByRole(role, { name: label, exact: true }));
    await page.keyboard.press("Enter");
  },
  select: async (label, value) => {
    await tabTo(page, page.getByLabel(label, { exact: true }));
    await page.keyboard.type(value);
  },
});

/** The flow is on the canvas as it should be, and nothing is in its way. */
async function expectBuilt(page: Page, forge: Forge, name: string) {
  await expect(page.getByRole("button", { name: "No problems" })).toBeVisible();
  await expect(page.getByTestId("saving")).toContainText("Saved");
  const { workflow } = await forge.ask<{
    workflow: { draft: { document: { nodes: Record<string, unknown>; edges: { from: string; to: string }[] } } };
  }>("query($name: String!) { workflow(name: $name) { draft { document } } }", { name });
  const { nodes, edges } = workflow.draft.document;
  expect(Object.keys(nodes).sort()).toEqual([...KEYS].sort());
  expect(edges.map(({ from, to }) => `${from} ${to}`).sort()).toEqual([
    "http_request set",
    "if_node.false merge",
    "if_node.true http_request",
    "merge http_respond",
    "set merge",
    "webhook if_node",
  ]);
  expect(nodes).toMatchObject({
    http_request: { retry: { attempts: 3, initial: "100ms" } },
    set: { for_each: { items: "{{ input.body.lines }}" }, config: { value: "{{ item * 2 }}" } },
    merge: { config: { mode: "first" } },
  });
}

async function publish(page: Page, number: number) {
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: `Publish v${number}` }).click();
  await expect(page.getByText(`v${number} is published and deployed`)).toBeVisible();
}

/** Calls the published webhook as anybody would. */
async function call(forge: Forge, name: string): Promise<{ status: number; body: unknown }> {
  // Nobody said who may call, so the URL is a secret.
  const { workflow } = await forge.ask<{
    workflow: { triggerBindings: { webhook: { urls: { path: string }[] } }[] };
  }>("query ($name: String!) { workflow(name: $name) { triggerBindings { webhook { urls { path } } } } }", { name });
  const path = workflow.triggerBindings[0]?.webhook.urls[0]?.path ?? "";
  const answer = await fetch(`${forge.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(ORDER),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? null : JSON.parse(text) };
}

async function newWorkflow(page: Page, name: string) {
  await page.getByRole("button", { name: "New workflow" }).first().click();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Open the canvas" }).click();
  await expect(page.getByText("Nothing starts this workflow yet").first()).toBeVisible();
}

/** Drags from a port to a place, or to another port. */
async function drag(page: Page, from: Locator, to: Locator | { x: number; y: number }) {
  const start = await from.boundingBox();
  if (!start) throw new Error("the port is not in sight");
  const target = "x" in to ? to : await to.boundingBox();
  if (!target) throw new Error("the other port is not in sight");
  const end = "x" in to ? { x: start.x + to.x, y: start.y + to.y } : { x: target.x + 6, y: target.y + 6 };
  await page.mouse.move(start.x + 6, start.y + 6);
  await page.mouse.down();
  await page.mouse.move(end.x, end.y, { steps: 8 });
  await page.mouse.up();
}

const port = (page: Page, key: string, name: string) => node(page, key).locator(`.port[data-handleid="${name}"]`);

test("the whole way by mouse: built, tested with a pin, mended, published, called, watched, retried", async ({
  signedIn: page,
  forge,
  site,
}) => {
  test.setTimeout(180_000);
  const state = { broken: false, flaky: 0 };
  const shop = await openShop(state);
  await page.setViewportSize({ width: 1600, height: 900 });
  await newWorkflow(page, "whole-mouse");
  await page.getByRole("button", { name: "Add a trigger" }).click();
  await page.getByRole("option", { name: /^Webhook/ }).click();
  await expect(node(page, "webhook")).toBeVisible();
  let last: [string, string] = ["webhook", "out"];
  for (const [words, key, out] of [
    ["if", "if_node", "true"],
    ["http request", "http_request", "out"],
    ["set", "set", "out"],
    ["merge", "merge", "out"],
    ["respond", "http_respond", "out"],
  ] as const) {
    await page.getByRole("button", { name: "Close this panel" }).click();
    await page.getByRole("button", { name: "Show everything" }).click();
    await expect(page.locator(".react-flow__viewport")).toBeVisible();
    await drag(page, port(page, ...last), { x: 90, y: 60 });
    await choose(page, words);
    await expect(node(page, key)).toBeVisible();
    last = [key, out];
  }
  await page.getByRole("button", { name: "Close this panel" }).click();
  await page.getByRole("button", { name: "Tidy up" }).click();
  await page.getByRole("button", { name: "Show everything" }).click();
  await expect(page.locator(".settling")).toHaveCount(0);
  await drag(page, port(page, "if_node", "false"), port(page, "merge", "in"));
  await expect(page.locator(".react-flow__edge")).toHaveCount(6);
  const open = async (key: string) => {
    await page.getByRole("button", { name: "Show everything" }).click();
    await node(page, key).click();
  };
  await fill(shop, open, byPointer(page));
  await expectBuilt(page, forge, "whole-mouse");

  // The trigger's output is pinned by hand; the shop is asked at a wrong address, which is mended in its place.
  await open("webhook");
  await page.getByRole("button", { name: "Write an output to pin" }).click();
  await page.getByLabel("Pinned output").fill(JSON.stringify({ body: ORDER }));
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByLabel("Input", { exact: true })).toHaveValue(/"total": 130/);
  await page.getByRole("button", { name: "Start the test" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Failed");
  await expect(node(page, "http_request").getByRole("img", { name: "Failed" })).toBeVisible();
  await open("http_request");
  await page.getByRole("tab", { name: "Parameters" }).click();
  await write(page, "URL", `${shop.url}/prices`);
  await page.getByRole("button", { name: "Test again" }).click();
  await page.getByRole("button", { name: "Start the test" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await expect(node(page, "set")).toContainText("3/3");
  const asked = shop.calls.length;
  await open("http_request");
  await page.getByRole("button", { name: "Pin this output" }).click();
  await page.getByRole("button", { name: "Test again" }).click();
  await expect(page.getByText("Pins stand for: http_request")).toBeVisible();
  await page.getByRole("button", { name: "Start the test" }).click();
  await expect(page.getByRole("link", { name: "Open the run" })).toBeVisible();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  expect(shop.calls).toHaveLength(asked);

  await publish(page, 1);
  state.flaky = 1;
  expect(await call(forge, "whole-mouse")).toEqual({ status: 200, body: [2, 4, 6] });

  // The page sends a delivery itself, and the run that it starts is watched while it fails.
  state.broken = true;
  await open("webhook");
  await page.getByLabel("Body, as JSON").fill(JSON.stringify(ORDER));
  await page.getByRole("button", { name: "Send a delivery" }).click();
  await expect(page.getByText("The webhook answered with 500.")).toBeVisible();
  await page.goto(`${site}/runs?status=FAILED`);
  // A run of the version; the test that failed before is marked as one.
  await page.getByRole("row").filter({ hasText: "v1" }).locator("a[href^='/runs/']").first().click();
  await expect(page.getByTestId("run-status")).toHaveText("Failed");
  await expect(node(page, "http_request").getByRole("img", { name: "Failed" })).toBeVisible();
  state.broken = false;
  await page.getByRole("button", { name: "Retry from http_request" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await expect(node(page, "webhook").getByRole("img", { name: /Taken over/ })).toBeVisible();
  shop.close();
});

test("the same flow by keyboard alone, from the list of workflows to a test and a published version", async ({
  signedIn: page,
  forge,
}) => {
  test.setTimeout(180_000);
  const shop = await openShop({ broken: false, flaky: 0 });
  await tabTo(page, page.getByRole("button", { name: "New workflow" }).first());
  await page.keyboard.press("Enter");
  await page.keyboard.type("whole-keys");
  await tabTo(page, page.getByRole("button", { name: "Open the canvas" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText("Nothing starts this workflow yet").first()).toBeVisible();
  for (const [words, key] of [
    ["webhook", "webhook"],
    ["if", "if_node"],
    ["http request", "http_request"],
    ["set", "set"],
    ["merge", "merge"],
    ["respond", "http_respond"],
  ] as const) {
    await page.keyboard.press("n");
    await choose(page, words);
    await expect(page.locator(`.react-flow__node[data-id=${key}]`)).toBeFocused();
  }
  // Back along the graph, and across it.
  for (let step = 0; step < 4; step += 1) await page.keyboard.press("ArrowLeft");
  await expect(page.locator(".react-flow__node[data-id=if_node]")).toBeFocused();
  await page.keyboard.press("c");
  await choose(page, "false → merge");
  await expect(page.locator(".react-flow__edge")).toHaveCount(6);
  const into = byKeys(page);
  let at = 1;
  await fill(
    shop,
    async (key) => {
      // Escape leads out of the fields to the card, the arrows on to the next one, Enter into its fields.
      const here = page.locator(`.react-flow__node[data-id=${KEYS[at]}]`);
      await expect(async () => {
        if (!(await here.evaluate((element) => element === document.activeElement)))
          await page.keyboard.press("Escape");
        await expect(here).toBeFocused({ timeout: 500 });
      }).toPass({ timeout: 6_000 });
      for (; KEYS[at] !== key; at += 1) await page.keyboard.press("ArrowRight");
      await page.keyboard.press("Enter");
      await expect(page.getByLabel("Name", { exact: true })).toBeFocused();
    },
    into,
  );
  // The address is put right in the field, by keys as well.
  await page.keyboard.press("Escape");
  for (; at > 2; at -= 1) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await into.press("tab", "Parameters");
  await into.text("URL", `${shop.url}/prices`);
  await page.keyboard.press("Escape");
  await expectBuilt(page, forge, "whole-keys");
  await page.keyboard.press("ControlOrMeta+Enter");
  await tabTo(page, page.getByLabel("Input", { exact: true }));
  await type(page, JSON.stringify({ body: ORDER }));
  await tabTo(page, page.getByRole("button", { name: "Start the test" }));
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await tabTo(page, page.getByRole("button", { name: "Publish", exact: true }), "Shift+Tab");
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Publish v1" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText("v1 is published and deployed")).toBeVisible();
  expect(await call(forge, "whole-keys")).toEqual({ status: 200, body: [2, 4, 6] });
  shop.close();
});

test("the same flow in the outline alone", async ({ signedIn: page, forge }) => {
  test.setTimeout(180_000);
  const shop = await openShop({ broken: false, flaky: 0 });
  await newWorkflow(page, "whole-outline");
  await page.getByRole("button", { name: "Show the outline" }).click();
  const outline = page.getByRole("region", { name: "Outline" });
  await outline.getByRole("button", { name: "Add a node" }).click();
  await choose(page, "webhook");
  for (const [after, words] of [
    ["webhook, port out", "if"],
    ["if_node, port true", "http request"],
    ["http_request, port out", "set"],
    ["set, port out", "merge"],
    ["merge, port out", "respond"],
  ] as const) {
    await outline.getByRole("button", { name: `Add a node after ${after}` }).click();
    await choose(page, words);
  }
  await outline.getByRole("button", { name: "Connect if_node to…" }).click();
  await choose(page, "false → merge");
  const open = (key: string) => page.getByTestId(`outline-${key}`).locator(`[data-outline]`).click();
  await outline.getByRole("button", { name: "Add a note" }).click();
  await outline.getByRole("textbox", { name: "Note" }).fill("Prices of the order's lines");
  await fill(shop, open, byPointer(page));
  await open("http_request");
  await write(page, "URL", `${shop.url}/prices`);
  await expectBuilt(page, forge, "whole-outline");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.getByLabel("Input", { exact: true }).fill(JSON.stringify({ body: ORDER }));
  await page.getByRole("button", { name: "Start the test" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await expect(page.getByTestId("outline-http_respond")).toContainText("Succeeded");
  await publish(page, 1);
  expect(await call(forge, "whole-outline")).toEqual({ status: 200, body: [2, 4, 6] });
  shop.close();
});
