import type { Definition, FlowNode } from "./document";
import { nodesRead, renameInText } from "./expression";
import { isObject, type Json } from "./json";

/** Every text in a value that may hold expressions; keys of objects never do. */
function* texts(value: Json | undefined): Generator<string> {
  if (typeof value === "string") yield value;
  else if (Array.isArray(value)) for (const item of value) yield* texts(item);
  else if (isObject(value)) for (const item of Object.values(value)) yield* texts(item);
}

/** The keys of the nodes that a node reads by its expressions. */
export function readsOf(node: FlowNode): Set<string> {
  const keys = new Set<string>();
  for (const part of [node.config, node.for_each?.items]) {
    for (const text of texts(part)) for (const key of nodesRead(text)) keys.add(key);
  }
  return keys;
}

/** The keys of the nodes that the run's result reads. */
export function outputReads(definition: Definition): Set<string> {
  const keys = new Set<string>();
  for (const text of texts(definition.output)) for (const key of nodesRead(text)) keys.add(key);
  return keys;
}

/** A value with nodes called by other keys in its expressions. What names none of them stays the same object. */
export function renameIn<T extends Json | undefined>(value: T, rename: (key: string) => string | undefined): T {
  if (typeof value === "string") return renameInText(value, rename) as T;
  if (Array.isArray(value)) {
    const items = value.map((item) => renameIn(item, rename));
    return (items.every((item, index) => item === value[index]) ? value : items) as T;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, renameIn(item, rename)] as const);
  return (entries.every(([key, item]) => item === value[key]) ? value : Object.fromEntries(entries)) as T;
}

/** A node whose expressions call other nodes by other keys; the same object when they call none of them. */
export function renameInNode(node: FlowNode, rename: (key: string) => string | undefined): FlowNode {
  const config = renameIn(node.config, rename);
  const items = renameIn(node.for_each?.items, rename);
  const renamed = { ...node };
  if (config !== undefined) renamed.config = config;
  if (node.for_each && items !== undefined) renamed.for_each = { ...node.for_each, items };
  return config === node.config && items === node.for_each?.items ? node : renamed;
}
