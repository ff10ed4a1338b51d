import { edgeId, type FlowDocument, type FlowEdge } from "./document";
import { isObject, type Json, pointer, same } from "./json";

/** A place that two people changed to different things. The merged document has mine until somebody chooses. */
export interface Conflict {
  /** JSON pointer into the document. */
  path: string;
  /** The key of the node it belongs to, if it belongs to one. */
  node?: string;
  base: Json | undefined;
  mine: Json | undefined;
  theirs: Json | undefined;
}

/** What came of putting two changes of one document together. */
export interface Merged {
  document: FlowDocument;
  conflicts: Conflict[];
}

/**
 * Puts together what two people made of one document. Changes of different nodes, or of different fields of one node,
 * are both kept; of two different values for one field mine stays and is reported. What one removed and the other
 * changed is kept. Places on the canvas are no reason to ask anybody.
 */
export function merge(base: FlowDocument, mine: FlowDocument, theirs: FlowDocument): Merged {
  const conflicts: Conflict[] = [];
  const { edges: baseEdges, ...baseRest } = base.definition;
  const { edges: myEdges, ...myRest } = mine.definition;
  const { edges: theirEdges, ...theirRest } = theirs.definition;
  const json = (value: unknown) => value as Json;
  const definition = mergeValue(json(baseRest), json(myRest), json(theirRest), ["definition"], conflicts);
  const sidecar = mergeValue(json(base.sidecar), json(mine.sidecar), json(theirs.sidecar), ["sidecar"], conflicts);
  const edges = mergeEdges(baseEdges, myEdges, theirEdges);
  const document = { definition: { ...(definition as object), edges }, sidecar } as unknown as FlowDocument;
  return { document, conflicts: conflicts.filter((conflict) => !conflict.path.startsWith("/sidecar/layout/")) };
}

function mergeValue(
  base: Json | undefined,
  mine: Json | undefined,
  theirs: Json | undefined,
  path: string[],
  conflicts: Conflict[],
): Json | undefined {
  if (same(mine, theirs) || same(base, theirs)) return mine;
  if (same(base, mine)) return theirs;
  // A place or a pin is one thing: half of mine and half of theirs is one that nobody chose.
  const isWhole = path[0] === "sidecar" && path.length === 3 && (path[1] === "layout" || path[1] === "pins");
  if (!isWhole && isObject(mine) && isObject(theirs) && (isObject(base) || base === undefined)) {
    const keys = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
    const merged: [string, Json][] = [];
    for (const key of keys) {
      const value = mergeValue(member(base, key), member(mine, key), member(theirs, key), [...path, key], conflicts);
      if (value !== undefined) merged.push([key, value]);
    }
    return Object.fromEntries(merged);
  }
  const node = path[0] === "definition" && path[1] === "nodes" ? path[2] : undefined;
  conflicts.push({ path: pointer(...path), ...(node === undefined ? {} : { node }), base, mine, theirs });
  // What one took away and the other worked on is kept: taking it away again is one key.
  return mine === undefined ? theirs : mine;
}

function member(value: Json | undefined, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Their edges, without those that I took away, and with those that I made. */
function mergeEdges(base: FlowEdge[], mine: FlowEdge[], theirs: FlowEdge[]): FlowEdge[] {
  const ids = (edges: FlowEdge[]) => new Set(edges.map(edgeId));
  const [inBase, inMine, inTheirs] = [ids(base), ids(mine), ids(theirs)];
  if (same(base, theirs)) return mine;
  const kept = theirs.filter((edge) => inMine.has(edgeId(edge)) || !inBase.has(edgeId(edge)));
  const made = mine.filter((edge) => !inBase.has(edgeId(edge)) && !inTheirs.has(edgeId(edge)));
  return [...kept, ...made];
}
