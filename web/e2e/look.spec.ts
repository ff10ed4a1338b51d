import type { Page } from "@playwright/test";
import { hook, send } from "./files";
import { expect, type Forge, node, service, test } from "./forge";

// Pictures of every page, to look at: `LOOK=folder npx playwright test look` writes those that the guides show, and
// `LOOK_ALL=1` beside it every page, light and dark, in both languages, wide and narrow.
const folder = process.env.LOOK;
const all = Boolean(process.env.LOOK_ALL);
test.skip(!folder, "only when somebody wants to look");

/** The pictures that README.md and docs/guides show. */
const SHOWN = [
  "first-page",
  "workflows",
  "builder",
  "palette",
  "menu",
  "inspector-wide",
  "inspector-settings",
  "workflow-settings",
  "outline",
  "test-dialog",
  "test-overlay",
  "publish",
  "versions",
  "triggers",
  "runs",
  "run",
  "run-timeline",
  "run-log",
  "run-data",
  "run-files",
  "tour",
  "connections",
  "connection-new",
  "variables",
  "members",
  "audit",
];
/** Those that are shown in the dark as well, and those on a phone. */
const DARK = ["builder", "run-timeline"];
const PHONE = ["run", "outline"];
const WIDE = { width: 1360, height: 820 };
const NARROW = { width: 360, height: 740 };

/** Changes theme and language as another tab would, so that whatever is open stays open. */
async function wear(page: Page, theme: "light" | "dark", language: "en" | "de") {
  await page.evaluate(
    (state) => {
      localStorage.setItem("flowforge.settings", JSON.stringify({ state, version: 0 }));
      window.dispatchEvent(new StorageEvent("storage", { key: "flowforge.settings" }));
    },
    { theme, language },
  );
}

test("every page has its picture", async ({ signedIn: page, forge, site }) => {
  test.setTimeout(400_000);
  const picture = async (file: string) => {
    // Everything that moves has come to rest.
    await page.waitForTimeout(600);
    await page.screenshot({ path: `${folder}/${file}.png` });
  };
  const shot = async (name: string) => {
    if (SHOWN.includes(name) || all) await picture(name);
    if (DARK.includes(name)) {
      await wear(page, "dark", "en");
      await picture(`${name}-dark`);
    }
    if (PHONE.includes(name)) {
      await wear(page, "light", "en");
      await page.setViewportSize(NARROW);
      await picture(`${name}-phone`);
      await page.setViewportSize(WIDE);
    }
    await wear(page, "light", "en");
    if (!all) return;
    await wear(page, "dark", "de");
    await picture(`${name}-dark-de`);
    await page.setViewportSize(NARROW);
    await picture(`${name}-narrow`);
    await page.setViewportSize(WIDE);
    await wear(page, "light", "en");
    await page.waitForTimeout(300);
  };
  await page.setViewportSize(WIDE);
  await page.goto(`${site}/workflows`);
  await wear(page, "light", "en");
  await expect(page.getByRole("button", { name: "Start the tour" })).toBeVisible();
  await shot("first-page");
  for (const path of all ? ["runs", "connections", "variables"] : []) {
    await page.goto(`${site}/${path}`);
    await expect(page.getByText(/^No (run|connection|variable)/).first()).toBeVisible();
    await shot(`${path}-empty`);
  }

  const shop = await service((path) =>
    path.startsWith("/gift") ? { status: 409, body: {} } : { status: 200, body: { ok: true, path } },
  );
  const order = orderDefinition(shop.url);
  const { payment: _, ...earlier } = order.nodes;
  await forge.publish(
    "order",
    { ...order, nodes: earlier, edges: order.edges.filter(({ to }) => to !== "payment") },
    "Order",
  );
  await forge.publish("order", order, "Order");
  const run = await forge.run("order", { total: 130 });
  await forge.ask(
    "mutation($input: CreateConnectionInput!) { createConnection(input: $input) { connection { id } } }",
    {
      input: { name: "shop", type: "http.bearer", secrets: { token: "a-long-token" } },
    },
  );
  await forge.ask("mutation($input: CreateVariableInput!) { createVariable(input: $input) { variable { id } } }", {
    input: { name: "api", value: "https://api.example.com" },
  });

  await page.goto(`${site}/workflows/default/order`);
  await expect(node(page, "credit")).toBeVisible();
  await shot("builder");
  await node(page, "credit").click();
  await page.getByRole("textbox", { name: "URL" }).click();
  await expect(page.getByLabel("What the expression gives")).toBeVisible();
  await shot("inspector");
  await page.getByRole("tab", { name: "Settings" }).click();
  await shot("inspector-settings");
  await page.getByRole("tab", { name: "Guide" }).click();
  await shot("inspector-guide");
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
  await page.getByRole("button", { name: "Workflow settings" }).click();
  await expect(page.getByRole("textbox", { name: "Business key" })).toBeVisible();
  await shot("workflow-settings");
  await page.getByRole("button", { name: "Close this panel" }).click();
  await page.getByRole("button", { name: "Show everything" }).click();
  await page.locator(".react-flow__node[data-id=gift]").focus();
  await page.keyboard.press("d");
  await node(page, "accepted").click({ button: "right" });
  await expect(page.getByRole("menu")).toBeVisible();
  await shot("menu");
  await page.keyboard.press("Escape");
  await page.locator(".react-flow__node[data-id=gift]").focus();
  await page.keyboard.press("d");
  await page.keyboard.press("n");
  await shot("palette");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await shot("keys");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Show everything" }).click();
  await node(page, "plain").click();
  await page.getByLabel("Name", { exact: true }).fill("Pack it plainly, without any paper at all");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.getByRole("button", { name: "Publish v3" })).toBeEnabled();
  await shot("publish");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Show the outline" }).click();
  await shot("outline");
  await page.goto(`${site}/workflows/default/order/versions`);
  await expect(page.getByRole("region", { name: "What differs" })).toContainText("payment");
  await shot("versions");

  await forge.publish("report", REPORT, "Report");
  await page.goto(`${site}/workflows/default/report/triggers`);
  await expect(page.getByRole("cell", { name: /OVERLAP/ }).first()).toBeVisible();
  await page.getByText("9 times after that").first().click();
  await shot("triggers");

  await page.goto(`${site}/connections`);
  await expect(page.getByText("shop")).toBeVisible();
  await shot("connections");
  await page.getByRole("button", { name: "New connection" }).click();
  await page.getByRole("dialog").getByLabel("Type").selectOption("postgres");
  await expect(page.getByRole("dialog").getByLabel("Host")).toBeVisible();
  await shot("connection-new");
  await page.goto(`${site}/variables`);
  await expect(page.getByText("vars.api")).toBeVisible();
  await shot("variables");
  await people(forge);
  for (const [section, sign] of [
    ["members", "billing-robot"],
    ["roles", "release manager"],
    ["access", "Choose a member"],
    ["keys", "nightly import"],
    ["audit", "JSON lines"],
  ] as const) {
    await page.goto(`${site}/settings/${section}`);
    await expect(page.getByText(sign).first()).toBeVisible();
    if (section === "audit") await page.getByRole("button", { name: "Details" }).nth(2).click();
    await shot(section);
  }
  await page.getByRole("button", { name: "Account" }).click();
  await shot("account");
  await page.goto(`${site}/runs`);
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  await shot("runs");
  await page.goto(`${site}/runs/${run}`);
  await expect(page.getByTestId("run-status")).toContainText("Waiting");
  await page.getByRole("button", { name: "Waits at payment" }).click();
  await expect(page.getByLabel("Payload, as JSON")).toBeVisible();
  await shot("run");
  await page.getByRole("button", { name: "Close this panel" }).click();
  for (const tab of ["Timeline", "Log", "Outline", "Events"]) {
    await page.getByRole("tab", { name: tab }).click();
    await shot(`run-${tab.toLowerCase()}`);
  }
  await page.goto(`${site}/runs/${run}?node=lines`);
  await page.getByRole("region", { name: "Output", exact: true }).getByRole("button", { name: "Table" }).click();
  await expect(page.getByRole("columnheader", { name: "price" })).toBeVisible();
  await shot("run-data");
  const withFile = await send(await hook(forge, "import"), "orders of October.csv", "text/csv");
  await page.goto(`${site}/runs/${withFile}?tab=files&node=hook`);
  await expect(page.getByRole("link", { name: /^Download/ })).toHaveCount(2);
  await shot("run-files");
  await page.goto(`${site}/workflows`);
  await page.getByRole("button", { name: "Examples and the tour" }).click();
  await shot("workflows");
  await page.getByRole("button", { name: "Start the tour" }).click();
  await expect(page.getByRole("region", { name: "Pull the plug" })).toContainText("Now pull the plug");
  await shot("tour");
  if (all) {
    await forge.ask("mutation($input: CreateWorkflowInput!) { createWorkflow(input: $input) { workflow { id } } }", {
      input: { name: "empty" },
    });
    await page.goto(`${site}/workflows/default/empty`);
    await expect(page.getByText("Nothing starts this workflow yet").first()).toBeVisible();
    await shot("builder-empty");
    await page.keyboard.press("n");
    await page.keyboard.type("webhook");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await page.keyboard.press("n");
    await page.keyboard.type("http request");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: /\d problems?/ }).click();
    await shot("problems");
    await page.goto(`${site}/nothing/here`);
    await shot("not-found");
    await page.getByRole("button", { name: "Account" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByLabel("API key")).toBeVisible();
    await shot("sign-in");
  }
  shop.close();
});

/** Somebody to look at on the pages about people: programs, a role of the workspace's own, an invitation, a denial. */
async function people(forge: Forge) {
  const { made } = await forge.ask<{ made: { role: { key: string } } }>(
    `mutation {
      p: createProject(input: { slug: "billing", title: "Billing" }) { userErrors { code } }
      a: createServiceAccount(input: { name: "billing-robot", role: "operator", projects: ["billing"] }) { userErrors { code } }
      b: inviteMember(input: { role: "editor", email: "grace@example.com" }) { userErrors { code } }
      c: createApiKey(input: { name: "nightly import", role: "operator", permissions: ["read", "run:start"] }) { userErrors { code } }
      made: createRole(input: { name: "release manager", permissions: ["read", "run:start", "workflow:deploy"] }) { role { key } }
    }`,
  );
  const input = {
    roleId: made.role.key,
    name: "release manager",
    permissions: ["read", "workflow:deploy", "audit:read"],
  };
  await forge.ask("mutation($input: UpdateRoleInput!) { updateRole(input: $input) { userErrors { code } } }", {
    input,
  });
  const viewer = await forge.makeKey("viewer");
  // What a viewer may not is denied, and the audit has it.
  const wish = "mutation($input: CreateRoleInput!) { createRole(input: $input) { userErrors { code } } }";
  await forge.ask(wish, { input: { name: "mine", permissions: ["read"] } }, viewer).catch(() => null);
}

/** Two schedules: one that finds its run still under way, and one for working days. */
const REPORT = {
  nodes: {
    often: { type: "trigger.schedule@1", config: { every: "2s", overlap: "skip" } },
    mornings: { type: "trigger.schedule@1", config: { cron: "0 9 * * MON-FRI", timezone: "Europe/Berlin" } },
    collect: { type: "flow.wait@1", config: { for: "1h" }, join: "any" },
    both: { type: "flow.merge@1", config: { mode: "first" } },
  },
  edges: [
    { from: "often", to: "both" },
    { from: "mornings", to: "both" },
    { from: "both", to: "collect" },
  ],
};

function orderDefinition(url: string) {
  return {
    settings: { key: "order-{{ input.total }}", timeout: "1h", labels: { shop: "north" } },
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
        config: {
          value: { article: "{{ 'A-' + string(100 + item) }}", count: "{{ item + 1 }}", price: "{{ 4 + item * 2 }}" },
        },
      },
      note: {
        type: "log.write@1",
        name: "Write it down",
        config: {
          level: "info",
          message: "{{ size(nodes.lines.output) }} lines are packed, now the payment.",
          fields: { total: "{{ run.input.total }}", gift: "{{ nodes.gift.output != null }}" },
        },
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
      { from: "lines", to: "note" },
      { from: "lines", to: "payment" },
    ],
  };
}
