import type { ELK, ElkNode } from "elkjs/lib/elk-api";
import { type Catalog, inputsOf, outputsOf } from "../model/catalog";
import { CARD, type FlowDocument, type Point, source, target } from "../model/document";

/** What the layout is asked for; the larger the graph, the coarser the method. */
function options(size: number): Record<string, string> {
  return {
    "elk.algorithm": "layered",
    "elk.direction": "RIGHT",
    "elk.layered.nodePlacement.strategy": size <= 150 ? "NETWORK_SIMPLEX" : "BRANDES_KOEPF",
    "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
    "elk.layered.thoroughness": size > 1_500 ? "1" : "7",
    "elk.spacing.nodeNode": "40",
    "elk.layered.spacing.nodeNodeBetweenLayers": "96",
    "elk.separateConnectedComponents": "true",
  };
}

function graph({ definition }: FlowDocument, keys: ReadonlySet<string>, catalog: Catalog): ElkNode {
  const children = [...keys].flatMap((key) => {
    const node = definition.nodes[key];
    if (!node) return [];
    const port = (side: "EAST" | "WEST") => (name: string, index: number) => ({
      id: `${key} ${side} ${name}`,
      layoutOptions: { "elk.port.side": side, "elk.port.index": String(side === "EAST" ? index : -index) },
    });
    return [
      {
        id: key,
        ...CARD,
        ports: [
          ...inputsOf(node, catalog).map(({ name }, index) => port("WEST")(name, index)),
          ...outputsOf(node, catalog).map(({ name }, index) => port("EAST")(name, index)),
        ],
        layoutOptions: { "elk.portConstraints": "FIXED_ORDER" },
      },
    ];
  });
  const ports = new Set(children.flatMap((child) => child.ports.map(({ id }) => id)));
  const edges = definition.edges.flatMap((edge, index) => {
    const [from, to] = [source(edge), target(edge)];
    const ends = { sources: [`${from.node} EAST ${from.port}`], targets: [`${to.node} WEST ${to.port}`] };
    return [...ends.sources, ...ends.targets].every((id) => ports.has(id)) ? [{ id: `e${index}`, ...ends }] : [];
  });
  return { id: "root", layoutOptions: options(children.length), children, edges };
}

let worker: Promise<ELK> | undefined;

/** The layout library in a thread of its own; it is large, and is loaded when it is first wanted. */
function elk(): Promise<ELK> {
  worker ??= Promise.all([import("elkjs/lib/elk-api.js"), import("elkjs/lib/elk-worker.min.js?url")]).then(
    ([api, { default: workerUrl }]) => new api.default({ workerUrl }),
  );
  return worker;
}

/** Good places for these nodes. They stay about where they are: the upper left corner of all of them does not move. */
export async function tidy(
  document: FlowDocument,
  keys: ReadonlySet<string>,
  catalog: Catalog,
): Promise<Record<string, Point>> {
  const laid = await (await elk()).layout(graph(document, keys, catalog));
  const places = (laid.children ?? []).map(({ id, x = 0, y = 0 }) => [id, { x, y }] as const);
  const before = [...keys].flatMap((key) => document.sidecar.layout[key] ?? []);
  const corner = (points: readonly Point[]) => ({
    x: Math.min(...points.map(({ x }) => x)),
    y: Math.min(...points.map(({ y }) => y)),
  });
  if (places.length === 0 || before.length === 0) return Object.fromEntries(places);
  const [was, is] = [corner(before), corner(places.map(([, place]) => place))];
  return Object.fromEntries(places.map(([id, { x, y }]) => [id, { x: x - is.x + was.x, y: y - is.y + was.y }]));
}
