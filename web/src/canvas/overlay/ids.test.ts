import { expect, test } from "vitest";
import { nodeRunId } from "./ids";

test("a node run is named by its run and key, and inside a list by its item as well", () => {
  expect(nodeRunId("run_07", "fetch")).toBe("nrun_07.fetch");
  expect(nodeRunId("run_07", "fetch[3]")).toBe("nrun_07.fetch.3");
  expect(nodeRunId("run_07", "fetch[3/1]")).toBe("nrun_07.fetch.3/1");
});
