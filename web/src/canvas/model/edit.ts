import { create } from "mutative";
import type { FlowDocument } from "./document";

/**
 * The document as `change` leaves it. What it does not touch stays the same object, so cards that show it need not be
 * drawn again; where it changes nothing the document itself stays.
 */
export function edit(document: FlowDocument, change: (draft: FlowDocument) => void): FlowDocument {
  // The library's type for drafts unrolls JSON without end, so it is told less than it could know.
  return create(document as object, (draft) => change(draft as FlowDocument)) as FlowDocument;
}
