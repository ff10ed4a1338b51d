import type { Catalog } from "../model/catalog";
import { move } from "../model/commands";
import type { FlowDocument } from "../model/document";
import { withPlaces } from "./layered";
import { tidy } from "./tidy";

/** Larger graphs are not worth the wait: the quick layout serves until somebody tidies up. */
const MOST = 150;
/** A page that opens does not wait longer for a better drawing. */
const PATIENCE_MS = 2_500;

/** The document with a place for every node. One that was written by hand and has no drawing gets a good one. */
export async function drawn(document: FlowDocument, catalog: Catalog): Promise<FlowDocument> {
  const quick = withPlaces(document);
  const keys = Object.keys(document.definition.nodes);
  const hasDrawing = Object.keys(document.sidecar.layout).length > 0;
  if (hasDrawing || keys.length < 3 || keys.length > MOST) return quick;
  const good = tidy(quick, new Set(keys), catalog).then((places) => move(quick, places));
  const late = new Promise<FlowDocument>((resolve) => setTimeout(() => resolve(quick), PATIENCE_MS));
  return Promise.race([good.catch(() => quick), late]);
}
