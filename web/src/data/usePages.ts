import { useCallback, useEffect, useState } from "react";
import { useClient } from "urql";
import type { Json } from "@/canvas/model/json";
import { localPage, type Part, readPage, type Source } from "./source";

/** The outermost parts of a value, page by page: from the value itself when it is known whole, else from the server. */
export function usePages(value: Json | undefined, source: Source) {
  const client = useClient();
  const [parts, setParts] = useState<readonly Part[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [total, setTotal] = useState(0);
  const [refused, setRefused] = useState<string>();
  const read = useCallback(
    async (before: readonly Part[], after: string | null) => {
      try {
        const page = value === undefined ? await readPage(client, source, "", after) : localPage(value, after);
        setParts([...before, ...page.parts]);
        setNext(page.next);
        setTotal(page.total);
      } catch (error) {
        setRefused(error instanceof Error ? error.message : String(error));
      }
    },
    [client, source, value],
  );
  useEffect(() => void read([], null), [read]);
  return { parts, total, refused, more: next === null ? undefined : () => void read(parts, next) };
}
