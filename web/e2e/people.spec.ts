import { expect, openWith, test } from "./forge";

// Who is in a workspace is looked at as a whole, so nobody else works in it.
test.use({ database: "people" });

const CREATE_ROLE =
  "mutation($input: CreateRoleInput!) { createRole(input: $input) { role { key } userErrors { message } } }";
const CREATE_KEY =
  "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } secret userErrors { message } } }";

test("an invitation's link is shown once, waits for somebody, and can be revoked", async ({
  signedIn: page,
  site,
  forge,
}) => {
  await page.goto(`${site}/settings`);
  await expect(page.getByRole("heading", { name: "Members" })).toBeVisible();
  await page.getByRole("button", { name: "Invite somebody" }).click();
  const dialog = page.getByRole("dialog");
  // Nobody gives away more than they have: this key is an administrator's.
  await expect(dialog.getByLabel("Role").getByRole("option", { name: "Editor" })).toBeAttached();
  await expect(dialog.getByLabel("Role").getByRole("option", { name: "Owner" })).not.toBeAttached();
  await dialog.getByLabel("Role").selectOption({ label: "Editor" });
  await dialog.getByLabel("E-mail address").fill("grace@example.com");
  await dialog.getByRole("button", { name: "Make the link" }).click();
  const link = await dialog.getByLabel("Link").inputValue();
  expect(link).toMatch(new RegExp(`^${site}/invite#[0-9a-f]{64}$`));
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  expect(await page.content()).not.toContain(link.split("#")[1]);

  const row = page.getByRole("list", { name: "Invitations" }).getByRole("listitem", { name: "grace@example.com" });
  await expect(row).toContainText("Editor");
  await expect(row).toContainText("Ends in 7 days");
  await row.getByRole("button", { name: "Revoke the invitation: grace@example.com" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByText("Nobody is invited at the moment.")).toBeVisible();
  await page.getByRole("button", { name: "Show 1 that are settled" }).click();
  await expect(row).toContainText("revoked");
  const { invitations } = await forge.ask<{ invitations: { nodes: { revokedAt: string | null }[] } }>(
    "{ invitations { nodes { revokedAt } } }",
  );
  expect(invitations.nodes.map(({ revokedAt }) => revokedAt !== null)).toEqual([true]);
});

test("why a role cannot be changed is told, and the last owner stays", async ({ page, site, forge }) => {
  // The one person of an embedded server comes by a link.
  await page.goto(await forge.loginLink(site));
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await openWith(page, await forge.makeKey("owner"), `${site}/settings/members`);
  const row = page.getByRole("list", { name: "Members" }).getByRole("listitem", { name: "Local admin" });
  await expect(row).toContainText("Owner");
  await expect(row).toContainText("given here");
  await expect(row).toContainText(/Last seen (now|\d+ second)/);
  await row.getByRole("button", { name: "Change the role of Local admin" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Role").selectOption({ label: "Viewer" });
  await dialog.getByRole("button", { name: "Give this role" }).click();
  await expect(dialog.getByRole("alert")).toContainText("this is the last owner");
  await page.keyboard.press("Escape");
  await row.getByRole("button", { name: "Remove Local admin" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("this is the last owner");
});

test("a service account is made, gets another role and is disabled for ever", async ({ signedIn: page, site }) => {
  await page.goto(`${site}/settings/members`);
  await page.getByRole("button", { name: "New service account" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("billing-robot");
  await dialog.getByLabel("Role").selectOption({ label: "Operator" });
  await dialog.getByRole("button", { name: "Make the service account" }).click();
  const row = page.getByRole("list", { name: "Service accounts" }).getByRole("listitem", { name: "billing-robot" });
  await expect(row).toContainText("Operator");
  await page.getByRole("button", { name: "New service account" }).click();
  await dialog.getByLabel("Name").fill("billing-robot");
  await dialog.getByRole("button", { name: "Make the service account" }).click();
  await expect(dialog.getByLabel("Name")).toHaveAttribute("aria-invalid", "true");
  await page.keyboard.press("Escape");
  await row.getByRole("button", { name: "Change the role of billing-robot" }).click();
  await dialog.getByLabel("Role").selectOption({ label: "Viewer" });
  await dialog.getByRole("button", { name: "Give this role" }).click();
  await expect(row).toContainText("Viewer");
  await row.getByRole("button", { name: "Disable billing-robot" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await expect(row).toContainText("disabled");
  await expect(row.getByRole("button")).toHaveCount(0);
});

test("a viewer is not led to these pages, and is told calmly what they would take", async ({ page, site, forge }) => {
  await openWith(page, await forge.makeKey("viewer"), `${site}/runs`);
  await expect(page.getByRole("heading", { name: "Runs" })).toBeVisible();
  await page.getByRole("button", { name: "Account" }).click();
  await expect(page.getByRole("region", { name: "Account" })).toContainText("Viewer");
  await expect(page.getByRole("link", { name: "Settings" })).toHaveCount(0);
  await page.goto(`${site}/settings/members`);
  await expect(page.getByText("You may not see this page")).toBeVisible();
  await expect(page.getByText("member:read")).toBeVisible();
  await page.goto(`${site}/settings`);
  await expect(page.getByText("You may not see this page")).toBeVisible();
});

test("an editor sees who is here and is offered no change", async ({ page, site, forge }) => {
  await openWith(page, await forge.makeKey("editor"), `${site}/settings`);
  await expect(page.getByRole("heading", { name: "Members" })).toBeVisible();
  await expect(page.getByRole("list", { name: "Members" })).toContainText("Local admin");
  for (const name of ["Invite somebody", "New service account", /^Change the role of/, /^Remove /]) {
    await expect(page.getByRole("button", { name })).toHaveCount(0);
  }
  await expect(page.getByRole("navigation", { name: "Settings" })).not.toContainText("API keys");
});

test("rights that end while a page is open take it away, without a touch", async ({ page, site, forge }) => {
  const { createRole } = await forge.ask<{ createRole: { role: { key: string } } }>(CREATE_ROLE, {
    input: { name: "doorkeeper", permissions: ["read", "member:read"] },
  });
  const { createApiKey } = await forge.ask<{ createApiKey: { secret: string } }>(CREATE_KEY, {
    input: { name: "doorkeeper", role: createRole.role.key },
  });
  await openWith(page, createApiKey.secret, `${site}/settings/members`);
  await expect(page.getByRole("list", { name: "Members" })).toBeVisible();
  await forge.ask(
    "mutation($input: UpdateRoleInput!) { updateRole(input: $input) { role { key } userErrors { message } } }",
    { input: { roleId: createRole.role.key, name: "doorkeeper", permissions: ["read"] } },
  );
  await expect(page.getByText("You may not see this page")).toBeVisible({ timeout: 5_000 });
  await expect(page.getByRole("link", { name: "Settings" })).toHaveCount(0);
});
