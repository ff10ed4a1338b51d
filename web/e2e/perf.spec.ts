import type { CDPSession, Page } from "@playwright/test";
import { expect, test } from "./forge";

// A measurement, not a test: it wants a machine with nothing else to do. `scripts/test-web --perf`.
test.skip(!process.env.PERF, "only when somebody wants to measure");

// A trace takes pictures of the document while it is being measured.
test.use({ trace: "off" });

const SIZE = 1_000;

/** A workflow of many nodes in rows, where each leads to the next and every tenth row is joined to the one before. */
function large() {
  const nodes: Record<string, unknown> = { start: { type: "trigger.manual@1" } };
  const edges: { from: string; to: string }[] = [];
  const layout: Record<string, { x: number; y: number }> = { start: { x: 0, y: 0 } };
  for (let index = 1; index < SIZE; index += 1) {
    const key = `n${index}`;
    const column = index % 40;
    nodes[key] = { type: "data.set@1", name: `Node ${index}`, config: { value: `{{ input.a${index} }}` } };
    layout[key] = { x: column * 320, y: Math.floor(index / 40) * 112 };
    edges.push({ from: column === 0 ? "start" : index === 1 ? "start" : `n${index - 1}`, to: key });
  }
  return { definition: { nodes, edges }, sidecar: { layout, notes: {} } };
}

/** Seconds of the main thread, as it was really computing: not falsified by what else the machine does. */
async function cpu(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
}

async function drag(page: Page, moves: number): Promise<void> {
  const card = await page
    .locator(".react-flow__node")
    .filter({ hasText: /^Node \d+/ })
    .nth(4)
    .boundingBox();
  if (!card) throw new Error("no card is in sight");
  await page.mouse.move(card.x + 100, card.y + 20);
  await page.mouse.down();
  for (let step = 1; step <= moves; step += 1) {
    await page.mouse.move(card.x + 100 + step * 2, card.y + 20 + (step % 20));
  }
  await page.mouse.up();
}

/** Says a figure, for docs/benchmarks.md. */
function say(what: string, figure: number, unit: string) {
  console.log(`| ${what} | ${figure.toFixed(figure < 10 ? 1 : 0)} ${unit} |`);
}

async function heapOf(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  return (metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0) / 1e6;
}

async function measured(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return session;
}

test("a thousand nodes: they open at once, few cards are mounted, a drag is cheap, memory is bounded", async ({
  signedIn: page,
  forge,
  site,
}) => {
  test.setTimeout(120_000);
  const { definition, sidecar } = large();
  const { createWorkflow } = await forge.ask<{ createWorkflow: { workflow: { id: string } | null } }>(
    "mutation($input: CreateWorkflowInput!) { createWorkflow(input: $input) { workflow { id } } }",
    { input: { name: "large", document: definition, sidecar } },
  );
  expect(createWorkflow.workflow).not.toBeNull();
  const arrived = page
    .waitForResponse((answer) => answer.request().postData()?.includes("WorkflowForBuilder") ?? false)
    .then(async (answer) => {
      await answer.finished();
      return Date.now();
    });
  await page.goto(`${site}/workflows/default/large`);
  await expect(page.locator(".react-flow__node").first()).toBeVisible();
  const opened = Date.now() - (await arrived);
  say("1,000 nodes: from data to the first cards", opened, "ms");
  const session = await measured(page);
  await page.keyboard.press("0");
  await expect.poll(() => page.locator(".react-flow__node").count()).toBeLessThanOrEqual(80);
  await drag(page, 10);
  const before = await cpu(session);
  await drag(page, 90);
  const each = ((await cpu(session)) - before) * (1_000 / 90);
  say("1,000 nodes: main thread for each move of a drag", each, "ms");
  const heap = await heapOf(session);
  say("1,000 nodes: heap", heap, "MB");
  const idle = await cpu(session);
  await page.keyboard.press("Shift+Alt+T");
  await expect(page.getByText("Tidied up")).toBeAttached();
  say("1,000 nodes: tidy up, main thread", ((await cpu(session)) - idle) * 1_000, "ms");
  expect(opened).toBeLessThanOrEqual(1_000);
  expect(each).toBeLessThanOrEqual(20);
  expect(heap).toBeLessThanOrEqual(80);
});

test("a run of a thousand nodes is followed, and no event is lost", async ({ signedIn: page, forge, site }) => {
  test.setTimeout(120_000);
  await forge.publish("followed", large().definition);
  const run = await forge.run("followed", {});
  await page.goto(`${site}/runs/${run}`);
  const session = await measured(page);
  const before = await cpu(session);
  await expect(page.getByTestId("connection")).toHaveText("Complete", { timeout: 60_000 });
  const whole = ((await cpu(session)) - before) * 1_000;
  say("1,000 node runs followed live: main thread in all", whole, "ms");
  const { run: told } = await forge.ask<{ run: { lastSeq: number; startedAt: string; finishedAt: string } }>(
    "query($id: ID!) { run(id: $id) { lastSeq startedAt finishedAt } }",
    { id: run },
  );
  const rate = told.lastSeq / ((Date.parse(told.finishedAt) - Date.parse(told.startedAt)) / 1_000);
  say("1,000 node runs followed live: events a second", rate, "");
  expect(rate).toBeGreaterThanOrEqual(200);
  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByRole("region", { name: "Events" }).press("End");
  await expect(page.getByRole("region", { name: "Events" }).getByTestId(`event-${told.lastSeq}`)).toBeVisible();
});

test("twenty nodes that change at once are cheap to draw", async ({ signedIn: page, forge, site }) => {
  test.setTimeout(120_000);
  // Twenty rows of waits of one length: again and again twenty nodes end, and twenty begin.
  const nodes: Record<string, unknown> = { start: { type: "trigger.manual@1" } };
  const edges: { from: string; to: string }[] = [];
  for (let index = 0; index < SIZE; index += 1) {
    nodes[`n${index}`] = { type: "flow.wait@1", config: { for: "400ms" } };
    edges.push({ from: index < 20 ? "start" : `n${index - 20}`, to: `n${index}` });
  }
  await forge.publish("steps", { nodes, edges });
  const run = await forge.run("steps", {});
  await page.goto(`${site}/runs/${run}`);
  await expect(page.getByTestId("connection")).toHaveText("Live");
  const done = () =>
    forge
      .ask<{ run: { lastSeq: number } }>("query($id: ID!) { run(id: $id) { lastSeq } }", { id: run })
      .then(({ run: now }) => now.lastSeq);
  const session = await measured(page);
  const [begin, before] = [await done(), await cpu(session)];
  await page.waitForTimeout(6_000);
  const [end, after] = [await done(), await cpu(session)];
  // A node has three events, its start, its wait and its end, and changes its look twice.
  const changed = ((end - begin) / 3) * 2;
  const each = ((after - before) * 1_000) / (changed / 20);
  say("1,000 nodes: main thread for each 20 that change in a live run", each, "ms");
  expect(changed).toBeGreaterThan(200);
  expect(each).toBeLessThanOrEqual(12);
});

test("a run with ten thousand node runs scrolls without blanks", async ({ signedIn: page, forge, site }) => {
  test.setTimeout(240_000);
  await forge.publish("many", {
    nodes: {
      start: { type: "trigger.manual@1" },
      each: {
        type: "data.set@1",
        for_each: { items: "{{ range(10000) }}", concurrency: 200 },
        config: { value: "{{ item }}" },
      },
    },
    edges: [{ from: "start", to: "each" }],
  });
  const run = await forge.run("many", {});
  await page.goto(`${site}/runs/${run}?tab=timeline`);
  await expect(page.getByTestId("connection")).toHaveText("Complete", { timeout: 180_000 });
  const session = await measured(page);
  await page.getByRole("button", { name: "Items of each" }).click();
  const rows = page.getByRole("button", { name: /^each/ });
  await expect(rows.first()).toBeVisible();
  const list = page.getByTestId("timeline");
  const before = await cpu(session);
  let blanks = 0;
  for (let step = 1; step <= 40; step += 1) {
    await list.evaluate((element, part) => {
      element.scrollTop = (element.scrollHeight * part) / 40;
    }, step);
    if ((await rows.count()) < 5) blanks += 1;
  }
  say(
    "10,000 node runs: main thread for each jump in the timeline",
    ((await cpu(session)) - before) * (1_000 / 40),
    "ms",
  );
  say("10,000 node runs: heap", await heapOf(session), "MB");
  expect(blanks).toBe(0);
});
