import { expect, test } from "./forge";

test("a key that the server does not know is refused, and a good one opens the page that was asked for", async ({
  page,
  forge,
  site,
}) => {
  await page.goto(`${site}/runs`);
  await page.getByLabel("API key").fill("ff_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("The server does not know this key.")).toBeVisible();
  await page.getByLabel("API key").fill(forge.key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Runs" })).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(forge.key);
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("API key")).toBeVisible();
  await page.reload();
  await expect(page.getByLabel("API key")).toBeVisible();
});

test("a login link opens a session once, and signing out ends it", async ({ page, forge, site }) => {
  const link = await forge.loginLink(site);
  await page.goto(link);
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  expect(page.url()).toBe(`${site}/workflows`);
  await page.reload();
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("API key")).toBeVisible();
  await page.goto(`${site}/runs`);
  await page.goto(link);
  await expect(page.getByText("This sign-in link was used before or is over.")).toBeVisible();
});
