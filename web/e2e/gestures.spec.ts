import type { Locator, Page } from "@playwright/test";
import { expect, type Forge, node, test } from "./forge";

interface Sidecar {
  layout: Record<string, { x: number; y: number }>;
  notes: Record<string, { x: number; y: number; text: string }>;
}

interface Draft {
  document: { nodes: Record<string, Record<string, unknown>>; edges: { from: string; to: string }[] };
  sidecar: Sidecar;
}

/** The draft as the server has it; what was never drawn has no places yet. */
async function draftOf(forge: Forge, name: string): Promise<Draft> {
  const { workflow } = await forge.ask<{ workflow: { draft: Draft } }>(
    "query($name: String!) { workflow(name: $name) { draft { document sidecar } } }",
    { name },
  );
  const { document, sidecar } = workflow.draft;
  return { document, sidecar: { ...sidecar, layout: sidecar.layout ?? {}, notes: sidecar.notes ?? {} } };
}

/** Opens a workflow of a start and a few constants in a row. */
async function open(page: Page, forge: Forge, site: string, name: string, count = 3) {
  const keys = Array.from({ length: count }, (_, index) => `n${index + 1}`);
  await forge.publish(name, {
    nodes: {
      start: { type: "trigger.manual@1" },
      ...Object.fromEntries(keys.map((key, index) => [key, { type: "data.set@1", config: { value: index } }])),
    },
    edges: keys.map((key, index) => ({ from: keys[index - 1] ?? "start", to: key })),
  });
  await page.goto(`${site}/workflows/default/${name}`);
  await expect(node(page, "n1")).toBeVisible();
  await page.getByRole("button", { name: "Show everything" }).click();
  await expect(page.getByTestId("saving")).toContainText("Saved");
}

async function box(locator: Locator) {
  const found = await locator.boundingBox();
  if (!found) throw new Error("it is not in sight");
  return found;
}

async function dragBy(page: Page, what: Locator, x: number, y: number) {
  const { x: left, y: top, height } = await box(what);
  await page.mouse.move(left + 60, top + height / 2);
  await page.mouse.down();
  await page.mouse.move(left + 60 + x, top + height / 2 + y, { steps: 8 });
  await page.mouse.up();
}

const chosen = (page: Page) => page.locator(".react-flow__node.selected");

test("nodes are chosen with a marquee, moved together onto the grid, and put back with one undo", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await open(page, forge, site, "marquee");
  const [first, last] = [await box(node(page, "n1")), await box(node(page, "n2"))];
  await page.keyboard.down("Shift");
  await page.mouse.move(first.x - 20, first.y - 30);
  await page.mouse.down();
  await page.mouse.move(last.x + last.width - 30, last.y + last.height + 30, { steps: 8 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await expect(chosen(page)).toHaveCount(2);
  const before = await box(node(page, "n1"));
  const still = await box(node(page, "n3"));
  // Within the marquee, beside the cards: the rectangle around what was chosen is dragged as a whole.
  await dragBy(page, node(page, "n1"), 37, 91);
  await expect.poll(async () => (await box(node(page, "n1"))).y).toBeGreaterThan(before.y + 60);
  expect((await box(node(page, "n3"))).y).toBeCloseTo(still.y, 0);
  await expect
    .poll(async () => Object.keys((await draftOf(forge, "marquee")).sidecar.layout).length)
    .toBeGreaterThan(1);
  const { layout } = (await draftOf(forge, "marquee")).sidecar;
  for (const key of ["n1", "n2"]) {
    expect((layout[key]?.x ?? 1) % 8, `${key} is on the grid`).toBe(0);
    expect((layout[key]?.y ?? 1) % 8, `${key} is on the grid`).toBe(0);
  }
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.poll(async () => (await box(node(page, "n1"))).y).toBeCloseTo(before.y, 0);

  // The same by keyboard: everything is chosen and moved by grid steps.
  await page.locator(".react-flow__node[data-id=n1]").focus();
  await page.keyboard.press("ControlOrMeta+a");
  await expect(chosen(page)).toHaveCount(4);
  await page.keyboard.press("Alt+ArrowDown");
  await expect.poll(async () => (await box(node(page, "n3"))).y).toBeGreaterThan(still.y);
});

test("a node is pulled out of a port, another one put into the edge, and all of it copied as JSON", async ({
  signedIn: page,
  forge,
  site,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, forge, site, "pulled", 1);
  const port = await box(node(page, "n1").locator(".port.source").first());
  await page.mouse.move(port.x + 6, port.y + 6);
  await page.mouse.down();
  await page.mouse.move(port.x + 110, port.y + 130, { steps: 8 });
  await page.mouse.up();
  await expect(page.getByRole("combobox", { name: "Add a node" })).toBeFocused();
  await page.keyboard.type("filter");
  await page.getByRole("option", { name: /^Filter/ }).click();
  await expect(node(page, "filter")).toBeVisible();
  await page.getByRole("button", { name: "Close this panel" }).click();

  await page.getByRole("button", { name: "Show everything" }).click();
  await page.getByRole("button", { name: "Insert a node between start and n1" }).hover({ force: true });
  await page.getByRole("button", { name: "Insert a node between start and n1" }).click();
  await page.keyboard.type("if");
  await page.keyboard.press("Enter");
  await expect(node(page, "if_node")).toBeVisible();
  await page.getByRole("button", { name: "Close this panel" }).click();
  await expect(page.getByTestId("saving")).toContainText("Saved");
  const edges = async () => (await draftOf(forge, "pulled")).document.edges.map(({ from, to }) => `${from} ${to}`);
  await expect.poll(async () => (await edges()).sort()).toEqual(["if_node.true n1", "n1 filter", "start if_node"]);

  await page.getByRole("button", { name: "Show everything" }).click();
  await node(page, "n1").click({ button: "right" });
  await page.getByRole("menu").getByRole("menuitem", { name: "Copy as JSON" }).click();
  await expect(page.getByText("Copied.")).toBeVisible();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(JSON.parse(text)).toMatchObject({ kind: "Nodes", definition: { nodes: { n1: { type: "data.set@1" } } } });
  await page.locator(".react-flow__node[data-id=n1]").focus();
  await page.keyboard.press("ControlOrMeta+v");
  await expect(node(page, "n1_2")).toBeVisible();
});

test("a note is written, moved and deleted; tidying up is one step; the map moves the view", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await open(page, forge, site, "notes", 9);
  await page.locator(".react-flow__node[data-id=n1]").focus();
  await page.keyboard.press("Shift+S");
  const note = page.getByTestId("note-N1");
  await note.getByRole("textbox", { name: "Note" }).fill("Prices come from the shop");
  await expect
    .poll(async () => (await draftOf(forge, "notes")).sidecar.notes.N1?.text)
    .toBe("Prices come from the shop");

  const at = await box(node(page, "n2"));
  await dragBy(page, node(page, "n2"), 10, 170);
  await expect.poll(async () => (await box(node(page, "n2"))).y).toBeGreaterThan(at.y + 100);
  await page.getByRole("button", { name: "Tidy up" }).click();
  await expect(page.locator(".settling")).toHaveCount(0);
  const rows = async () => {
    const { layout } = (await draftOf(forge, "notes")).sidecar;
    return [layout.n1?.y, layout.n2?.y, layout.n3?.y];
  };
  await expect
    .poll(async () => {
      const [one, two, three] = await rows();
      return one !== undefined && one === two && two === three;
    })
    .toBe(true);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect
    .poll(async () => {
      const [one, two] = await rows();
      return one === two;
    })
    .toBe(false);

  const before = await page.locator(".react-flow__viewport").getAttribute("style");
  const map = await box(page.locator(".react-flow__minimap"));
  await page.mouse.move(map.x + map.width / 2, map.y + map.height / 2);
  await page.mouse.down();
  await page.mouse.move(map.x + map.width / 2 + 30, map.y + map.height / 2, { steps: 5 });
  await page.mouse.up();
  await expect(page.locator(".react-flow__viewport")).not.toHaveAttribute("style", before ?? "");

  await page.getByRole("button", { name: "Show the outline" }).click();
  await page.getByRole("button", { name: "Delete this note" }).click();
  await expect.poll(async () => Object.keys((await draftOf(forge, "notes")).sidecar.notes)).toEqual([]);
});

test("a field of what arrives is dragged into a text, into JSON and into a choice", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await forge.publish("dragged", {
    nodes: {
      start: { type: "trigger.manual@1" },
      call: { type: "http.request@1", config: { url: "http://127.0.0.1:9/" } },
    },
    edges: [{ from: "start", to: "call" }],
  });
  await forge.run("dragged", { order: { id: 7, verb: "PUT" } });
  await page.setViewportSize({ width: 1600, height: 900 });
  await page.goto(`${site}/workflows/default/dragged`);
  await node(page, "call").click();
  // Wide enough for data and fields to stand side by side.
  await page.getByRole("separator").focus();
  for (let step = 0; step < 16; step += 1) await page.keyboard.press("ArrowLeft");
  const arrives = page.getByRole("region", { name: "What arrives" });
  await arrives.getByRole("button", { name: "Parts of input.order" }).click();
  const part = (path: string) => arrives.getByRole("button", { name: `Put ${path} into the last field` });
  await part("input.order.id").dragTo(page.getByRole("textbox", { name: "URL" }));
  await expect(page.getByRole("textbox", { name: "URL" })).toHaveText(/\{\{ input\.order\.id \}\}/);
  await part("input.order.verb").dragTo(page.getByLabel("Method", { exact: true }));
  await expect(page.getByRole("textbox", { name: "Method" })).toHaveText("{{ input.order.verb }}");
  await page.getByRole("textbox", { name: "Body", exact: true }).scrollIntoViewIfNeeded();
  await part("input.order").dragTo(page.getByRole("textbox", { name: "Body", exact: true }));
  await expect
    .poll(async () => (await draftOf(forge, "dragged")).document.nodes.call?.config)
    .toMatchObject({ method: "{{ input.order.verb }}", body: "{{ input.order }}" });
});

test("the menu of a node does what the keys do, by pointer and by keyboard", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await open(page, forge, site, "menus");
  await node(page, "n2").click({ button: "right" });
  const menu = page.getByRole("menu");
  await menu.getByRole("menuitem", { name: /^Duplicate/ }).click();
  await expect(node(page, "n2_2")).toBeVisible();
  await page.locator(".react-flow__node[data-id=n3]").focus();
  await page.keyboard.press("Shift+F10");
  await expect(menu.getByRole("menuitem").first()).toBeFocused();
  await page.keyboard.press("End");
  await expect(menu.getByRole("menuitem", { name: /^Delete/ })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(menu).toHaveCount(0);
  await expect(page.locator(".react-flow__node[data-id=n3]")).toBeFocused();
  await page.keyboard.press("Shift+F10");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(node(page, "n3")).toHaveCount(0);
  await page.locator(".react-flow__pane").click({ button: "right", position: { x: 30, y: 30 } });
  await menu.getByRole("menuitem", { name: /^Undo/ }).click();
  await expect(node(page, "n3")).toBeVisible();
});

test("a node is disabled by its key, in its panel, in the menu and in the outline, and hands on what arrives", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await open(page, forge, site, "switched");
  const isDisabled = async () => {
    const { nodes } = (await draftOf(forge, "switched")).document;
    return Object.keys(nodes).filter((key) => nodes[key]?.disabled === true);
  };
  const card = page.locator(".react-flow__node[data-id=n2]");
  await card.focus();
  await page.keyboard.press("d");
  await expect(card).toHaveAttribute("aria-label", /disabled/);
  await expect(node(page, "n2").locator(".card-title")).toHaveCSS("text-decoration-line", "line-through");
  await expect.poll(isDisabled).toEqual(["n2"]);
  await page.keyboard.press("d");
  await expect(card).not.toHaveAttribute("aria-label", /disabled/);

  await node(page, "n2").click();
  await page.getByRole("button", { name: "Disable this node" }).click();
  await expect(page.getByRole("region", { name: "Node n2" })).toContainText("Disabled: it does no work.");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(card).not.toHaveAttribute("aria-label", /disabled/);
  await page.getByRole("button", { name: "Close this panel" }).click();

  await node(page, "n2").click({ button: "right" });
  await page.getByRole("menuitem", { name: /^Disable or enable/ }).click();
  await expect(card).toHaveAttribute("aria-label", /disabled/);
  await page.getByRole("button", { name: "Show the outline" }).click();
  await page.getByRole("button", { name: "Enable n2" }).click();
  await page.getByRole("button", { name: "Disable n2" }).click();
  await expect(page.getByTestId("outline-n2")).toContainText("Disabled");
  await page.getByRole("button", { name: "Show the canvas" }).click();
  await expect.poll(isDisabled).toEqual(["n2"]);

  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: "Publish v2" }).click();
  await expect(page.getByText("v2 is published and deployed")).toBeVisible();
  await page.goto(`${site}/runs/${await forge.run("switched", { a: 1 })}`);
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  // n1 gives 0, and n2 would give 1.
  await node(page, "n2").click();
  await expect(page.getByRole("region", { name: "Output", exact: true })).toContainText("0");
  await expect(page.getByText("Disabled: it does no work.")).toBeVisible();
});
