import { useCallback, useEffect, useRef, useState } from "react";
import { type Client, useClient } from "urql";
import type { Json } from "@/canvas/model/json";
import { nodeRunId } from "@/canvas/overlay/ids";
import { readConsole, readWritten, type Writer, type Writing, type Written } from "./logLines";

/** Lines that are read with one request; an operation may have twenty fields at its root. */
const AT_ONCE = 15;
/** How often a line is asked for that must be there, and how soon again. */
const MOST_TRIES = 6;
const TRY_AFTER_MS = 200;

/** What a page of parts tells. */
interface Parts {
  hasNextPage: boolean;
  parts: { name: string; cursor: string; preview: string }[];
}

interface Answer {
  [name: string]: {
    output?: { preview: string; truncated: boolean; root: Parts; console: Parts } | null;
  } | null;
}

/** A node run, and how its output is read. */
export interface Wanted {
  nodeRun: string;
  writer: Writer;
}

const CONSOLE =
  'console: page(path: "/console", first: 100) { hasNextPage parts { name cursor preview(maxBytes: 65536) } }';
const SELECTED: Record<Writer, string> = {
  line: "preview(maxBytes: 65536) truncated(maxBytes: 65536)",
  // The result beside the console may be large, and is none of the log's business.
  console: `root: page(first: 5) { parts { name preview(maxBytes: 32) } } ${CONSOLE}`,
};

const MORE = `query ConsoleLines($id: ID!, $after: String) {
  l0: node(id: $id) { __typename ... on NodeRun { id output { ${CONSOLE.replace("first: 100", "first: 100, after: $after")} } } }
}`;

function jsonOf(preview: string): Json {
  try {
    return JSON.parse(preview) as Json;
  } catch {
    return preview;
  }
}

/** What these node runs wrote, as far as it can be read already. */
async function readLines(client: Client, runId: string, wanted: readonly Wanted[]): Promise<Map<string, Writing>> {
  const names = wanted.map((_, index) => `l${index}`);
  const query = `query LogLines(${names.map((name) => `$${name}: ID!`).join(" ")}) {${wanted
    .map(
      ({ writer }, index) =>
        `l${index}: node(id: $l${index}) { __typename ... on NodeRun { id output { ${SELECTED[writer]} } } }`,
    )
    .join(" ")}}`;
  const variables = Object.fromEntries(
    names.map((name, index) => [name, nodeRunId(runId, wanted[index]?.nodeRun ?? "")]),
  );
  const { data } = await client.query<Answer>(query, variables, { requestPolicy: "network-only" }).toPromise();
  const found = new Map<string, Writing>();
  for (const [index, { nodeRun, writer }] of wanted.entries()) {
    const output = data?.[`l${index}`]?.output;
    if (!output) continue;
    if (writer === "line") {
      const value = output.truncated ? output.preview : jsonOf(output.preview);
      found.set(nodeRun, { lines: [readWritten(value)], dropped: 0 });
    } else {
      found.set(nodeRun, await readWhole(client, nodeRunId(runId, nodeRun), output.root, output.console));
    }
  }
  return found;
}

/** A console from its first page on. */
async function readWhole(client: Client, id: string, root: Parts, first: Parts): Promise<Writing> {
  const lines: Written[] = [];
  let page: Parts | undefined = first;
  while (page) {
    lines.push(...page.parts.map(({ preview }) => readConsole(jsonOf(preview))));
    const after: string | undefined = page.hasNextPage ? page.parts.at(-1)?.cursor : undefined;
    if (after === undefined) break;
    const { data } = await client.query<Answer>(MORE, { id, after }, { requestPolicy: "network-only" }).toPromise();
    page = data?.l0?.output?.console;
  }
  const dropped = Number(root.parts.find(({ name }) => name === "console_dropped")?.preview);
  return { lines, dropped: Number.isFinite(dropped) ? dropped : 0 };
}

/** Reads lines as they are wanted, many at once and each only once. */
export function useWritten(runId: string) {
  const client = useClient();
  const [lines, setLines] = useState<ReadonlyMap<string, Writing>>(new Map());
  const asked = useRef(new Set<string>());
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  const want = useCallback(
    async (wanted: readonly Wanted[]) => {
      let missing = wanted.filter(({ nodeRun }) => !asked.current.has(nodeRun));
      for (const { nodeRun } of missing) asked.current.add(nodeRun);
      const all = new Map<string, Writing>();
      // Events may be told a moment before their results can be read.
      for (let tries = 0; missing.length > 0 && tries < MOST_TRIES && !gone.current; tries += 1) {
        if (tries > 0) await new Promise((resolve) => window.setTimeout(resolve, TRY_AFTER_MS * 2 ** tries));
        for (let from = 0; from < missing.length; from += AT_ONCE) {
          const found = await readLines(client, runId, missing.slice(from, from + AT_ONCE));
          for (const [one, writing] of found) all.set(one, writing);
          if (found.size > 0) setLines((before) => new Map([...before, ...found]));
        }
        missing = missing.filter(({ nodeRun }) => !all.has(nodeRun));
      }
      return all;
    },
    [client, runId],
  );
  return { lines, want };
}
