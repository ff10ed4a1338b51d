import type { Page, TestInfo } from "@playwright/test";
import { expect, Forge, freePort, pagesBefore, test } from "./forge";

/** The Keycloak that `scripts/keycloak.sh` started, with its admin's name and password. */
const place = process.env.FLOWFORGE_TEST_KEYCLOAK;

/** What an admin does in Keycloak; what came of it. */
async function admin<T>(method: string, path: string, body?: unknown): Promise<T> {
  const url = new URL(place ?? "");
  const form = new URLSearchParams({
    client_id: "admin-cli",
    grant_type: "password",
    username: url.username,
    password: url.password,
  });
  const token = await fetch(`${url.origin}/realms/master/protocol/openid-connect/token`, {
    method: "POST",
    body: form,
  });
  const { access_token } = (await token.json()) as { access_token: string };
  const answer = await fetch(`${url.origin}/admin/realms/flowforge${path}`, {
    method,
    headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  const text = await answer.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

interface KeycloakClient {
  id?: string;
  protocolMappers: { id?: string }[];
  attributes: Record<string, string>;
}

test.skip(place === undefined, "FLOWFORGE_TEST_KEYCLOAK says where a Keycloak is; scripts/test starts one");

/** A server of its own that signs people in through Keycloak, with a client like the realm's own for it. */
async function withKeycloak(
  info: TestInfo,
  grants: string,
  body: (site: string, forge: Forge) => Promise<void>,
): Promise<void> {
  const worker = info.workerIndex + 20;
  const forge = new Forge(await freePort(worker));
  // Beside the server's port, on which nothing listens yet.
  const pages = await pagesBefore(forge.url, () => freePort(worker + 1));
  const [client] = await admin<KeycloakClient[]>("GET", "/clients?clientId=flowforge");
  if (!client) throw new Error("the realm has no client flowforge");
  const { id: _, ...rest } = client;
  const clientId = `flowforge-e2e-${Date.now()}-${info.workerIndex}`;
  await admin("POST", "/clients", {
    ...rest,
    clientId,
    protocolMappers: client.protocolMappers.map(({ id: _, ...mapper }) => mapper),
    redirectUris: [`${pages.url}/auth/callback`],
    attributes: {
      ...client.attributes,
      "post.logout.redirect.uris": `${pages.url}/sign-in`,
      "backchannel.logout.url": `${forge.url}/auth/back-channel-logout`,
    },
  });
  const keycloak = new URL(place ?? "").origin;
  try {
    await forge.start({
      FLOWFORGE__AUTH__OIDC__ISSUER: `${keycloak}/realms/flowforge`,
      FLOWFORGE__AUTH__OIDC__NAME: "Keycloak",
      FLOWFORGE__AUTH__OIDC__CLIENT_ID: clientId,
      FLOWFORGE__AUTH__OIDC__CLIENT_SECRET: "flowforge-development-only",
      FLOWFORGE__AUTH__OIDC__PUBLIC_URL: pages.url,
      FLOWFORGE__AUTH__OIDC__GRANTS: grants,
    });
    await body(pages.url, forge);
  } finally {
    await pages.close();
    await forge.remove();
  }
}

/** From the sign-in page through Keycloak, as one of the realm's people, whose passwords are their names. */
async function signIn(page: Page, person: string): Promise<void> {
  await page.getByRole("link", { name: "Sign in with Keycloak" }).click();
  await page.locator("#username").fill(person);
  await page.locator("#password").fill(person);
  await page.locator("#kc-login").click();
}

/** Asks the API as whoever is signed in at a page, in the workspace of this slug. */
async function askAs<T>(page: Page, query: string, workspace = "default"): Promise<T> {
  return page.evaluate(
    async ([text, slug]) => {
      const answer = await fetch("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json", "x-flowforge-workspace": slug ?? "" },
        body: JSON.stringify({ query: text }),
      });
      const { data, errors } = await answer.json();
      if (errors) throw new Error(JSON.stringify(errors));
      return data;
    },
    [query, workspace],
  );
}

test("a person signs in through Keycloak, is signed out from there, signs in again and out", async ({ page }, info) => {
  await withKeycloak(info, "role:flowforge-admin = default:admin", async (site) => {
    // A stranger is told why not, in words.
    await page.goto(`${site}/runs`);
    await signIn(page, "eva");
    await expect(page.getByRole("alert")).toContainText("you may not enter any workspace");
    await page.context().clearCookies();

    // Ada comes to the page that she wanted, by name and role.
    await page.goto(`${site}/runs`);
    await signIn(page, "ada");
    await expect(page.getByRole("heading", { name: "Runs" })).toBeVisible();
    expect(new URL(page.url()).pathname).toBe("/runs");
    await expect(page.getByText("Ada Lovelace · Administrator")).toBeVisible();
    // Nothing of Keycloak's is in the browser but its own cookies.
    const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie]));
    expect(kept).not.toContain("eyJ");

    // Signed out at Keycloak: the page says so without being touched, for its socket was closed.
    const sockets = await admin<{ id: string }[]>("GET", "/users?exact=true&username=ada");
    await admin("POST", `/users/${sockets[0]?.id}/logout`);
    await expect(page.getByRole("dialog", { name: "Sign in again" })).toBeVisible({ timeout: 5_000 });

    // Signs in again, and comes back to the same place.
    await signIn(page, "ada");
    await expect(page.getByRole("heading", { name: "Runs" })).toBeVisible();
    expect(new URL(page.url()).pathname).toBe("/runs");

    // Signs out here, and with that at Keycloak.
    await page.getByRole("button", { name: "Account" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByRole("link", { name: "Sign in with Keycloak" })).toBeVisible();
    expect(new URL(page.url()).origin).toBe(site);
    await page.getByRole("link", { name: "Sign in with Keycloak" }).click();
    await expect(page.locator("#username")).toBeVisible();
  });
});

test("a guest accepts an invitation, and whoever is in two workspaces goes from one to the other", async ({
  page,
  browser,
}, info) => {
  await withKeycloak(info, "role:flowforge-admin = default:owner", async (site, forge) => {
    const hello = { nodes: { start: { type: "trigger.manual@1" } }, edges: [] };
    await forge.publish("in-default", hello);
    const { inviteMember } = await forge.ask<{ inviteMember: { token: string } }>(
      'mutation { inviteMember(input: { role: "editor", email: "eva@example.com" }) { token userErrors { message } } }',
    );

    // Nobody knows eva here. The link lets her in as a guest, who sees this one page.
    await page.goto(`${site}/invitation#${inviteMember.token}`);
    await expect(page.getByText("You are invited.")).toBeVisible();
    await signIn(page, "eva");
    await expect(page.getByText("You are signed in as Eva Stranger.")).toBeVisible();
    expect(page.url()).toBe(`${site}/invitation`);
    await expect(page.getByRole("navigation", { name: "Pages" })).toBeHidden();
    await page.goto(`${site}/runs`);
    await expect(page.getByText("You are invited to a workspace")).toBeVisible();
    await page.getByRole("button", { name: "Accept" }).click();
    await expect(page.getByRole("link", { name: "in-default", exact: true })).toBeVisible();
    await expect(page.getByText("Eva Stranger · Editor")).toBeVisible();
    // The link has done what it was for.
    await page.goto(`${site}/invitation#${inviteMember.token}`);
    await page.getByRole("button", { name: "Accept" }).click();
    await expect(page.getByRole("alert")).toBeVisible();
    await page.getByRole("button", { name: "Not now" }).click();

    // Ada owns the workspace, makes another one and asks eva to come there too.
    const owner = await (await browser.newContext()).newPage();
    await owner.goto(site);
    await signIn(owner, "ada");
    await expect(owner.getByRole("link", { name: "in-default", exact: true })).toBeVisible();
    await askAs(
      owner,
      'mutation { createWorkspace(input: { slug: "lab", name: "The lab" }) { workspace { id } userErrors { message } } }',
    );
    const second = await askAs<{ inviteMember: { token: string } }>(
      owner,
      'mutation { inviteMember(input: { role: "viewer", email: "eva@example.com" }) { token userErrors { message } } }',
      "lab",
    );
    await owner.context().close();

    // Another tab of hers was open before; it stays where it is.
    const other = await page.context().newPage();
    await other.goto(`${site}/workflows`);
    await expect(other.getByRole("link", { name: "in-default", exact: true })).toBeVisible();
    await page.goto(`${site}/invitation#${second.inviteMember.token}`);
    await expect(page.getByText("You stay a member of Default too.")).toBeVisible();
    await page.getByRole("button", { name: "Accept" }).click();
    await expect(page.getByText("Eva Stranger · Viewer")).toBeVisible();
    await expect(page.getByText("The lab", { exact: true })).toBeVisible();
    await expect(page.getByRole("link", { name: "in-default", exact: true })).toHaveCount(0);
    await other.getByRole("link", { name: "Runs", exact: true }).click();
    await other.getByRole("link", { name: "Workflows", exact: true }).click();
    await expect(other.getByRole("link", { name: "in-default", exact: true })).toBeVisible();
    await expect(other.getByText("Eva Stranger · Editor")).toBeVisible();

    // A new tab, and this one read anew, are where she went last.
    const third = await page.context().newPage();
    await third.goto(`${site}/workflows`);
    await expect(third.getByText("The lab", { exact: true })).toBeVisible();
    await page.reload();
    await expect(page.getByText("The lab", { exact: true })).toBeVisible();
    await page.getByRole("button", { name: "Account" }).click();
    const menu = page.getByRole("region", { name: "Account" });
    await expect(menu.getByRole("button", { name: /The lab/ })).toHaveAttribute("aria-pressed", "true");
    await menu.getByRole("button", { name: /Default/ }).click();
    await expect(page.getByRole("link", { name: "in-default", exact: true })).toBeVisible();
    await expect(page.getByText("Eva Stranger · Editor")).toBeVisible();
  });
});
