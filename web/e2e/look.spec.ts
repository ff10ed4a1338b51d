import { expect, node, service, test } from "./forge";

// Pictures of every page, to look at: `LOOK=folder npx playwright test look`.
const folder = process.env.LOOK;
test.skip(!folder, "only when somebody wants to look");

const THEMES = ["light", "dark"] as const;

for (const theme of THEMES) {
  test(`every page has its picture, ${theme}`, async ({ signedIn: page, forge, site }) => {
    test.setTimeout(240_000);
    const shot = async (name: string) => {
      // Everything that moves has come to rest.
      await page.waitForTimeout(700);
      await page.screenshot({ path: `${folder}/${name}${theme === "dark" ? "-dark" : ""}.png` });
    };
    await page.addInitScript(
      (chosen) =>
        localStorage.setItem(
          "flowforge.settings",
          JSON.stringify({ state: { theme: chosen, language: "en" }, version: 0 }),
        ),
      theme,
    );
    await page.goto(`${site}/workflows`);
    await expect(page.getByRole("button", { name: /Start the tour|Examples and the tour/ })).toBeVisible();
    if (theme === "light") await shot("first-page");
    const shop = await service((path) =>
      path.startsWith("/gift") ? { status: 409, body: {} } : { status: 200, body: { ok: true, path } },
    );
    const name = `order-${theme}`;
    const first = orderDefinition(shop.url);
    await forge.publish(name, { ...first, edges: first.edges.slice(0, -1) }, "Order");
    await forge.publish(name, first, "Order");
    const run = await forge.run(name, { total: 130 });
    await forge.ask(
      "mutation($input: CreateConnectionInput!) { createConnection(input: $input) { connection { id } } }",
      { input: { name: `shop-${theme}`, type: "http.bearer", secrets: { token: "a-long-token" } } },
    );
    await forge.ask("mutation($input: CreateVariableInput!) { createVariable(input: $input) { variable { id } } }", {
      input: { name: `api_${theme}`, value: "https://api.example.com" },
    });
    await page.goto(`${site}/workflows/default/${name}`);
    await expect(node(page, "credit")).toBeVisible();
    await shot("builder");
    await node(page, "credit").click();
    await page.getByRole("textbox", { name: "URL" }).click();
    await expect(page.getByLabel("What the expression gives")).toBeVisible();
    await shot("inspector");
    await page.getByRole("tab", { name: "Settings" }).click();
    await shot("inspector-settings");
    await page.getByRole("tab", { name: "Parameters" }).click();
    await page.getByRole("button", { name: "Run to here" }).click();
    await expect(page.getByText("These act for real")).toBeVisible();
    await shot("test-dialog");
    await page.getByRole("button", { name: "Start the test" }).click();
    await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
    await page.getByRole("button", { name: "Pin this output" }).scrollIntoViewIfNeeded();
    await shot("test-overlay");
    await page.getByRole("separator").focus();
    for (let step = 0; step < 18; step += 1) await page.keyboard.press("ArrowLeft");
    await page.getByRole("textbox", { name: "URL" }).click();
    await expect(page.getByLabel("What the expression gives")).toBeVisible();
    await shot("inspector-wide");
    await page.getByRole("button", { name: "Close this panel" }).click();
    await page.getByRole("button", { name: "Take the test off the canvas" }).click();
    await page.keyboard.press("n");
    await shot("palette");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Show the outline" }).click();
    await shot("outline");
    await page.goto(`${site}/workflows/default/${name}/versions`);
    await expect(page.getByRole("region", { name: "What differs" })).toContainText("payment");
    await shot("versions");
    await page.goto(`${site}/connections`);
    await expect(page.getByText(`shop-${theme}`)).toBeVisible();
    await shot("connections");
    await page.goto(`${site}/variables`);
    await expect(page.getByText(`vars.api_${theme}`)).toBeVisible();
    await shot("variables");
    await page.goto(`${site}/runs`);
    await expect(page.getByRole("row").nth(1)).toBeVisible();
    await shot("runs");
    await page.goto(`${site}/runs/${run}`);
    await expect(page.getByTestId("run-status")).toContainText("Waiting");
    await page.getByRole("button", { name: "Show everything" }).click();
    await node(page, "payment").click();
    await expect(page.getByLabel("Payload, as JSON")).toBeVisible();
    await shot("run");
    await page.getByRole("button", { name: "Close this panel" }).click();
    for (const tab of ["Timeline", "Events"]) {
      await page.getByRole("tab", { name: tab }).click();
      await shot(`run-${tab.toLowerCase()}`);
    }
    await page.goto(`${site}/workflows`);
    await page.getByRole("button", { name: "Examples and the tour" }).click();
    await shot("workflows");
    if (theme === "light") {
      await page.setViewportSize({ width: 360, height: 740 });
      await page.goto(`${site}/runs/${run}`);
      await shot("phone-run");
    }
    shop.close();
  });
}

function orderDefinition(url: string) {
  return {
    input_schema: { type: "object", required: ["total"], properties: { total: { type: "number" } } },
    nodes: {
      start: { type: "trigger.manual@1" },
      is_large: { type: "flow.if@1", name: "Large order?", config: { condition: "{{ input.total > 100 }}" } },
      credit: {
        type: "http.request@1",
        name: "Credit check",
        config: {
          method: "POST",
          url: `${url}/credit/{{ run.input.total }}`,
          body: { amount: "{{ run.input.total }}", note: "checked by {{ nodes.start.output.who.orValue('nobody') }}" },
          headers: { "X-Total": "{{ run.input.total }}" },
        },
        retry: { attempts: 3 },
      },
      accepted: { type: "flow.merge@1", config: { mode: "first" } },
      gift: { type: "http.request@1", name: "Gift paper", config: { url: `${url}/gift` } },
      plain: { type: "data.set@1", name: "Pack plainly", config: { fields: { gift: false } } },
      packed: { type: "flow.merge@1", config: { mode: "first" } },
      lines: {
        type: "data.set@1",
        for_each: { items: "{{ range(12) }}" },
        config: { value: "{{ item * 2 }}" },
      },
      payment: { type: "flow.wait@1", name: "Payment", config: { signal: { name: "payment", timeout: "1h" } } },
    },
    edges: [
      { from: "start", to: "is_large" },
      { from: "is_large.true", to: "credit" },
      { from: "credit", to: "accepted" },
      { from: "is_large.false", to: "accepted" },
      { from: "accepted", to: "gift" },
      { from: "gift", to: "packed" },
      { from: "gift.error", to: "plain" },
      { from: "plain", to: "packed" },
      { from: "packed", to: "lines" },
      { from: "lines", to: "payment" },
    ],
  };
}
