import { expect, node, service, test } from "./forge";

test("a failed run is mended and tried again from where it failed; what came before does not run again", async ({
  signedIn: page,
  forge,
  site,
}) => {
  let broken = true;
  const shop = await service((path) => ({ status: path === "/second" && broken ? 400 : 200, body: { path } }));
  await forge.publish("again", {
    nodes: {
      start: { type: "trigger.manual@1" },
      first: { type: "http.request@1", config: { url: `${shop.url}/first` } },
      second: { type: "http.request@1", config: { url: `${shop.url}/second` } },
    },
    edges: [
      { from: "start", to: "first" },
      { from: "first", to: "second" },
    ],
  });
  await page.goto(`${site}/runs/${await forge.run("again")}`);
  await expect(page.getByTestId("run-status")).toHaveText("Failed");
  broken = false;
  await page.getByRole("button", { name: "Retry from second" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await expect(page.getByRole("link", { name: "a retry of another run, from second" })).toBeVisible();
  await expect(node(page, "first").getByRole("img", { name: /Taken over/ })).toBeVisible();
  expect(shop.calls.filter((path) => path === "/first")).toHaveLength(1);
  shop.close();
});

test("the workflow is tested as it is being edited, and what acts for real is named before", async ({
  signedIn: page,
  forge,
  site,
}) => {
  const shop = await service(() => ({ status: 200, body: { ok: true } }));
  await forge.publish("tried", {
    nodes: {
      start: { type: "trigger.manual@1" },
      pay: { type: "http.request@1", config: { method: "POST", url: `${shop.url}/pay` } },
    },
    edges: [{ from: "start", to: "pay" }],
  });
  await page.goto(`${site}/workflows/default/tried`);
  await node(page, "pay").click();
  await page.getByLabel("Name", { exact: true }).fill("Pay at once");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByText("These act for real, and act again with every test: pay")).toBeVisible();
  await page.getByRole("button", { name: "Start the test" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await expect(node(page, "pay")).toContainText("Pay at once");
  expect(shop.calls).toEqual(["/pay"]);
  shop.close();
});

test("a node's output is pinned, changed, and stands for the node; one node runs alone on it", async ({
  signedIn: page,
  forge,
  site,
}) => {
  const shop = await service((path) => ({ status: 200, body: { path } }));
  await forge.publish("pins", {
    nodes: {
      start: { type: "trigger.manual@1" },
      call: { type: "http.request@1", config: { url: `${shop.url}/real` } },
      shown: { type: "data.set@1", config: { value: "{{ input.body.path }}" } },
    },
    edges: [
      { from: "start", to: "call" },
      { from: "call", to: "shown" },
    ],
  });
  await page.goto(`${site}/workflows/default/pins`);
  await node(page, "call").click();
  await page.getByRole("button", { name: "Run to here" }).click();
  await page.getByRole("button", { name: "Start the test" }).click();
  const gives = page.getByRole("region", { name: "What it gives" });
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await expect(gives).toContainText("/real");
  await gives.getByRole("button", { name: "Pin this output" }).click();
  await gives.getByLabel("Pinned output").fill('{"status": 200, "body": {"path": "/pinned"}}');
  await expect(node(page, "call").getByRole("img", { name: "Pinned" })).toBeVisible();

  await node(page, "shown").click();
  await expect(page.getByRole("region", { name: "What arrives" })).toContainText("Pinned");
  await gives.getByRole("button", { name: "Run this node alone" }).click();
  await expect(page.getByText("Pins stand for: call")).toBeVisible();
  await page.getByRole("button", { name: "Start the test" }).click();
  await expect(gives).toContainText("/pinned");
  expect(shop.calls).toEqual(["/real"]);

  // A click on a part of what arrives puts it into the field that was typed into last.
  await page.getByRole("textbox", { name: "Value" }).click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete");
  const arrives = page.getByRole("region", { name: "What arrives" });
  await arrives.getByRole("button", { name: "Put input.status into the last field" }).click();
  await expect(page.getByRole("textbox", { name: "Value" })).toHaveText("{{ input.status }}");

  // The pin is kept with the draft, and is no part of a version.
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("saving")).toContainText("Saved");
  await page.reload();
  await expect(node(page, "call").getByRole("img", { name: "Pinned" })).toBeVisible();
  shop.close();
});
