import { Link, useSearchParams } from "react-router";
import { useQuery } from "urql";
import { inWords } from "@/api/errors";
import { useWorkspaceEvents } from "@/api/follow";
import { graphql } from "@/gql";
import type { RunStatus } from "@/gql/graphql";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Empty, Failure } from "@/ui/Empty";
import { Select, TextField } from "@/ui/Field";
import { type Status, StatusBadge, useStatusWord } from "@/ui/StatusBadge";
import { Duration, Time } from "@/ui/time";
import { WorkflowLink } from "@/ui/WorkflowLink";

const RunsQuery = graphql(`
  query Runs($after: String, $filter: RunFilter) {
    runs(first: 50, after: $after, filter: $filter) {
      nodes {
        id status mode trigger key createdAt startedAt finishedAt
        workflow { id name title project { slug } }
        version { id number }
        error { code message node }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const STATUSES: readonly RunStatus[] = [
  "QUEUED",
  "RUNNING",
  "WAITING",
  "PAUSED",
  "SUCCEEDED",
  "FAILED",
  "CANCELED",
  "TIMED_OUT",
];

/** Runs, the newest first. What is filtered for stands in the address. */
export function RunsPage() {
  const t = useT();
  const word = useStatusWord();
  const [params, setParams] = useSearchParams();
  const [status, workflow, key, after] = ["status", "workflow", "key", "after"].map((name) => params.get(name));
  const filtered = Boolean(status || workflow || key);
  const filter = {
    ...(status ? { status: [status as RunStatus] } : {}),
    ...(workflow ? { workflowId: workflow } : {}),
    ...(key ? { key } : {}),
  };
  const [{ data, error, fetching }, again] = useQuery({
    query: RunsQuery,
    variables: { after: after || null, filter: filtered ? filter : null },
    requestPolicy: "cache-and-network",
  });
  useWorkspaceEvents(["run.*"], () => again({ requestPolicy: "network-only" }));
  const set = (changes: Record<string, string>) => {
    const next = new URLSearchParams(params);
    next.delete("after");
    for (const [name, value] of Object.entries(changes)) value ? next.set(name, value) : next.delete(name);
    setParams(next);
  };
  const list = data?.runs;
  const of = list?.nodes.find((run) => run.workflow?.id === workflow)?.workflow;
  return (
    <div className="mx-auto max-w-5xl p-4">
      <header className="mb-3 flex flex-wrap items-end gap-3">
        <h1 className="mr-auto font-semibold text-title max-sm:w-full">{t("nav.runs")}</h1>
        {workflow ? (
          <Button onClick={() => set({ workflow: "" })}>
            {t("runs.ofWorkflow", { title: of?.title ?? workflow })}
          </Button>
        ) : null}
        <div className="w-44 max-sm:w-full">
          <Select
            label={t("runs.status")}
            value={status ?? ""}
            options={[["", t("runs.all")], ...STATUSES.map((one) => [one, word(one)] as const)]}
            onChange={(value) => set({ status: value })}
          />
        </div>
        <form
          className="w-44 max-sm:flex-1"
          key={key}
          onSubmit={(event) => {
            event.preventDefault();
            set({ key: String(new FormData(event.currentTarget).get("key") ?? "") });
          }}
        >
          <TextField label={t("runs.key")} name="key" defaultValue={key ?? ""} onChange={() => undefined} />
        </form>
        <Button onClick={() => again({ requestPolicy: "network-only" })}>{t("action.refresh")}</Button>
      </header>
      {error && !list ? <Failure error={error} onRetry={() => again({ requestPolicy: "network-only" })} /> : null}
      {fetching && !list ? (
        <p role="status" className="p-4 text-soft">
          {t("loading")}
        </p>
      ) : null}
      {list && list.nodes.length === 0 ? (
        filtered ? (
          <Empty title={t("runs.noMatch")} action={<Button onClick={() => setParams({})}>{t("runs.clear")}</Button>} />
        ) : (
          <Empty title={t("runs.empty")}>{t("runs.empty.help")}</Empty>
        )
      ) : null}
      {list && list.nodes.length > 0 ? (
        <div className="overflow-x-auto rounded-lg border border-line bg-surface">
          <table className="w-full text-left">
            <thead className="text-small text-soft">
              <tr className="border-line border-b">
                <th className="px-3 py-2 font-medium">{t("runs.status")}</th>
                <th className="px-3 py-2 font-medium">{t("runs.workflow")}</th>
                <th className="px-3 py-2 font-medium">{t("runs.started")}</th>
                <th className="px-3 py-2 font-medium">{t("runs.took")}</th>
                <th className="px-3 py-2 font-medium">{t("runs.run")}</th>
              </tr>
            </thead>
            <tbody>
              {list.nodes.map((run) => (
                <tr key={run.id} className="h-11 border-line border-b last:border-0 hover:bg-raised">
                  <td className="px-3 py-1">
                    <StatusBadge status={run.status as Status} />
                    {run.error ? (
                      <span className="block max-w-64 truncate text-small text-soft" title={inWords(run.error)}>
                        {run.error.node ? `${run.error.node}: ` : ""}
                        {run.error.code}
                      </span>
                    ) : null}
                  </td>
                  <td className="px-3 py-1">
                    <WorkflowLink workflow={run.workflow} />{" "}
                    <span className="text-small text-soft">
                      {run.version ? `v${run.version.number}` : ""} {run.mode === "TEST" ? t("runs.test") : ""}
                    </span>
                  </td>
                  <td className="px-3 py-1 text-soft">
                    <Time at={run.createdAt} />
                  </td>
                  <td className="px-3 py-1 text-soft">
                    {run.startedAt ? <Duration from={run.startedAt} to={run.finishedAt} /> : null}
                  </td>
                  <td className="px-3 py-1">
                    <Link to={`/runs/${run.id}`} className="font-mono text-accent text-small underline">
                      {run.key ?? `…${run.id.slice(-8)}`}
                    </Link>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {list?.pageInfo.hasNextPage ? (
        <Button
          className="mt-3"
          onClick={() => setParams({ ...Object.fromEntries(params), after: list.pageInfo.endCursor ?? "" })}
        >
          {t("action.nextPage")}
        </Button>
      ) : null}
    </div>
  );
}
