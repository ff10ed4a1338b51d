import { expect, test } from "vitest";
import { actionFor, BINDINGS } from "./keymap";

const press = (key: string, held: Partial<Record<"ctrlKey" | "metaKey" | "shiftKey" | "altKey", boolean>> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...held,
});

test("no two actions share a key", () => {
  const names = BINDINGS.map(({ key, ctrl, shift, alt }) => [key, ctrl, shift, alt].join());
  expect(new Set(names).size).toBe(names.length);
});

test("Command does on a Mac what Control does elsewhere", () => {
  expect(actionFor(press("z", { metaKey: true }), true)).toBe("undo");
  expect(actionFor(press("Z", { ctrlKey: true, shiftKey: true }), true)).toBe("redo");
});

test("single letters do nothing once they are switched off, and the other keys go on working", () => {
  expect(actionFor(press("n"), true)).toBe("add");
  expect(actionFor(press("n"), false)).toBeUndefined();
  expect(actionFor(press("Delete"), false)).toBe("delete");
  expect(actionFor(press("d", { ctrlKey: true }), false)).toBe("duplicate");
});

test("a question mark is typed with Shift on most keyboards and without it on some", () => {
  expect(actionFor(press("?", { shiftKey: true }), true)).toBe("help");
  expect(actionFor(press("?"), true)).toBe("help");
});

test("arrows walk along the graph and move with Alt", () => {
  expect(actionFor(press("ArrowRight"), true)).toBe("next");
  expect(actionFor(press("ArrowRight", { altKey: true }), true)).toBe("moveRight");
  expect(actionFor(press("ArrowRight", { ctrlKey: true }), true)).toBeUndefined();
});
