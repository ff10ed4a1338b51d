import { expect, node, service, test } from "./forge";

test("a connection is made where a node needs it, tested, its secret replaced, and never shown again", async ({
  signedIn: page,
  forge,
  site,
}) => {
  let taken = "first-token";
  const sent: string[] = [];
  const shop = await service((_path, headers) => {
    sent.push(headers.authorization ?? "");
    return { status: headers.authorization === `Bearer ${taken}` ? 200 : 401, body: {} };
  });
  await forge.publish("calls", {
    nodes: {
      start: { type: "trigger.manual@1" },
      call: { type: "http.request@1", config: { url: `${shop.url}/pay` } },
    },
    edges: [{ from: "start", to: "call" }],
  });
  await page.goto(`${site}/workflows/default/calls`);
  await node(page, "call").click();
  await page.getByRole("button", { name: "New connection" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Type").selectOption("http.bearer");
  await dialog.getByLabel("Name").fill("shop");
  await dialog.getByLabel(/^Token/).fill("first-token");
  await dialog.getByLabel("Test URL").fill(`${shop.url}/me`);
  await dialog.getByRole("button", { name: "Create the connection" }).click();
  await expect(page.getByLabel("Connection", { exact: true })).toHaveValue("shop");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: "Publish v2" }).click();
  await expect(page.getByText("v2 is published and deployed")).toBeVisible();
  await page.goto(`${site}/runs/${await forge.run("calls")}`);
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  expect(sent).toContain("Bearer first-token");

  await page.getByRole("link", { name: "Connections" }).click();
  await page.getByRole("button", { name: "Test shop" }).click();
  await expect(page.getByText("Test passed")).toBeVisible();
  taken = "second-token";
  await page.getByRole("button", { name: "Change shop" }).click();
  await expect(dialog.getByLabel(/^Token/)).toHaveValue("");
  await expect(dialog.getByLabel("Test URL")).toHaveValue(`${shop.url}/me`);
  await dialog.getByLabel(/^Token/).fill("second-token");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("shop is saved.")).toBeVisible();
  await expect(page.getByText("Not tested since its last change")).toBeVisible();
  await page.getByRole("button", { name: "Test shop" }).click();
  await expect(page.getByText("Test passed")).toBeVisible();
  expect(await page.content()).not.toContain("second-token");

  await page.getByRole("button", { name: "Delete shop" }).click();
  await expect(dialog.getByRole("button", { name: "Delete" })).toBeDisabled();
  await dialog.getByLabel("Delete it all the same").check();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("No connection yet")).toBeVisible();
  shop.close();
});

test("a person signs a connection in at its service, and is told when they would not", async ({
  signedIn: page,
  site,
}) => {
  let agrees = false;
  const provider = await service((path) => {
    const asked = new URL(path, "http://provider.test");
    if (asked.pathname !== "/authorize") {
      return { status: 200, body: { access_token: "a-token-of-ada", refresh_token: "a-refresh-token" } };
    }
    const said = agrees ? "code=agreed" : "error=access_denied";
    const back = `${asked.searchParams.get("redirect_uri")}?${said}&state=${asked.searchParams.get("state")}`;
    return { status: 302, body: {}, headers: { location: back } };
  });
  await page.goto(`${site}/connections`);
  await page.getByRole("button", { name: "New connection" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Type").selectOption("oauth2.code");
  await dialog.getByLabel("Name").fill("calendar");
  await dialog.getByLabel(/^Authorization URL/).fill(`${provider.url}/authorize`);
  await dialog.getByLabel(/^Token URL/).fill(`${provider.url}/token`);
  await dialog.getByLabel(/^Client id/).fill("flowforge");
  await dialog.getByRole("button", { name: "Create the connection" }).click();
  await expect(page.getByText("Not signed in")).toBeVisible();

  await page.getByRole("button", { name: "Sign in calendar" }).click();
  await expect(page.getByText("access_denied")).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "Connections" }).click();
  agrees = true;
  await page.getByRole("button", { name: "Sign in calendar" }).click();
  await expect(page.getByText("calendar is signed in")).toBeVisible();
  await expect(page.getByText("Not signed in")).toHaveCount(0);
  await page.getByRole("button", { name: "Test calendar" }).click();
  await expect(page.getByText("Test passed")).toBeVisible();
  provider.close();
});

test("a variable is made, read by an expression while it is written, changed and deleted", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await page.goto(`${site}/variables`);
  await page.getByRole("button", { name: "New variable" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("greeting");
  await dialog.getByLabel("Value").fill('"Hello"');
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("cell", { name: "vars.greeting" })).toBeVisible();

  await forge.publish("greets", {
    nodes: { start: { type: "trigger.manual@1" }, greet: { type: "data.set@1", config: { value: "x" } } },
    edges: [{ from: "start", to: "greet" }],
  });
  await forge.run("greets", { name: "Ada" });
  await page.goto(`${site}/workflows/default/greets`);
  await node(page, "greet").click();
  const field = page.getByRole("textbox", { name: "Value" });
  await field.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText("{{ vars.greeting + ' ' + input.name }}");
  await expect(page.getByLabel("What the expression gives")).toHaveText('= "Hello Ada"');
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText("{{ input.nam");
  await page.keyboard.press("Control+Space");
  await expect(page.getByRole("option", { name: /^name/ })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("saving")).toContainText("Saved");

  await page.goto(`${site}/variables`);
  await page.getByRole("button", { name: "Change greeting" }).click();
  await dialog.getByLabel("Value").fill('{"en": "Hi"}');
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("cell", { name: '{"en":"Hi"}' })).toBeVisible();
  await page.getByRole("button", { name: "Delete greeting" }).click();
  await expect(page.getByText("No variable here yet")).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("cell", { name: "vars.greeting" })).toBeVisible();
});

/** What is typed into the form of each type, in the order in which its fields stand. */
const FORMS: Record<string, [label: string, value: string][]> = {
  postgres: [
    ["Host", "db.example.com"],
    ["Port", "5433"],
    ["Database", "shop"],
    ["User name", "reader"],
    ["Password", "hush-hush"],
    ["Encryption", "off"],
  ],
  mysql: [
    ["Host", "db.example.com"],
    ["Database", "shop"],
    ["User name", "reader"],
    ["Password", "hush-hush"],
  ],
  sqlite: [["File", "shop.db"]],
  smtp: [
    ["Host", "mail.example.com"],
    ["Encryption", "tls"],
  ],
  redis: [
    ["Host", "redis.example.com"],
    ["Password", "hush-hush"],
  ],
  oauth2: [
    ["Token URL", "https://login.example.com/token"],
    ["Client id", "flowforge"],
    ["Client secret", "hush-hush"],
    ["Client authentication", "body"],
  ],
};

test("every kind of server has a form for its connection, in its author's order", async ({ signedIn: page, site }) => {
  await page.goto(`${site}/connections`);
  const dialog = page.getByRole("dialog");
  for (const [type, fields] of Object.entries(FORMS)) {
    await page.getByRole("button", { name: "New connection" }).click();
    await dialog.getByLabel("Type").selectOption(type);
    await dialog.getByLabel("Name", { exact: false }).first().fill(`my-${type}`);
    const labels = (await dialog.locator("label").allTextContents()).map((text) => text.replace(" *", ""));
    const places = fields.map(([label]) => labels.indexOf(label));
    expect(places, type).toEqual([...places].sort((a, b) => a - b));
    expect(places, type).not.toContain(-1);
    for (const [label, value] of fields) {
      const field = dialog.getByLabel(new RegExp(`^${label}( \\*)?$`));
      if ((await field.evaluate((element) => element.tagName)) === "SELECT") await field.selectOption(value);
      else await field.fill(value);
    }
    await dialog.getByRole("button", { name: "Create the connection" }).click();
    await expect(page.getByRole("listitem", { name: `my-${type}` })).toBeVisible();
  }
  await page.getByRole("button", { name: "Change my-postgres" }).click();
  await expect(dialog.getByLabel("Encryption")).toHaveValue("off");
  await expect(dialog.getByLabel(/^Port/)).toHaveValue("5433");
  await expect(dialog.getByLabel(/^Password/)).toHaveValue("");
});

test("a database is reached by a connection that was made in its form", async ({ signedIn: page, site }) => {
  const server = process.env.FLOWFORGE_TEST_POSTGRES ?? process.env.FLOWFORGE_E2E_POSTGRES;
  test.skip(!server, "needs a PostgreSQL");
  const { hostname, port, username, password, pathname } = new URL(server ?? "postgres://127.0.0.1/");
  await page.goto(`${site}/connections`);
  await page.getByRole("button", { name: "New connection" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Type").selectOption("postgres");
  await dialog.getByLabel(/^Name/).fill("real");
  await dialog.getByLabel(/^Host/).fill(hostname);
  await dialog.getByLabel(/^Port/).fill(port);
  await dialog.getByLabel(/^Database/).fill(pathname.slice(1));
  await dialog.getByLabel(/^User name/).fill(decodeURIComponent(username));
  if (password) await dialog.getByLabel(/^Password/).fill(decodeURIComponent(password));
  await dialog.getByLabel("Encryption").selectOption("off");
  await dialog.getByRole("button", { name: "Create the connection" }).click();
  await page.getByRole("button", { name: "Test real" }).click();
  await expect(page.getByRole("listitem", { name: "real" }).getByText("Test passed")).toBeVisible();
});
