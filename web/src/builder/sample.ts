import { isObject, type Json } from "@/canvas/model/json";

/** A first input that a schema would take: its required fields, empty. */
export function sample(schema: Json | undefined): Json {
  if (!isObject(schema)) return {};
  if (schema.default !== undefined) return schema.default;
  if (Array.isArray(schema.enum)) return schema.enum[0] ?? null;
  switch (schema.type) {
    case "string":
      return "";
    case "integer":
    case "number":
      return typeof schema.minimum === "number" ? schema.minimum : 0;
    case "boolean":
      return false;
    case "array":
      return schema.minItems ? [sample(schema.items)] : [];
  }
  const properties = isObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required.map(String) : Object.keys(properties);
  return Object.fromEntries(required.map((name) => [name, sample(properties[name])]));
}
