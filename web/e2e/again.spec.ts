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
  await expect(page.getByRole("link", { name: "tries another run again, from second" })).toBeVisible();
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
  await expect(page.getByText("These act for real, and twice is not once: pay")).toBeVisible();
  await page.getByRole("button", { name: "Start the test" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await expect(node(page, "pay")).toContainText("Pay at once");
  expect(shop.calls).toEqual(["/pay"]);
  shop.close();
});
