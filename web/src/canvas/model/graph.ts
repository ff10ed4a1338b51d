import { type Definition, source, target } from "./document";

/** Which nodes lead to which, by keys. Edges to nodes that are not there are left out. */
export interface Adjacency {
  before: ReadonlyMap<string, readonly string[]>;
  after: ReadonlyMap<string, readonly string[]>;
}

/** Reads the edges once. */
export function adjacency(definition: Definition): Adjacency {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  for (const key of Object.keys(definition.nodes)) {
    before.set(key, []);
    after.set(key, []);
  }
  for (const edge of definition.edges) {
    const [from, to] = [source(edge).node, target(edge).node];
    const [incoming, outgoing] = [before.get(to), after.get(from)];
    if (!incoming || !outgoing) continue;
    if (!incoming.includes(from)) incoming.push(from);
    if (!outgoing.includes(to)) outgoing.push(to);
  }
  return { before, after };
}

/** Everything that can be reached from these nodes, without themselves unless a cycle leads back. */
export function reach(starts: Iterable<string>, next: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set<string>();
  const open = [...starts];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    for (const neighbor of next.get(key) ?? []) {
      if (reached.has(neighbor)) continue;
      reached.add(neighbor);
      open.push(neighbor);
    }
  }
  return reached;
}

/** Every node that comes before this one. */
export function upstream(definition: Definition, key: string): Set<string> {
  return reach([key], adjacency(definition).before);
}

/** Whether an edge between these two would lead back to where it began. */
export function wouldCycle(definition: Definition, from: string, to: string): boolean {
  return from === to || reach([to], adjacency(definition).after).has(from);
}

/**
 * The nodes in the order in which they run, as far as there is one; what lies on a cycle or behind one comes last.
 * Within what could run at the same time, the order is that of the keys.
 */
export function topological(definition: Definition): { order: string[]; cyclic: string[] } {
  const { before, after } = adjacency(definition);
  const open = new Map([...before].map(([key, keys]) => [key, keys.length]));
  const order = [...open].filter(([, count]) => count === 0).map(([key]) => key);
  for (const key of order) {
    for (const next of after.get(key) ?? []) {
      const left = (open.get(next) ?? 0) - 1;
      open.set(next, left);
      if (left === 0) order.push(next);
    }
  }
  const placed = new Set(order);
  const stuck = new Set([...open.keys()].filter((key) => !placed.has(key)));
  const behind = [...stuck];
  // What only lies behind a cycle is not part of one.
  for (let changed = true; changed; ) {
    changed = false;
    for (const key of stuck) {
      if ((after.get(key) ?? []).some((next) => stuck.has(next))) continue;
      stuck.delete(key);
      changed = true;
    }
  }
  return { order: [...order, ...behind], cyclic: [...stuck].sort() };
}

/** How many edges the longest way from a start to each node has. */
export function depths(definition: Definition): Map<string, number> {
  const { before } = adjacency(definition);
  const depth = new Map<string, number>();
  for (const key of topological(definition).order) {
    depth.set(key, Math.max(-1, ...(before.get(key) ?? []).map((one) => depth.get(one) ?? -1)) + 1);
  }
  return depth;
}
