import { expect, test } from "vitest";
import { CARD } from "../model/document";
import { opening } from "./opening";

const stage = { width: 1_000, height: 600 };

test("a small drawing stands in the middle, at its own size", () => {
  const view = opening({ a: { x: 100, y: 40 } }, undefined, stage);
  expect(view).toEqual({ x: 500 - 100 - CARD.width / 2, y: 300 - 40 - CARD.height / 2, zoom: 1 });
});

test("a drawing that would be too small to read is opened where it begins", () => {
  const layout = { last: { x: 6_000, y: 0 }, begin: { x: -320, y: 80 } };
  const view = opening(layout, undefined, stage);
  const zoom = view?.zoom ?? 0;
  expect(zoom).toBeGreaterThanOrEqual(0.7);
  expect((view?.x ?? 0) + -320 * zoom).toBe(48);
  expect((view?.y ?? 0) + (80 + CARD.height / 2) * zoom).toBe(300);
});

test("what matters most is in sight when not everything can be", () => {
  const layout = { begin: { x: 0, y: 0 }, changed: { x: 6_000, y: 0 } };
  const view = opening(layout, new Set(["changed"]), stage);
  expect((view?.x ?? 0) + (6_000 + CARD.width / 2) * (view?.zoom ?? 0)).toBe(500);
});

test("an empty drawing has no view", () => {
  expect(opening({}, undefined, stage)).toBeUndefined();
});
