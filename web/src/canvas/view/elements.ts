import { type Catalog, inputsOf } from "../model/catalog";
import { CARD, edgeId, type FlowDocument, type FlowNode, source, target, titleOf } from "../model/document";
import { topological } from "../model/graph";
import type { LineEdge } from "./FlowLine";
import type { CardNode } from "./NodeCard";
import type { NoteNode } from "./NoteCard";
import { portsOf } from "./ports";

export type CanvasNode = CardNode | NoteNode;

const NO_DATA: Record<string, never> = {};

function cardOf(key: string, node: FlowNode, document: FlowDocument, catalog: Catalog, label: string): CardNode {
  return {
    id: key,
    type: "card",
    position: document.sidecar.layout[key] ?? { x: 0, y: 0 },
    data: NO_DATA,
    ...CARD,
    measured: CARD,
    // With known places of the ports, edges can be drawn to cards that are not mounted.
    handles: portsOf(node, catalog).map(({ id, type, position, x, y }) => ({
      id,
      type,
      position,
      x: x - 6,
      y: y - 6,
      width: 12,
      height: 12,
    })),
    ariaLabel: label,
    domAttributes: { "aria-roledescription": "", ...(node.disabled ? { "aria-disabled": true } : {}) },
  };
}

/**
 * What the canvas library draws, in the order in which the nodes run, so that Tab walks along the workflow. What is as
 * it was stays the same object.
 */
export function nodesFor(
  document: FlowDocument,
  catalog: Catalog,
  before: readonly CanvasNode[],
  describe: (key: string, node: FlowNode) => string,
): CanvasNode[] {
  const known = new Map(before.map((node) => [node.id, node]));
  const cards = topological(document.definition).order.flatMap((key) => {
    const node = document.definition.nodes[key];
    return node ? [cardOf(key, node, document, catalog, describe(key, node))] : [];
  });
  const notes = Object.entries(document.sidecar.notes).map(
    ([id, { x, y, width, height }]): NoteNode => ({
      id,
      type: "note",
      position: { x, y },
      data: NO_DATA,
      width,
      height,
      measured: { width, height },
      connectable: false,
      focusable: false,
      zIndex: -1,
    }),
  );
  return [...notes, ...cards].map((node) => {
    const old = known.get(node.id);
    const unchanged =
      old !== undefined &&
      old.position.x === node.position.x &&
      old.position.y === node.position.y &&
      old.ariaLabel === node.ariaLabel &&
      old.width === node.width &&
      old.height === node.height &&
      old.handles?.length === node.handles?.length;
    return unchanged ? old : ({ ...node, selected: old?.selected ?? false } as CanvasNode);
  });
}

/** The edges that the canvas library draws; those whose ends are not there are left to the list of problems. */
export function edgesFor(
  { definition }: FlowDocument,
  selection: ReadonlySet<string>,
  onInsert: ((id: string) => void) | undefined,
  label: (from: string, to: string) => string,
): LineEdge[] {
  const data = onInsert ? { onInsert } : {};
  const seen = new Set<string>();
  return definition.edges.flatMap((edge) => {
    const id = edgeId(edge);
    const [from, to] = [source(edge), target(edge)];
    const [before, after] = [definition.nodes[from.node], definition.nodes[to.node]];
    if (seen.has(id) || !before || !after) return [];
    seen.add(id);
    return [
      {
        id,
        type: "line" as const,
        source: from.node,
        sourceHandle: from.port,
        target: to.node,
        targetHandle: to.port,
        selected: selection.has(id),
        ariaLabel: label(titleOf(from.node, before), titleOf(to.node, after)),
        data,
      },
    ];
  });
}

/** The port that an edge arrives at when nobody named one. */
export function firstInput(node: FlowNode | undefined, catalog: Catalog): string | undefined {
  return node ? inputsOf(node, catalog)[0]?.name : undefined;
}
