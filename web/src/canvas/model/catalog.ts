import type { FlowNode } from "./document";
import type { Json } from "./json";

/** What passes through a port, as the server says it. */
export interface PortType {
  type: string;
  items?: PortType;
  fields?: Record<string, PortType>;
  open?: boolean;
}

/** A typed end that edges are joined to. */
export interface PortSpec {
  name: string;
  type: PortType;
  many: boolean;
}

/** A kind of node, as the server's catalog describes it. */
export interface NodeTypeSpec {
  type: string;
  title: string;
  summary: string;
  docs: string;
  category: "TRIGGER" | "DATA" | "FLOW" | "INTEGRATION";
  aliases: string[];
  configSchema: Json;
  forEach: boolean;
  /** The name of its picture in the Lucide set. */
  icon: string;
  /** Types of connections that a node may name; none when it takes no connection. */
  auth: string[];
  /** Set when new workflows should use something else. */
  deprecated: { since: string; replacement: string | null } | null;
  /** Why the server cannot run nodes of this kind, where that was asked. */
  unavailable?: string | null | undefined;
  inputs: PortSpec[];
  outputs: PortSpec[];
}

/** The kinds of nodes that the server has, by name. */
export type Catalog = ReadonlyMap<string, NodeTypeSpec>;

/** A catalog of these kinds. */
export function catalogOf(types: readonly NodeTypeSpec[]): Catalog {
  return new Map(types.map((type) => [type.type, type]));
}

/** Whether nodes of this kind start runs. */
export function isTrigger(type: NodeTypeSpec | undefined): boolean {
  return type?.category === "TRIGGER";
}

const ERROR_PORT: PortSpec = { name: "error", type: { type: "object", fields: {}, open: true }, many: false };
const UNKNOWN_PORTS = {
  inputs: [{ name: "in", type: { type: "any" }, many: false }],
  outputs: [{ name: "out", type: { type: "any" }, many: false }],
};

/** Where edges may arrive. A type that the catalog does not know is drawn with one port. */
export function inputsOf(node: FlowNode, catalog: Catalog): readonly PortSpec[] {
  return (catalog.get(node.type) ?? UNKNOWN_PORTS).inputs;
}

/** Where edges may leave; every node but a trigger also has the port `error`. */
export function outputsOf(node: FlowNode, catalog: Catalog): readonly PortSpec[] {
  const type = catalog.get(node.type);
  if (isTrigger(type)) return type?.outputs ?? [];
  return [...namedOutputs(node, type), ...(type ?? UNKNOWN_PORTS).outputs, ERROR_PORT];
}

/** The outputs that a config names: `"x-ports": "field"` at a list gives one for each entry, called what its `field` says. */
function namedOutputs(node: FlowNode, type: NodeTypeSpec | undefined): PortSpec[] {
  const fields =
    (type?.configSchema as { properties?: Record<string, { "x-ports"?: string }> } | null)?.properties ?? {};
  const names = Object.entries(fields).flatMap(([list, { "x-ports": field }]) => {
    const entries = field ? (node.config as Record<string, unknown> | null | undefined)?.[list] : null;
    return Array.isArray(entries)
      ? entries.map((entry) => (entry as Record<string, unknown> | null)?.[field ?? ""])
      : [];
  });
  return [...new Set(names)].flatMap((name) =>
    typeof name === "string" && name ? [{ name, type: { type: "any" as const }, many: false }] : [],
  );
}

/** Whether what leaves one port may arrive at another; `any` on either side is taken on trust. */
export function fits(from: PortType, to: PortType): boolean {
  if (from.type === "any" || to.type === "any") return true;
  if (from.type === "integer" && to.type === "number") return true;
  if (from.type === "list" && to.type === "list") {
    return fits(from.items ?? { type: "any" }, to.items ?? { type: "any" });
  }
  if (from.type === "object" && to.type === "object") {
    const [given, wanted] = [from.fields ?? {}, to.fields ?? {}];
    const present = Object.entries(wanted).every(([name, type]) => {
      const field = given[name];
      return field ? fits(field, type) : from.open === true;
    });
    return present && (to.open === true || (from.open !== true && Object.keys(given).every((name) => name in wanted)));
  }
  return from.type === to.type;
}

/** What really leaves a port: a node that runs once per item gives a list, a disabled one hands on what arrives. */
export function leaving(node: FlowNode, port: PortSpec): PortType {
  if (node.disabled) return { type: "any" };
  if (node.for_each && port.name !== "error") return { type: "list", items: port.type };
  return port.type;
}
