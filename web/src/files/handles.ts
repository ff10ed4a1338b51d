import { isObject, type Json } from "@/canvas/model/json";
import type { Source } from "@/data/source";

/** More values than this are not looked through for handles of files. */
const MOST_LOOKED_AT = 5_000;
/** More files than this are not asked for because of one value. */
const MOST_ASKED = 60;

/**
 * The id in what looks like the handle of a file. Anybody can write such a thing into data: it is a file only when the
 * server says that the run has it, and what it is called is then what the server says.
 */
export function fileIdIn(value: Json | undefined): string | undefined {
  if (!isObject(value) || !Object.hasOwn(value, "$file")) return undefined;
  const id = value.$file;
  return typeof id === "string" && /^art_[0-9a-f]{32}$/.test(id) ? id : undefined;
}

/** The ids of what looks like handles of files anywhere in a value, each once and in their order. */
export function fileIdsIn(value: Json): string[] {
  const found = new Set<string>();
  const open: Json[] = [value];
  for (let looked = 0; open.length > 0 && looked < MOST_LOOKED_AT && found.size < MOST_ASKED; looked += 1) {
    const one = open.pop();
    const id = fileIdIn(one);
    if (id !== undefined) found.add(id);
    else if (Array.isArray(one)) open.push(...one.slice(0, MOST_LOOKED_AT).reverse());
    else if (isObject(one)) open.push(...Object.values(one).slice(0, MOST_LOOKED_AT).reverse());
  }
  return [...found];
}

/** The run that a value belongs to. */
export function runOf(source: Source): string {
  return source.of === "output" ? source.nodeRun.replace(/^nrun_/, "run_").replace(/\..*$/s, "") : source.run;
}

/** A run and those that it tries again, as far back as was asked. */
export interface Line {
  id: string;
  retryOf?: Line | null;
}

function idsOf(line: Line): string[] {
  return line.retryOf ? [line.id, ...idsOf(line.retryOf)] : [line.id];
}

/** Whether a file of one run is a file of another one as well: a run has those of the run that it tries again. */
export function shares(run: Line, owner: Line): boolean {
  const known = new Set(idsOf(run));
  return idsOf(owner).some((id) => known.has(id));
}
