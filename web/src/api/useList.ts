import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import type { CombinedError } from "@urql/core";
import { useCallback, useEffect, useRef, useState } from "react";
import { useClient } from "urql";

interface Connection<Node> {
  nodes: readonly Node[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
}

interface State<Node> {
  nodes: readonly Node[] | undefined;
  next: string | null;
  error: CombinedError | undefined;
  fetching: boolean;
  /** How many pages are shown, to be read anew as a whole. */
  pages: number;
}

/** A list as far as it was read. */
export interface List<Node> {
  nodes: readonly Node[] | undefined;
  error: CombinedError | undefined;
  fetching: boolean;
  /** Reads on where the list ends; absent at its end. */
  more: (() => void) | undefined;
  /** Reads the list anew; what is shown stays until then. */
  again: () => void;
}

/** The pages of a list below one another: the first at once, more when asked for, or `most` pages by themselves. */
export function useList<Data, Variables extends { after?: string | null | undefined }, Node>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Omit<Variables, "after">,
  pick: (data: Data) => Connection<Node>,
  { most = 1, pause = false }: { most?: number; pause?: boolean } = {},
): List<Node> {
  const client = useClient();
  const [state, setState] = useState<State<Node>>({
    nodes: undefined,
    next: null,
    error: undefined,
    fetching: true,
    pages: 0,
  });
  const picked = useRef(pick);
  picked.current = pick;
  // What is asked for decides, not the object that says it.
  const asked = JSON.stringify(variables);
  const latest = useRef(0);
  const read = useCallback(
    async (before: readonly Node[], after: string | null, wanted: number, keep: boolean) => {
      latest.current += 1;
      const turn = latest.current;
      setState((was) => ({ ...was, fetching: true, ...(keep ? {} : { nodes: undefined, next: null }) }));
      let nodes = before;
      let next = after;
      let read = 0;
      while (read < wanted) {
        const sent = { ...(JSON.parse(asked) as object), after: next } as Variables;
        const { data, error } = await client.query(query, sent, { requestPolicy: "network-only" }).toPromise();
        // Somebody asked for something else meanwhile.
        if (turn !== latest.current) return;
        if (!data) return setState((was) => ({ ...was, error, fetching: false }));
        const list = picked.current(data);
        nodes = [...nodes, ...list.nodes];
        read += 1;
        next = list.pageInfo.hasNextPage ? (list.pageInfo.endCursor ?? null) : null;
        if (next === null) break;
      }
      setState((was) => {
        const pages = after === null ? read : was.pages + read;
        return { nodes, next, error: undefined, fetching: false, pages };
      });
    },
    [client, query, asked],
  );
  useEffect(() => {
    if (!pause) void read([], null, most, false);
    return () => {
      latest.current += 1;
    };
  }, [read, most, pause]);
  const { nodes, next, error, fetching, pages } = state;
  return {
    nodes,
    error,
    fetching,
    more: next === null ? undefined : () => void read(nodes ?? [], next, most, true),
    again: () => void read([], null, Math.max(most, pages), true),
  };
}
