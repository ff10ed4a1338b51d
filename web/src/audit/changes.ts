import { isObject, type Json } from "@/canvas/model/json";

/** One field that an action changed. */
export interface FieldChange {
  /** Where it is, such as `role` or `quota / runs`. */
  path: string;
  before?: Json | undefined;
  after?: Json | undefined;
  /** What came to a list, and what left it, when the field is a list of words. */
  items?: { added: string[]; removed: string[]; kept: number } | undefined;
}

const isWords = (value: Json | undefined): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

/** What is different between how a thing was and how it is, field by field. */
export function changesBetween(before: Json | undefined, after: Json | undefined, path = ""): FieldChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const some = isObject(before) ? before : isObject(after) ? after : undefined;
  // A field that is no object on one side is shown whole; absent on one side, its parts are.
  const isNested = some && [before, after].every((side) => side === undefined || side === null || isObject(side));
  if (isNested) {
    const names = new Set([before, after].flatMap((side) => (isObject(side) ? Object.keys(side) : [])));
    const at = (side: Json | undefined, name: string) => (isObject(side) ? side[name] : undefined);
    return [...names].flatMap((name) =>
      changesBetween(at(before, name), at(after, name), path ? `${path} / ${name}` : name),
    );
  }
  // What is null and what is absent is the same nothing, and for a list of words the same as none of them.
  const [was, is] = [before ?? (isWords(after) ? [] : null), after ?? (isWords(before) ? [] : null)];
  if (isWords(was) && isWords(is)) {
    const added = is.filter((word) => !was.includes(word));
    const removed = was.filter((word) => !is.includes(word));
    return [{ path, before, after, items: { added, removed, kept: is.length - added.length } }];
  }
  if ((before ?? null) === null && (after ?? null) === null) return [];
  return [{ path, before: before ?? undefined, after: after ?? undefined }];
}
