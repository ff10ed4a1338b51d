import { useEffect, useState } from "react";
import { type Client, useClient } from "urql";
import type { Source } from "@/data/source";
import { type Line, runOf, shares } from "./handles";

/** A file as the server knows it. */
export interface RunFile {
  id: string;
  name: string;
  mediaType: string;
  size: number;
  contentPath: string;
}

/** Files that are asked for with one request; an operation may have twenty fields at its root. */
const AT_ONCE = 15;
const LINE = "id retryOf { id retryOf { id retryOf { id } } }";

interface Found extends RunFile {
  __typename: string;
  run: Line | null;
}

type Answer = Record<string, Found | Line | null>;

/** Which of these files a run has; one that is not there is answered with null, whatever else there is. */
async function readFiles(client: Client, run: string, ids: readonly string[]): Promise<Map<string, RunFile | null>> {
  const query = `query FilesOfRun($run: ID!${ids.map((_, index) => ` $f${index}: ID!`).join("")}) {
    run(id: $run) { ${LINE} }${ids
      .map(
        (_, index) => `
    f${index}: node(id: $f${index}) { __typename ... on Artifact { id name mediaType size contentPath run { ${LINE} } } }`,
      )
      .join("")}
  }`;
  const variables = Object.fromEntries([["run", run], ...ids.map((id, index) => [`f${index}`, id])]);
  const { data } = await client.query<Answer>(query, variables, { requestPolicy: "network-only" }).toPromise();
  const own = data?.run as Line | null | undefined;
  const files = new Map<string, RunFile | null>();
  if (!data || !own) return files;
  ids.forEach((id, index) => {
    const found = data[`f${index}`] as Found | null;
    files.set(id, found?.__typename === "Artifact" && found.run && shares(own, found.run) ? found : null);
  });
  return files;
}

/** What is known of the files of one run, and what somebody waits for. */
class Shelf {
  private readonly known = new Map<string, RunFile | null>();
  private wanted = new Map<string, ((file: RunFile | null) => void)[]>();

  constructor(
    private readonly client: Client,
    private readonly run: string,
  ) {}

  /** The file of this id, when the run has it. Everything that is wanted in one turn is asked for at once. */
  get(id: string): Promise<RunFile | null> {
    const known = this.known.get(id);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      if (this.wanted.size === 0) queueMicrotask(() => void this.ask());
      this.wanted.set(id, [...(this.wanted.get(id) ?? []), resolve]);
    });
  }

  private async ask(): Promise<void> {
    const { wanted } = this;
    this.wanted = new Map();
    const ids = [...wanted.keys()];
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = ids.slice(from, from + AT_ONCE);
      const found = await readFiles(this.client, this.run, some);
      for (const id of some) {
        const file = found.get(id);
        // Without an answer nothing is known, and whoever wants it next asks again.
        if (file !== undefined) this.known.set(id, file);
        for (const resolve of wanted.get(id) ?? []) resolve(file ?? null);
      }
    }
  }
}

const shelves = new WeakMap<Client, Map<string, Shelf>>();

function shelfOf(client: Client, run: string): Shelf {
  const ofClient = shelves.get(client) ?? new Map<string, Shelf>();
  shelves.set(client, ofClient);
  const shelf = ofClient.get(run) ?? new Shelf(client, run);
  ofClient.set(run, shelf);
  return shelf;
}

const NONE: ReadonlyMap<string, RunFile> = new Map();

/** Those of these files that the run has whose value this is: what looks like another file is mere data. */
export function useFiles(source: Source | undefined, ids: readonly string[]): ReadonlyMap<string, RunFile> {
  const client = useClient();
  const [files, setFiles] = useState(NONE);
  const run = source ? runOf(source) : "";
  const asked = ids.join(" ");
  useEffect(() => {
    setFiles(NONE);
    if (asked === "" || run.length <= "run_".length) return;
    let gone = false;
    const shelf = shelfOf(client, run);
    void Promise.all(asked.split(" ").map((id) => shelf.get(id))).then((found) => {
      if (!gone) setFiles(new Map(found.flatMap((file) => (file ? [[file.id, file] as const] : []))));
    });
    return () => {
      gone = true;
    };
  }, [client, run, asked]);
  return files;
}
