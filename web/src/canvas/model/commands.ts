import { type Catalog, fits, inputsOf, isTrigger, leaving, outputsOf } from "./catalog";
import {
  CARD,
  type Definition,
  type End,
  edgeBetween,
  edgeId,
  type FlowDocument,
  type FlowEdge,
  type FlowNode,
  type Note,
  type Point,
  type Settings,
  snap,
  source,
  target,
} from "./document";
import { edit } from "./edit";
import { adjacency, reach, wouldCycle } from "./graph";
import { isObject, type Json, steps } from "./json";
import { freeKey, keyFits, keyFrom } from "./key";
import { renameIn, renameInNode } from "./references";

/** Room between cards that are put side by side. */
const GAP = { x: 96, y: 32 } as const;

/** The key that a new node of a type gets when it is free: `http.request@1` becomes `http_request`. */
export function keyForType(type: string): string {
  const [group = "", ...rest] = (type.split("@")[0] ?? "").split("/").at(-1)?.split(".") ?? [];
  const isOwn = ["data", "flow", "trigger"].includes(group) && rest.length > 0;
  return keyFrom(isOwn ? rest.join("_") : [group, ...rest].join("_"));
}

/** The nearest place, downwards, where a card covers no other. */
export function freePlace(document: FlowDocument, wanted: Point): Point {
  const place = snap(wanted);
  const others = Object.values(document.sidecar.layout);
  const covers = (other: Point) =>
    Math.abs(other.x - place.x) < CARD.width + GAP.y / 2 && Math.abs(other.y - place.y) < CARD.height + GAP.y / 2;
  while (others.some(covers)) place.y += CARD.height + GAP.y;
  return place;
}

/** Where a node goes that follows another. */
export function placeAfter(document: FlowDocument, key: string): Point {
  const from = document.sidecar.layout[key] ?? { x: 0, y: 0 };
  return freePlace(document, { x: from.x + CARD.width + GAP.x, y: from.y });
}

/** A document and what was made in it. */
export interface Made {
  document: FlowDocument;
  key: string;
}

/** Puts a new node of a type on the canvas. */
export function addNode(document: FlowDocument, type: string, place: Point): Made {
  const key = freeKey(keyForType(type), (taken) => Object.hasOwn(document.definition.nodes, taken));
  const made = edit(document, (draft) => {
    draft.definition.nodes[key] = { type };
    draft.sidecar.layout[key] = freePlace(document, place);
  });
  return { document: made, key };
}

/** Puts a new node behind an output of another and joins them, where the ports allow it. */
export function addAfter(document: FlowDocument, from: End, type: string, catalog: Catalog, place?: Point): Made {
  const added = addNode(document, type, place ?? placeAfter(document, from.node));
  const input = catalog.get(type)?.inputs[0];
  if (!input) return added;
  const joined = connect(added.document, from, { node: added.key, port: input.name }, catalog);
  return { document: joined.ok ? joined.document : added.document, key: added.key };
}

/** Puts a new node into an edge: what came in one now goes through two. */
export function insertIntoEdge(document: FlowDocument, id: string, type: string, catalog: Catalog): Made | undefined {
  const edge = document.definition.edges.find((one) => edgeId(one) === id);
  const spec = catalog.get(type);
  const [input, output] = [spec?.inputs[0], spec?.outputs[0]];
  if (!edge || !input || !output) return undefined;
  const [from, to] = [source(edge), target(edge)];
  // What comes after makes room, so it does not count as in the way.
  const after = new Set([to.node, ...reach([to.node], adjacency(document.definition).after)]);
  const layout = Object.entries(document.sidecar.layout).filter(([key]) => !after.has(key));
  const around = { ...document, sidecar: { ...document.sidecar, layout: Object.fromEntries(layout) } };
  const place = freePlace(around, between(document, from.node, to.node));
  const added = addNode(disconnect(document, [id]), type, place);
  const made = edit(added.document, (draft) => {
    const index = document.definition.edges.indexOf(edge);
    const ends = [
      edgeBetween(from, { node: added.key, port: input.name }),
      edgeBetween({ node: added.key, port: output.name }, to),
    ];
    draft.definition.edges.splice(index, 0, ...ends);
    draft.sidecar.layout[added.key] = place;
  });
  return { document: makeRoom(made, added.key), key: added.key };
}

function between(document: FlowDocument, from: string, to: string): Point {
  const { layout } = document.sidecar;
  const [left, right] = [layout[from] ?? { x: 0, y: 0 }, layout[to] ?? { x: 0, y: 0 }];
  return { x: left.x + CARD.width + GAP.x, y: (left.y + right.y) / 2 };
}

/** Moves what comes after a node to the right, as far as it stands in the way. */
function makeRoom(document: FlowDocument, key: string): FlowDocument {
  const place = document.sidecar.layout[key];
  if (!place) return document;
  return edit(document, (draft) => {
    const seen = new Set([key]);
    const push = (from: string, least: number) => {
      for (const edge of document.definition.edges) {
        const next = target(edge).node;
        const at = draft.sidecar.layout[next];
        if (source(edge).node !== from || !at || seen.has(next) || at.x >= least) continue;
        seen.add(next);
        at.x = Math.ceil(least / 8) * 8;
        push(next, at.x + CARD.width + GAP.x / 2);
      }
    };
    push(key, place.x + CARD.width + GAP.x / 2);
  });
}

/** Takes nodes away, with their edges and places. */
export function removeNodes(document: FlowDocument, keys: Iterable<string>): FlowDocument {
  const gone = new Set(keys);
  const kept = (edge: FlowEdge) => !gone.has(source(edge).node) && !gone.has(target(edge).node);
  return edit(document, (draft) => {
    for (const key of gone) {
      delete draft.definition.nodes[key];
      delete draft.sidecar.layout[key];
      if (draft.sidecar.pins) delete draft.sidecar.pins[key];
    }
    if (draft.sidecar.pins && Object.keys(draft.sidecar.pins).length === 0) delete draft.sidecar.pins;
    removeEdges(draft.definition, (edge) => !kept(edge));
  });
}

function removeEdges(definition: Definition, gone: (edge: FlowEdge) => boolean): void {
  for (let index = definition.edges.length - 1; index >= 0; index -= 1) {
    const edge = definition.edges[index];
    if (edge && gone(edge)) definition.edges.splice(index, 1);
  }
}

/** Why a key cannot be given. */
export type RenameRefusal = "invalid" | "taken";

/** Whether a node may be given this key, and why not. */
export function renameRefusal(document: FlowDocument, key: string, next: string): RenameRefusal | undefined {
  if (!keyFits(next)) return "invalid";
  if (next !== key && Object.hasOwn(document.definition.nodes, next)) return "taken";
  return undefined;
}

/** Gives a node another key; edges, expressions and places follow. Nothing happens when the key cannot be given. */
export function renameNode(document: FlowDocument, key: string, next: string): FlowDocument {
  const { nodes } = document.definition;
  if (key === next || !Object.hasOwn(nodes, key) || renameRefusal(document, key, next)) return document;
  const rename = (one: string) => (one === key ? next : undefined);
  return edit(document, (draft) => {
    const { definition, sidecar } = draft;
    delete definition.nodes[key];
    for (const [one, node] of Object.entries(nodes)) {
      const renamed = renameInNode(node, rename);
      if (one === key || renamed !== node) definition.nodes[one === key ? next : one] = renamed;
    }
    const output = renameIn(document.definition.output, rename);
    if (output !== undefined && output !== document.definition.output) definition.output = output;
    for (const edge of definition.edges) {
      if (source(edge).node === key) edge.from = edgeBetween({ ...source(edge), node: next }, target(edge)).from;
      if (target(edge).node === key) edge.to = edgeBetween(source(edge), { ...target(edge), node: next }).to;
    }
    const place = sidecar.layout[key];
    if (place) {
      delete sidecar.layout[key];
      sidecar.layout[next] = place;
    }
    const pin = sidecar.pins?.[key];
    if (sidecar.pins && pin) {
      delete sidecar.pins[key];
      sidecar.pins[next] = pin;
    }
  });
}

/** Changes members of a node; one set to `undefined` is taken away. */
export function setNode(
  document: FlowDocument,
  key: string,
  changes: { [Member in keyof FlowNode]?: FlowNode[Member] | undefined },
): FlowDocument {
  return edit(document, (draft) => {
    const node = draft.definition.nodes[key] as Record<string, unknown> | undefined;
    if (!node) return;
    for (const [member, value] of Object.entries(changes)) {
      if (value === undefined || (member === "config" && isObject(value) && Object.keys(value).length === 0)) {
        delete node[member];
      } else node[member] = value;
    }
  });
}

/** Sets what a JSON pointer into a node's config names; `undefined` takes it away. Objects on the way are made. */
export function setConfig(document: FlowDocument, key: string, path: string, value: Json | undefined): FlowDocument {
  const node = document.definition.nodes[key];
  if (!node) return document;
  const config = put(node.config ?? {}, steps(path), value);
  return setNode(document, key, { config: isObject(config) ? config : undefined });
}

function put(into: Json | undefined, path: string[], value: Json | undefined): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(into)) {
    const items = [...into];
    const index = Number(step);
    const item = put(items[index], rest, value);
    if (item === undefined) items.splice(index, 1);
    else items[index] = item;
    return items;
  }
  const object = { ...(isObject(into) ? into : {}) };
  const member = put(object[step], rest, value);
  if (member === undefined) delete object[step];
  else object[step] = member;
  return object;
}

/** Why two ports cannot be joined, in the server's words for it. */
export type ConnectRefusal =
  | "EDGE_DANGLING"
  | "PORT_UNKNOWN"
  | "EDGE_DUPLICATE"
  | "CYCLE"
  | "PORT_TAKEN"
  | "PORT_TYPE_MISMATCH";

/** A new document, or why there is none. */
export type Connected = { ok: true; document: FlowDocument } | { ok: false; because: ConnectRefusal };

/** Whether two ports may be joined, and why not. */
export function connectRefusal(
  { definition }: FlowDocument,
  from: End,
  to: End,
  catalog: Catalog,
): ConnectRefusal | undefined {
  const [before, after] = [definition.nodes[from.node], definition.nodes[to.node]];
  if (!before || !after) return "EDGE_DANGLING";
  const output = outputsOf(before, catalog).find((port) => port.name === from.port);
  const input = inputsOf(after, catalog).find((port) => port.name === to.port);
  if (!output || !input) return "PORT_UNKNOWN";
  const id = edgeId(edgeBetween(from, to));
  if (definition.edges.some((edge) => edgeId(edge) === id)) return "EDGE_DUPLICATE";
  if (wouldCycle(definition, from.node, to.node)) return "CYCLE";
  if (!input.many && definition.edges.some((edge) => arrivesAt(edge, to))) return "PORT_TAKEN";
  return fits(leaving(before, output), input.type) ? undefined : "PORT_TYPE_MISMATCH";
}

function arrivesAt(edge: FlowEdge, end: End): boolean {
  const at = target(edge);
  return at.node === end.node && at.port === end.port;
}

/** Joins two ports. */
export function connect(document: FlowDocument, from: End, to: End, catalog: Catalog): Connected {
  const because = connectRefusal(document, from, to, catalog);
  if (because) return { ok: false, because };
  const joined = edit(document, (draft) => {
    draft.definition.edges.push(edgeBetween(from, to));
  });
  return { ok: true, document: joined };
}

/** Joins a port to one that is taken, by putting a `flow.merge` before it that takes both. */
export function connectByMerge(document: FlowDocument, from: End, to: End, catalog: Catalog): Made | undefined {
  const taken = document.definition.edges.find((edge) => arrivesAt(edge, to));
  if (!taken || connectRefusal(document, from, to, catalog) !== "PORT_TAKEN") return undefined;
  const inserted = insertIntoEdge(document, edgeId(taken), "flow.merge@1", catalog);
  if (!inserted) return undefined;
  const joined = connect(inserted.document, from, { node: inserted.key, port: "in" }, catalog);
  return joined.ok ? { document: joined.document, key: inserted.key } : undefined;
}

/** Takes edges away, by their ids. */
export function disconnect(document: FlowDocument, ids: Iterable<string>): FlowDocument {
  const gone = new Set(ids);
  return edit(document, (draft) => removeEdges(draft.definition, (edge) => gone.has(edgeId(edge))));
}

/** Puts nodes and notes elsewhere, on the grid; ids that name nothing are passed over. */
export function move(document: FlowDocument, places: Readonly<Record<string, Point>>): FlowDocument {
  return edit(document, (draft) => {
    for (const [id, place] of Object.entries(places)) {
      const next = snap(place);
      const note = draft.sidecar.notes[id];
      if (note) {
        if (note.x !== next.x || note.y !== next.y) Object.assign(note, next);
      } else if (Object.hasOwn(document.definition.nodes, id)) {
        const now = document.sidecar.layout[id];
        if (now?.x !== next.x || now.y !== next.y) draft.sidecar.layout[id] = next;
      }
    }
  });
}

/** Puts a sheet of text on the canvas. */
export function addNote(document: FlowDocument, place: Point, text = ""): { document: FlowDocument; id: string } {
  // No node's key begins with a capital, so the two kinds of names never meet.
  let number = 1;
  while (Object.hasOwn(document.sidecar.notes, `N${number}`)) number += 1;
  const id = `N${number}`;
  const made = edit(document, (draft) => {
    draft.sidecar.notes[id] = { ...snap(place), text, width: 240, height: 120 };
  });
  return { document: made, id };
}

/** Changes a sheet of text. */
export function setNote(document: FlowDocument, id: string, changes: Partial<Note>): FlowDocument {
  return edit(document, (draft) => {
    const note = draft.sidecar.notes[id];
    if (note) Object.assign(note, changes);
  });
}

/** Takes sheets of text away. */
export function removeNotes(document: FlowDocument, ids: Iterable<string>): FlowDocument {
  return edit(document, (draft) => {
    for (const id of ids) delete draft.sidecar.notes[id];
  });
}

/** Changes what holds for the whole workflow; a member set to `undefined` is taken away. */
export function setDefinition(
  document: FlowDocument,
  changes: { input_schema?: Json | undefined; output?: Json | undefined; settings?: Settings | undefined },
): FlowDocument {
  return edit(document, (draft) => {
    const definition = draft.definition as unknown as Record<string, unknown>;
    for (const [member, value] of Object.entries(changes)) {
      if (value === undefined) delete definition[member];
      else definition[member] = value;
    }
  });
}

/** Changes what holds for whole runs; a member set to `undefined` or left empty is taken away. */
export function setSettings(
  document: FlowDocument,
  changes: { [Member in keyof Settings]?: Settings[Member] | undefined },
): FlowDocument {
  const all = Object.entries({ ...document.definition.settings, ...changes });
  const kept = all.filter(([, value]) => value && (typeof value !== "object" || Object.keys(value).length > 0));
  return setDefinition(document, { settings: kept.length > 0 ? (Object.fromEntries(kept) as Settings) : undefined });
}

/** Whether a node can be disabled: a trigger does no work that could be left out. */
export function mayBeDisabled({ definition }: FlowDocument, key: string, catalog: Catalog): boolean {
  const node = definition.nodes[key];
  return node !== undefined && !isTrigger(catalog.get(node.type));
}

/** Disables nodes or enables them again; what is enabled says nothing about it. */
export function setDisabled(document: FlowDocument, keys: Iterable<string>, disabled: boolean): FlowDocument {
  return edit(document, (draft) => {
    for (const key of keys) {
      const node = draft.definition.nodes[key];
      if (!node) continue;
      if (disabled) node.disabled = true;
      else delete node.disabled;
    }
  });
}
