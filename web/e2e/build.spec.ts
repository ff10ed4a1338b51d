import type { Page } from "@playwright/test";
import { expect, node, test } from "./forge";

/** Opens the canvas of a workflow that is not there yet. */
async function newWorkflow(page: Page, name: string) {
  await page.getByRole("button", { name: "New workflow" }).first().click();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Open the canvas" }).click();
  await expect(page.getByText("Nothing starts this workflow yet").first()).toBeVisible();
}

async function choose(page: Page, words: string) {
  await expect(page.getByRole("dialog").getByRole("combobox")).toBeFocused();
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
}

/** Types into an editor for expressions. */
async function write(page: Page, label: string, text: string) {
  const field = page.getByRole("textbox", { name: label, exact: true });
  await field.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(text);
}

async function publish(page: Page, number: number) {
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: `Publish v${number}` }).click();
  await expect(page.getByText(`v${number} is published and deployed`)).toBeVisible();
}

test("a workflow is built by mouse, published, run and watched", async ({ signedIn: page }) => {
  await newWorkflow(page, "by-mouse");
  await page.getByRole("button", { name: "Add a trigger" }).click();
  await page.getByRole("option", { name: /Manual start/ }).click();
  await expect(node(page, "manual")).toBeVisible();

  // From the port into empty space.
  const port = await node(page, "manual").locator(".port.source").boundingBox();
  if (!port) throw new Error("the port is not there");
  await page.mouse.move(port.x + 6, port.y + 6);
  await page.mouse.down();
  await page.mouse.move(port.x + 120, port.y + 160, { steps: 8 });
  await page.mouse.up();
  await choose(page, "set");
  await expect(node(page, "set")).toBeVisible();
  await expect(page.locator(".react-flow__edge")).toHaveCount(1);

  // Into the edge.
  await page.keyboard.press("Escape");
  await page.getByTestId("insert-manual.out>set.in").click({ force: true });
  await choose(page, "if");
  await expect(node(page, "if_node")).toBeVisible();
  await write(page, "Condition", "{{ input.total > 100 }}");
  await node(page, "set").click();
  await page.getByLabel("Name of a new entry in Fields").fill("total");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await write(page, "total", "{{ nodes.manual.output.total * 2 }}");
  await expect(page.getByRole("button", { name: "No problems" })).toBeVisible();

  await publish(page, 1);
  await page.getByRole("button", { name: "Run v1" }).click();
  await page.getByRole("textbox", { name: "Input" }).fill('{"total": 130}');
  await page.getByRole("button", { name: "Start the run" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await node(page, "set").click();
  await expect(page.getByRole("region", { name: "Output" })).toContainText('"total": 260');
});

test("a workflow is built by keyboard alone", async ({ signedIn: page }) => {
  await newWorkflow(page, "by-keyboard");
  await page.keyboard.press("n");
  await choose(page, "manual");
  await page.keyboard.press("Escape");
  await page.locator(".react-flow__node[data-id=manual]").focus();
  await page.keyboard.press("n");
  await choose(page, "filter");
  await expect(node(page, "filter")).toBeVisible();
  await page.keyboard.press("Escape");

  // Tab and arrows walk along the graph.
  await page.locator(".react-flow__node[data-id=manual]").focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".react-flow__node[data-id=filter]")).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator(".react-flow__node[data-id=manual]")).toBeFocused();

  // A second node, joined by the list of targets.
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Add a node" }).focus();
  await page.keyboard.press("Enter");
  await choose(page, "merge");
  await page.keyboard.press("Escape");
  await page.locator(".react-flow__node[data-id=filter]").focus();
  await page.keyboard.press("c");
  await choose(page, "merge");
  await expect(page.locator(".react-flow__edge")).toHaveCount(2);

  // Undo and redo of everything, and nothing of it behind a text field.
  for (let step = 0; step < 2; step += 1) await page.keyboard.press("ControlOrMeta+z");
  await expect(node(page, "merge")).toHaveCount(0);
  for (let step = 0; step < 2; step += 1) await page.keyboard.press("ControlOrMeta+Shift+z");
  await expect(page.locator(".react-flow__edge")).toHaveCount(2);
  await page.locator(".react-flow__node[data-id=merge]").focus();
  await page.keyboard.press("Delete");
  await expect(node(page, "merge")).toHaveCount(0);
});

test("a workflow is built in the outline alone", async ({ signedIn: page, forge }) => {
  await newWorkflow(page, "by-outline");
  await page.getByRole("button", { name: "Show the outline" }).click();
  await page.getByRole("region", { name: "Outline" }).getByRole("button", { name: "Add a node" }).click();
  await choose(page, "manual");
  await page.getByRole("button", { name: "Add a node after manual, port out" }).click();
  await choose(page, "set");
  await page.getByLabel("Key").fill("answer");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("outline-answer")).toBeVisible();
  await page.getByRole("tab", { name: "Parameters" }).click();
  await write(page, "Value", '"{{ input.name }}"');
  await publish(page, 1);
  const { workflow } = await forge.ask<{ workflow: { latestVersion: { definition: unknown } } }>(
    '{ workflow(name: "by-outline") { latestVersion { definition } } }',
  );
  expect(workflow.latestVersion.definition).toEqual({
    nodes: {
      manual: { type: "trigger.manual@1" },
      answer: { type: "data.set@1", config: { value: "{{ input.name }}" } },
    },
    edges: [{ from: "manual", to: "answer" }],
  });
});

test("problems lead to their place, and the server's own are shown where they belong", async ({ signedIn: page }) => {
  await newWorkflow(page, "with-problems");
  await page.keyboard.press("n");
  await choose(page, "http request");
  await page.getByRole("button", { name: "3 problems" }).click();
  const list = page.getByRole("region", { name: "Problems" });
  await expect(list.getByText("no node starts this workflow")).toBeVisible();
  await list.getByText("url must be filled in").click();
  await write(page, "URL", "{{ input.url");
  await expect(list.getByText(/never closed/)).toBeVisible();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.getByRole("button", { name: "Publish v1" })).toBeDisabled();
});

test("work is saved as it is done, two editors lose nothing, and it can be given up", async ({
  signedIn: page,
  forge,
  site,
  browser,
}) => {
  await forge.publish("shared", {
    nodes: {
      start: { type: "trigger.manual@1" },
      one: { type: "data.set@1", config: { value: 1 } },
      two: { type: "data.set@1", config: { value: 2 } },
    },
    edges: [
      { from: "start", to: "one" },
      { from: "one", to: "two" },
    ],
  });
  const other = await (await browser.newContext()).newPage();
  await other.addInitScript((key) => sessionStorage.setItem("flowforge.key", key), forge.key);
  for (const editor of [page, other]) await editor.goto(`${site}/workflows/default/shared`);
  await node(page, "one").click();
  await node(other, "two").click();
  await page.getByLabel("Name", { exact: true }).fill("First");
  await other.getByLabel("Name", { exact: true }).fill("Second");
  for (const editor of [page, other]) {
    await expect(editor.getByTestId("saving")).toContainText("Saved");
    await expect(editor.getByTestId("saving")).toContainText("changed since v1");
  }
  await page.reload();
  await expect(node(page, "one")).toContainText("First");
  await expect(node(page, "two")).toContainText("Second");

  // The same field by both, while one of them is cut off: the later one is asked.
  await node(page, "one").click();
  await node(other, "one").click();
  await expect(other.getByLabel("Name", { exact: true })).toHaveValue("First");
  await other.context().setOffline(true);
  await page.getByLabel("Name", { exact: true }).fill("Mine");
  await expect(page.getByTestId("saving")).toHaveText(/^Saved/);
  await other.getByLabel("Name", { exact: true }).fill("Theirs");
  await expect(other.getByTestId("saving")).toContainText("Offline, kept on this device");
  await other.context().setOffline(false);
  await other.getByRole("button", { name: "Show the difference" }).click();
  await other.getByRole("button", { name: "Take theirs" }).click();
  await expect(node(other, "one")).toContainText("Mine");
  await expect(other.getByTestId("saving")).toContainText("Saved");
  await other.close();

  await page.reload();
  await page.getByRole("button", { name: "Discard my changes and show v1" }).click();
  await expect(node(page, "one")).not.toContainText("Mine");
  await expect(page.getByTestId("saving")).toHaveText("Saved");
});

test("without a network work stays on the device and is saved when there is one again", async ({
  signedIn: page,
  forge,
  site,
  context,
}) => {
  await forge.publish("offline", {
    nodes: { start: { type: "trigger.manual@1" }, one: { type: "data.set@1", config: { value: 1 } } },
    edges: [{ from: "start", to: "one" }],
  });
  await page.goto(`${site}/workflows/default/offline`);
  await node(page, "one").click();
  await context.setOffline(true);
  await page.getByLabel("Name", { exact: true }).fill("Written offline");
  await expect(page.getByTestId("saving")).toContainText("Offline, kept on this device");
  await context.setOffline(false);
  await expect(page.getByTestId("saving")).toContainText("Saved");
  const { workflow } = await forge.ask<{ workflow: { draft: { document: unknown } } }>(
    '{ workflow(name: "offline") { draft { document } } }',
  );
  expect(workflow.draft.document).toMatchObject({ nodes: { one: { name: "Written offline" } } });
});

test("nodes go from one workflow to another as text", async ({ signedIn: page, forge, site, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await forge.publish("from", {
    nodes: {
      start: { type: "trigger.manual@1" },
      sum: { type: "data.set@1", config: { value: "{{ nodes.start.output.a }}" } },
    },
    edges: [{ from: "start", to: "sum" }],
  });
  await page.goto(`${site}/workflows/default/from`);
  await page.locator(".react-flow__node[data-id=start]").focus();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("ControlOrMeta+c");
  await page.keyboard.press("ControlOrMeta+v");
  await expect(node(page, "sum_2")).toBeVisible();
  await expect(page.locator(".react-flow__edge")).toHaveCount(2);
  await page.goto(`${site}/workflows`);
  await newWorkflow(page, "pasted");
  await expect(page.getByText("Nothing starts this workflow yet").first()).toBeVisible();
  await page.keyboard.press("ControlOrMeta+v");
  await expect(node(page, "sum")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('"apiVersion": "flowforge/v1"');
});
