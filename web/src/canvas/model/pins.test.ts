import { expect, test } from "vitest";
import { removeNodes, renameNode } from "./commands";
import { openDocument } from "./document";
import { merge } from "./merge";
import { pinOf, pinsFit, pinsToSend, setPin } from "./pins";
import { drawn } from "./testing";

const document = drawn({ start: "trigger.manual@1", call: "http.request@1" }, "start > call");

test("a pin is kept beside the drawing and never in the definition", () => {
  const pinned = setPin(document, "call", { output: { status: 200 } });
  expect(pinned.definition).toBe(document.definition);
  expect(pinned.sidecar.pins).toEqual({ call: { output: { status: 200 } } });
  expect(setPin(pinned, "call", undefined).sidecar).not.toHaveProperty("pins");
  expect(setPin(document, "call", undefined)).toBe(document);
});

test("a pin follows its node: renamed with it, and gone with it", () => {
  const pinned = setPin(document, "call", { output: 1, port: "error" });
  expect(renameNode(pinned, "call", "asks").sidecar.pins).toEqual({ asks: { output: 1, port: "error" } });
  expect(removeNodes(pinned, ["call"]).sidecar).not.toHaveProperty("pins");
});

test("what is no pin is left out when a draft is opened, and what is one is kept", () => {
  const sidecar = { layout: {}, notes: {}, pins: { call: { output: null, port: "out" }, broken: 3, empty: {} } };
  expect(openDocument(document.definition, sidecar).sidecar.pins).toEqual({ call: { output: null, port: "out" } });
});

test("two pins of one node are a conflict as a whole, never mixed", () => {
  const mine = setPin(document, "call", { output: { a: 1 } });
  const theirs = setPin(document, "call", { output: { b: 2 } });
  const merged = merge(document, mine, theirs);
  expect(pinOf(merged.document, "call")).toEqual({ output: { a: 1 } });
  expect(merged.conflicts.map(({ path }) => path)).toEqual(["/sidecar/pins/call"]);
});

test("pins of nodes that are gone are not sent, and too large ones do not fit", () => {
  const pinned = { ...document, sidecar: { ...document.sidecar, pins: { call: { output: 1 }, gone: { output: 2 } } } };
  expect(pinsToSend(pinned)).toEqual([{ node: "call", output: 1 }]);
  expect(pinsFit(document, "call", { output: "x".repeat(262_000) })).toBe(true);
  expect(pinsFit(document, "call", { output: "x".repeat(262_200) })).toBe(false);
});
