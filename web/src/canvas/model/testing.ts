import { type Catalog, catalogOf, type NodeTypeSpec, type PortSpec } from "./catalog";
import { type FlowDocument, openDocument } from "./document";
import type { Json } from "./json";

const port = (name: string, many = false): PortSpec => ({ name, type: { type: "any" }, many });

function kind(type: string, given: Partial<NodeTypeSpec> = {}): NodeTypeSpec {
  return {
    type,
    title: type,
    summary: "",
    docs: "",
    category: "DATA",
    aliases: [],
    configSchema: {},
    forEach: true,
    icon: "box",
    auth: [],
    deprecated: null,
    inputs: [port("in")],
    outputs: [port("out")],
    ...given,
  };
}

/** Kinds of nodes as the server has them, as far as the rules of the model read them. */
export const catalog: Catalog = catalogOf([
  kind("trigger.manual@1", { category: "TRIGGER", inputs: [], forEach: false }),
  kind("data.set@1"),
  kind("flow.if@1", {
    category: "FLOW",
    forEach: false,
    outputs: [port("true"), port("false")],
    configSchema: { required: ["condition"], properties: { condition: { type: "boolean" } } },
  }),
  kind("flow.merge@1", { category: "FLOW", forEach: false, inputs: [port("in", true)] }),
  kind("http.request@1", {
    category: "INTEGRATION",
    configSchema: { required: ["url"], properties: { url: { type: "string" } } },
    outputs: [
      { name: "out", type: { type: "object", fields: { status: { type: "integer" } }, open: false }, many: false },
    ],
  }),
  kind("data.list@1", { inputs: [{ name: "in", type: { type: "list", items: { type: "any" } }, many: false }] }),
]);

/** A document of nodes by key and type, and edges as `from > to`. */
export function drawn(nodes: Record<string, string | Record<string, Json>>, ...edges: string[]): FlowDocument {
  const entries = Object.entries(nodes).map(([key, node]) => [key, typeof node === "string" ? { type: node } : node]);
  const layout = entries.map(([key], index) => [key, { x: index * 320, y: 0 }]);
  return openDocument(
    {
      nodes: Object.fromEntries(entries),
      edges: edges.map((edge) => {
        const [from = "", to = ""] = edge.split(" > ");
        return { from, to };
      }),
    },
    { layout: Object.fromEntries(layout) },
  );
}

/** Numbers from 0 to 1 that look random and are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
