import { expect, test } from "vitest";
import { valueFile } from "./valueFile";

test("a value is kept under the name that the server gives it", () => {
  const names = ["/api/v1/runs/run_07/input", "/api/v1/node-runs/nrun_07.each.3%2F4/output"].map(
    (download) => valueFile(download).name,
  );
  expect(names).toEqual(["run_07.input.json", "nrun_07.each.3.4.output.json"]);
});
