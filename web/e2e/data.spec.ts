import { expect, node, service, test } from "./forge";

test("a large list is read page by page: as a tree, as a table, by its kinds", async ({
  signedIn: page,
  forge,
  site,
}) => {
  const rows = Array.from({ length: 300 }, (_, id) => ({ id, city: `City ${id}`, text: "x".repeat(200) }));
  await forge.publish("large", {
    nodes: { start: { type: "trigger.manual@1" }, rows: { type: "data.set@1", config: { value: "{{ input.rows }}" } } },
    edges: [{ from: "start", to: "rows" }],
  });
  await page.goto(`${site}/runs/${await forge.run("large", { rows })}`);
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await node(page, "rows").click();
  const output = page.getByRole("region", { name: "Output", exact: true });
  await expect(output).toContainText("Only the beginning is shown");
  const whole = output.getByRole("link", { name: "Download all of it" });
  const [download] = await Promise.all([page.waitForEvent("download"), whole.click()]);
  expect(download.suggestedFilename()).toMatch(/^nrun_[0-9a-f]{32}\.rows\.output\.json$/);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  expect(JSON.parse(String(Buffer.concat(chunks)))).toEqual(rows);
  await output.getByRole("button", { name: "Table" }).click();
  await expect(output.getByRole("cell", { name: "City 49", exact: true })).toBeAttached();
  await expect(output.getByRole("columnheader", { name: "city" })).toBeVisible();
  await expect(output.getByText("50 of 300")).toBeVisible();
  await output.getByRole("button", { name: "Show more of 250" }).click();
  await expect(output.getByRole("cell", { name: "City 99", exact: true })).toBeAttached();
  await output.getByRole("button", { name: "Tree" }).click();
  await output.getByRole("button", { name: "Parts of 7", exact: true }).click();
  await expect(output.getByText('"City 7"')).toBeVisible();
  await output.getByRole("button", { name: "Schema" }).click();
  await expect(output.getByText("city: text")).toBeVisible();
  await expect(output.getByText("Told from 50 of 300 parts.")).toBeVisible();
});

test("what the input schema hides is marked wherever it is shown, and cannot be pinned", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await forge.publish("veiled", {
    input_schema: {
      type: "object",
      properties: { card: { type: "string", "x-sensitive": true }, name: { type: "string" } },
    },
    nodes: {
      start: { type: "trigger.manual@1" },
      copy: { type: "data.set@1", config: { value: { card: "{{ input.card }}", name: "{{ input.name }}" } } },
    },
    edges: [{ from: "start", to: "copy" }],
  });
  const run = await forge.run("veiled", { card: "4111111111111111", name: "Ada" });
  await page.goto(`${site}/runs/${run}?tab=data`);
  await expect(page.getByRole("region", { name: "Input", exact: true })).toContainText("Partly hidden");
  await page.goto(`${site}/runs/${run}?node=copy`);
  await expect(page.getByRole("region", { name: "Output", exact: true })).toContainText("Partly hidden");
  await page.goto(`${site}/workflows/default/veiled`);
  await node(page, "copy").click();
  const gives = page.getByRole("region", { name: "What it gives" });
  await expect(gives).toContainText("Partly hidden");
  await expect(gives).toContainText("so it cannot be pinned as it is");
  await expect(gives.getByRole("button", { name: "Pin this output" })).toHaveCount(0);
  await page.locator(".react-flow__node[data-id=copy]").focus();
  await page.keyboard.press("p");
  await expect(page.getByRole("status").filter({ hasText: "so it cannot be pinned as it is" })).toBeVisible();
  await gives.getByRole("button", { name: "Write an output to pin" }).click();
  await expect(gives.getByLabel("Pinned output")).toHaveValue("{}");
  expect(await page.content()).not.toContain("4111111111111111");
});

test("workflow settings give runs a key, labels, a time limit and an output", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await forge.publish("set-up", {
    nodes: { start: { type: "trigger.manual@1" }, n: { type: "data.set@1", config: { value: 1 } } },
    edges: [{ from: "start", to: "n" }],
  });
  await page.goto(`${site}/workflows/default/set-up`);
  await expect(node(page, "n")).toBeVisible();
  await page.getByRole("button", { name: "Workflow settings" }).click();
  const panel = page.getByRole("region", { name: "Workflow settings" });
  await panel.getByLabel("Title").fill("Set up well");
  await panel.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Set up well");
  await panel.getByLabel("Timeout").fill("soon");
  await expect(panel).toContainText(/duration/);
  await panel.getByLabel("Timeout").fill("1h");
  const write = async (label: string, text: string) => {
    await panel.getByRole("textbox", { name: label, exact: true }).click();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.insertText(text);
  };
  await write("Business key", "order-{{ input.id }}");
  await panel.getByLabel("Name of a new entry in Labels").fill("shop");
  await panel.getByRole("button", { name: "Add", exact: true }).click();
  await write("shop", "{{ input.shop }}");
  await write("Output of the run", "{{ nodes.n.output }}");
  await expect(page.getByTestId("saving")).toContainText(/^Saved/);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: "Publish v2" }).click();
  await expect(page.getByText("v2 is published and deployed")).toBeVisible();
  const id = await forge.run("set-up", { id: 7, shop: "north" });
  const { run } = await forge.ask<{ run: { key: string; labels: unknown } }>(
    "query($id: ID!) { run(id: $id) { key labels } }",
    { id },
  );
  expect(run).toEqual({ key: "order-7", labels: { shop: "north" } });
  await page.goto(`${site}/runs/${id}`);
  await expect(page.getByText("order-7")).toBeVisible();
});

test("the log of a run is followed as it grows, searched, filtered, linked to and downloaded", async ({
  signedIn: page,
  forge,
  site,
}) => {
  let failures = 1;
  const shop = await service(() => {
    failures -= 1;
    return { status: failures >= 0 ? 503 : 200, body: {} };
  });
  await forge.publish("logged", {
    nodes: {
      start: { type: "trigger.manual@1" },
      call: {
        type: "http.request@1",
        config: { url: shop.url },
        retry: { attempts: 3, initial: "100ms" },
      },
      lines: {
        type: "log.write@1",
        for_each: { items: "{{ range(120) }}" },
        config: {
          level: "{{ item == 60 ? 'error' : 'info' }}",
          message: "line {{ item }}",
          fields: { customer: "{{ item * 2 }}" },
        },
      },
      hold: { type: "flow.wait@1", config: { signal: { name: "go" } } },
      last: { type: "log.write@1", config: { level: "warn", message: "the very last" } },
    },
    edges: [
      { from: "start", to: "call" },
      { from: "call", to: "lines" },
      { from: "lines", to: "hold" },
      { from: "hold", to: "last" },
    ],
  });
  const run = await forge.run("logged");
  await page.goto(`${site}/runs/${run}?tab=log`);
  await expect(page.getByTestId("run-status")).toHaveText("Waiting");
  const log = page.getByRole("region", { name: "Log", exact: true });
  // The end is in sight, and what comes now is gone to.
  await expect(log).toContainText("line 119");
  await expect(log).toContainText("customer=238");
  await forge.ask("mutation($input: SignalRunInput!) { signalRun(input: $input) { run { id } } }", {
    input: { runId: run, name: "go", payload: {} },
  });
  await expect(log).toContainText("the very last");
  await expect(log).toContainText("The run has ended (SUCCEEDED)");

  await page.getByLabel("Least level").selectOption("error");
  await expect(log.getByRole("listitem")).toHaveCount(1);
  await page.getByLabel("Least level").selectOption("info");
  await page.getByLabel("Search the log").fill("HTTP_STATUS");
  await expect(log.getByRole("listitem")).toHaveCount(1);
  await expect(log).toContainText("Attempt failed");
  await page.getByLabel("Search the log").fill("line 42");
  await expect(log.getByRole("listitem")).toHaveCount(1);
  await log.getByRole("button", { name: /^Line \d+/ }).click();
  await expect(page).toHaveURL(/line=\d+/);
  await page.reload();
  await expect(log).toContainText("line 42");
  await expect(page.getByRole("button", { name: "Follow" })).toHaveAttribute("aria-pressed", "false");

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download these lines" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`${run}.log`);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  for (const line of ["line 0  customer=0", "line 119  customer=238", "the very last"]) expect(text).toContain(line);
  shop.close();
});

test("the console of code stands in the log, with how much of it was dropped, also when the code fails", async ({
  signedIn: page,
  forge,
  site,
}) => {
  const loud = "for (let n = 1; n <= 1200; n += 1) console.log('row', n, { of: input.who }); console.debug('unheard');";
  await forge.publish("consoles", {
    nodes: {
      start: { type: "trigger.manual@1" },
      broken: {
        type: "code.js@1",
        config: { code: "console.log('so far so good'); console.warn('about to fail'); throw new Error('no more');" },
      },
      handled: { type: "data.set@1", config: { value: "{{ input.error.code }}" } },
      kept: {
        type: "code.js@1",
        config: { code: `console.warn('first', input.who); ${loud} return 'x'.repeat(200000);` },
      },
      items: {
        type: "code.js@1",
        for_each: { items: "{{ range(2) }}" },
        config: { code: "console.error('item', input); return null;", input: "{{ item }}" },
      },
      silent: { type: "code.js@1", config: { code: "return 2;" } },
      note: { type: "log.write@1", config: { message: "after the code" } },
    },
    edges: [
      { from: "start", to: "broken" },
      { from: "broken.error", to: "handled" },
      { from: "start", to: "kept" },
      { from: "kept", to: "items" },
      { from: "items", to: "silent" },
      { from: "silent", to: "note" },
    ],
  });
  const run = await forge.run("consoles", { who: "ada" });
  await page.goto(`${site}/runs/${run}?tab=log`);
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  const log = page.getByRole("region", { name: "Log", exact: true });
  await expect(log).toContainText("after the code");
  await page.getByLabel("Least level").selectOption("warn");
  const rows = log.getByRole("listitem");
  await expect(rows.filter({ hasText: "kept" })).toHaveCount(2);
  await expect(rows.filter({ hasText: "first ada" })).toContainText("kept");
  const told = rows.filter({ hasText: /\d+ more lines were written and not kept/ });
  await expect(told).toHaveCount(1);
  // What the code wrote before it failed comes before what it failed with.
  const broken = rows.filter({ hasText: "broken" });
  await expect(broken.nth(0)).toContainText("about to fail");
  await expect(broken.nth(1)).toContainText("no more");
  for (const item of [0, 1]) await expect(rows.filter({ hasText: `items[${item}]` })).toContainText(`item ${item}`);
  // What was kept and what was dropped is all that was written.
  const dropped = Number(/(\d+) more lines/.exec((await told.textContent()) ?? "")?.[1]);
  await page.getByLabel("Least level").selectOption("debug");
  await page.getByLabel("Search the log").fill("row ");
  await expect(page.getByText(/^\d+ lines$/)).toHaveText(`${1202 - dropped - 1} lines`);
  await page.getByLabel("Search the log").fill("row 150 ");
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText(/ada/);
  await rows.getByRole("button", { name: /^Line \d+\.151/ }).click();
  await expect(page).toHaveURL(/line=\d+\.151/);
  await page.reload();
  await expect(log).toContainText("row 150 ");
  await page.getByLabel("Search the log").fill("so far so good");
  await expect(rows).toHaveCount(1);
  await page.getByLabel("Search the log").fill("silent");
  await expect(page.getByText("No line fits.")).toBeVisible();

  await page.getByLabel("Search the log").fill("");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download these lines" }).click(),
  ]);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  for (const line of [
    "WARN  kept first ada",
    "INFO  kept row 1 ",
    "ERROR items[1] item 1",
    "WARN  broken about to fail",
  ])
    expect(text).toContain(line);
  expect(text).not.toContain("…");
});

test("what the server says in English is explained in German by its code", async ({ signedIn: page, forge, site }) => {
  await page.addInitScript(() =>
    localStorage.setItem(
      "flowforge.settings",
      JSON.stringify({ state: { theme: "light", language: "de", letterKeys: true }, version: 0 }),
    ),
  );
  await forge.publish("deutsch", { nodes: { start: { type: "trigger.manual@1" } }, edges: [] });
  await page.goto(`${site}/workflows`);
  await page.getByRole("button", { name: "Neuer Workflow" }).first().click();
  await page.getByLabel("Name").fill("deutsch");
  await page.getByRole("button", { name: "Zeichenfläche öffnen" }).click();
  await expect(page.getByRole("dialog")).toContainText("Dieser Name ist schon vergeben.");
  await page.goto(`${site}/workflows/default/deutsch`);
  await expect(node(page, "start")).toBeVisible();
  await page.locator(".react-flow__node[data-id=start]").focus();
  await page.keyboard.press("n");
  await page.keyboard.type("wait");
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "Einstellungen" }).click();
  await page.getByLabel("Zeitlimit").fill("bald");
  await expect(page.getByRole("region", { name: /^Knoten/ })).toContainText("Das ist keine Dauer");
  await page.getByRole("button", { name: /Problem/ }).click();
  const problems = page.getByRole("region", { name: "Probleme" });
  await expect(problems).toContainText("Das ist keine Dauer: Zahlen mit Einheiten");
  await expect(problems.locator("[lang=en]").first()).toBeVisible();
});
