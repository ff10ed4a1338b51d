import { expect, node, service, test } from "./forge";

test("a run is followed live: retries, an error port, a wait, a signal, the end", async ({
  signedIn: page,
  forge,
  site,
}) => {
  let failures = 2;
  const shop = await service((path) => {
    if (path === "/flaky" && failures > 0) {
      failures -= 1;
      return { status: 503, body: {} };
    }
    return path === "/refuses" ? { status: 409, body: {} } : { status: 200, body: { ok: true } };
  });
  await forge.publish("story", {
    nodes: {
      start: { type: "trigger.manual@1" },
      flaky: {
        type: "http.request@1",
        config: { url: `${shop.url}/flaky` },
        retry: { attempts: 5, initial: "400ms", coefficient: 1 },
      },
      refuses: { type: "http.request@1", config: { url: `${shop.url}/refuses` } },
      plain: { type: "data.set@1", config: { value: "plain" } },
      never: { type: "data.set@1", config: { value: "never" } },
      payment: { type: "flow.wait@1", config: { signal: { name: "payment" } } },
    },
    edges: [
      { from: "start", to: "flaky" },
      { from: "flaky", to: "refuses" },
      { from: "refuses", to: "never" },
      { from: "refuses.error", to: "plain" },
      { from: "plain", to: "payment" },
    ],
  });
  const run = await forge.run("story");
  await page.goto(`${site}/runs/${run}`);
  await expect(page.getByTestId("run-status")).toHaveText("Waiting");
  await expect(page.getByTestId("connection")).toHaveText("Live");
  await expect(node(page, "refuses").getByRole("img", { name: "Failed" })).toBeVisible();
  await expect(node(page, "never").getByRole("img", { name: "Skipped" })).toBeVisible();
  await node(page, "flaky").click();
  const attempts = page.getByRole("region", { name: "Node run flaky" }).getByRole("listitem");
  await expect(attempts).toHaveText([/1failed/, /2failed/, /3succeeded/]);
  await page.getByRole("button", { name: "Show everything" }).click();
  await node(page, "payment").click();
  await page.getByLabel("Payload, as JSON").fill('{"reference": "123"}');
  await page.getByRole("button", { name: "Send the signal" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await expect(page.getByTestId("connection")).toHaveText("Complete");
  await expect(page.getByRole("region", { name: "Output" })).toContainText('"reference": "123"');
  await page.getByRole("tab", { name: "Timeline" }).click();
  await expect(page.getByRole("button", { name: /^flaky, Succeeded/ })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("button", { name: /^flaky, Succeeded/ })).toBeVisible();
  shop.close();
});

test("a run is canceled", async ({ signedIn: page, forge, site }) => {
  await forge.publish("waits", {
    nodes: { start: { type: "trigger.manual@1" }, long: { type: "flow.wait@1", config: { for: "1h" } } },
    edges: [{ from: "start", to: "long" }],
  });
  await page.goto(`${site}/runs/${await forge.run("waits")}`);
  await expect(page.getByTestId("run-status")).toHaveText("Waiting");
  await page.getByRole("button", { name: "Cancel the run" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Canceled");
  await page.goto(`${site}/runs?status=CANCELED`);
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.goto(`${site}/runs?status=PAUSED`);
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await expect(page.getByRole("row")).not.toHaveCount(0);
});

test("the plug is pulled in the middle of a run, and the page goes on without a gap", async ({
  signedIn: page,
  forge,
  site,
}) => {
  const slow = await service(() => ({ status: 200, body: {} }), 250);
  await forge.publish("import", {
    nodes: {
      start: { type: "trigger.manual@1" },
      each: {
        type: "http.request@1",
        for_each: { items: "{{ range(100) }}", concurrency: 4 },
        config: { url: `${slow.url}/{{ index }}` },
      },
      done: { type: "data.set@1", config: { value: "{{ size(input) }}" } },
    },
    edges: [
      { from: "start", to: "each" },
      { from: "each", to: "done" },
    ],
  });
  const run = await forge.run("import");
  await page.goto(`${site}/runs/${run}`);
  await expect(node(page, "each")).toContainText(/\d+\/\d+/);
  await forge.kill();
  await expect(page.getByTestId("connection")).toHaveText("Reconnecting…");
  await forge.start();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded", { timeout: 45_000 });
  await expect(page.getByText(/recovered \d+ time/)).toBeVisible();
  await expect(node(page, "each")).toContainText("100/100");
  await page.getByRole("tab", { name: "Events" }).click();
  const { run: told } = await forge.ask<{ run: { lastSeq: number } }>("query($id: ID!) { run(id: $id) { lastSeq } }", {
    id: run,
  });
  await page.getByRole("region", { name: "Events" }).press("End");
  await expect(page.getByRole("region", { name: "Events" }).getByTestId(`event-${told.lastSeq}`)).toBeVisible();
  slow.close();
});

test("the network is cut in the middle of a run, and the page catches up without a gap or a reload", async ({
  signedIn: page,
  forge,
  site,
}) => {
  const slow = await service(() => ({ status: 200, body: {} }), 120);
  await forge.publish("cut", {
    nodes: {
      start: { type: "trigger.manual@1" },
      each: {
        type: "http.request@1",
        for_each: { items: "{{ range(300) }}", concurrency: 4 },
        config: { url: `${slow.url}/{{ index }}` },
      },
    },
    edges: [{ from: "start", to: "each" }],
  });
  // Every connection of the page goes through here, so that it can be cut as a network does.
  let isCut = false;
  const open = new Set<{ close: () => Promise<void> }>();
  await page.routeWebSocket(/\/graphql/, async (socket) => {
    if (isCut) return void (await socket.close());
    socket.connectToServer();
    open.add(socket);
  });
  let loads = 0;
  page.on("load", () => {
    loads += 1;
  });
  const run = await forge.run("cut");
  await page.goto(`${site}/runs/${run}`);
  await expect(node(page, "each")).toContainText(/\d+\/\d+/);
  isCut = true;
  await Promise.all([...open].map((socket) => socket.close()));
  await expect(page.getByTestId("connection")).toHaveText("Reconnecting…");
  await expect
    .poll(
      async () => {
        const { run: now } = await forge.ask<{ run: { status: string } }>(
          "query($id: ID!) { run(id: $id) { status } }",
          {
            id: run,
          },
        );
        return now.status;
      },
      { timeout: 40_000 },
    )
    .toBe("SUCCEEDED");
  isCut = false;
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded", { timeout: 45_000 });
  await expect(node(page, "each")).toContainText("300/300");
  const { run: told } = await forge.ask<{ run: { lastSeq: number } }>("query($id: ID!) { run(id: $id) { lastSeq } }", {
    id: run,
  });
  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByRole("region", { name: "Events" }).press("End");
  await expect(page.getByTestId(`event-${told.lastSeq}`)).toBeVisible();
  expect(loads).toBe(1);
  slow.close();
});
