import type { CDPSession, Page } from "@playwright/test";
import { expect, test } from "./forge";

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

test("a thousand nodes: few cards are mounted, a drag is cheap, memory is bounded", async ({
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
  await page.goto(`${site}/workflows/default/large`);
  await expect(page.locator(".react-flow__node").first()).toBeVisible();
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.keyboard.press("0");
  await expect.poll(() => page.locator(".react-flow__node").count()).toBeLessThanOrEqual(80);
  await drag(page, 10);
  const before = await cpu(session);
  await drag(page, 90);
  const each = ((await cpu(session)) - before) * (1_000 / 90);
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const heap = (metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0) / 1e6;
  console.log(`a move costs ${each.toFixed(1)} ms of the main thread; heap ${heap.toFixed(0)} MB`);
  expect(each).toBeLessThanOrEqual(20);
  expect(heap).toBeLessThanOrEqual(80);
});
