import { expect, test } from "vitest";
import { size } from "./size";

test("a size has one unit and two figures or more", () => {
  expect([0, 1, 1_023, 1_024, 1_500, 17_000, 1_048_575, 1_048_576, 1_500_000].map((one) => size(one, "en"))).toEqual([
    "0 B",
    "1 B",
    "1,023 B",
    "1 KiB",
    "1.5 KiB",
    "17 KiB",
    "1 MiB",
    "1 MiB",
    "1.4 MiB",
  ]);
  expect(size(10 * 2 ** 30, "en")).toBe("10 GiB");
  expect(size(1_500_000, "de")).toBe("1,4 MiB");
  expect(size(2 ** 60, "en")).toBe("1,048,576 TiB");
});
