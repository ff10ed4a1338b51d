import { type Catalog, inputsOf, outputsOf, type PortSpec } from "../model/catalog";
import { CARD, type FlowDocument, type Point, snap, source, target } from "../model/document";
import { type Line, layers } from "./layers";

/** Room from one column to the next, and from one row to the next. */
const STEP = { x: CARD.width + 96, y: CARD.height + 40 } as const;

/** Where a port is on its card, from 0 at the top to 1 at the bottom; `error` is below all others. */
function height(ports: readonly PortSpec[], name: string): number {
  if (name === "error" && ports.length > 1) return 1;
  const main = ports.filter((port) => port.name !== "error");
  return (main.findIndex((port) => port.name === name) + 1) / (main.length + 1);
}

/** Good places for these nodes. They stay about where they are: the upper left corner of all of them does not move. */
export function tidy(document: FlowDocument, keys: ReadonlySet<string>, catalog: Catalog): Record<string, Point> {
  const { nodes, edges } = document.definition;
  const lines = edges.flatMap((edge): Line[] => {
    const [from, to] = [source(edge), target(edge)];
    const [before, after] = [nodes[from.node], nodes[to.node]];
    if (!before || !after) return [];
    const [leaves, arrives] = [
      height(outputsOf(before, catalog), from.port),
      height(inputsOf(after, catalog), to.port),
    ];
    return [{ from: from.node, to: to.node, leaves, arrives }];
  });
  const slots = layers(
    Object.keys(nodes).filter((key) => keys.has(key)),
    lines,
  );
  const places = [...slots].map(([key, { column, row }]) => [key, { x: column * STEP.x, y: row * STEP.y }] as const);
  const before = [...keys].flatMap((key) => document.sidecar.layout[key] ?? []);
  if (places.length === 0 || before.length === 0) return Object.fromEntries(places.map(([key, at]) => [key, snap(at)]));
  const [was, is] = [corner(before), corner(places.map(([, place]) => place))];
  return Object.fromEntries(places.map(([key, { x, y }]) => [key, snap({ x: x - is.x + was.x, y: y - is.y + was.y })]));
}

function corner(points: readonly Point[]): Point {
  return points.reduce((least, { x, y }) => ({ x: Math.min(least.x, x), y: Math.min(least.y, y) }), {
    x: Number.POSITIVE_INFINITY,
    y: Number.POSITIVE_INFINITY,
  });
}
