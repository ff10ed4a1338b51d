import { expect, node, test } from "./forge";

test("the tour: an order is started, the plug is pulled, and nothing is done twice", async ({
  signedIn: page,
  forge,
  site,
}) => {
  test.setTimeout(300_000);
  await page.goto(`${site}/workflows`);
  const show = page.getByRole("button", { name: "Examples and the tour" });
  const begin = page.getByRole("button", { name: "Start the tour" });
  await expect(show.or(begin)).toBeVisible();
  if (await show.isVisible()) await show.click();
  await begin.click();
  const tour = page.getByRole("region", { name: "Pull the plug" });
  await expect(tour).toContainText("Now pull the plug");
  await expect(node(page, "pack")).toContainText(/[3-9]\/\d+/);
  await forge.kill();
  await expect(tour).toContainText("The server is gone");
  await forge.start();
  await expect(tour).toContainText("It is back, and the run goes on", { timeout: 60_000 });
  await expect(page.getByText(/recovered \d+ times?, 0 repeated/)).toBeVisible({ timeout: 60_000 });
  await expect(tour).toContainText("The order waits for its payment", { timeout: 180_000 });
  await tour.getByRole("button", { name: "Send the payment" }).click();
  await expect(tour).toContainText("The order is through");
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await expect(tour).toContainText("were computed again: 0.");
});

test("an example is opened on the canvas, as often as one likes", async ({ signedIn: page, site }) => {
  for (const name of ["hello", "hello-2"]) {
    await page.goto(`${site}/workflows`);
    const show = page.getByRole("button", { name: "Examples and the tour" });
    const open = page.getByRole("button", { name: "Open Hello on the canvas" });
    await expect(show.or(open)).toBeVisible();
    if (await show.isVisible()) await show.click();
    await open.click();
    await expect(node(page, "greet")).toBeVisible();
    expect(page.url()).toContain(`/workflows/default/${name}`);
  }
});
