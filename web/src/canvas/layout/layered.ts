import { CARD, type Definition, type FlowDocument, type Point, snap } from "../model/document";
import { adjacency, depths } from "../model/graph";

const STEP = { x: CARD.width + 96, y: CARD.height + 40 } as const;

/**
 * Places for every node, in columns by how far they are from a start. It is quick and needs no library, for documents
 * that come without places; "Tidy" does it better.
 */
export function layered(definition: Definition): Record<string, Point> {
  const { before } = adjacency(definition);
  const columns: string[][] = [];
  for (const [key, depth] of depths(definition)) {
    columns[depth] ??= [];
    columns[depth].push(key);
  }
  const row = new Map<string, number>();
  const places: Record<string, Point> = {};
  columns.forEach((column, depth) => {
    const wanted = (key: string) => {
      const rows = (before.get(key) ?? []).flatMap((one) => row.get(one) ?? []);
      return rows.length === 0 ? 0 : rows.reduce((sum, one) => sum + one, 0) / rows.length;
    };
    const sorted = [...column].sort((a, b) => wanted(a) - wanted(b) || a.localeCompare(b));
    // Each stands as near to what leads to it as the ones above allow.
    let next = Number.NEGATIVE_INFINITY;
    const middle = sorted.length > 1 ? (sorted.length - 1) / 2 : 0;
    const mean = sorted.reduce((sum, key) => sum + wanted(key), 0) / Math.max(1, sorted.length);
    sorted.forEach((key, index) => {
      const at = Math.max(next, sorted.length > 1 ? mean - middle + index : wanted(key));
      next = at + 1;
      row.set(key, at);
      places[key] = snap({ x: depth * STEP.x, y: at * STEP.y });
    });
  });
  return places;
}

/** The document with a place for every node: those it has, and new ones for the others. */
export function withPlaces(document: FlowDocument): FlowDocument {
  const { definition, sidecar } = document;
  const missing = Object.keys(definition.nodes).filter((key) => !Object.hasOwn(sidecar.layout, key));
  if (missing.length === 0) return document;
  const places = layered(definition);
  const known = Object.values(sidecar.layout);
  // Nodes without a place go below those that have one.
  const below = known.length === 0 ? 0 : Math.max(...known.map(({ y }) => y)) + STEP.y;
  const added = missing.map((key) => {
    const { x, y } = places[key] ?? { x: 0, y: 0 };
    return [key, { x, y: y + below }] as const;
  });
  return { definition, sidecar: { ...sidecar, layout: { ...sidecar.layout, ...Object.fromEntries(added) } } };
}
