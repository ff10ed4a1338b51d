import { Plus } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useMutation, useQuery } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { useWorkspaceEvents } from "@/api/follow";
import { mayEdit as roleMayEdit } from "@/app/role";
import { CreateWorkflowMutation } from "@/builder/queries";
import { graphql } from "@/gql";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Empty, Failure } from "@/ui/Empty";
import { TextField } from "@/ui/Field";
import { Time } from "@/ui/time";
import { Gallery } from "./Gallery";

const WorkflowsQuery = graphql(`
  query Workflows($after: String) {
    workflows(first: 50, after: $after) {
      nodes {
        id name title description updatedAt
        project { slug }
        latestVersion { id number }
        deployments { environment version { id number } }
        triggers { node type }
      }
      pageInfo { hasNextPage endCursor }
    }
    viewer { role }
  }
`);

/** All workflows, by name. */
export function WorkflowsPage() {
  const t = useT();
  const [params, setParams] = useSearchParams();
  const after = params.get("after");
  const [{ data, error, fetching }, again] = useQuery({
    query: WorkflowsQuery,
    variables: { after },
    requestPolicy: "cache-and-network",
  });
  useWorkspaceEvents(["workflow.*", "version.*", "deployment.*"], () => again({ requestPolicy: "network-only" }));
  const [creating, setCreating] = useState(false);
  const [showGallery, setShowGallery] = useState(false);
  const mayEdit = roleMayEdit(data?.viewer.role);
  const list = data?.workflows;
  const create = (
    <Button look="primary" icon={<Plus size={14} aria-hidden />} disabled={!mayEdit} onClick={() => setCreating(true)}>
      {t("workflows.new")}
    </Button>
  );
  return (
    <div className="mx-auto max-w-5xl p-4">
      <header className="mb-3 flex items-center justify-between">
        <h1 className="font-semibold text-title">{t("nav.workflows")}</h1>
        {create}
      </header>
      {error && !list ? <Failure error={error} onRetry={() => again({ requestPolicy: "network-only" })} /> : null}
      {fetching && !list ? (
        <p role="status" className="p-4 text-soft">
          {t("loading")}
        </p>
      ) : null}
      {list && list.nodes.length === 0 ? (
        <Empty title={t("workflows.empty")} action={create}>
          {t("workflows.empty.help")}
        </Empty>
      ) : null}
      {list && list.nodes.length > 0 ? (
        <div className="overflow-x-auto rounded-lg border border-line bg-surface">
          <table className="w-full text-left">
            <thead className="text-small text-soft">
              <tr className="border-line border-b">
                <th className="px-3 py-2 font-medium">{t("workflows.name")}</th>
                <th className="px-3 py-2 font-medium max-sm:hidden">{t("workflows.starts")}</th>
                <th className="px-3 py-2 font-medium">{t("workflows.version")}</th>
                <th className="px-3 py-2 font-medium">{t("workflows.changed")}</th>
                <th className="px-3 py-2 font-medium max-sm:hidden">{t("nav.runs")}</th>
              </tr>
            </thead>
            <tbody>
              {list.nodes.map((workflow) => (
                <tr key={workflow.id} className="h-11 border-line border-b last:border-0 hover:bg-raised">
                  <td className="max-w-72 px-3 py-1">
                    <Link
                      to={`/workflows/${workflow.project.slug}/${workflow.name}`}
                      className="block truncate font-medium hover:underline"
                    >
                      {workflow.title}
                    </Link>
                    <span className="block truncate font-mono text-small text-soft">
                      {workflow.project.slug}/{workflow.name}
                    </span>
                  </td>
                  <td className="px-3 py-1 font-mono text-small text-soft max-sm:hidden">
                    {workflow.triggers.map(({ type }) => type.replace(/^trigger\.|@\d+$/g, "")).join(", ")}
                  </td>
                  <td className="px-3 py-1">
                    {workflow.latestVersion ? `v${workflow.latestVersion.number}` : ""}
                    {workflow.deployments
                      .filter(({ version }) => version.number !== workflow.latestVersion?.number)
                      .map(({ environment, version }) => (
                        <span key={environment} className="ml-2 text-small text-soft">
                          {t("workflows.runs", { environment, number: version.number })}
                        </span>
                      ))}
                  </td>
                  <td className="whitespace-nowrap px-3 py-1 text-soft">
                    <Time at={workflow.updatedAt} />
                  </td>
                  <td className="px-3 py-1 max-sm:hidden">
                    <Link
                      to={`/runs?workflow=${workflow.id}`}
                      aria-label={t("workflows.showRuns", { title: workflow.title })}
                      className="text-accent underline"
                    >
                      {t("action.show")}
                    </Link>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {list?.pageInfo.hasNextPage ? (
        <Button className="mt-3" onClick={() => setParams({ after: list.pageInfo.endCursor ?? "" })}>
          {t("action.nextPage")}
        </Button>
      ) : null}
      {list && !after ? (
        list.nodes.length === 0 || showGallery ? (
          <Gallery mayEdit={mayEdit} />
        ) : (
          <Button look="quiet" className="mt-3" onClick={() => setShowGallery(true)}>
            {t("gallery.show")}
          </Button>
        )
      ) : null}
      {creating ? <NewWorkflow onClose={() => setCreating(false)} /> : null}
    </div>
  );
}

function NewWorkflow({ onClose }: { onClose: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const [refused, setRefused] = useState<string>();
  const [result, create] = useMutation(CreateWorkflowMutation);
  const fits = /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name);
  const go = async () => {
    const answer = await create({ input: { name, ...(title ? { title } : {}) } });
    const payload = answer.data?.createWorkflow;
    if (payload?.workflow) return void navigate(`/workflows/${payload.workflow.project.slug}/${payload.workflow.name}`);
    setRefused(answer.error ? messageOf(answer.error) : refusalOf(payload?.userErrors));
  };
  return (
    <Dialog title={t("workflows.new")} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (fits) void go();
        }}
      >
        <TextField
          label={t("workflows.name")}
          help={t("workflows.name.help")}
          error={name !== "" && !fits ? t("workflows.name.invalid") : refused}
          autoFocus
          className="font-mono"
          value={name}
          onChange={(text) => {
            setName(text);
            setRefused(undefined);
          }}
        />
        <TextField label={t("workflows.title")} placeholder={name} value={title} onChange={setTitle} />
        <Button type="submit" look="primary" disabled={!fits || result.fetching}>
          {t("workflows.open")}
        </Button>
      </form>
    </Dialog>
  );
}
