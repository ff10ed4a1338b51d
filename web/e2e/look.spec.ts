import { expect, node, service, test } from "./forge";

// Pictures of every page, to look at: `LOOK=folder npx playwright test look`.
const folder = process.env.LOOK;
test.skip(!folder, "only when somebody wants to look");

test("every page has its picture", async ({ signedIn: page, forge, site }) => {
  test.setTimeout(180_000);
  const shot = (name: string) => page.screenshot({ path: `${folder}/${name}.png` });
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await shot("workflows-empty");
  const shop = await service((path) =>
    path.startsWith("/gift") ? { status: 409, body: {} } : { status: 200, body: { ok: true } },
  );
  await forge.publish("order", orderDefinition(shop.url), "Order");
  await forge.run("order", { total: 130 });
  await page.reload();
  await shot("workflows");
  await page.getByRole("link", { name: "Order", exact: true }).click();
  await expect(node(page, "credit")).toBeVisible();
  await page.waitForTimeout(500);
  await shot("builder");
  await node(page, "credit").click();
  await expect(page.locator(".cm-editor").first()).toBeVisible();
  await shot("inspector");
  await page.getByRole("tab", { name: "Settings" }).click();
  await shot("inspector-settings");
  await page.getByRole("tab", { name: "Guide" }).click();
  await shot("inspector-guide");
  await page.getByRole("button", { name: "Close this panel" }).click();
  await page.keyboard.press("n");
  await shot("palette");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Show the outline" }).click();
  await shot("outline");
  await page.getByRole("button", { name: "Show the canvas" }).click();
  await page.goto(`${site}/runs`);
  await page.getByRole("cell").getByRole("link").nth(1).waitFor();
  await shot("runs");
  await page.locator("a[href^='/runs/run_']").first().click();
  await expect(page.getByTestId("run-status")).toContainText("Waiting");
  await page.waitForTimeout(800);
  await shot("run-canvas");
  await node(page, "payment").click();
  await page.waitForTimeout(500);
  await shot("run-signal");
  for (const name of ["Timeline", "Events", "Data"]) {
    await page.getByRole("tab", { name }).click();
    await page.waitForTimeout(300);
    await shot(`run-${name.toLowerCase()}`);
  }
  await page.getByRole("button", { name: /^Theme/ }).click();
  await page.getByRole("button", { name: /^Theme/ }).click();
  await page.getByRole("button", { name: "Deutsch" }).click();
  await page.getByRole("tab", { name: "Zeichenfläche" }).click();
  await page.waitForTimeout(500);
  await shot("run-dark-german");
  await page.goto(`${site}/workflows/default/order`);
  await node(page, "credit").click();
  await page.waitForTimeout(800);
  await shot("builder-dark-german");
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${site}/workflows/default/order`);
  await page.waitForTimeout(800);
  await shot("phone-builder");
  shop.close();
});

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
