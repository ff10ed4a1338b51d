import { expect, node, test } from "./forge";
test("debug", async ({ signedIn: page, forge, site }) => {
  await forge.publish("dragged", {
    nodes: { start: { type: "trigger.manual@1" }, call: { type: "http.request@1", config: { url: "http://127.0.0.1:9/" } }, lines: {type: "log.write@1", for_each: {items: "{{ range(3) }}"}, config: {message: "a {{ item }}"}} },
    edges: [{ from: "start", to: "call" }, {from:"start", to:"lines"}],
  });
  const run = await forge.run("dragged", { order: { id: 7, verb: "PUT" } });
  const q = await fetch(`${forge.url}/graphql`, {method:"POST", headers:{authorization:`Bearer ${forge.key}`,"content-type":"application/json"}, body: JSON.stringify({query:`query L($l0: ID! $l1: ID!) {l0: node(id:$l0){__typename ... on NodeRun { id output { preview(maxBytes: 65536) truncated(maxBytes: 65536) } } } l1: node(id:$l1){__typename ... on NodeRun { id output { preview(maxBytes: 65536) truncated(maxBytes: 65536) } } }}`, variables:{l0:`nrun_${run.slice(4)}.lines[0]`,l1:`nrun_${run.slice(4)}.lines[1]`}})});
  console.log(await q.text());
  page.on("console", (m) => console.log("PAGE", m.text()));
  await page.goto(`${site}/workflows/default/dragged`);
  await node(page, "call").click();
  await page.evaluate(() => { for (const k of ["dragstart","dragenter","dragover","drop","dragend"]) document.addEventListener(k, (e) => console.log(k, (e.target as HTMLElement).tagName, (e.target as HTMLElement).className?.toString().slice(0,40), e.defaultPrevented, [...(e as DragEvent).dataTransfer!.types].join()), true); });
  const arrives = page.getByRole("region", { name: "What arrives" });
  await arrives.getByRole("button", { name: "Parts of input.order" }).click();
  await arrives.getByRole("button", { name: `Put input.order.id into the last field` }).dragTo(page.getByRole("textbox", { name: "URL" }));
  await page.waitForTimeout(1000);
  page.on("response", async (r) => { if (r.url().includes("graphql") && (r.request().postData() ?? "").includes("LogLines")) console.log((r.request().postData()??"").slice(0,300), (await r.text()).slice(0, 500)); });
  await page.goto(`${site}/runs/${run}?tab=log`);
  await page.waitForTimeout(3000);
});
