import type { ReactNode } from "react";
import type { List } from "@/api/useList";
import { useT } from "@/i18n";
import { Button } from "./Button";
import { Failure } from "./Empty";

interface Props<Node> {
  list: List<Node>;
  /** What stands there when it is empty. */
  none?: ReactNode;
  children: (nodes: readonly Node[]) => ReactNode;
}

/** A list in each of its states: on its way, failed, empty, there, with more to come. */
export function ListOf<Node>({ list, none, children }: Props<Node>) {
  const t = useT();
  const { nodes, error, fetching, again } = list;
  if (!nodes) {
    if (error) return <Failure error={error} onRetry={again} />;
    return fetching ? (
      <p role="status" className="p-4 text-soft">
        {t("loading")}
      </p>
    ) : null;
  }
  if (nodes.length === 0 && none !== undefined) {
    return typeof none === "string" ? <Nothing>{none}</Nothing> : none;
  }
  return (
    <>
      {children(nodes)}
      <More list={list} />
    </>
  );
}

/** That a list has nothing to show. */
export function Nothing({ children }: { children: ReactNode }) {
  return <p className="rounded-lg border border-line bg-surface p-4 text-soft">{children}</p>;
}

/** The way to what comes next in a list. */
export function More({ list }: { list: Pick<List<unknown>, "more" | "fetching"> }) {
  const t = useT();
  if (!list.more) return null;
  return (
    <Button className="mt-3" disabled={list.fetching} onClick={list.more}>
      {t("action.more")}
    </Button>
  );
}
