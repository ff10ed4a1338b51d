import { expressions, hasExpression } from "../../model/expression";
import { isObject, type Json, type JsonObject } from "../../model/json";

/** How a field is shown. */
export type FieldKind = "choice" | "boolean" | "number" | "text" | "script" | "object" | "map" | "list" | "json";

/** How a field of this schema is shown while it holds this value. */
export function kindOf(schema: JsonObject, value: Json | undefined, required = false): FieldKind {
  // What looks like an expression in it is none.
  if (schema["x-verbatim"] === true) return "script";
  // What an expression gives is anybody's guess, so it is always written as text.
  const written = typeof value === "string" && hasExpression(value);
  const type = schema.type;
  if (written) return "text";
  if (value === undefined && schema["x-widget"] === "expression") return "text";
  if (Array.isArray(schema.enum)) return "choice";
  // A condition that must be given is hardly ever a constant.
  if (type === "boolean") return required && value === undefined ? "text" : "boolean";
  if (type === "integer" || type === "number") return "number";
  if (type === "object" && isObject(schema.properties) && (value === undefined || isObject(value))) return "object";
  if (type === "object" && (value === undefined || isObject(value))) return "map";
  if (type === "array" && isObject(schema.items) && (value === undefined || Array.isArray(value))) return "list";
  if (type === "string" || (Array.isArray(type) && type.includes("string"))) {
    return value === undefined || typeof value === "string" ? "text" : "json";
  }
  return typeof value === "string" ? "text" : "json";
}

/** The names of an object's fields: what must be filled in first, then as their author put them. */
export function fieldNames(schema: Json): { names: string[]; required: readonly Json[] } {
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
  const required = isObject(schema) && Array.isArray(schema.required) ? schema.required : [];
  const place = (name: string) => {
    const field = properties[name];
    const order = isObject(field) ? field["x-order"] : undefined;
    return typeof order === "number" ? order : Number.MAX_SAFE_INTEGER;
  };
  const names = Object.keys(properties).sort(
    (a, b) => Number(required.includes(b)) - Number(required.includes(a)) || place(a) - place(b),
  );
  return { names, required };
}

/** What a new entry of a list begins as. */
export function newItem(schema: JsonObject): Json {
  return schema.type === "object" ? {} : "";
}

/** What an empty field would mean, for people; nothing when the schema does not say. */
export function defaultText(schema: JsonObject): string | undefined {
  const value = schema.default;
  if (value === undefined) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Reads what was typed into a field for any value: JSON, or one expression that gives all of it. */
export function parseValue(text: string): ReturnType<typeof parse> {
  const read = parse(text);
  const whole = text.trim();
  if (read.ok || !whole.startsWith("{{") || !whole.endsWith("}}")) return read;
  const spans = expressions(whole);
  return spans.length > 0 && spans.every(({ closed }) => closed) ? { ok: true, value: whole } : read;
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
