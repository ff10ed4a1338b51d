import { isObject, type Json } from "@/canvas/model/json";

/** A member of a run's input that is a file. */
export interface FileField {
  name: string;
  title: string;
  isRequired: boolean;
}

/** Whether a schema is one of a file: marked as such, or an object that must have a file's id. */
function isFile(schema: Json | undefined): boolean {
  if (!isObject(schema)) return false;
  if (schema["x-file"] === true) return true;
  if (Array.isArray(schema.required) && schema.required.includes("$file")) return true;
  const choices = schema.anyOf ?? schema.oneOf;
  return Array.isArray(choices) && choices.some(isFile);
}

/** The members of an input that its schema says are files, those first that must be there. */
export function fileFields(schema: Json | undefined): FileField[] {
  if (!isObject(schema) || !isObject(schema.properties)) return [];
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties)
    .filter(([, property]) => isFile(property))
    .map(([name, property]) => {
      const title = isObject(property) && typeof property.title === "string" ? property.title : name;
      return { name, title, isRequired: required.includes(name) };
    })
    .sort((a, b) => Number(b.isRequired) - Number(a.isRequired));
}

/** The same schema without these members: what is left to be typed. */
export function withoutFields(schema: Json | undefined, fields: readonly FileField[]): Json | undefined {
  if (!isObject(schema) || !isObject(schema.properties) || fields.length === 0) return schema;
  const isLeft = (name: Json) => !fields.some((field) => field.name === name);
  return {
    ...schema,
    properties: Object.fromEntries(Object.entries(schema.properties).filter(([name]) => isLeft(name))),
    ...(Array.isArray(schema.required) ? { required: schema.required.filter(isLeft) } : {}),
  };
}

/** A name for one more member that is not taken: `file`, `file2`, … */
export function freeName(taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? "file" : `file${number}`;
    if (!taken.includes(name)) return name;
  }
}
