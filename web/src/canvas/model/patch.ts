import { escapeStep, isObject, type Json, same, steps } from "./json";

/** One operation of a JSON Patch (RFC 6902); of those only the three that a difference needs. */
export type Operation =
  | { op: "add"; path: string; value: Json }
  | { op: "replace"; path: string; value: Json }
  | { op: "remove"; path: string };

/** A patch that does not fit the document it was put to. */
export class PatchError extends Error {}

/** The patch that turns `before` into `after`. Parts that are the same object are passed over at no cost. */
export function diff(before: unknown, after: unknown): Operation[] {
  const operations: Operation[] = [];
  compare(before as Json, after as Json, "", operations);
  return operations;
}

function compare(before: Json, after: Json, path: string, operations: Operation[]): void {
  if (before === after) return;
  if (isObject(before) && isObject(after)) {
    for (const key of Object.keys(before)) {
      if (!has(after, key)) operations.push({ op: "remove", path: `${path}/${escapeStep(key)}` });
    }
    for (const [key, value] of Object.entries(after)) {
      if (value === undefined) continue;
      const here = `${path}/${escapeStep(key)}`;
      if (has(before, key)) compare(before[key] as Json, value, here, operations);
      else operations.push({ op: "add", path: here, value });
    }
  } else if (Array.isArray(before) && Array.isArray(after)) {
    compareLists(before, after, path, operations);
  } else if (!same(before, after)) {
    operations.push({ op: "replace", path, value: after });
  }
}

function has(object: Record<string, unknown>, key: string): boolean {
  return Object.hasOwn(object, key) && object[key] !== undefined;
}

/** What two lists share at both ends stays; in between, places are changed, then taken away or put in. */
function compareLists(before: Json[], after: Json[], path: string, operations: Operation[]): void {
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && same(before[start], after[start])) start += 1;
  let end = 0;
  while (end < shorter - start && same(before[before.length - 1 - end], after[after.length - 1 - end])) end += 1;
  const removed = before.length - start - end;
  const added = after.length - start - end;
  const changed = Math.min(removed, added);
  for (let index = start; index < start + changed; index += 1) {
    compare(before[index] as Json, after[index] as Json, `${path}/${index}`, operations);
  }
  for (let index = start + removed - 1; index >= start + changed; index -= 1) {
    operations.push({ op: "remove", path: `${path}/${index}` });
  }
  for (let index = start + changed; index < start + added; index += 1) {
    operations.push({ op: "add", path: `${path}/${index}`, value: after[index] as Json });
  }
}

/** The document with the patch put to it; the given one stays as it is. */
export function applyPatch<T>(document: T, operations: readonly Operation[]): T {
  let root = structuredClone(document) as Json;
  for (const operation of operations) root = applied(root, operation);
  return root as T;
}

function applied(root: Json, operation: Operation): Json {
  const path = steps(operation.path);
  const last = path.pop();
  if (last === undefined) {
    if (operation.op === "remove") throw new PatchError("the whole document cannot be removed");
    return structuredClone(operation.value);
  }
  let parent: Json | undefined = root;
  for (const step of path) parent = child(parent, step);
  const value = operation.op === "remove" ? undefined : structuredClone(operation.value);
  if (Array.isArray(parent)) changeList(parent, operation, last, value);
  else if (isObject(parent)) {
    if (operation.op !== "add" && !Object.hasOwn(parent, last)) throw new PatchError(`nothing is at ${operation.path}`);
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  } else throw new PatchError(`nothing is at ${operation.path}`);
  return root;
}

function changeList(list: Json[], operation: Operation, step: string, value: Json | undefined): void {
  const index = step === "-" ? list.length : Number(step);
  const most = operation.op === "add" ? list.length : list.length - 1;
  if (!Number.isInteger(index) || index < 0 || index > most) throw new PatchError(`nothing is at ${operation.path}`);
  if (value === undefined) list.splice(index, 1);
  else list.splice(index, operation.op === "add" ? 0 : 1, value);
}

function child(parent: Json | undefined, step: string): Json | undefined {
  if (Array.isArray(parent)) return parent[Number(step)];
  if (isObject(parent) && Object.hasOwn(parent, step)) return parent[step];
  return undefined;
}
