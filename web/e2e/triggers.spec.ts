import { expect, test } from "./forge";

test("a schedule says when it fires, what it started and why it started nothing; a pause outlives a new version", async ({
  signedIn: page,
  forge,
  site,
}) => {
  const definition = (every: string) => ({
    nodes: {
      clock: { type: "trigger.schedule@1", config: { every, overlap: "skip" } },
      hold: { type: "flow.wait@1", config: { for: "1h" } },
    },
    edges: [{ from: "clock", to: "hold" }],
  });
  await forge.publish("ticks", definition("2s"), "Ticks");
  await page.goto(`${site}/workflows/default/ticks`);
  await page.getByRole("link", { name: "Triggers" }).click();
  const card = page.getByRole("listitem", { name: "clock" });
  await expect(card).toContainText("Active");
  await expect(card).toContainText("Fires next");
  await expect(card).toContainText("9 times after that");
  // The first tick starts a run; the next ones find it still under way.
  await expect(page.getByRole("cell", { name: "Waiting" }).first()).toBeVisible();
  await expect(page.getByRole("cell", { name: /OVERLAP/ }).first()).toBeVisible();
  await page.getByLabel("Outcome").selectOption("STARTED");
  await expect(page.getByRole("cell", { name: /OVERLAP/ })).toHaveCount(0);

  await card.getByRole("button", { name: "Pause clock" }).click();
  await expect(card).toContainText("Paused");
  await expect(card).not.toContainText("Fires next");
  await forge.publish("ticks", definition("1h"), "Ticks");
  await expect(card).toContainText("v2");
  await expect(card).toContainText("Paused");
  await card.getByRole("button", { name: "Resume clock" }).click();
  await expect(card).toContainText("Active");
  await expect(card).toContainText("Fires next");
  await card.getByRole("link", { name: "Waiting" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Waiting");
});

test("a workflow that waits for nothing says so", async ({ signedIn: page, forge, site }) => {
  await forge.publish("by-hand", { nodes: { start: { type: "trigger.manual@1" } }, edges: [] });
  await page.goto(`${site}/workflows/default/by-hand/triggers`);
  await expect(page.getByText("No trigger here waits for anything")).toBeVisible();
  await expect(page.getByText("Nothing has come yet.").or(page.getByRole("table"))).toBeVisible();
});
