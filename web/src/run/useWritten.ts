import { useCallback, useEffect, useRef, useState } from "react";
import { type Client, useClient } from "urql";
import type { Json } from "@/canvas/model/json";
import { nodeRunId } from "@/canvas/overlay/ids";
import { type Level, type LogLine, readWritten, type Writing, writingKey } from "./logLines";

/** Writings that are read with one request; an operation may have twenty fields at its root. */
const AT_ONCE = 15;
/** How often something is asked for that must be there, and how soon again. */
const MOST_TRIES = 6;
const TRY_AFTER_MS = 200;

interface Answer {
  [name: string]: {
    output?: { preview: string; truncated: boolean } | null;
    attempts?: { number: number; log: { dropped: number; lines: { level: string; message: string }[] } | null }[];
  } | null;
}

/** A line whose writing is to be read. */
export type Wanted = Pick<LogLine, "written" | "nodeRun" | "attempt">;

const SELECTED = {
  line: "output { preview(maxBytes: 65536) truncated(maxBytes: 65536) }",
  attempt: "attempts { number log { dropped lines { level message } } }",
};

function jsonOf(preview: string): Json {
  try {
    return JSON.parse(preview) as Json;
  } catch {
    return preview;
  }
}

/** What was written there, as far as it can be read already. */
async function readWritings(client: Client, runId: string, wanted: readonly Wanted[]): Promise<Map<string, Writing>> {
  const names = wanted.map((_, index) => `l${index}`);
  const query = `query LogLines(${names.map((name) => `$${name}: ID!`).join(" ")}) {${wanted
    .map(
      ({ written }, index) =>
        `l${index}: node(id: $l${index}) { __typename ... on NodeRun { id ${SELECTED[written ?? "line"]} } }`,
    )
    .join(" ")}}`;
  const variables = Object.fromEntries(
    names.map((name, index) => [name, nodeRunId(runId, wanted[index]?.nodeRun ?? "")]),
  );
  const { data } = await client.query<Answer>(query, variables, { requestPolicy: "network-only" }).toPromise();
  const found = new Map<string, Writing>();
  for (const [index, one] of wanted.entries()) {
    const answer = data?.[`l${index}`];
    if (one.written === "attempt") {
      const log = answer?.attempts?.find(({ number }) => number === one.attempt)?.log;
      if (!log) continue;
      const lines = log.lines.map(({ level, message }) => ({
        level: level.toLowerCase() as Level,
        message,
        fields: {},
      }));
      found.set(writingKey(one), { lines, dropped: log.dropped });
    } else if (answer?.output) {
      const { preview, truncated } = answer.output;
      found.set(writingKey(one), { lines: [readWritten(truncated ? preview : jsonOf(preview))], dropped: 0 });
    }
  }
  return found;
}

/** Reads writings as they are wanted, many at once and each only once. */
export function useWritten(runId: string) {
  const client = useClient();
  const [known, setKnown] = useState<ReadonlyMap<string, Writing>>(new Map());
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
      let missing = wanted.filter((one) => !asked.current.has(writingKey(one)));
      for (const one of missing) asked.current.add(writingKey(one));
      const all = new Map<string, Writing>();
      // Events may be told a moment before their results can be read.
      for (let tries = 0; missing.length > 0 && tries < MOST_TRIES && !gone.current; tries += 1) {
        if (tries > 0) await new Promise((resolve) => window.setTimeout(resolve, TRY_AFTER_MS * 2 ** tries));
        for (let from = 0; from < missing.length; from += AT_ONCE) {
          const found = await readWritings(client, runId, missing.slice(from, from + AT_ONCE));
          for (const [key, writing] of found) all.set(key, writing);
          if (found.size > 0) setKnown((before) => new Map([...before, ...found]));
        }
        missing = missing.filter((one) => !all.has(writingKey(one)));
      }
      return all;
    },
    [client, runId],
  );
  return { known, want };
}
