import { useMemo, useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { useMutation, useQuery } from "urql";
import { codeOf, messageOf, refusalOf } from "@/api/errors";
import { useWorkspaceEvents } from "@/api/follow";
import { NotFound } from "@/app/Broken";
import { mayEdit as roleMayEdit } from "@/app/role";
import { useSettings } from "@/app/settings";
import { DiscardDraftMutation } from "@/builder/queries";
import { catalogOf, type NodeTypeSpec } from "@/canvas/model/catalog";
import { useT } from "@/i18n";
import { WorkflowBreadcrumbs } from "@/ui/Breadcrumbs";
import { Button } from "@/ui/Button";
import { Empty, Failure } from "@/ui/Empty";
import { Select } from "@/ui/Field";
import { Time } from "@/ui/time";
import { useToasts } from "@/ui/toast";
import { DeployDialog } from "@/versions/DeployDialog";
import { Deployments } from "@/versions/Deployments";
import { DifferenceView } from "@/versions/DifferenceView";
import { VersionsQuery } from "@/versions/queries";

/** What was published of a workflow: history, differences, and which version every environment runs. */
export default function VersionsPage() {
  const { project = "default", name = "" } = useParams();
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const locale = useSettings((settings) => settings.language);
  const [params, setParams] = useSearchParams();
  const [{ data, error }, ask] = useQuery({
    query: VersionsQuery,
    variables: { name, project, locale, after: params.get("after") },
    requestPolicy: "cache-and-network",
  });
  const [deploying, setDeploying] = useState<{ id: string; number: number }>();
  const [, discard] = useMutation(DiscardDraftMutation);
  const types = data?.nodeTypes;
  const catalog = useMemo(() => types && catalogOf(types as NodeTypeSpec[]), [types]);
  const again = () => ask({ requestPolicy: "network-only" });
  useWorkspaceEvents(["version.*", "deployment.*", "workflow.*"], again, data?.workflow?.id);
  const workflow = data?.workflow;
  if (!workflow || !catalog) {
    if (error) return codeOf(error) === "NOT_FOUND" ? <NotFound /> : <Failure error={error} onRetry={again} />;
    return (
      <p role="status" className="p-6 text-soft">
        {t("loading")}
      </p>
    );
  }
  const versions = workflow.versions.nodes;
  const shown = versions.find(({ number }) => String(number) === params.get("version")) ?? versions[0];
  const older = versions.filter(({ number }) => shown && number < shown.number);
  const base = older.find(({ number }) => String(number) === params.get("with")) ?? older[0];
  const mayEdit = roleMayEdit(data.viewer.role);

  const put = (changes: Record<string, string>) => {
    const next = new URLSearchParams(params);
    for (const [key, value] of Object.entries(changes)) value ? next.set(key, value) : next.delete(key);
    setParams(next, { replace: true });
  };
  const takeBack = async (versionId: string, number: number) => {
    const input = { draftId: workflow.draft.id, expectedRevision: workflow.draft.revision, versionId };
    const answer = await discard({ input });
    const errors = answer.data?.discardDraft.userErrors ?? [];
    if (answer.error) return toast(messageOf(answer.error));
    toast(refusalOf(errors) || t("versions.draftIs", { number }));
    again();
  };
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex min-h-12 shrink-0 flex-wrap items-center gap-x-4 gap-y-1 border-line border-b bg-surface px-3 py-1.5">
        <div className="min-w-0">
          <WorkflowBreadcrumbs project={project} name={name} />
          <h1 className="truncate font-semibold text-section">{t("versions.title", { title: workflow.title })}</h1>
        </div>
        {shown ? (
          <div className="ml-auto flex flex-wrap items-center gap-2">
            {base ? (
              <div className="w-52">
                <Select
                  label={t("versions.compare", { number: shown.number })}
                  value={String(base.number)}
                  options={older.map(({ number }) => [String(number), `v${number}`] as const)}
                  onChange={(number) => put({ with: number })}
                />
              </div>
            ) : null}
            {mayEdit ? (
              <>
                <Button onClick={() => void takeBack(shown.id, shown.number)}>
                  {t("versions.takeBack", { number: shown.number })}
                </Button>
                <Button look="primary" onClick={() => setDeploying(shown)}>
                  {t("deploy.title", { number: shown.number })}
                </Button>
              </>
            ) : null}
          </div>
        ) : null}
      </header>
      {shown ? (
        <div className="flex min-h-0 flex-1 max-sm:flex-col max-sm:overflow-auto">
          <div className="w-72 shrink-0 overflow-auto border-line border-r bg-surface max-sm:w-full">
            <ol aria-label={t("versions.history")}>
              {versions.map((version) => (
                <li key={version.id}>
                  <button
                    type="button"
                    aria-current={version === shown ? "true" : undefined}
                    onClick={() => put({ version: String(version.number), with: "" })}
                    className="block w-full border-line border-b px-3 py-2 text-left hover:bg-raised aria-[current]:bg-accent-soft"
                  >
                    <span className="flex items-center gap-2">
                      <span className="font-semibold">v{version.number}</span>
                      {workflow.deployments
                        .filter((deployment) => deployment.version.id === version.id)
                        .map(({ environment }) => (
                          <span key={environment} className="rounded-full bg-raised px-2 text-badge">
                            {environment}
                          </span>
                        ))}
                      <span className="ml-auto text-small text-soft">
                        <Time at={version.createdAt} />
                      </span>
                    </span>
                    {version.note ? <span className="block truncate text-small">{version.note}</span> : null}
                    <span className="block truncate font-mono text-badge text-soft">{version.hash.slice(0, 12)}</span>
                  </button>
                </li>
              ))}
            </ol>
            {workflow.versions.pageInfo.hasNextPage ? (
              <Button
                className="m-3"
                onClick={() => put({ after: workflow.versions.pageInfo.endCursor ?? "", version: "", with: "" })}
              >
                {t("action.nextPage")}
              </Button>
            ) : null}
            <Deployments workflow={workflow} mayDeploy={mayEdit} onChanged={again} />
          </div>
          <div className="min-h-0 min-w-0 flex-1 max-sm:min-h-[480px]">
            <DifferenceView from={base?.id} to={shown.id} catalog={catalog} sidecar={workflow.draft.sidecar} />
          </div>
        </div>
      ) : (
        <Empty
          title={t("versions.none")}
          action={
            <Link to={`/workflows/${project}/${name}`} className="text-accent underline">
              {t("workflows.open")}
            </Link>
          }
        >
          {t("versions.none.help")}
        </Empty>
      )}
      {deploying ? (
        <DeployDialog
          version={deploying}
          environments={workflow.project.environments}
          deployments={workflow.deployments}
          onClose={() => setDeploying(undefined)}
          onDone={(environment) => {
            toast(t("deploy.done", { environment, number: deploying.number }));
            setDeploying(undefined);
            again();
          }}
        />
      ) : null}
    </div>
  );
}
