import type { Page } from "@playwright/test";
import { expect, node, test } from "./forge";

async function choose(page: Page, words: string) {
  await expect(page.getByRole("dialog").getByRole("combobox")).toBeFocused();
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
}

test("code is written with colors and completion, refused where it cannot be read, and run", async ({
  signedIn: page,
}) => {
  await page.getByRole("button", { name: "New workflow" }).first().click();
  await page.getByLabel("Name").fill("by-code");
  await page.getByRole("button", { name: "Open the canvas" }).click();
  await page.getByRole("button", { name: "Add a trigger" }).click();
  await page.getByRole("option", { name: /Manual start/ }).click();
  await expect(node(page, "manual")).toBeVisible();
  await page.keyboard.press("Escape");
  await page.locator(".react-flow__node[data-id=manual]").focus();
  await page.keyboard.press("n");
  await choose(page, "javascript");
  await expect(node(page, "code_js")).toBeVisible();

  const code = page.getByRole("textbox", { name: "Code", exact: true });
  await code.click();
  await page.keyboard.type("crypto.");
  await expect(page.locator(".cm-tooltip-autocomplete")).toContainText("randomUUID");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText("const twice = input.n * 2;\nreturn { twice: ;");
  await expect(page.locator(".cm-lineNumbers .cm-gutterElement").last()).toHaveText("2");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.getByText(/line 2, column/).first()).toBeVisible();
  await page.keyboard.press("Escape");

  await code.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText("const twice = input.n * 2;\nreturn { twice, text: `{{ not.an.expression }}` };");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: "Publish v1" }).click();
  await expect(page.getByText("v1 is published and deployed")).toBeVisible();
  await page.getByRole("button", { name: "Run v1" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Input" }).fill('{"n": 21}');
  await page.getByRole("button", { name: "Start the run" }).click();
  await expect(page.getByTestId("run-status")).toHaveText("Succeeded");
  await node(page, "code_js").click();
  await expect(page.getByRole("region", { name: "Output" })).toContainText('"twice": 42');
});
