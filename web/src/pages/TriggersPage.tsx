import { CirclePause, CirclePlay } from "lucide-react";
import { useEffect, useRef } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { useMutation, useQuery } from "urql";
import { codeOf, messageOf, refusalOf } from "@/api/errors";
import { useWorkspaceEvents } from "@/api/follow";
import { NotFound } from "@/app/Broken";
import { mayEdit } from "@/app/role";
import { useT } from "@/i18n";
import { BindingCard } from "@/triggers/BindingCard";
import { EventTable } from "@/triggers/EventTable";
import {
  PauseTriggerMutation,
  RedeliverMutation,
  ResumeTriggerMutation,
  TriggerEventsQuery,
  TriggersQuery,
} from "@/triggers/queries";
import { WorkflowBreadcrumbs } from "@/ui/Breadcrumbs";
import { Button } from "@/ui/Button";
import { Empty, Failure } from "@/ui/Empty";
import { Select } from "@/ui/Field";
import { useToasts } from "@/ui/toast";

/** What starts a workflow where it is deployed: when it fires next, what came, and why something started nothing. */
export default function TriggersPage() {
  const { project = "default", name = "" } = useParams();
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const [params, setParams] = useSearchParams();
  const [{ data, error }, ask] = useQuery({
    query: TriggersQuery,
    variables: { name, project },
    requestPolicy: "cache-and-network",
  });
  const outcome = params.get("outcome");
  const workflow = data?.workflow;
  const [events, askEvents] = useQuery({
    query: TriggerEventsQuery,
    variables: {
      after: params.get("after"),
      filter: {
        workflowId: workflow?.id ?? null,
        ...(outcome === "STARTED" || outcome === "REFUSED" || outcome === "WAITING" ? { outcome } : {}),
      },
    },
    requestPolicy: "cache-and-network",
    pause: !workflow,
  });
  const again = () => {
    ask({ requestPolicy: "network-only" });
    askEvents({ requestPolicy: "network-only" });
  };
  useWorkspaceEvents(["run.*", "deployment.*", "trigger.*"], again, workflow?.id);
  useSoon(workflow?.triggerBindings.flatMap(({ nextFirings }) => nextFirings[0] ?? []).sort()[0], again);
  const [pausing, pause] = useMutation(PauseTriggerMutation);
  const [resuming, resume] = useMutation(ResumeTriggerMutation);
  const [, redeliver] = useMutation(RedeliverMutation);
  if (!workflow) {
    if (error) return codeOf(error) === "NOT_FOUND" ? <NotFound /> : <Failure error={error} onRetry={again} />;
    return (
      <p role="status" className="p-6 text-soft">
        {t("loading")}
      </p>
    );
  }
  const mayChange = mayEdit(data.viewer.role);
  const mayRun = data.viewer.role !== "VIEWER";
  const toggle = async (triggerId: string, paused: boolean) => {
    const input = { triggerId };
    const answer = paused ? await resume({ input }) : await pause({ input });
    if (answer.error) return toast(messageOf(answer.error));
    const payload =
      answer.data && ("resumeTrigger" in answer.data ? answer.data.resumeTrigger : answer.data.pauseTrigger);
    const refused = refusalOf(payload?.userErrors);
    if (refused) toast(refused);
    again();
  };
  const deliverAgain = async (eventId: string) => {
    const answer = await redeliver({ input: { eventId } });
    const refused = answer.error ? messageOf(answer.error) : refusalOf(answer.data?.redeliverTriggerEvent.userErrors);
    toast(refused || t("triggers.redelivered"));
    again();
  };
  const put = (changes: Record<string, string>) => {
    const next = new URLSearchParams(params);
    next.delete("after");
    for (const [key, value] of Object.entries(changes)) value ? next.set(key, value) : next.delete(key);
    setParams(next, { replace: true });
  };
  const list = events.data?.triggerEvents;
  return (
    <div className="mx-auto max-w-5xl p-4">
      <header className="mb-3">
        <WorkflowBreadcrumbs project={project} name={name} />
        <h1 className="font-semibold text-title">{t("triggers.title", { title: workflow.title })}</h1>
        <p className="text-soft">{t("triggers.about")}</p>
      </header>
      {workflow.triggerBindings.length === 0 ? (
        <Empty
          title={t("triggers.none")}
          action={
            <Link to={`/workflows/${project}/${name}`} className="text-accent underline">
              {t("workflows.open")}
            </Link>
          }
        >
          {t("triggers.none.help")}
        </Empty>
      ) : (
        <ul className="grid grid-cols-2 gap-3 max-md:grid-cols-1">
          {workflow.triggerBindings.map((binding) => (
            <BindingCard key={binding.id} binding={binding}>
              {mayChange ? (
                <Button
                  disabled={pausing.fetching || resuming.fetching}
                  aria-label={t(binding.pausedAt ? "triggers.resumeOne" : "triggers.pauseOne", { node: binding.node })}
                  icon={binding.pausedAt ? <CirclePlay size={14} aria-hidden /> : <CirclePause size={14} aria-hidden />}
                  onClick={() => void toggle(binding.id, Boolean(binding.pausedAt))}
                >
                  {t(binding.pausedAt ? "triggers.resume" : "triggers.pause")}
                </Button>
              ) : null}
            </BindingCard>
          ))}
        </ul>
      )}
      <div className="mt-6 mb-2 flex flex-wrap items-end gap-3">
        <h2 className="mr-auto font-semibold text-section">{t("triggers.events")}</h2>
        <div className="w-44">
          <Select
            label={t("triggers.outcome")}
            value={outcome ?? ""}
            options={[
              ["", t("runs.all")],
              ["STARTED", t("triggers.STARTED")],
              ["REFUSED", t("triggers.REFUSED")],
              ["WAITING", t("triggers.WAITING")],
            ]}
            onChange={(value) => put({ outcome: value })}
          />
        </div>
      </div>
      {events.error && !list ? <Failure error={events.error} onRetry={again} /> : null}
      {list && list.nodes.length === 0 ? (
        <p className="rounded-lg border border-line bg-surface p-4 text-soft">
          {t(outcome ? "triggers.noMatch" : "triggers.noEvents")}
        </p>
      ) : null}
      {list && list.nodes.length > 0 ? (
        <EventTable events={list.nodes} onRedeliver={mayRun ? (id) => void deliverAgain(id) : undefined} />
      ) : null}
      {list?.pageInfo.hasNextPage ? (
        <Button
          className="mt-3"
          onClick={() => setParams({ ...(outcome ? { outcome } : {}), after: list.pageInfo.endCursor ?? "" })}
        >
          {t("action.nextPage")}
        </Button>
      ) : null}
    </div>
  );
}

/** How long after a time of a schedule its run, or the reason why there is none, is read. */
const AFTER_MS = 1_500;
const MOST_MS = 86_400_000;

/** Reads anew once a time has come: a tick that started nothing is told by no event. */
function useSoon(at: string | undefined, onCome: () => void) {
  const latest = useRef(onCome);
  latest.current = onCome;
  useEffect(() => {
    if (at === undefined) return;
    const wait = Math.max(0, Date.parse(at) - Date.now()) + AFTER_MS;
    // Nobody looks at one page for a day, and no timer of a browser counts longer than 24 of them.
    if (wait > MOST_MS) return;
    const timer = window.setTimeout(() => latest.current(), wait);
    return () => window.clearTimeout(timer);
  }, [at]);
}
