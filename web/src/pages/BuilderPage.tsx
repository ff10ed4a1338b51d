import { ReactFlowProvider } from "@xyflow/react";
import { useMemo, useState } from "react";
import { useParams } from "react-router";
import { useQuery } from "urql";
import { codeOf } from "@/api/errors";
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
  const [workflow, askWorkflow] = useQuery({ query: WorkflowQuery, variables: { name, project } });
  const catalog = useMemo(() => types.data && catalogOf(types.data.nodeTypes as NodeTypeSpec[]), [types.data]);
  const unpublished = workflow.error !== undefined && codeOf(workflow.error) === "NOT_FOUND";
  const error = types.error ?? (unpublished ? undefined : workflow.error);
  if (error && !types.data) {
    return (
      <Failure
        error={error}
        onRetry={() => {
          askTypes({ requestPolicy: "network-only" });
          askWorkflow({ requestPolicy: "network-only" });
        }}
      />
    );
  }
  if (error) return <Failure error={error} onRetry={() => askWorkflow({ requestPolicy: "network-only" })} />;
  if (!catalog || !types.data || (workflow.fetching && !workflow.data)) {
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
          workspace={types.data.viewer.workspace.slug}
          role={types.data.viewer.role}
          project={project}
          name={name}
          workflow={workflow.data?.workflow ?? null}
        />
      </ReactFlowProvider>
    </CanvasProvider>
  );
}
