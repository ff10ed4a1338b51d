import { hasExpression } from "../../model/expression";
import { isObject, type Json, type JsonObject } from "../../model/json";

/** How a field is shown. */
export type FieldKind = "choice" | "boolean" | "number" | "text" | "object" | "map" | "json";

/** How a field of this schema is shown while it holds this value. */
export function kindOf(schema: JsonObject, value: Json | undefined, required = false): FieldKind {
  // What an expression gives is anybody's guess, so it is always written as text.
  const written = typeof value === "string" && hasExpression(value);
  const type = schema.type;
  if (written) return "text";
  if (Array.isArray(schema.enum)) return "choice";
  // A condition that must be given is hardly ever a constant.
  if (type === "boolean") return required && value === undefined ? "text" : "boolean";
  if (type === "integer" || type === "number") return "number";
  if (type === "object" && isObject(schema.properties) && (value === undefined || isObject(value))) return "object";
  if (type === "object" && (value === undefined || isObject(value))) return "map";
  if (type === "string" || (Array.isArray(type) && type.includes("string"))) {
    return value === undefined || typeof value === "string" ? "text" : "json";
  }
  return typeof value === "string" ? "text" : "json";
}

/** What an empty field would mean, for people; nothing when the schema does not say. */
export function defaultText(schema: JsonObject): string | undefined {
  const value = schema.default;
  if (value === undefined) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Reads what was typed into a field for JSON. */
export function parse(text: string): { ok: true; value: Json | undefined } | { ok: false; message: string } {
  if (text.trim() === "") return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(text) as Json };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}
