import type { Catalog } from "../model/catalog";
import { move } from "../model/commands";
import { CARD, type FlowDocument } from "../model/document";
import { tidy } from "./tidy";

/** The document with a place for every node. One that was written by hand and has no drawing gets one. */
export function withPlaces(document: FlowDocument, catalog: Catalog): FlowDocument {
  const keys = Object.keys(document.definition.nodes);
  const known = Object.values(document.sidecar.layout);
  const missing = new Set(keys.filter((key) => !Object.hasOwn(document.sidecar.layout, key)));
  if (missing.size === 0) return document;
  const places = tidy(document, missing, catalog);
  if (known.length === 0) return move(document, places);
  // Nodes without a place go below those that have one.
  const below = known.reduce((most, { y }) => Math.max(most, y), Number.NEGATIVE_INFINITY) + CARD.height + 40;
  const added = Object.entries(places).map(([key, { x, y }]) => [key, { x, y: y + below }] as const);
  return move(document, Object.fromEntries(added));
}
