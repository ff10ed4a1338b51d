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
  expect(link).toMatch(new RegExp(`^${site}/invitation#[0-9a-f]{64}$`));
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
  await row.getByRole("button", { name: "Change access: Local admin" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Role").selectOption({ label: "Viewer" });
  await dialog.getByRole("button", { name: "Save" }).click();
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
  await row.getByRole("button", { name: "Change access: billing-robot" }).click();
  await dialog.getByLabel("Role").selectOption({ label: "Viewer" });
  await dialog.getByRole("button", { name: "Save" }).click();
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

test("a role of the workspace is made, compared, changed, and deleted once nobody has it", async ({
  signedIn: page,
  site,
  forge,
}) => {
  await page.goto(`${site}/settings/roles`);
  const cell = async (permission: string, role: string) => {
    const table = page.getByRole("region", { name: "What each role allows" });
    await expect(table.getByRole("columnheader", { name: role })).toBeVisible();
    const columns = await table.getByRole("columnheader").allTextContents();
    const at = columns.findIndex((text) => text.startsWith(role));
    const row = table.getByRole("row").filter({ has: page.getByRole("rowheader", { name: permission }) });
    return row.getByRole("cell").nth(at - 1);
  };
  // The table is the server's: every role, every permission, as it says itself.
  const said = await forge.ask<{
    roles: { name: string; permissions: string[] }[];
    permissions: { key: string }[];
  }>("{ roles { name permissions } permissions { key } }");
  await expect(page.getByRole("rowheader")).toHaveCount(said.permissions.length);
  const ticks = page.getByRole("region", { name: "What each role allows" }).getByRole("img", { name: "Yes" });
  await expect(ticks).toHaveCount(said.roles.reduce((sum, { permissions }) => sum + permissions.length, 0));
  await expect((await cell("audit:read", "Viewer")).getByText("No")).toBeAttached();
  await expect((await cell("audit:read", "Administrator")).getByRole("img", { name: "Yes" })).toBeVisible();

  await page.getByRole("button", { name: "New role" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("release manager");
  await expect(dialog.getByRole("checkbox", { name: "read", exact: true })).toBeDisabled();
  // Nobody gives away what they do not have.
  await expect(dialog.getByRole("checkbox", { name: "workspace:own" })).toBeDisabled();
  await dialog.getByRole("checkbox", { name: "workflow:deploy" }).check();
  await dialog.getByRole("button", { name: "Make the role" }).click();
  await expect((await cell("workflow:deploy", "release manager")).getByRole("img", { name: "Yes" })).toBeVisible();
  await expect((await cell("run:start", "release manager")).getByText("No")).toBeAttached();

  await page.getByRole("button", { name: "Change release manager" }).click();
  await dialog.getByRole("checkbox", { name: "run:start" }).check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect((await cell("run:start", "release manager")).getByRole("img", { name: "Yes" })).toBeVisible();

  const { roles } = await forge.ask<{ roles: { key: string; name: string; permissions: string[] }[] }>(
    "{ roles { key name permissions } }",
  );
  const made = roles.find(({ name }) => name === "release manager");
  expect(made?.permissions).toEqual(["read", "run:start", "workflow:deploy"]);
  const { createApiKey } = await forge.ask<{ createApiKey: { apiKey: { id: string } } }>(CREATE_KEY, {
    input: { name: "release train", role: made?.key },
  });
  await page.reload();
  await page.getByRole("button", { name: "Delete release manager" }).click();
  await expect(dialog).toContainText("release train");
  await expect(dialog.getByRole("button", { name: "Delete" })).toBeDisabled();
  await page.keyboard.press("Escape");
  await forge.ask("mutation($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { id } } }", {
    input: { keyId: createApiKey.apiKey.id },
  });
});

test("a key is made with some of its role, shown once, explained, rotated and revoked", async ({
  signedIn: page,
  site,
  forge,
}) => {
  await page.goto(`${site}/settings/keys`);
  await page.getByRole("button", { name: "New API key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("nightly");
  await dialog.getByLabel("Role", { exact: true }).selectOption({ label: "Operator" });
  await dialog.getByLabel("Environment").fill("prod");
  await dialog.getByLabel("It works for").selectOption({ label: "30 days" });
  await dialog.getByRole("checkbox", { name: "Only some of what the role allows" }).check();
  await dialog.getByRole("checkbox", { name: "run:start" }).check();
  await dialog.getByRole("button", { name: "Make the key" }).click();
  const secret = await dialog.getByLabel("API key").inputValue();
  expect(secret).toMatch(/^ff_prod_/);
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  expect(await page.content()).not.toContain(secret);
  const may = async (key: string) =>
    (await forge.ask<{ viewer: { permissions: string[] } }>("{ viewer { permissions } }", {}, key)).viewer.permissions;
  expect(await may(secret)).toEqual(["read", "run:start"]);

  const row = page.getByRole("list", { name: "API keys" }).getByRole("listitem", { name: "nightly" });
  await expect(row).toContainText(secret.slice(0, 10));
  await expect(row).toContainText("2 permissions only");
  await expect(row).toContainText(/Ends in (30 days|1 month)|Ends next month/);

  await row.getByRole("link", { name: /everything that nightly may do/ }).click();
  const rights = page.getByRole("table", { name: "What nightly may do" });
  const because = (permission: string) => rights.getByRole("row").filter({ hasText: permission });
  await expect(because("run:start")).toContainText("Yes");
  await expect(because("run:start")).toContainText("Operator allows it");
  await expect(because("run:control")).toContainText("No");
  await expect(because("run:control")).toContainText("the key was made without it");
  await expect(because("audit:read")).toContainText("Operator does not allow it");

  await page.goto(`${site}/settings/keys`);
  await row.getByRole("button", { name: "Rotate nightly" }).click();
  await dialog.getByRole("button", { name: "Make the new key" }).click();
  const next = await dialog.getByLabel("API key").inputValue();
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await expect(row).toHaveCount(2);
  await expect(row.filter({ hasText: "replaced" })).toContainText("Ends tomorrow");
  // Both open for now, with the same rights.
  expect([await may(secret), await may(next)]).toEqual([
    ["read", "run:start"],
    ["read", "run:start"],
  ]);
  await row.filter({ hasText: "replaced" }).getByRole("button", { name: "Revoke nightly" }).click();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await expect(row).toHaveCount(1);
  await expect(may(secret)).rejects.toThrow();
  expect(await may(next)).toEqual(["read", "run:start"]);
  await page.getByLabel("Show", { exact: true }).selectOption({ label: "Everything, ended too" });
  await expect(row.filter({ hasText: "revoked" })).toHaveCount(1);
});

test("a service account's key may do what the account may", async ({ signedIn: page, site, forge }) => {
  const { createServiceAccount } = await forge.ask<{ createServiceAccount: { serviceAccount: { id: string } } }>(
    "mutation($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) { serviceAccount { id } } }",
    { input: { name: "warehouse", role: "operator" } },
  );
  await page.goto(`${site}/settings/members`);
  const account = page.getByRole("list", { name: "Service accounts" }).getByRole("listitem", { name: "warehouse" });
  await account.getByRole("link", { name: "Its keys" }).click();
  await expect(page.getByText("No key fits.")).toBeVisible();
  await page.getByRole("button", { name: "New API key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("scanner");
  await expect(dialog.getByLabel("Role", { exact: true })).toHaveCount(0);
  await dialog.getByRole("button", { name: "Make the key" }).click();
  const secret = await dialog.getByLabel("API key").inputValue();
  const { viewer } = await forge.ask<{ viewer: { id: string; role: string } }>("{ viewer { id role } }", {}, secret);
  expect(viewer).toEqual({ id: createServiceAccount.serviceAccount.id, role: "OPERATOR" });
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await page.getByRole("link", { name: /everything that scanner may do/ }).click();
  await expect(page.getByText("has the role Operator of its service account.")).toBeVisible();
});

test("a limit to projects is given, shown, changed and taken off; whoever has it sees nothing else", async ({
  signedIn: page,
  site,
  forge,
}) => {
  for (const [slug, title] of [
    ["billing", "Billing"],
    ["shipping", "Shipping"],
  ]) {
    await forge.ask("mutation($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }", {
      input: { slug, title },
    });
  }
  const seenBy = async (key: string) => {
    const { projects } = await forge.ask<{ projects: { nodes: { slug: string }[] } }>(
      "{ projects { nodes { slug } } }",
      {},
      key,
    );
    return projects.nodes.map(({ slug }) => slug);
  };
  const dialog = page.getByRole("dialog");
  const limitTo = async (...titles: string[]) => {
    await dialog.getByRole("radio", { name: "Only some" }).check();
    for (const title of titles) await dialog.getByRole("checkbox", { name: title }).check();
  };

  await page.goto(`${site}/settings/members`);
  await page.getByRole("button", { name: "Invite somebody" }).click();
  await dialog.getByLabel("E-mail address").fill("limited@example.com");
  await dialog.getByRole("radio", { name: "Only some" }).check();
  // No project at all is no limit to be given.
  await expect(dialog.getByRole("button", { name: "Make the link" })).toBeDisabled();
  await limitTo("Billing", "Shipping");
  await dialog.getByRole("button", { name: "Make the link" }).click();
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  const invited = page
    .getByRole("list", { name: "Invitations" })
    .getByRole("listitem", { name: "limited@example.com" });
  await expect(invited).toContainText("only Billing, Shipping");

  await page.getByRole("button", { name: "New service account" }).click();
  await dialog.getByLabel("Name").fill("clerk");
  await dialog.getByLabel("Role").selectOption({ label: "Operator" });
  await limitTo("Billing", "Shipping");
  await dialog.getByRole("button", { name: "Make the service account" }).click();
  const account = page.getByRole("list", { name: "Service accounts" }).getByRole("listitem", { name: "clerk" });
  await expect(account).toContainText("only Billing, Shipping");

  // A key of it sees what both may.
  await account.getByRole("link", { name: "Its keys" }).click();
  await page.getByRole("button", { name: "New API key" }).click();
  await dialog.getByLabel("Name").fill("parcels");
  await expect(dialog.getByRole("group", { name: "Projects" })).toContainText("All that its service account sees.");
  await limitTo("Shipping");
  await dialog.getByRole("button", { name: "Make the key" }).click();
  const secret = await dialog.getByLabel("API key").inputValue();
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  const key = page.getByRole("list", { name: "API keys" }).getByRole("listitem", { name: "parcels" });
  await expect(key).toContainText("only Shipping");
  expect(await seenBy(secret)).toEqual(["shipping"]);

  // What is taken off the account, its key loses; what is given back, it sees again.
  await page.goto(`${site}/settings/members`);
  await account.getByRole("button", { name: "Change access: clerk" }).click();
  await expect(dialog.getByRole("checkbox", { name: "Billing" })).toBeChecked();
  await expect(dialog.getByRole("button", { name: "Save" })).toBeDisabled();
  await dialog.getByRole("checkbox", { name: "Shipping" }).uncheck();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(account).toContainText("only Billing");
  await expect(account).toContainText("Operator");
  expect(await seenBy(secret)).toEqual([]);
  await account.getByRole("button", { name: "Change access: clerk" }).click();
  await dialog.getByRole("radio", { name: "All projects" }).check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(account).not.toContainText("only");
  expect(await seenBy(secret)).toEqual(["shipping"]);

  // An administrator of one project has nothing over the workspace, and is told why.
  const { createApiKey } = await forge.ask<{ createApiKey: { secret: string } }>(CREATE_KEY, {
    input: { name: "head of billing", role: "admin", projects: ["billing"] },
  });
  const { viewer } = await forge.ask<{ viewer: { permissions: string[] } }>(
    "{ viewer { permissions } }",
    {},
    createApiKey.secret,
  );
  await page.goto(`${site}/settings/keys`);
  await page.getByRole("link", { name: /everything that head of billing may do/ }).click();
  await expect(page.getByText("It holds only in Billing.")).toBeVisible();
  const rights = page.getByRole("table", { name: "What head of billing may do" });
  await expect(rights.getByRole("row").filter({ hasText: "member:manage" })).toContainText(
    "it is about the whole workspace",
  );
  const shown = await rights.getByRole("row").filter({ hasText: "Yes" }).getByRole("rowheader").allInnerTexts();
  expect(shown.map((text) => text.split("\n")[0]).sort()).toEqual([...viewer.permissions].sort());
});

test("the audit is read by who, what and result, row by row, and kept as a file", async ({
  signedIn: page,
  site,
  forge,
}) => {
  const { createRole } = await forge.ask<{ createRole: { role: { key: string } } }>(CREATE_ROLE, {
    input: { name: "auditee", permissions: ["read", "run:start"] },
  });
  await forge.ask("mutation($input: UpdateRoleInput!) { updateRole(input: $input) { role { key } } }", {
    input: { roleId: createRole.role.key, name: "auditee", permissions: ["read", "audit:read"] },
  });
  const viewer = await forge.makeKey("viewer");
  await expect(forge.ask(CREATE_ROLE, { input: { name: "mine", permissions: ["read"] } }, viewer)).rejects.toThrow();

  await page.goto(`${site}/settings/audit`);
  const list = page.getByRole("list", { name: "Audit" });
  await expect(list.getByRole("listitem").first()).toBeVisible();
  // A denial says so in words.
  await page.getByLabel("Result").selectOption({ label: "Denied" });
  await expect(list.getByRole("listitem", { name: /^Access denied/ }).first()).toContainText("Denied");
  await expect(list.getByRole("listitem", { name: /^Role/ })).toHaveCount(0);
  await expect(page).toHaveURL(/result=DENIED/);
  await page.getByRole("button", { name: "Clear the filter" }).click();

  await page.getByLabel("What").selectOption({ label: "Role changed" });
  await page.getByLabel("To which thing").fill(createRole.role.key);
  await page.getByLabel("To which thing").press("Enter");
  const row = list.getByRole("listitem", { name: /^Role changed/ });
  await expect(row).toHaveCount(1);
  await row.getByRole("button", { name: "Details" }).click();
  const changes = row.getByRole("region", { name: "What changed" });
  await expect(changes.locator("del")).toHaveText(["run:start"]);
  await expect(changes.locator("ins")).toHaveText(["audit:read"]);

  // What is written to the file is what is filtered for.
  const file = async (format: string) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: format }).click(),
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    return { name: download.suggestedFilename(), text: Buffer.concat(chunks).toString() };
  };
  const lines = await file("JSON lines");
  expect(lines.name).toBe("audit.jsonl");
  const rows = lines.text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.filter((one) => one.action === "role.updated")).toHaveLength(1);
  expect(rows.filter((one) => one.action !== undefined && one.action !== "role.updated")).toHaveLength(0);
  const table = await file("CSV");
  expect(table.name).toBe("audit.csv");
  expect(table.text.trim().split("\n")).toHaveLength(2);
  await page.getByLabel("Since").fill("2099-01-01T00:00");
  await expect(page.getByText("Nothing fits the filter")).toBeVisible();
});

test("the audit is read on page by page", async ({ signedIn: page, site, forge }) => {
  for (let turn = 0; turn < 30; turn += 1) {
    await forge.ask(
      `mutation { ${[1, 2].map((one) => `a${one}: inviteMember(input: {role: "viewer"}) { invitation { id } }`).join(" ")} }`,
    );
  }
  await page.goto(`${site}/settings/audit?action=invitation.created`);
  const rows = page.getByRole("list", { name: "Audit" }).getByRole("listitem");
  await expect(rows).toHaveCount(50);
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(rows.nth(59)).toBeVisible();
  await expect(page.getByRole("button", { name: "Show more" })).toHaveCount(0);
  // What is read anew is as long as what was shown.
  await forge.ask('mutation { inviteMember(input: {role: "viewer"}) { invitation { id } } }');
  const before = await rows.count();
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(rows).toHaveCount(before + 1);
});

test("an invitation asks to sign in first, keeps its token out of the address, and says why it cannot be used", async ({
  page,
  site,
  forge,
}) => {
  const { inviteMember } = await forge.ask<{ inviteMember: { token: string } }>(
    "mutation($input: InviteMemberInput!) { inviteMember(input: $input) { token } }",
    { input: { role: "viewer" } },
  );
  const seen: string[] = [];
  page.on("request", (request) => seen.push(request.url()));
  await page.goto(`${site}/invitation#${inviteMember.token}`);
  await expect(page.getByText("You are invited.")).toBeVisible();
  expect(page.url()).toBe(`${site}/invitation`);
  // An API key is no person.
  await page.getByLabel("API key").fill(forge.key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("You are here by the API key")).toBeVisible();
  await expect(page.getByRole("button", { name: "Accept" })).toHaveCount(0);
  await page.getByRole("button", { name: "Sign in as somebody else" }).click();
  await expect(page.getByText("You are signed out.")).toBeVisible();
  await expect(page.getByText("You are invited.")).toBeVisible();
  // The local admin is a member already, and hears so.
  await page.goto(await forge.loginLink(site));
  await expect(page.getByText("You are signed in as Local admin.")).toBeVisible();
  expect(page.url()).toBe(`${site}/invitation`);
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  expect(seen.filter((url) => url.includes(inviteMember.token))).toEqual([]);
  await page.getByRole("button", { name: "Not now" }).click();
  await expect(page.getByText("There is no invitation here")).toBeVisible();
});

test("the account menu says who one is, and changes how the pages look", async ({ page, site, forge }) => {
  await page.goto(await forge.loginLink(site));
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await page.getByRole("button", { name: "Account" }).click();
  const menu = page.getByRole("region", { name: "Account" });
  await expect(menu).toContainText("Local admin");
  await menu.getByRole("button", { name: "dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await menu.getByRole("button", { name: "Deutsch" }).click();
  await expect(page.getByRole("link", { name: "Einstellungen" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("region", { name: "Konto" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Konto" })).toBeFocused();
});
