import { createContext, useContext, useEffect, useState } from "react";
import { type Client, useClient } from "urql";
import { graphql } from "@/gql";
import type { Json } from "../model/json";
import { nodeRunId } from "../overlay/ids";
import { useNodeState } from "../overlay/overlay";

/** How much of a workflow is tried. */
export type Part = { what: "all" } | { what: "to" | "only"; node: string };

/** The run whose data the builder shows, and how to start another one. */
export interface LastRun {
  /** The test that was started here, else the latest run of the workflow. */
  runId: string | null;
  /** The slug of the workflow's project. */
  project: string;
  mayTest: boolean;
  /** May make connections. */
  mayManage: boolean;
  test: (part: Part) => void;
  /** The bindings of the webhooks that are deployed, by node key. */
  hooks: Readonly<Record<string, string>>;
}

interface Binding {
  id: string;
  node: string;
  environment: string;
  kind: string;
  version: { id: string } | null;
}

/** The webhooks that take requests in the environment that the builder deploys to, by node key. */
export function hooksOf(bindings: readonly Binding[]): Record<string, string> {
  const taking = bindings.filter(
    ({ environment, kind, version }) => environment === "default" && kind === "WEBHOOK" && version,
  );
  return Object.fromEntries(taking.map(({ node, id }) => [node, id]));
}

const Context = createContext<LastRun>({
  runId: null,
  project: "default",
  mayTest: false,
  mayManage: false,
  test: () => undefined,
  hooks: {},
});

/** Lends the data of a run to the inspector inside. */
export const LastRunProvider = Context.Provider;

/** The run whose data the builder shows. */
export function useLastRun(): LastRun {
  return useContext(Context);
}

/** A piece of data of the last run: its beginning, and all of it when it is small. */
export interface Sample {
  preview: string;
  /** Absent when only the beginning is known. */
  value?: Json;
  kind: string;
  bytes: number;
  port: string | null;
  /** Something in it is hidden from everybody who reads runs, so it is not what the node really gave. */
  redacted: boolean;
  /** Where all of it is. */
  download: string | null;
}

const OutputQuery = graphql(`
  query LastOutput($id: ID!) {
    node(id: $id) {
      __typename
      ... on NodeRun { id port output { kind byteSize redacted download preview(maxBytes: 32768) truncated(maxBytes: 32768) } }
    }
  }
`);

const InputQuery = graphql(`
  query LastInput($id: ID!) {
    run(id: $id) { id input { kind byteSize redacted download preview(maxBytes: 32768) truncated(maxBytes: 32768) } }
  }
`);

interface Sent {
  kind: string;
  byteSize: number;
  preview: string;
  truncated: boolean;
  redacted: boolean;
  download?: string | null;
}

function sampleOf(data: Sent, port: string | null): Sample {
  const { preview, kind, redacted, download = null } = data;
  const known = { preview, kind, redacted, download, bytes: data.byteSize, port };
  return data.truncated ? known : { ...known, value: JSON.parse(data.preview) as Json };
}

/** What a node gave in a run; nothing when it gave nothing. */
export async function outputIn(client: Client, runId: string, key: string): Promise<Sample | undefined> {
  const id = nodeRunId(runId, key);
  const { data } = await client.query(OutputQuery, { id }, { requestPolicy: "network-only" }).toPromise();
  const node = data?.node;
  return node?.__typename === "NodeRun" && node.output ? sampleOf(node.output, node.port ?? null) : undefined;
}

/** What a run was given. */
export async function inputOf(client: Client, runId: string): Promise<Sample | undefined> {
  const { data } = await client.query(InputQuery, { id: runId }).toPromise();
  return data?.run ? sampleOf(data.run.input, null) : undefined;
}

/** How often a result is asked for that must be there, and how soon again. */
const MOST_TRIES = 6;
const TRY_AFTER_MS = 150;

/** What a node gave in the last run, read again whenever it has come further. */
export function useSample(key: string): Sample | undefined {
  const client = useClient();
  const { runId } = useLastRun();
  const status = useNodeState(key)?.status;
  const [sample, setSample] = useState<Sample>();
  useEffect(() => {
    let gone = false;
    let later: number | undefined;
    if (runId === null) return setSample(undefined);
    const ask = (tries: number) =>
      void outputIn(client, runId, key).then((found) => {
        if (gone) return;
        setSample(found);
        // Events may be told a moment before their result can be read.
        if (found || status !== "SUCCEEDED" || tries >= MOST_TRIES) return;
        later = window.setTimeout(() => ask(tries + 1), TRY_AFTER_MS * 2 ** tries);
      });
    ask(0);
    return () => {
      gone = true;
      window.clearTimeout(later);
    };
  }, [client, runId, key, status]);
  return sample;
}
