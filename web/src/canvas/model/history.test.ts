import { expect, test } from "vitest";
import { copy, paste, read } from "./clipboard";
import {
  addNode,
  addNote,
  connect,
  disconnect,
  insertIntoEdge,
  move,
  removeNodes,
  renameNode,
  setConfig,
  setNode,
  setNote,
} from "./commands";
import { edgeId, emptyDocument, type FlowDocument, openDocument } from "./document";
import { DEPTH, type History, NOTHING, record, redo, undo } from "./history";
import { same } from "./json";
import { applyPatch, diff } from "./patch";
import { catalog, drawn, seeded } from "./testing";
import { validate } from "./validate";

const TYPES = [...catalog.keys()];

/** One change of any kind, at a place that chance picks. */
function change(document: FlowDocument, random: () => number): FlowDocument {
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
  const keys = Object.keys(document.definition.nodes);
  const place = { x: Math.floor(random() * 2000), y: Math.floor(random() * 900) };
  const key = pick(keys) ?? "none";
  const edge = pick(document.definition.edges);
  switch (Math.floor(random() * 12)) {
    case 0:
    case 1:
      return addNode(document, pick(TYPES) ?? "data.set@1", place).document;
    case 2:
    case 3: {
      const to = pick(keys) ?? "none";
      const port = pick(["out", "true", "false", "error"]) ?? "out";
      const joined = connect(document, { node: key, port }, { node: to, port: "in" }, catalog);
      return joined.ok ? joined.document : document;
    }
    case 4:
      return edge ? disconnect(document, [edgeId(edge)]) : document;
    case 5:
      return removeNodes(document, random() < 0.5 ? [key] : [key, pick(keys) ?? key]);
    case 6:
      return renameNode(
        document,
        key,
        pick(["a", "b_1", "total", "in", "Not a key", `k${Math.floor(random() * 99)}`]) ?? "a",
      );
    case 7:
      return move(document, { [key]: place, N1: place });
    case 8:
      return setConfig(
        document,
        key,
        pick(["/url", "/fields/a", "/fields/b~1c"]) ?? "",
        pick(["{{ nodes.a.output }}", 7, undefined]),
      );
    case 9:
      return setNode(document, key, { name: pick(["One", undefined]), timeout: pick(["1s", undefined]) });
    case 10: {
      const part = read(copy(document, keys.slice(0, 3), Object.keys(document.sidecar.notes).slice(0, 2)));
      return part ? paste(document, part, place).document : document;
    }
    default: {
      if (edge && random() < 0.5)
        return insertIntoEdge(document, edgeId(edge), "data.set@1", catalog)?.document ?? document;
      const noted = addNote(document, place, "text");
      return setNote(noted.document, noted.id, { text: `text ${Math.floor(random() * 9)}` });
    }
  }
}

/** A document after so many changes, with its history and everything it was on the way. */
function edited(seed: number, changes: number) {
  const random = seeded(seed);
  let document = emptyDocument();
  let history: History = NOTHING;
  const stages = [document];
  for (let at = 0; at < changes; at += 1) {
    const after = change(document, random);
    if (after === document) continue;
    history = record(history, { label: "change", before: document, after, at: at * 10_000 });
    document = after;
    stages.push(document);
  }
  return { document, history, stages };
}

const SEEDS = Array.from({ length: 40 }, (_, index) => 1000 + index);

test.each(SEEDS)("seed %i: undoing everything gives the start, doing it again gives the end", (seed) => {
  const { document, history, stages } = edited(seed, 150);
  let here = { document, history, label: "" };
  for (const stage of stages.slice(0, -1).reverse()) {
    here = undo(here.history, here.document) ?? here;
    expect(same(here.document, stage)).toBe(true);
  }
  expect(here.document).toEqual(emptyDocument());
  for (const stage of stages.slice(1)) {
    here = redo(here.history, here.document) ?? here;
    expect(same(here.document, stage)).toBe(true);
  }
  expect(redo(here.history, here.document)).toBeUndefined();
});

test.each(SEEDS)("seed %i: every change's patch, put to the old document, gives the new one", (seed) => {
  const { stages } = edited(seed, 120);
  expect(stages.length).toBeGreaterThan(30);
  stages.slice(1).forEach((after, index) => {
    const before = stages[index];
    expect(same(applyPatch(before, diff(before, after)), after)).toBe(true);
  });
});

test.each(SEEDS.slice(0, 10))("seed %i: documents survive JSON and never break the rules of ports", (seed) => {
  const { document } = edited(seed, 150);
  const again = JSON.parse(JSON.stringify(document)) as FlowDocument;
  expect(openDocument(again.definition, again.sidecar)).toEqual(document);
  const codes = new Set(validate(document, catalog).map((problem) => problem.code));
  for (const code of ["EDGE_DANGLING", "EDGE_DUPLICATE", "PORT_UNKNOWN", "PORT_TAKEN", "CYCLE", "NODE_KEY_INVALID"]) {
    expect(codes).not.toContain(code);
  }
  expect(Object.keys(document.sidecar.layout).sort()).toEqual(Object.keys(document.definition.nodes).sort());
});

test("letters typed into one field soon after each other are one step", () => {
  let document = drawn({ a: "data.set@1" });
  const start = document;
  let history = NOTHING;
  "Total".split("").forEach((_, index) => {
    const after = setNode(document, "a", { name: "Total".slice(0, index + 1) });
    history = record(history, { label: "rename", kind: "name a", before: document, after, at: index * 100 });
    document = after;
  });
  expect(history.done).toHaveLength(1);
  expect(undo(history, document)?.document).toBe(start);
  const later = setNode(document, "a", { name: "Sum" });
  history = record(history, { label: "rename", kind: "name a", before: document, after: later, at: 5_000 });
  expect(history.done).toHaveLength(2);
});

test("a new change forgets what was taken back", () => {
  const start = drawn({ a: "data.set@1" });
  const one = setNode(start, "a", { name: "One" });
  const undone = undo(record(NOTHING, { label: "1", before: start, after: one, at: 0 }), one);
  const two = setNode(start, "a", { name: "Two" });
  const history = record(undone?.history ?? NOTHING, { label: "2", before: start, after: two, at: 9000 });
  expect(redo(history, two)).toBeUndefined();
});

test("no more steps are kept than can be taken back", () => {
  let history = NOTHING;
  let document = drawn({ a: "data.set@1" });
  for (let at = 0; at < DEPTH + 50; at += 1) {
    const after = setNode(document, "a", { name: `${at}` });
    history = record(history, { label: "name", before: document, after, at: at * 10_000 });
    document = after;
  }
  expect(history.done).toHaveLength(DEPTH);
});

test("undo takes back only one's own step when somebody else has changed the document since", () => {
  const start = drawn({ a: "data.set@1", b: "data.set@1" });
  const mine = setNode(start, "a", { name: "Mine" });
  const history = record(NOTHING, { label: "name", before: start, after: mine, at: 0 });
  const theirs = setNode(mine, "b", { name: "Theirs" });
  const back = undo(history, theirs);
  expect(back?.document.definition.nodes).toEqual({
    a: { type: "data.set@1" },
    b: { type: "data.set@1", name: "Theirs" },
  });
  expect(redo(back?.history ?? NOTHING, back?.document ?? start)?.document).toEqual(theirs);
});
