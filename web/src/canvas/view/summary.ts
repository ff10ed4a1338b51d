import type { NodeTypeSpec } from "../model/catalog";
import type { FlowNode } from "../model/document";
import { isObject, type Json } from "../model/json";

/** Longer texts are cut on a card anyway. */
const MOST = 60;

/** What a node does, in one line: its kind, and the parameter that tells it from others of its kind. */
export function summaryOf(node: FlowNode, type: NodeTypeSpec | undefined): string {
  const title = type?.title ?? node.type;
  const told = type ? telling(type.configSchema, node.config ?? {}) : undefined;
  return told === undefined ? title : `${title} · ${told}`;
}

/** The first text among what must be given, else among what may be given. */
function telling(schema: Json, config: Json): string | undefined {
  if (!isObject(schema) || !isObject(schema.properties) || !isObject(config)) return undefined;
  const required = Array.isArray(schema.required) ? schema.required : [];
  const names = Object.keys(schema.properties).sort(
    (a, b) => Number(required.includes(b)) - Number(required.includes(a)),
  );
  for (const name of names) {
    const value = config[name];
    if (typeof value === "string" && value !== "") return bare(value);
    if (isObject(value)) {
      const inside = telling(schema.properties[name] ?? true, value);
      if (inside !== undefined) return inside;
    }
  }
  return undefined;
}

/** The text without what every expression begins and ends with. */
function bare(text: string): string {
  const only = /^\{\{\s*([^{}]*?)\s*\}\}$/.exec(text)?.[1];
  // Of an address the path tells more than the host, and there is no room for both.
  return (only ?? text).replace(/^https?:\/\/([^/]*?(?=\/.)|)/, "").slice(0, MOST);
}
