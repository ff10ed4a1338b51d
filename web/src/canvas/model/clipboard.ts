import {
  type Definition,
  type FlowDocument,
  type FlowEdge,
  FORMAT,
  type Note,
  openDocument,
  type Point,
  snap,
  source,
  target,
} from "./document";
import { edit } from "./edit";
import { isObject } from "./json";
import { freeKey, keyFits, keyFrom } from "./key";
import { readsOf, renameInNode } from "./references";

/** The kind of a document that holds a part of a workflow. */
const KIND = "Nodes";

/** Part of a workflow as JSON text, to be put into another one, a chat or a file. Connections go by name only. */
export function copy(document: FlowDocument, keys: Iterable<string>, noteIds: Iterable<string> = []): string {
  const chosen = new Set([...keys].filter((key) => Object.hasOwn(document.definition.nodes, key)));
  const pick = <T>(from: Record<string, T>, ids: Iterable<string>) =>
    Object.fromEntries([...ids].flatMap((id) => (from[id] === undefined ? [] : [[id, from[id]] as const])));
  const edges = document.definition.edges.filter(
    (edge) => chosen.has(source(edge).node) && chosen.has(target(edge).node),
  );
  return JSON.stringify(
    {
      apiVersion: FORMAT,
      kind: KIND,
      definition: { nodes: pick(document.definition.nodes, chosen), edges },
      sidecar: { layout: pick(document.sidecar.layout, chosen), notes: pick(document.sidecar.notes, noteIds) },
    },
    null,
    2,
  );
}

/** What a text holds, when it is a part of a workflow or a whole one; `undefined` when it is something else. */
export function read(text: string): FlowDocument | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  if (value.apiVersion === FORMAT && isObject(value.definition)) return openDocument(value.definition, value.sidecar);
  if (isObject(value.nodes) && Array.isArray(value.edges)) return openDocument(value);
  return undefined;
}

/** What came of pasting. */
export interface Pasted {
  document: FlowDocument;
  keys: string[];
  notes: string[];
  /** Nodes that the pasted expressions read and that are not here. */
  missing: string[];
}

/**
 * Puts a part of a workflow into this one, its upper left corner at `place`. Keys that are taken get a number, and the
 * expressions inside the part follow.
 */
export function paste(document: FlowDocument, part: FlowDocument, place: Point): Pasted {
  const { nodes } = document.definition;
  const renamed = new Map<string, string>();
  const taken = (key: string) => Object.hasOwn(nodes, key) || [...renamed.values()].includes(key);
  for (const key of Object.keys(part.definition.nodes)) {
    renamed.set(key, freeKey(keyFits(key) ? key : keyFrom(key), taken));
  }
  const rename = (key: string) => renamed.get(key);
  const shift = shiftTo(part, place);
  const notes: string[] = [];
  const pasted = edit(document, (draft) => {
    for (const [key, node] of Object.entries(part.definition.nodes)) {
      const here = renamed.get(key) ?? key;
      draft.definition.nodes[here] = structuredClone(renameInNode(node, rename));
      const at = part.sidecar.layout[key] ?? { x: 0, y: 0 };
      draft.sidecar.layout[here] = snap({ x: at.x + shift.x, y: at.y + shift.y });
    }
    draft.definition.edges.push(...renamedEdges(part.definition, renamed));
    for (const note of Object.values(part.sidecar.notes)) {
      const id = freeNote(draft.sidecar.notes);
      notes.push(id);
      draft.sidecar.notes[id] = { ...note, ...snap({ x: note.x + shift.x, y: note.y + shift.y }) };
    }
  });
  const read = [...renamed.values()].flatMap((key) => {
    const node = pasted.definition.nodes[key];
    return node ? [...readsOf(node)] : [];
  });
  const missing = [...new Set(read)].filter((key) => !Object.hasOwn(pasted.definition.nodes, key)).sort();
  return { document: pasted, keys: [...renamed.values()], notes, missing };
}

function shiftTo(part: FlowDocument, place: Point): Point {
  const places = [...Object.values(part.sidecar.layout), ...Object.values(part.sidecar.notes)];
  const least = (axis: "x" | "y") => (places.length === 0 ? 0 : Math.min(...places.map((one) => one[axis])));
  return { x: place.x - least("x"), y: place.y - least("y") };
}

function renamedEdges(definition: Definition, renamed: ReadonlyMap<string, string>): FlowEdge[] {
  const end = (text: string) => {
    const [key = "", ...port] = text.split(".");
    return [renamed.get(key) ?? key, ...port].join(".");
  };
  return definition.edges.map((edge) => ({ ...edge, from: end(edge.from), to: end(edge.to) }));
}

function freeNote(notes: Record<string, Note>): string {
  let number = 1;
  while (Object.hasOwn(notes, `N${number}`)) number += 1;
  return `N${number}`;
}
