import { type Catalog, leaving, outputsOf, type PortType } from "../../model/catalog";
import { type FlowDocument, source, target } from "../../model/document";
import { upstream } from "../../model/graph";
import { isObject, type Json } from "../../model/json";

const ANY: PortType = { type: "any" };

/** What a JSON Schema tells of a value's members, as far as the port algebra can say it. */
export function typeOfSchema(schema: Json | undefined): PortType {
  if (!isObject(schema)) return ANY;
  if (schema.type === "object" || isObject(schema.properties)) {
    const properties = isObject(schema.properties) ? schema.properties : {};
    const fields = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, typeOfSchema(one)]));
    return { type: "object", fields, open: schema.additionalProperties !== false };
  }
  if (schema.type === "array") return { type: "list", items: typeOfSchema(schema.items) };
  return { type: typeof schema.type === "string" ? schema.type : "any" };
}

const REQUEST: PortType = {
  type: "object",
  open: true,
  fields: {
    method: { type: "string" },
    path: { type: "string" },
    headers: { type: "object", fields: {}, open: true },
    query: { type: "object", fields: {}, open: true },
    body: ANY,
  },
};

/** Everything that an expression of one node may name, with what is known of its members. */
export interface Scope {
  names: Record<string, PortType>;
}

function outputType(document: FlowDocument, catalog: Catalog, key: string, port: string): PortType {
  const node = document.definition.nodes[key];
  const spec = node ? outputsOf(node, catalog).find(({ name }) => name === port) : undefined;
  if (!node || !spec) return ANY;
  if (node.type.startsWith("trigger.webhook@")) return REQUEST;
  if (node.type.startsWith("trigger.manual@")) return typeOfSchema(document.definition.input_schema);
  return leaving(node, spec);
}

/** The names that expressions of a node may use: from the schemas of what comes before it. */
export function scopeOf(document: FlowDocument, catalog: Catalog, key: string): Scope {
  const before = [...upstream(document.definition, key)].filter((one) => one !== key);
  const nodes: PortType = {
    type: "object",
    open: false,
    fields: Object.fromEntries(
      before.sort().map((one) => [
        one,
        {
          type: "object",
          open: false,
          fields: { output: outputType(document, catalog, one, mainPort(document, catalog, one)) },
        },
      ]),
    ),
  };
  const arriving = document.definition.edges.filter((edge) => target(edge).node === key);
  const many = catalog.get(document.definition.nodes[key]?.type ?? "")?.inputs.some((port) => port.many) ?? false;
  const types = arriving.map((edge) => {
    const from = source(edge);
    return [from.node, outputType(document, catalog, from.node, from.port)] as const;
  });
  const input: PortType = many
    ? { type: "object", fields: Object.fromEntries(types), open: false }
    : (types[0]?.[1] ?? ANY);
  const runInput = typeOfSchema(document.definition.input_schema);
  const names: Record<string, PortType> = {
    input,
    nodes,
    run: { type: "object", open: false, fields: { input: runInput } },
    trigger: REQUEST,
    vars: { type: "object", fields: {}, open: true },
  };
  const node = document.definition.nodes[key];
  // Filters and sums evaluate some of their fields once per item, as a node with `for_each` does with all.
  if (node?.for_each || node?.type.startsWith("data.")) {
    names.item = ANY;
    names.index = { type: "integer" };
  }
  return { names };
}

/** The names that are known when a run starts, before any node has run: for its key and labels. */
export function startScope(document: FlowDocument): Scope {
  const input = typeOfSchema(document.definition.input_schema);
  const run: PortType = { type: "object", open: false, fields: { input } };
  return { names: { input, run, trigger: REQUEST } };
}

/** The names that the output of a run may use: every node. */
export function outputScope(document: FlowDocument, catalog: Catalog): Scope {
  const fields = Object.keys(document.definition.nodes)
    .sort()
    .map((one): [string, PortType] => {
      const output = outputType(document, catalog, one, mainPort(document, catalog, one));
      return [one, { type: "object", open: false, fields: { output } }];
    });
  const { run, trigger } = startScope(document).names;
  const nodes: PortType = { type: "object", open: false, fields: Object.fromEntries(fields) };
  return { names: { nodes, ...(run ? { run } : {}), ...(trigger ? { trigger } : {}) } };
}

function mainPort(document: FlowDocument, catalog: Catalog, key: string): string {
  const node = document.definition.nodes[key];
  return (node ? outputsOf(node, catalog)[0]?.name : undefined) ?? "out";
}
