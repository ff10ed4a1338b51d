import { ReactFlowProvider } from "@xyflow/react";
import { useEffect, useMemo, useState } from "react";
import { useParams } from "react-router";
import { useQuery } from "urql";
import { useSettings } from "@/app/settings";
import { withPlaces } from "@/canvas/layout/layered";
import { catalogOf, type NodeTypeSpec } from "@/canvas/model/catalog";
import { openDocument } from "@/canvas/model/document";
import { createRunStore, OverlayProvider } from "@/canvas/overlay/overlay";
import { CanvasProvider, createCanvasStore } from "@/canvas/store";
import { useT } from "@/i18n";
import { RunQuery } from "@/run/queries";
import { RunView } from "@/run/RunView";
import { Failure } from "@/ui/Empty";

/** One run, live until it ends. */
export default function RunPage() {
  const { id = "" } = useParams();
  return <OneRun key={id} id={id} />;
}

function OneRun({ id }: { id: string }) {
  const t = useT();
  const locale = useSettings((settings) => settings.language);
  const [canvas] = useState(createCanvasStore);
  const [overlay] = useState(createRunStore);
  const [{ data, error }, again] = useQuery({ query: RunQuery, variables: { id, locale } });
  const definition = data?.run?.version?.definition;
  const types = data?.nodeTypes;
  const catalog = useMemo(() => types && catalogOf(types as NodeTypeSpec[]), [types]);
  useEffect(() => {
    if (catalog && definition) canvas.getState().open(withPlaces(openDocument(definition)), catalog, true);
  }, [canvas, catalog, definition]);
  if (!data?.run) {
    return error ? (
      <Failure error={error} onRetry={() => again({ requestPolicy: "network-only" })} />
    ) : (
      <p role="status" className="p-6 text-soft">
        {t("loading")}
      </p>
    );
  }
  return (
    <CanvasProvider value={canvas}>
      <OverlayProvider value={overlay}>
        <ReactFlowProvider>
          <RunView
            run={data.run}
            overlay={overlay}
            mayOperate={data.viewer.role !== "VIEWER"}
            refetch={() => again({ requestPolicy: "network-only" })}
          />
        </ReactFlowProvider>
      </OverlayProvider>
    </CanvasProvider>
  );
}
