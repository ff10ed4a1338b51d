import { ReactFlowProvider } from "@xyflow/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useLocation, useParams } from "react-router";
import { useQuery } from "urql";
import { mayOperate } from "@/app/role";
import { useSettings } from "@/app/settings";
import { withPlaces } from "@/canvas/layout/places";
import { catalogOf, type NodeTypeSpec } from "@/canvas/model/catalog";
import { type FlowDocument, openDocument } from "@/canvas/model/document";
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
  const { state } = useLocation() as { state: { tried?: FlowDocument } | null };
  const tried = state?.tried;
  const definition = data?.run?.version?.definition ?? (data?.run?.mode === "TEST" ? tried?.definition : undefined);
  const types = data?.nodeTypes;
  const catalog = useMemo(() => types && catalogOf(types as NodeTypeSpec[]), [types]);
  const version = data?.run?.version?.id ?? (tried ? id : undefined);
  const opened = useRef<string>(undefined);
  useEffect(() => {
    if (!catalog || !definition || version === undefined) return;
    // What is asked again says the same; what is chosen on the canvas must stay chosen.
    if (opened.current === version) return canvas.setState({ catalog });
    opened.current = version;
    canvas.getState().open(withPlaces(openDocument(definition, tried?.sidecar), catalog), catalog, true);
    // The node that the address names is in sight; an item of a list has no card of its own.
    const named = new URLSearchParams(window.location.search).get("node");
    if (named && Object.hasOwn(canvas.getState().document.definition.nodes, named)) canvas.getState().inspect(named);
  }, [canvas, catalog, definition, version, tried]);
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
            hasDrawing={definition !== undefined}
            mayOperate={mayOperate(data.viewer.role)}
            refetch={() => again({ requestPolicy: "network-only" })}
          />
        </ReactFlowProvider>
      </OverlayProvider>
    </CanvasProvider>
  );
}
