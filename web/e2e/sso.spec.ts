import { expect, Forge, freePort, test } from "./forge";

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

test("a person signs in through Keycloak, is signed out from there, signs in again and out", async ({ page }, info) => {
  const forge = new Forge(await freePort(info.workerIndex + 20));
  // A client like the realm's own, for this server.
  const [client] = await admin<KeycloakClient[]>("GET", "/clients?clientId=flowforge");
  if (!client) throw new Error("the realm has no client flowforge");
  const { id: _, ...rest } = client;
  const clientId = `flowforge-e2e-${Date.now()}-${info.workerIndex}`;
  await admin("POST", "/clients", {
    ...rest,
    clientId,
    protocolMappers: client.protocolMappers.map(({ id: _, ...mapper }) => mapper),
    redirectUris: [`${forge.url}/auth/callback`],
    attributes: {
      ...client.attributes,
      "post.logout.redirect.uris": `${forge.url}/sign-in`,
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
      FLOWFORGE__AUTH__OIDC__PUBLIC_URL: forge.url,
      FLOWFORGE__AUTH__OIDC__GRANTS: "role:flowforge-admin = default:admin",
    });

    // A stranger is told why not, in words.
    await page.goto(`${forge.url}/runs`);
    await page.getByRole("link", { name: "Sign in with Keycloak" }).click();
    await page.locator("#username").fill("eva");
    await page.locator("#password").fill("eva");
    await page.locator("#kc-login").click();
    await expect(page.getByRole("alert")).toContainText("you may not enter any workspace");
    await page.context().clearCookies();

    // Ada comes to the page that she wanted, by name and role.
    await page.goto(`${forge.url}/runs`);
    await page.getByRole("link", { name: "Sign in with Keycloak" }).click();
    await page.locator("#username").fill("ada");
    await page.locator("#password").fill("ada");
    await page.locator("#kc-login").click();
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
    await page.getByRole("link", { name: "Sign in with Keycloak" }).click();
    await page.locator("#username").fill("ada");
    await page.locator("#password").fill("ada");
    await page.locator("#kc-login").click();
    await expect(page.getByRole("heading", { name: "Runs" })).toBeVisible();
    expect(new URL(page.url()).pathname).toBe("/runs");

    // Signs out here, and with that at Keycloak.
    await page.getByRole("button", { name: "Account" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByRole("link", { name: "Sign in with Keycloak" })).toBeVisible();
    expect(new URL(page.url()).origin).toBe(forge.url);
    await page.getByRole("link", { name: "Sign in with Keycloak" }).click();
    await expect(page.locator("#username")).toBeVisible();
  } finally {
    await forge.remove();
  }
});
