import { type Definition, edgeId, type FlowDocument, source, target } from "./document";
import { isObject, type Json } from "./json";
import { diff } from "./patch";

/** A place whose values differ, by a JSON pointer into a node or a definition. */
export interface FieldDifference {
  path: string;
  from?: Json | undefined;
  to?: Json | undefined;
}

/** A node that is not the same in two definitions. */
export interface NodeDifference {
  key: string;
  change: "ADDED" | "REMOVED" | "CHANGED";
  fields: FieldDifference[];
}

/** What is different between two definitions, in the form that the server says it for two versions. */
export interface Difference {
  nodes: NodeDifference[];
  edgesAdded: { from: string; to: string }[];
  edgesRemoved: { from: string; to: string }[];
  fields: FieldDifference[];
}

function fieldsOf(before: Json, after: Json): FieldDifference[] {
  const at = (value: Json, path: string): Json | undefined =>
    path
      .split("/")
      .slice(1)
      .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
      .reduce<Json | undefined>(
        (here, step) => (Array.isArray(here) ? here[Number(step)] : isObject(here) ? here[step] : undefined),
        value,
      );
  return diff(before, after).map(({ path }) => ({ path, from: at(before, path), to: at(after, path) }));
}

/** What is different between two definitions. */
export function difference(before: Definition, after: Definition): Difference {
  const keys = [...new Set([...Object.keys(before.nodes), ...Object.keys(after.nodes)])].sort();
  const nodes = keys.flatMap((key): NodeDifference[] => {
    const [was, is] = [before.nodes[key], after.nodes[key]];
    if (!was) return [{ key, change: "ADDED", fields: [] }];
    if (!is) return [{ key, change: "REMOVED", fields: [] }];
    const fields = fieldsOf(was as unknown as Json, is as unknown as Json);
    return fields.length > 0 ? [{ key, change: "CHANGED", fields }] : [];
  });
  const ids = (definition: Definition) => new Set(definition.edges.map(edgeId));
  const [was, is] = [ids(before), ids(after)];
  const { nodes: _, edges: __, ...restBefore } = before;
  const { nodes: ___, edges: ____, ...restAfter } = after;
  return {
    nodes,
    edgesAdded: after.edges.filter((edge) => !was.has(edgeId(edge))),
    edgesRemoved: before.edges.filter((edge) => !is.has(edgeId(edge))),
    fields: fieldsOf(restBefore as Json, restAfter as Json),
  };
}

/** Whether nothing differs. */
export function isSame({ nodes, edgesAdded, edgesRemoved, fields }: Difference): boolean {
  return nodes.length + edgesAdded.length + edgesRemoved.length + fields.length === 0;
}

/** One drawing of two definitions: the newer one, with what only the older one has. */
export function together(before: Definition, after: FlowDocument): FlowDocument {
  const nodes = { ...before.nodes, ...after.definition.nodes };
  const seen = new Set<string>();
  const edges = [...after.definition.edges, ...before.edges].filter((edge) => {
    const id = edgeId(edge);
    const fits = !seen.has(id) && nodes[source(edge).node] && nodes[target(edge).node];
    seen.add(id);
    return fits;
  });
  return { definition: { ...after.definition, nodes, edges }, sidecar: after.sidecar };
}
