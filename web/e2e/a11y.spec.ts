import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { hook, send } from "./files";
import { expect, node, test } from "./forge";

// Empty pages are looked at as well.
test.use({ database: "a11y" });

async function clean(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(
    grave.map(({ id, nodes }) => `${what}: ${id} at ${nodes.map(({ target }) => target.join(" ")).join(", ")}`),
  ).toEqual([]);
}

for (const theme of ["light", "dark"] as const) {
  test(`no page has a serious finding, empty or filled, ${theme}`, async ({ signedIn: page, forge, site }) => {
    test.setTimeout(240_000);
    await page.addInitScript(
      (chosen) =>
        localStorage.setItem(
          "flowforge.settings",
          JSON.stringify({ state: { theme: chosen, language: "en" }, version: 0 }),
        ),
      theme,
    );
    await page.goto(`${site}/workflows`);
    await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
    await clean(page, "workflows");
    await page.getByRole("button", { name: /Start the tour|Examples and the tour/ }).waitFor();
    const show = page.getByRole("button", { name: "Examples and the tour" });
    if (await show.isVisible()) await show.click();
    await clean(page, "gallery");
    for (const [path, empty] of [
      ["connections", "No connection yet"],
      ["variables", "No variable here yet"],
    ] as const) {
      await page.goto(`${site}/${path}?environment=default`);
      await page
        .getByText(empty)
        .or(page.getByRole("button", { name: /^(Test|Change) / }))
        .first()
        .waitFor();
      await clean(page, path);
    }
    await page.getByRole("button", { name: "New variable" }).click();
    await clean(page, "a new variable");
    await page.keyboard.press("Escape");
    await page.goto(`${site}/connections`);
    await page.getByRole("button", { name: "New connection" }).click();
    await expect(page.getByRole("dialog").getByLabel("Type")).toBeVisible();
    await clean(page, "a new connection");
    for (const [section, dialog] of [
      ["members", "Invite somebody"],
      ["roles", "New role"],
      ["access", null],
      ["keys", "New API key"],
      ["audit", null],
    ] as const) {
      await page.goto(`${site}/settings/${section}`);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expect(page.getByText("Loading…")).toHaveCount(0);
      await clean(page, section);
      if (dialog === null) continue;
      await page.getByRole("button", { name: dialog }).click();
      await expect(page.getByRole("dialog")).toBeVisible();
      await clean(page, dialog);
      await page.keyboard.press("Escape");
    }
    await page.getByRole("button", { name: "Details" }).first().click();
    await clean(page, "a row of the audit");
    await page.goto(`${site}/settings/keys`);
    await page
      .getByRole("link", { name: /everything that .* may do/ })
      .first()
      .click();
    await expect(page.getByRole("table")).toBeVisible();
    await clean(page, "access");
    await page.getByRole("button", { name: "Account" }).click();
    await clean(page, "account");
    await page.goto(`${site}/invitation#${"0".repeat(64)}`);
    await expect(page.getByText("You are invited to a workspace")).toBeVisible();
    await clean(page, "invitation");
    await page.goto(`${site}/runs?status=PAUSED`);
    await expect(page.getByText("No run fits the filter")).toBeVisible();
    await clean(page, "runs, none");
    await forge.ask("mutation($input: CreateWorkflowInput!) { createWorkflow(input: $input) { workflow { id } } }", {
      input: { name: `empty-${theme}` },
    });
    await page.goto(`${site}/workflows/default/empty-${theme}`);
    await expect(page.getByText("Nothing starts this workflow yet").first()).toBeVisible();
    await clean(page, "builder, empty");

    await forge.publish(`axe-${theme}`, {
      nodes: {
        start: { type: "trigger.manual@1" },
        call: {
          type: "http.request@1",
          config: {
            url: "http://127.0.0.1:9/{{ input.id }}",
            body: { id: "{{ input.id }}", n: 1 },
            headers: { A: "b" },
          },
          retry: { attempts: 2 },
        },
        other: { type: "data.set@1", config: { fields: { a: 1 } } },
      },
      edges: [
        { from: "start", to: "call" },
        { from: "call.error", to: "other" },
      ],
    });
    await forge.publish(`axe-${theme}`, { nodes: { start: { type: "trigger.manual@1" } }, edges: [] });
    await page.goto(`${site}/workflows/default/axe-${theme}/versions`);
    await expect(page.getByRole("region", { name: "What differs" })).toContainText("call");
    await clean(page, "versions");
    await page.getByRole("button", { name: /^v1/ }).click();
    await page.getByRole("button", { name: "Edit v1 again" }).click();
    await expect(page.getByText("The draft is v1 now.")).toBeVisible();
    await page.getByRole("button", { name: "Deploy v1" }).click();
    await clean(page, "deploy");
    await page.getByRole("dialog").getByRole("button", { name: "Deploy v1" }).click();
    await expect(page.getByText("default runs v1 from now on.")).toBeVisible();
    await page.goto(`${site}/workflows/default/axe-${theme}`);
    await page.getByRole("button", { name: /^Run v\d/ }).click();
    await page
      .getByRole("dialog")
      .getByLabel("Add a file")
      .setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") });
    await expect(page.getByRole("dialog").getByText("Sent", { exact: true })).toBeVisible();
    await clean(page, "a run with a file");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await clean(page, "publish");
    await page.keyboard.press("Escape");
    await node(page, "call").click();
    await expect(page.locator(".cm-editor").first()).toBeVisible();
    await clean(page, "builder, parameters");
    await page.getByRole("button", { name: "Write an output to pin" }).click();
    await clean(page, "builder, pinned");
    await page.getByRole("button", { name: "Run this node alone" }).click();
    await page.getByLabel("How much").selectOption("all");
    await expect(page.getByText("Pins stand for: call")).toBeVisible();
    await clean(page, "test");
    await page.getByRole("button", { name: "Start the test" }).click();
    await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
    await clean(page, "builder with a test");
    await page.getByRole("tab", { name: "Settings" }).click();
    await clean(page, "builder, settings");
    await page.getByRole("tab", { name: "Guide" }).click();
    await clean(page, "builder, guide");
    await page.getByRole("button", { name: "Workflow settings" }).click();
    await expect(page.getByRole("textbox", { name: "Business key" })).toBeVisible();
    await clean(page, "workflow settings");
    await page.getByRole("button", { name: "Close this panel" }).click();
    await page.locator(".react-flow__node[data-id=other]").focus();
    await page.keyboard.press("d");
    await page.keyboard.press("Shift+F10");
    await expect(page.getByRole("menu")).toBeVisible();
    await clean(page, "a menu, and a disabled node");
    await page.keyboard.press("Escape");
    await page.keyboard.press("d");
    await page.getByRole("button", { name: /problem/ }).click();
    await page.getByRole("button", { name: "Show the outline" }).click();
    await clean(page, "outline and problems");
    await page.getByRole("button", { name: "Add a node", exact: true }).first().click();
    await clean(page, "palette");
    await page.keyboard.press("Escape");

    await page.goto(`${site}/runs/${await forge.run(`axe-${theme}`, { id: 1 })}`);
    await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
    for (const tab of ["Canvas", "Timeline", "Log", "Outline", "Events", "Files", "Data"]) {
      await page.getByRole("tab", { name: tab }).click();
      await clean(page, `run, ${tab}`);
    }
    for (const view of ["Tree", "Schema"]) {
      await page.getByRole("button", { name: view }).first().click();
      await clean(page, `data, ${view}`);
    }
    const withFile = await send(await hook(forge, `axe-files-${theme}`), "photo.raw");
    await page.goto(`${site}/runs/${withFile}?tab=files&node=twice`);
    await expect(page.getByRole("region", { name: "Output", exact: true }).getByRole("link")).toHaveCount(1);
    for (const view of ["JSON", "Table", "Tree", "Schema"]) {
      await page.getByRole("button", { name: view, exact: true }).click();
      await clean(page, `files, ${view}`);
    }
    await page.goto(`${site}/runs`);
    await expect(page.getByRole("row").nth(1)).toBeVisible();
    await clean(page, "runs");
    await page.goto(`${site}/workflows/default/axe-${theme}/triggers`);
    await expect(page.getByText("No trigger here waits for anything")).toBeVisible();
    await clean(page, "triggers, none");
    await forge.publish(`ticks-${theme}`, {
      nodes: { clock: { type: "trigger.schedule@1", config: { every: "1s" } } },
      edges: [],
    });
    await page.goto(`${site}/workflows/default/ticks-${theme}/triggers`);
    await expect(page.getByRole("cell", { name: "Succeeded" }).first()).toBeVisible();
    await page.getByRole("button", { name: "Pause clock" }).click();
    await clean(page, "triggers");
    await page.goto(`${site}/nothing/here`);
    await clean(page, "not found");
  });
}

test("on a phone a workflow is read in the outline, and nothing runs off the page", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await forge.publish("small", { nodes: { start: { type: "trigger.manual@1" } }, edges: [] });
  await page.setViewportSize({ width: 320, height: 640 });
  for (const path of [
    "/workflows",
    "/runs",
    "/workflows/default/small",
    `/runs/${await forge.run("small")}?tab=timeline`,
  ]) {
    await page.goto(site + path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, path).toBe(0);
  }
  await page.goto(`${site}/workflows/default/small`);
  await expect(page.getByTestId("outline-start")).toBeVisible();
});
