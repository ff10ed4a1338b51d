import { useCallback, useEffect, useRef, useState } from "react";
import { type Client, useClient } from "urql";
import type { Json } from "@/canvas/model/json";
import { nodeRunId } from "@/canvas/overlay/ids";
import { readWritten, type Written } from "./logLines";

/** Lines that are read with one request; an operation may have twenty fields at its root. */
const AT_ONCE = 15;
/** How often a line is asked for that must be there, and how soon again. */
const MOST_TRIES = 6;
const TRY_AFTER_MS = 200;

interface Answer {
  [name: string]: { output?: { preview: string; truncated: boolean } | null } | null;
}

/** What these node runs wrote, as far as it can be read already. */
async function readLines(client: Client, runId: string, nodeRuns: readonly string[]): Promise<Map<string, Written>> {
  const names = nodeRuns.map((_, index) => `l${index}`);
  const query = `query LogLines(${names.map((name) => `$${name}: ID!`).join(" ")}) {${names
    .map(
      (name) =>
        `${name}: node(id: $${name}) { __typename ... on NodeRun { id output { preview(maxBytes: 65536) truncated(maxBytes: 65536) } } }`,
    )
    .join(" ")}}`;
  const variables = Object.fromEntries(names.map((name, index) => [name, nodeRunId(runId, nodeRuns[index] ?? "")]));
  const { data } = await client.query<Answer>(query, variables, { requestPolicy: "network-only" }).toPromise();
  const found = new Map<string, Written>();
  nodeRuns.forEach((nodeRun, index) => {
    const output = data?.[`l${index}`]?.output;
    if (!output) return;
    const value = output.truncated ? output.preview : (JSON.parse(output.preview) as Json);
    found.set(nodeRun, readWritten(value));
  });
  return found;
}

/** Reads lines as they are wanted, many at once and each only once. */
export function useWritten(runId: string) {
  const client = useClient();
  const [lines, setLines] = useState<ReadonlyMap<string, Written>>(new Map());
  const asked = useRef(new Set<string>());
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  const want = useCallback(
    async (nodeRuns: readonly string[]) => {
      let missing = nodeRuns.filter((one) => !asked.current.has(one));
      for (const one of missing) asked.current.add(one);
      const all = new Map<string, Written>();
      // Events may be told a moment before their results can be read.
      for (let tries = 0; missing.length > 0 && tries < MOST_TRIES && !gone.current; tries += 1) {
        if (tries > 0) await new Promise((resolve) => window.setTimeout(resolve, TRY_AFTER_MS * 2 ** tries));
        for (let from = 0; from < missing.length; from += AT_ONCE) {
          const found = await readLines(client, runId, missing.slice(from, from + AT_ONCE));
          for (const [one, written] of found) all.set(one, written);
          if (found.size > 0) setLines((before) => new Map([...before, ...found]));
        }
        missing = missing.filter((one) => !all.has(one));
      }
      return all;
    },
    [client, runId],
  );
  return { lines, want };
}
