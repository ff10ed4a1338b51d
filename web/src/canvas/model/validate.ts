import { type Catalog, fits, inputsOf, isTrigger, leaving, outputsOf } from "./catalog";
import { type End, edgeId, type FlowDocument, type FlowNode, source, target } from "./document";
import { expressions } from "./expression";
import { adjacency, reach, topological } from "./graph";
import { isObject, type Json, pointer } from "./json";
import { keyFits } from "./key";
import type { Problem } from "./problems";
import { outputReads, readsOf } from "./references";

/**
 * What can be told without the server while somebody edits: the shape of the graph, what must be filled in, and
 * expressions that are not closed. Its codes are the server's, which has the last word when a draft is saved or
 * published.
 */
export function validate({ definition }: FlowDocument, catalog: Catalog): Problem[] {
  const problems: Problem[] = [];
  const nodes = Object.entries(definition.nodes);
  for (const [key, node] of nodes) problems.push(...checkNode(key, node, catalog));
  if (!nodes.some(([, node]) => isTrigger(catalog.get(node.type)))) {
    problems.push(
      error(
        "TRIGGER_MISSING",
        "/nodes",
        null,
        "no node starts this workflow",
        "add a trigger and join it to the first node",
      ),
    );
  }
  problems.push(...checkEdges({ definition, sidecar: { layout: {}, notes: {} } }, catalog));
  const { cyclic } = topological(definition);
  if (cyclic.length > 0) {
    problems.push(
      error(
        "CYCLE",
        "/edges",
        null,
        `these nodes lead back to themselves: ${cyclic.join(", ")}`,
        "a workflow is a DAG; use `for_each` for repetition",
      ),
    );
  }
  const { before, after } = adjacency(definition);
  const triggers = nodes.filter(([, node]) => isTrigger(catalog.get(node.type))).map(([key]) => key);
  const reached = new Set([...triggers, ...reach(triggers, after)]);
  for (const [key] of nodes) {
    if (reached.has(key)) continue;
    problems.push(
      error(
        "NODE_UNREACHABLE",
        pointer("nodes", key),
        key,
        `no path leads from a trigger to \`${key}\``,
        "join it to a node that runs before it, or remove it",
      ),
    );
  }
  if (cyclic.length === 0) {
    for (const [key, node] of nodes) if (!node.disabled) problems.push(...checkReads(key, node, reach([key], before)));
  }
  for (const read of outputReads(definition)) {
    if (Object.hasOwn(definition.nodes, read)) continue;
    problems.push(error("REFERENCE_NOT_UPSTREAM", "/output", null, `there is no node \`${read}\``));
  }
  return problems;
}

function error(code: string, path: string, node: string | null, message: string, hint: string | null = null): Problem {
  return { code, severity: "ERROR", path, node, message, hint };
}

function checkReads(key: string, node: FlowNode, upstream: ReadonlySet<string>): Problem[] {
  return [...cachedReads(node)]
    .filter((read) => !upstream.has(read))
    .map((read) =>
      error(
        "REFERENCE_NOT_UPSTREAM",
        pointer("nodes", key),
        key,
        `\`${key}\` reads the output of \`${read}\`, which does not come before it`,
        `join \`${read}\` to \`${key}\`, directly or through other nodes`,
      ),
    );
}

// Nodes never change in place, so what was read of one stays true.
const readsByNode = new WeakMap<FlowNode, Set<string>>();
function cachedReads(node: FlowNode): Set<string> {
  const known = readsByNode.get(node);
  if (known) return known;
  const reads = readsOf(node);
  readsByNode.set(node, reads);
  return reads;
}

const problemsByNode = new WeakMap<FlowNode, { key: string; catalog: Catalog; problems: Problem[] }>();
function checkNode(key: string, node: FlowNode, catalog: Catalog): Problem[] {
  const known = problemsByNode.get(node);
  if (known?.key === key && known.catalog === catalog) return known.problems;
  const problems = nodeProblems(key, node, catalog);
  problemsByNode.set(node, { key, catalog, problems });
  return problems;
}

function nodeProblems(key: string, node: FlowNode, catalog: Catalog): Problem[] {
  const problems: Problem[] = [];
  const path = pointer("nodes", key);
  if (!keyFits(key)) {
    problems.push(
      error(
        "NODE_KEY_INVALID",
        path,
        key,
        `\`${key}\` cannot be a node key`,
        "use a lower-case letter, then lower-case letters, digits and `_`, at most 63",
      ),
    );
  }
  const type = catalog.get(node.type);
  if (!type) {
    problems.push(error("NODE_TYPE_UNKNOWN", `${path}/type`, key, `there is no node type \`${node.type}\` here`));
  } else if (node.disabled) {
    // What a disabled node says is not looked at, only where it stands.
    if (isTrigger(type)) {
      problems.push(
        error(
          "TRIGGER_DISABLED",
          `${path}/disabled`,
          key,
          `\`${key}\` starts runs and cannot be disabled`,
          "pause it where the workflow is deployed, or take it away",
        ),
      );
    }
    return problems;
  } else {
    problems.push(...missingFields(type.configSchema, node.config ?? {}, `${path}/config`, key));
    if (node.for_each && !type.forEach) {
      problems.push(
        error(
          "FOR_EACH_INVALID",
          `${path}/for_each`,
          key,
          "nodes of this type run once",
          "put `for_each` on the node that does the work of one item",
        ),
      );
    }
  }
  problems.push(
    ...unclosed(node.config, `${path}/config`, key),
    ...unclosed(node.for_each?.items, `${path}/for_each/items`, key),
  );
  return problems;
}

/** Required fields that are not there, through the objects that are. */
function missingFields(schema: Json, value: Json, path: string, key: string): Problem[] {
  if (!isObject(schema) || !isObject(value)) return [];
  const required = Array.isArray(schema.required) ? schema.required : [];
  const missing = required
    .filter((field): field is string => typeof field === "string" && !Object.hasOwn(value, field))
    .map((field) => error("CONFIG_INVALID", path, key, `"${field}" is a required property`));
  const properties = isObject(schema.properties) ? schema.properties : {};
  const inside = Object.entries(value).flatMap(([field, item]) =>
    missingFields(properties[field] ?? schema.additionalProperties ?? true, item, path + pointer(field), key),
  );
  return [...missing, ...inside];
}

function unclosed(value: Json | undefined, path: string, key: string): Problem[] {
  if (typeof value === "string") {
    if (!value.includes("{{") || expressions(value).every((span) => span.closed)) return [];
    const message = "this `{{` is never closed by `}}`; a literal one is written \\{{";
    return [error("EXPRESSION_INVALID", path, key, message)];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => unclosed(item, `${path}/${index}`, key));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([field, item]) => unclosed(item, path + pointer(field), key));
}

function checkEdges({ definition }: FlowDocument, catalog: Catalog): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const taken = new Map<string, number>();
  definition.edges.forEach((edge, index) => {
    const path = pointer("edges", index);
    const [from, to] = [source(edge), target(edge)];
    const [before, after] = [definition.nodes[from.node], definition.nodes[to.node]];
    if (!before || !after) {
      const gone = [from, to].filter((end) => !Object.hasOwn(definition.nodes, end.node)).map((end) => end.node);
      problems.push(error("EDGE_DANGLING", path, null, `there is no node \`${gone.join("` and no node `")}\``));
      return;
    }
    if (seen.has(edgeId(edge))) {
      problems.push(
        error("EDGE_DUPLICATE", path, null, `the edge from \`${edge.from}\` to \`${edge.to}\` is there already`),
      );
      return;
    }
    seen.add(edgeId(edge));
    problems.push(...checkPorts(path, [from, before], [to, after], taken, catalog));
  });
  return problems;
}

function checkPorts(
  path: string,
  [from, before]: [End, FlowNode],
  [to, after]: [End, FlowNode],
  taken: Map<string, number>,
  catalog: Catalog,
): Problem[] {
  const [known, knownTo] = [catalog.has(before.type), catalog.has(after.type)];
  const output = outputsOf(before, catalog).find((port) => port.name === from.port);
  const input = inputsOf(after, catalog).find((port) => port.name === to.port);
  if (known && !output) {
    return [error("PORT_UNKNOWN", `${path}/from`, from.node, `\`${from.node}\` has no output \`${from.port}\``)];
  }
  if (knownTo && !input) {
    const trigger = isTrigger(catalog.get(after.type));
    const message = trigger ? "a trigger takes no edge" : `\`${to.node}\` has no input \`${to.port}\``;
    return [error("PORT_UNKNOWN", `${path}/to`, to.node, message)];
  }
  if (!output || !input || !known || !knownTo) return [];
  const problems: Problem[] = [];
  const end = `${to.node}.${to.port}`;
  const count = (taken.get(end) ?? 0) + 1;
  taken.set(end, count);
  if (count === 2 && !input.many) {
    const message = `\`${to.node}\` takes one edge at \`${input.name}\``;
    const hint = "put a `flow.merge@1` before it and join the edges there";
    problems.push(error("PORT_TAKEN", `${path}/to`, to.node, message, hint));
  }
  if (!fits(leaving(before, output), input.type)) {
    const message = `what leaves \`${from.node}\` cannot arrive at \`${to.node}\``;
    const hint = "put a `data.set@1` between them that makes the value that is wanted";
    problems.push(error("PORT_TYPE_MISMATCH", path, to.node, message, hint));
  }
  return problems;
}
