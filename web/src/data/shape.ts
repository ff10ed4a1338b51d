import { isObject, type Json } from "@/canvas/model/json";

/** What kinds of values there are at one place, and what is inside them. */
export interface Shape {
  kinds: string[];
  fields?: Record<string, Shape>;
  /** Fields that are not in every object that was looked at. */
  optional?: string[];
  items?: Shape;
}

/** More items of one list than this are not looked at. */
const MOST_ITEMS = 200;

function kindOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "object" ? "object" : typeof value;
}

/** Whether a value is a file; unknown when nobody asked about it. */
export type FileSense = (value: Json) => boolean | undefined;

/**
 * What values look like, as a schema would say it: from examples, so it says what was there and promises nothing. What
 * is a file is not looked into, and what may be one is left out.
 */
export function shapeOf(examples: readonly Json[], isFile: FileSense = () => false): Shape {
  const values = examples.filter((value) => isFile(value) !== undefined);
  const kinds = [...new Set(values.map((value) => (isFile(value) ? "file" : kindOf(value))))].sort();
  const shape: Shape = { kinds: kinds.includes("number") ? kinds.filter((kind) => kind !== "integer") : kinds };
  const objects = values.filter(isObject).filter((object) => !isFile(object));
  if (objects.length > 0) {
    const names = [...new Set(objects.flatMap((object) => Object.keys(object)))];
    const present = (name: string) => objects.flatMap((object) => (object[name] === undefined ? [] : [object[name]]));
    shape.fields = Object.fromEntries(names.map((name) => [name, shapeOf(present(name), isFile)]));
    const optional = names.filter((name) => present(name).length < objects.length);
    if (optional.length > 0) shape.optional = optional;
  }
  const lists = values.filter((value) => Array.isArray(value));
  if (lists.some((list) => list.length > 0)) {
    shape.items = shapeOf(
      lists.flatMap((list) => list.slice(0, MOST_ITEMS)),
      isFile,
    );
  }
  return shape;
}

/** Names of columns for these rows, in the order in which they first appear; none when no row is an object. */
export function columnsOf(rows: readonly Json[]): string[] {
  return [...new Set(rows.flatMap((row) => (isObject(row) ? Object.keys(row) : [])))];
}
