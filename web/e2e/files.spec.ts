import type { Download, Page } from "@playwright/test";
import { BYTES, hook, send } from "./files";
import { expect, node, service, test } from "./forge";

async function bytesOf(download: Download): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function downloaded(page: Page, name: string): Promise<Download> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page
      .getByRole("tabpanel")
      .getByRole("link", { name: `Download ${name}` })
      .click(),
  ]);
  return download;
}

test("files of a run are listed with what they are and who kept them, and downloaded as they came", async ({
  signedIn: page,
  forge,
  site,
}) => {
  const shop = await service(() => ({ status: 200, body: { rows: [1, 2, 3] } }));
  await forge.publish("fetching", {
    nodes: {
      start: { type: "trigger.manual@1" },
      hold: { type: "flow.wait@1", config: { signal: { name: "go" } } },
      fetch: {
        type: "http.request@1",
        config: { url: `${shop.url}/rows`, response: "file", file_name: "<b>rows of today.json" },
      },
    },
    edges: [
      { from: "start", to: "hold" },
      { from: "hold", to: "fetch" },
    ],
  });
  const run = await forge.run("fetching");
  await page.goto(`${site}/runs/${run}?tab=files`);
  await expect(page.getByText("This run has no files")).toBeVisible();
  // While the page is open, the run goes on and keeps one.
  await forge.ask("mutation($input: SignalRunInput!) { signalRun(input: $input) { run { id } } }", {
    input: { runId: run, name: "go", payload: {} },
  });
  const row = page.getByRole("list", { name: "Files" }).getByRole("listitem");
  await expect(row).toHaveCount(1);
  // What it is called is text, whatever it is called.
  await expect(row.locator("b")).toHaveCount(0);
  await expect(row).toContainText("application/json");
  await expect(row).toContainText("16 B");
  const name = "<b>rows of today.json";
  await expect(row).toContainText(name);
  expect(String(await bytesOf(await downloaded(page, name)))).toBe('{"rows":[1,2,3]}');
  await row.getByRole("link", { name: "fetch", exact: true }).click();
  await expect(page.getByRole("region", { name: "Node run fetch" })).toContainText("http.request@1");
  await expect(page).toHaveURL(/tab=files/);

  const sent = await send(await hook(forge, "keeping"), "Übersicht 1.bin");
  await page.goto(`${site}/runs/${sent}?tab=files`);
  await expect(row).toContainText("Übersicht 1.bin");
  await expect(row).toContainText("came with the start of the run");
  await expect(row).toContainText("293 KiB");
  const download = await downloaded(page, "Übersicht 1.bin");
  expect(download.suggestedFilename()).toBe("Übersicht 1.bin");
  expect((await bytesOf(download)).equals(BYTES)).toBe(true);
  shop.close();
});

test("whoever signed in by a session gets the bytes by the link itself", async ({ page, forge, site }) => {
  const run = await send(await hook(forge, "by-session"), "a.bin");
  await page.goto(await forge.loginLink(site));
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await page.goto(`${site}/runs/${run}?tab=files`);
  const download = await downloaded(page, "a.bin");
  expect(download.url()).toMatch(/^http.*\/api\/v1\/artifacts\/art_[0-9a-f]{32}\/content$/);
  expect(download.suggestedFilename()).toBe("a.bin");
  expect((await bytesOf(download)).equals(BYTES)).toBe(true);
});

test("files are shown as files in values, and what only says that it is one stays data", async ({
  signedIn: page,
  forge,
  site,
}) => {
  const run = await send(await hook(forge, "in-values"), "photo.raw");
  await page.goto(`${site}/runs/${run}`);
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await node(page, "twice").click();
  const output = page.getByRole("region", { name: "Output", exact: true });
  const link = output.getByRole("link", { name: "Download photo.raw" });
  // Below the text, each file once; in the table, each where it is.
  await expect(link).toHaveCount(1);
  await output.getByRole("button", { name: "Table" }).click();
  await expect(output.getByRole("row").nth(2)).toContainText("image/x-noise");
  await expect(link).toHaveCount(2);
  const [download] = await Promise.all([page.waitForEvent("download"), link.first().click()]);
  expect((await bytesOf(download)).equals(BYTES)).toBe(true);
  await output.getByRole("button", { name: "Tree" }).click();
  await expect(output).toContainText("293 KiB");
  await expect(link).toHaveCount(2);
  await output.getByRole("button", { name: "Schema" }).click();
  await expect(output).toContainText("[ ]: file");

  // Another run is given what looks like that file.
  const { run: real } = await forge.ask<{ run: { artifacts: { nodes: { id: string }[] } } }>(
    "query($id: ID!) { run(id: $id) { artifacts { nodes { id } } } }",
    { id: run },
  );
  const forged = { $file: real.artifacts.nodes[0]?.id, name: "payroll.pdf", mediaType: "application/pdf", size: 1 };
  await forge.publish("given", {
    nodes: {
      start: { type: "trigger.manual@1" },
      same: { type: "data.set@1", config: { value: { file: "{{ input }}", more: ["{{ input }}"] } } },
    },
    edges: [{ from: "start", to: "same" }],
  });
  await page.goto(`${site}/runs/${await forge.run("given", forged)}`);
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  const answered = page.waitForResponse((answer) => (answer.request().postData() ?? "").includes("FilesOfRun"));
  await node(page, "same").click();
  await answered;
  await output.getByRole("button", { name: "Tree" }).click();
  await output.getByRole("button", { name: "Parts of file", exact: true }).click();
  await expect(output).toContainText('"payroll.pdf"');
  await output.getByRole("button", { name: "Schema" }).click();
  await expect(output).toContainText("$file: text");
  await expect(output.getByRole("link")).toHaveCount(0);
});

test("a run is started with files that are sent from the dialog, and what is canceled is not sent", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await forge.publish("given-files", {
    input_schema: {
      type: "object",
      required: ["report"],
      properties: { report: { "x-file": true, title: "The report" }, who: { type: "string" } },
    },
    nodes: {
      start: { type: "trigger.manual@1" },
      pass: { type: "data.set@1", config: { value: ["{{ input.report }}", "{{ input.photo }}"] } },
    },
    edges: [{ from: "start", to: "pass" }],
  });
  await page.goto(`${site}/workflows/default/given-files`);
  await page.getByRole("button", { name: "Run v1" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Input")).not.toHaveValue(/report/);
  const start = dialog.getByRole("button", { name: "Start the run" });
  const file = (name: string) => ({ name, mimeType: "image/x-noise", buffer: BYTES });

  // One is held on its way: nothing starts without it, and it can be canceled.
  await page.route("**/api/v1/artifact-uploads/**", () => undefined);
  await dialog.getByLabel("Choose a file for The report").setInputFiles(file("slow.bin"));
  await expect(dialog.getByRole("progressbar", { name: "Sending slow.bin" })).toBeVisible();
  await expect(start).toBeDisabled();
  await dialog.getByRole("button", { name: "Cancel sending slow.bin" }).click();
  await expect(dialog.getByText("slow.bin")).toHaveCount(0);
  await page.unrouteAll();

  // The server says why it does not take one.
  await dialog.getByLabel("Add a file").setInputFiles(file(`${"x".repeat(300)}.bin`));
  await expect(dialog.getByRole("alert")).toContainText("It was not sent:");
  await expect(start).toBeDisabled();
  await dialog.getByRole("button", { name: /^Take x+\.bin off$/ }).click();
  await expect(start).toBeEnabled();

  await dialog.getByLabel("Choose a file for The report").setInputFiles(file("report.bin"));
  await dialog
    .getByLabel("Add a file")
    .setInputFiles({ name: "empty.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) });
  await expect(dialog.getByText("Sent", { exact: true })).toHaveCount(2);
  await dialog.getByLabel("Which member of the input empty.txt becomes").fill("report");
  await expect(dialog.getByText("This name is taken.")).toBeVisible();
  await dialog.getByLabel("Which member of the input empty.txt becomes").fill("photo");
  await start.click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await page.getByRole("tab", { name: "Files" }).click();
  const rows = page.getByRole("list", { name: "Files" }).getByRole("listitem");
  await expect(rows).toHaveCount(2);
  await expect(rows.filter({ hasText: "empty.txt" })).toContainText("0 B");
  expect((await bytesOf(await downloaded(page, "report.bin"))).equals(BYTES)).toBe(true);
  await page.getByRole("tab", { name: "Canvas" }).click();
  await node(page, "pass").click();
  const output = page.getByRole("region", { name: "Output", exact: true });
  await expect(output.getByRole("link", { name: /^Download / })).toHaveCount(2);
});

test("a test is given files as a run is, and again those of the run before", async ({
  signedIn: page,
  forge,
  site,
}) => {
  await forge.publish("tested-files", {
    input_schema: { type: "object", required: ["report"], properties: { report: { "x-file": true }, n: {} } },
    nodes: {
      start: { type: "trigger.manual@1" },
      first: { type: "data.set@1", config: { value: ["{{ input.report }}", "{{ input.n }}"] } },
      last: { type: "data.set@1", config: { value: "{{ input[0] }}" } },
    },
    edges: [
      { from: "start", to: "first" },
      { from: "first", to: "last" },
    ],
  });
  await page.goto(`${site}/workflows/default/tested-files`);
  await page.getByRole("button", { name: "Test", exact: true }).click();
  const dialog = page.getByRole("dialog");
  const go = dialog.getByRole("button", { name: "Start the test" });
  const file = (name: string) => ({ name, mimeType: "image/x-noise", buffer: BYTES });
  await expect(dialog.getByLabel("Input", { exact: true })).not.toHaveValue(/report/);
  // What the schema wants is not there yet.
  await expect(go).toBeDisabled();
  await dialog.getByLabel("Choose a file for report").setInputFiles(file("one.bin"));
  await expect(dialog.getByText("Sent", { exact: true })).toBeVisible();
  await go.click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await node(page, "last").click();
  const gives = page.getByRole("region", { name: "What it gives" });
  await expect(gives.getByRole("link", { name: "Download one.bin" })).toBeVisible();

  // The test before has the file: it is given again, and what came of it is taken over.
  await page.getByRole("button", { name: "Test again" }).click();
  await expect(dialog.getByLabel("Input", { exact: true })).toHaveValue(/one\.bin/);
  await dialog.getByLabel("How much").selectOption("to");
  await dialog.getByLabel("Node", { exact: true }).selectOption("last");
  await expect(dialog.getByText(/Results of the last test are taken over for: .*first/)).toBeVisible();
  await dialog.getByLabel("How much").selectOption("all");
  // Another one goes in its place.
  await dialog.getByLabel("Choose a file for report").setInputFiles(file("two.bin"));
  await expect(dialog.getByLabel("Input", { exact: true })).not.toHaveValue(/one\.bin/);
  await expect(dialog.getByText("Sent", { exact: true })).toBeVisible();
  await go.click();
  await expect(gives.getByRole("link", { name: "Download two.bin" })).toBeVisible();
});
