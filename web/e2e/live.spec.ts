import { expect, node, test } from "./forge";

// Lists are empty at first.
test.use({ database: "live" });

test("lists follow what happens, and two browsers see each other's work without a reload", async ({
  signedIn: page,
  forge,
  site,
  browser,
}) => {
  const definition = {
    nodes: { start: { type: "trigger.manual@1" }, greet: { type: "data.set@1", config: { value: "one" } } },
    edges: [{ from: "start", to: "greet" }],
  };
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await expect(page.getByText("No workflow yet")).toBeVisible();
  await forge.publish("shared", definition, "Shared");
  await expect(page.getByRole("link", { name: "Shared", exact: true })).toBeVisible();
  await page.goto(`${site}/runs`);
  await expect(page.getByText("No run yet")).toBeVisible();
  await forge.run("shared");
  await expect(page.getByRole("cell", { name: "Succeeded" })).toBeVisible();

  const context = await browser.newContext();
  const other = await context.newPage();
  await other.addInitScript((key) => sessionStorage.setItem("flowforge.key", key), forge.key);
  await other.goto(`${site}/workflows/default/shared`);
  await page.goto(`${site}/workflows/default/shared`);
  await expect(node(other, "greet")).toBeVisible();
  await node(page, "greet").click();
  await page.getByLabel("Name", { exact: true }).fill("Greets");
  await expect(node(other, "greet")).toContainText("Greets");
  await expect(other.getByText("Somebody else changed this draft.")).toBeVisible();
  await expect(page.getByText("Somebody else changed this draft.")).toHaveCount(0);

  // Both at once, at different places: both are kept, on both screens.
  await node(other, "start").click();
  await Promise.all([
    other.getByLabel("Name", { exact: true }).fill("Begins"),
    page.getByLabel("Name", { exact: true }).fill("Greets all"),
  ]);
  await expect(node(page, "start")).toContainText("Begins");
  await expect(node(other, "greet")).toContainText("Greets all");
  await context.close();
});
