import type { Client } from "urql";
import { messageOf } from "@/api/errors";
import { isObject, type Json } from "@/canvas/model/json";
import { graphql } from "@/gql";

/** Where a value is kept whose parts are read page by page: what a node gave, or what a run got or gave. */
export type Source = { of: "output"; nodeRun: string } | { of: "runInput" | "runOutput"; run: string };

/** One item of a list or one field of an object: whole when it is small, else its beginning. */
export interface Part {
  name: string;
  kind: string;
  bytes: number;
  preview: string;
  /** Absent when only the beginning is known. */
  value?: Json;
}

/** Some parts of a value. */
export interface Page {
  parts: Part[];
  total: number;
  /** Where the next page begins; nothing after the last one. */
  next: string | null;
}

/** Parts that are read at once. */
export const PAGE = 50;
/** How much of one part is read; a larger one is opened by itself. */
const PART_BYTES = 2_048;

const OutputParts = graphql(`
  query OutputParts($id: ID!, $path: String!, $first: Int!, $after: String, $most: Int!) {
    node(id: $id) {
      __typename
      ... on NodeRun {
        id
        output {
          page(path: $path, first: $first, after: $after) {
            total hasNextPage
            parts { name kind byteSize cursor preview(maxBytes: $most) }
          }
        }
      }
    }
  }
`);

const RunParts = graphql(`
  query RunParts($id: ID!, $path: String!, $first: Int!, $after: String, $most: Int!, $input: Boolean!) {
    run(id: $id) {
      id
      input @include(if: $input) {
        page(path: $path, first: $first, after: $after) {
          total hasNextPage
          parts { name kind byteSize cursor preview(maxBytes: $most) }
        }
      }
      output @skip(if: $input) {
        page(path: $path, first: $first, after: $after) {
          total hasNextPage
          parts { name kind byteSize cursor preview(maxBytes: $most) }
        }
      }
    }
  }
`);

/** Reads parts of the list or object at a JSON pointer into a value. */
export async function readPage(client: Client, source: Source, path: string, after: string | null): Promise<Page> {
  const about = { path, first: PAGE, after, most: PART_BYTES };
  const page = source.of === "output" ? outputPage : runPage;
  const found = await page(client, source, about);
  const parts = (found?.parts ?? []).map(({ name, kind, byteSize, preview }): Part => {
    const part = { name, kind, bytes: byteSize, preview };
    const value = parsed(preview);
    return value === undefined ? part : { ...part, value };
  });
  const last = found?.parts.at(-1)?.cursor;
  return { parts, total: found?.total ?? 0, next: found?.hasNextPage && last ? last : null };
}

type About = { path: string; first: number; after: string | null; most: number };

async function outputPage(client: Client, source: Source, about: About) {
  const id = source.of === "output" ? source.nodeRun : "";
  const { data, error } = await client.query(OutputParts, { id, ...about }).toPromise();
  if (error) throw new Error(messageOf(error));
  return data?.node?.__typename === "NodeRun" ? data.node.output?.page : undefined;
}

async function runPage(client: Client, source: Source, about: About) {
  const id = source.of === "output" ? "" : source.run;
  const { data, error } = await client.query(RunParts, { id, ...about, input: source.of === "runInput" }).toPromise();
  if (error) throw new Error(messageOf(error));
  return (source.of === "runInput" ? data?.run?.input : data?.run?.output)?.page;
}

/** What is cut off is no JSON any more, so whatever can be read is whole. */
function parsed(preview: string): Json | undefined {
  try {
    return JSON.parse(preview) as Json;
  } catch {
    return undefined;
  }
}

/** The same of a value that is known whole. */
export function localPage(value: Json, after: string | null): Page {
  const from = Number(after ?? 0);
  const all: [string, Json][] = Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : Object.entries(isObject(value) ? value : {});
  const parts = all.slice(from, from + PAGE).map(([name, item]): Part => {
    return { name, kind: "", bytes: 0, preview: "", value: item };
  });
  return { parts, total: all.length, next: from + PAGE < all.length ? String(from + PAGE) : null };
}
