import { ReactFlowProvider } from "@xyflow/react";
import { useEffect, useMemo, useState } from "react";
import { useQuery } from "urql";
import { withPlaces } from "@/canvas/layout/places";
import type { Catalog } from "@/canvas/model/catalog";
import { type Difference, together } from "@/canvas/model/difference";
import { edgeId, openDocument } from "@/canvas/model/document";
import { ChangesProvider } from "@/canvas/overlay/changes";
import { CanvasProvider, createCanvasStore } from "@/canvas/store";
import { Canvas } from "@/canvas/view/Canvas";
import { useT } from "@/i18n";
import { Failure } from "@/ui/Empty";
import { DifferenceList } from "./DifferenceList";
import { DifferenceQuery, VersionQuery } from "./queries";

interface Props {
  /** The older version; none for the first one. */
  from: string | undefined;
  to: string;
  catalog: Catalog;
  sidecar: unknown;
}

const NOTHING: Difference = { nodes: [], edgesAdded: [], edgesRemoved: [], fields: [] };

/** Two versions in one drawing, and the list of what differs. */
export function DifferenceView({ from, to, catalog, sidecar }: Props) {
  const t = useT();
  const [store] = useState(createCanvasStore);
  const [compared] = useQuery({ query: DifferenceQuery, variables: { from: from ?? "", to }, pause: !from });
  const [alone] = useQuery({ query: VersionQuery, variables: { id: to }, pause: Boolean(from) });
  const error = from ? compared.error : alone.error;
  const difference = (from ? compared.data?.diffVersions : NOTHING) as Difference | undefined | null;
  const newer = from ? compared.data?.newer : alone.data?.node;
  const older = from ? compared.data?.older : undefined;
  const after = newer?.__typename === "Version" ? newer.definition : undefined;
  const before = older?.__typename === "Version" ? older.definition : undefined;
  const changes = useMemo(() => {
    const edges = difference
      ? [
          ...difference.edgesAdded.map((edge) => [edgeId(edge), "ADDED"] as const),
          ...difference.edgesRemoved.map((edge) => [edgeId(edge), "REMOVED"] as const),
        ]
      : [];
    return {
      nodes: new Map(difference?.nodes.map(({ key, change }) => [key, change])),
      edges: new Map(edges),
    };
  }, [difference]);
  const first = useMemo(() => new Set(changes.nodes.keys()), [changes]);
  useEffect(() => {
    if (after === undefined) return;
    const document = openDocument(after, sidecar);
    const both = before === undefined ? document : together(openDocument(before).definition, document);
    // Places of nodes that neither version has are of no use here.
    const layout = Object.entries(both.sidecar.layout).filter(([key]) => Object.hasOwn(both.definition.nodes, key));
    const own = { ...both, sidecar: { layout: Object.fromEntries(layout), notes: {} } };
    store.getState().open(withPlaces(own, catalog), catalog, true);
  }, [store, after, before, sidecar, catalog]);
  if (error) return <Failure error={error} />;
  return (
    <div className="flex h-full min-h-0 max-lg:flex-col">
      <div className="min-h-64 min-w-0 flex-1">
        <CanvasProvider value={store}>
          <ChangesProvider value={changes}>
            <ReactFlowProvider>
              <Canvas key={`${from} ${to} ${after === undefined}`} first={first} />
            </ReactFlowProvider>
          </ChangesProvider>
        </CanvasProvider>
      </div>
      {from ? (
        <section
          aria-label={t("difference.title")}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
          tabIndex={0}
          className="w-96 shrink-0 overflow-auto border-line border-l bg-surface p-3 max-lg:max-h-[45%] max-lg:w-full max-lg:border-t max-lg:border-l-0"
        >
          <h2 className="mb-2 font-semibold text-section">{t("difference.title")}</h2>
          {difference ? <DifferenceList difference={difference} /> : <p className="text-soft">{t("loading")}</p>}
        </section>
      ) : null}
    </div>
  );
}
