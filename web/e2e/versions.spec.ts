import { expect, node, test } from "./forge";

function definition(value: string, more: Record<string, unknown> = {}) {
  return {
    nodes: { start: { type: "trigger.manual@1" }, greet: { type: "data.set@1", config: { value } }, ...more },
    edges: [{ from: "start", to: "greet" }, ...Object.keys(more).map((to) => ({ from: "greet", to }))],
  };
}

test("versions are compared on one drawing, an older one is deployed again, and the draft goes back to it", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await forge.publish("history", definition("one", { gone: { type: "data.set@1", config: { value: 1 } } }), "History");
  await forge.publish("history", definition("two", { made: { type: "data.set@1", config: { value: 1 } } }), "History");
  await page.goto(`${site}/workflows/default/history`);
  await page.getByRole("link", { name: "Versions, the latest is v2" }).click();
  await expect(page.getByRole("heading", { name: "Versions of History" })).toBeVisible();
  await expect(node(page, "made").getByRole("img", { name: "added" })).toBeVisible();
  await expect(node(page, "gone").getByRole("img", { name: "removed" })).toBeVisible();
  await expect(node(page, "greet").getByRole("img", { name: "changed" })).toBeVisible();
  const differs = page.getByRole("region", { name: "What differs" });
  await expect(differs).toContainText("config / value");
  await expect(differs.locator("del")).toHaveText("one");
  await expect(differs.locator("ins")).toHaveText("two");

  await page.getByRole("button", { name: /^v1/ }).click();
  await page.getByRole("button", { name: "Deploy v1" }).click();
  await expect(page.getByText("default runs v2 now: this goes back.")).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Deploy v1" }).click();
  await expect(page.getByText("default runs v1 from now on.")).toBeVisible();
  await expect(page.getByRole("region", { name: "Environments" })).toContainText("v2 → v1");
  const { workflow } = await forge.ask<{ workflow: { deployments: { version: { number: number } }[] } }>(
    '{ workflow(name: "history") { deployments { version { number } } } }',
  );
  expect(workflow.deployments.map(({ version }) => version.number)).toEqual([1]);

  await page.getByRole("button", { name: "Edit v1 again" }).click();
  await expect(page.getByText("The draft is v1 now.")).toBeVisible();
  await page.goto(`${site}/workflows/default/history`);
  await expect(node(page, "gone")).toBeVisible();
  await expect(node(page, "made")).toHaveCount(0);
});

test("publishing shows what differs, and can leave every environment as it is", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await forge.publish("careful", definition("one"), "Careful");
  await page.goto(`${site}/workflows/default/careful`);
  await node(page, "greet").click();
  await page.getByRole("textbox", { name: "Value" }).click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText("two");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.getByRole("dialog").locator("del")).toHaveText("one");
  await page.getByLabel("Deploy to").selectOption({ label: "Nowhere yet" });
  await page.getByRole("button", { name: "Publish v2" }).click();
  await expect(page.getByText("v2 is published; nothing runs it yet")).toBeVisible();
  const { workflow } = await forge.ask<{ workflow: { deployments: { version: { number: number } }[] } }>(
    '{ workflow(name: "careful") { deployments { version { number } } } }',
  );
  expect(workflow.deployments.map(({ version }) => version.number)).toEqual([1]);
});
