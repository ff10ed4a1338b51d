import { ReactFlowProvider } from "@xyflow/react";
import { useMemo, useRef, useState } from "react";
import { useParams } from "react-router";
import { useQuery } from "urql";
import { codeOf } from "@/api/errors";
import { NotFound } from "@/app/Broken";
import { useSettings } from "@/app/settings";
import { Builder } from "@/builder/Builder";
import { CatalogQuery, WorkflowQuery } from "@/builder/queries";
import { catalogOf, type NodeTypeSpec } from "@/canvas/model/catalog";
import { CanvasProvider, createCanvasStore } from "@/canvas/store";
import { useT } from "@/i18n";
import { Failure } from "@/ui/Empty";

/** The builder of one workflow, whether it was published already or not. */
export default function BuilderPage() {
  const { project = "default", name = "" } = useParams();
  // Another workflow gets another canvas, with a history of its own.
  return <OneWorkflow key={`${project}/${name}`} project={project} name={name} />;
}

function OneWorkflow({ project, name }: { project: string; name: string }) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  const [store] = useState(createCanvasStore);
  const [types, askTypes] = useQuery({ query: CatalogQuery, variables: { locale: language } });
  const [workflow, askWorkflow] = useQuery({
    query: WorkflowQuery,
    variables: { name, project },
    requestPolicy: "cache-and-network",
  });
  const catalog = useMemo(() => types.data && catalogOf(types.data.nodeTypes as NodeTypeSpec[]), [types.data]);
  // The draft is opened from the server's own answer, never from one that was kept from before.
  const fresh = workflow.data?.workflow && !workflow.stale ? workflow.data.workflow : undefined;
  const opened = useRef(fresh);
  if (fresh) opened.current = fresh;
  const error = types.data ? workflow.error : (types.error ?? workflow.error);
  if (error && !opened.current) {
    const again = () => {
      askTypes({ requestPolicy: "network-only" });
      askWorkflow({ requestPolicy: "network-only" });
    };
    if (codeOf(error) === "NOT_FOUND") return <NotFound />;
    return <Failure error={error} onRetry={again} />;
  }
  if (!catalog || !types.data || !opened.current) {
    return (
      <p role="status" className="p-6 text-soft">
        {t("loading")}
      </p>
    );
  }
  return (
    <CanvasProvider value={store}>
      <ReactFlowProvider>
        <Builder
          store={store}
          catalog={catalog}
          role={types.data.viewer.role}
          workflow={opened.current}
          onPublished={() => askWorkflow({ requestPolicy: "network-only" })}
        />
      </ReactFlowProvider>
    </CanvasProvider>
  );
}
