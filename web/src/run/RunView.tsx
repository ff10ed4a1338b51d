import type { ResultOf } from "@graphql-typed-document-node/core";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useMutation } from "urql";
import { useStore } from "zustand";
import { messageOf, refusalOf } from "@/api/errors";
import { Outline } from "@/canvas/outline/Outline";
import { type Connection, followRun } from "@/canvas/overlay/follow";
import { type RunStore, useOverlay } from "@/canvas/overlay/overlay";
import type { RunEvent } from "@/canvas/overlay/runState";
import { isFinal, statusOf } from "@/canvas/overlay/status";
import { useCanvas, useCanvasStore } from "@/canvas/store";
import { Canvas } from "@/canvas/view/Canvas";
import { ValueView } from "@/data/ValueView";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Split } from "@/ui/Split";
import { type Status, StatusBadge, StatusIcon } from "@/ui/StatusBadge";
import { Tabs } from "@/ui/Tabs";
import { useWords } from "@/ui/Told";
import { Duration, Time } from "@/ui/time";
import { useToasts } from "@/ui/toast";
import { WorkflowLink } from "@/ui/WorkflowLink";
import { EventList } from "./EventList";
import { writersOf } from "./logLines";
import { NodeRunPanel } from "./NodeRunPanel";
import { CancelMutation, type RunQuery } from "./queries";
import { RetryButtons } from "./RetryButtons";
import { Timeline } from "./Timeline";
import { Tour } from "./Tour";

const Log = lazy(() => import("./Log").then((file) => ({ default: file.Log })));
const FileList = lazy(() => import("./FileList").then((file) => ({ default: file.FileList })));

type Run = NonNullable<ResultOf<typeof RunQuery>["run"]>;
type Tab = "canvas" | "timeline" | "log" | "outline" | "events" | "data" | "files";

interface Props {
  run: Run;
  overlay: RunStore;
  /** The definition is known, so it can be drawn. */
  hasDrawing: boolean;
  mayOperate: boolean;
  refetch: () => void;
}

/** A run on its canvas, on a timeline and as events, with what can be done to it. What is chosen is in the address. */
export function RunView({ run, overlay, hasDrawing, mayOperate, refetch }: Props) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const canvas = useCanvasStore();
  const [params, setParams] = useSearchParams();
  const [connection, setConnection] = useState<Connection>("connecting");
  const [events, setEvents] = useState<readonly RunEvent[]>([]);
  const live = useStore(overlay, statusOf);
  const recovered = useStore(overlay, (state) => state.recovered);
  const repeated = useStore(overlay, (state) => state.repeated);
  const finishedAt = useStore(overlay, (state) => state.endedAt) ?? run.finishedAt;
  const startedAt = useStore(overlay, (state) => state.startedAt) ?? run.startedAt;
  const inspected = useCanvas((state) => state.inspected);
  const inWords = useWords();
  const [, cancel] = useMutation(CancelMutation);
  const ended = isFinal(live);
  const status = live ?? (run.status as Status);
  const tab = (params.get("tab") ?? "canvas") as Tab;
  const selected = params.get("node");

  useEffect(
    () =>
      followRun(run.id, overlay, {
        onEvents: (more) => setEvents((before) => joined(before, more)),
        onConnection: setConnection,
      }),
    [run.id, overlay],
  );

  // Results and figures are the server's; they are read again when the run has ended.
  const asked = useRef(isFinal(run.status));
  useEffect(() => {
    if (!ended || asked.current) return;
    asked.current = true;
    refetch();
  }, [ended, refetch]);

  // The end may be told a moment before it can be read.
  const late = ended && !isFinal(run.status);
  useEffect(() => {
    if (!late) return;
    const timer = window.setInterval(refetch, 500);
    return () => window.clearInterval(timer);
  }, [late, refetch]);

  const put = (changes: Record<string, string | null>) => {
    const next = new URLSearchParams(params);
    for (const [name, value] of Object.entries(changes)) value === null ? next.delete(name) : next.set(name, value);
    setParams(next, { replace: true });
  };
  // A click on a card is a choice like any other.
  const lastInspected = useRef<string | null>(null);
  useEffect(() => {
    if (inspected === lastInspected.current) return;
    lastInspected.current = inspected;
    const next = new URLSearchParams(params);
    inspected === null ? next.delete("node") : next.set("node", inspected);
    setParams(next, { replace: true });
  }, [inspected, params, setParams]);

  const stop = async (force: boolean) => {
    const answer = await cancel({ input: { runId: run.id, force } });
    const errors = answer.data?.cancelRun.userErrors ?? [];
    if (answer.error) toast(messageOf(answer.error));
    else if (errors.length > 0) toast(refusalOf(errors));
    else toast(t("run.cancelAsked"));
  };

  const close = () => {
    canvas.getState().inspect(null);
    lastInspected.current = null;
    put({ node: null });
  };
  const nodes = useCanvas((state) => state.document.definition.nodes);
  const writers = useMemo(() => writersOf(nodes), [nodes]);
  const latest = run.workflow?.latestVersion;
  const newer = run.version && latest && latest.number > run.version.number;

  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex min-h-12 shrink-0 flex-wrap items-center gap-x-4 gap-y-1 border-line border-b bg-surface px-3 py-1.5">
        <div className="min-w-0">
          <nav aria-label={t("nav.breadcrumbs")} className="text-small text-soft">
            <Link to="/runs" className="hover:underline">
              {t("nav.runs")}
            </Link>
            {" / "}
            <span className="font-mono">{run.key ?? run.id}</span>
          </nav>
          <h1 className="truncate font-semibold text-section">
            <WorkflowLink workflow={run.workflow} /> {run.version ? `v${run.version.number}` : ""}
          </h1>
        </div>
        <span data-testid="run-status">
          <StatusBadge status={status} />
        </span>
        {recovered > 0 ? (
          <span className="rounded-full bg-accent-soft px-2 text-badge text-accent">
            {t("run.recovered", { count: recovered })}, {t("run.repeated", { count: repeated })}
          </span>
        ) : null}
        {newer ? (
          <span className="text-small text-soft">{t("run.newerVersion", { number: latest?.number ?? 0 })}</span>
        ) : null}
        <span className="text-small text-soft">
          {t("run.startedBy", { trigger: run.trigger })} <Time at={run.createdAt} />
          {run.retryOf ? (
            <>
              {" · "}
              <Link to={`/runs/${run.retryOf.id}`} className="underline">
                {t("run.retryOf", { node: run.retriedFrom ?? run.trigger })}
              </Link>
            </>
          ) : null}
          {startedAt ? (
            <>
              {" · "}
              <Duration from={startedAt} to={finishedAt} />
            </>
          ) : null}
        </span>
        <WaitingNodes onShow={(key) => canvas.getState().inspect(key)} />
        <span className="ml-auto flex items-center gap-2">
          <span role="status" className="text-small text-soft" data-testid="connection">
            {t(`connection.${connection}`)}
          </span>
          {ended && mayOperate && run.mode === "LIVE" ? (
            <RetryButtons runId={run.id} from={selected?.split("[")[0] ?? run.error?.node ?? null} />
          ) : null}
          {ended || !mayOperate ? null : (
            <Button look="danger" onClick={() => void stop(false)}>
              {t("run.cancel")}
            </Button>
          )}
        </span>
      </header>
      {params.get("tour") !== null && run.mode === "LIVE" ? (
        <Tour runId={run.id} connection={connection} onLeave={() => put({ tour: null })} />
      ) : null}
      {run.error ? (
        <p role="alert" className="border-line border-b bg-surface px-3 py-1.5">
          <span className="font-mono text-failed text-small">{run.error.code}</span> {inWords(run.error)}
        </p>
      ) : null}
      <Split
        label={t("inspector.resize")}
        side={
          selected ? <NodeRunPanel runId={run.id} nodeKey={selected} mayOperate={mayOperate} onClose={close} /> : null
        }
      >
        <div className="flex h-full flex-col">
          <Tabs
            label={t("run.views")}
            tabs={[
              ["canvas", t("run.canvas")],
              ["timeline", t("run.timeline")],
              ["log", t("run.log")],
              ["outline", t("outline.title")],
              ["events", t("run.events")],
              ["data", t("run.data")],
              ["files", t("files.title")],
            ]}
            selected={tab}
            onSelect={(name) => put({ tab: name, line: null })}
          >
            {tab === "canvas" ? hasDrawing ? <Canvas /> : <p className="p-4 text-soft">{t("run.noVersion")}</p> : null}
            {tab === "timeline" ? <Timeline selected={selected} onSelect={(key) => put({ node: key })} /> : null}
            {tab === "log" ? (
              <Suspense fallback={null}>
                <Log
                  runId={run.id}
                  events={events}
                  writers={writers}
                  marked={params.get("line")}
                  onMark={(line) => put({ line })}
                  onShow={(key) => put({ node: key })}
                />
              </Suspense>
            ) : null}
            {tab === "outline" ? <ReadOnlyOutline /> : null}
            {tab === "events" ? <EventList events={events} /> : null}
            {tab === "data" ? <RunData run={run} /> : null}
            {tab === "files" ? (
              <Suspense fallback={null}>
                <FileList runId={run.id} />
              </Suspense>
            ) : null}
          </Tabs>
        </div>
      </Split>
    </div>
  );
}

/** More nodes than this that wait are found on the canvas. */
const MOST_WAITING = 3;

/** What a person may have to do something about: the nodes that wait for somebody. */
function WaitingNodes({ onShow }: { onShow: (key: string) => void }) {
  const t = useT();
  // As one text, so that nothing is drawn anew while the same nodes wait.
  const waiting = useOverlay(({ nodes }) =>
    [...nodes.values()]
      .filter(
        ({ scope, status, signal }) => scope === "" && (status === "UNCERTAIN" || (status === "WAITING" && signal)),
      )
      .slice(0, MOST_WAITING)
      .map(({ node, status }) => `${node} ${status}`)
      .join(","),
  );
  if (waiting === "") return null;
  return waiting.split(",").map((one) => {
    const [node = "", status] = one.split(" ");
    return (
      <Button
        key={node}
        className="h-7"
        icon={<StatusIcon status={status as Status} size={14} />}
        onClick={() => onShow(node)}
      >
        {t("run.waitsAt", { node })}
      </Button>
    );
  });
}

/** Events in their order, each once. */
function joined(before: readonly RunEvent[], more: readonly RunEvent[]): readonly RunEvent[] {
  const first = more[0];
  if (!first) return before;
  // Numbers begin anew when everything is read again.
  return [...before.filter(({ seq }) => seq < first.seq), ...more];
}

function ReadOnlyOutline() {
  const nothing = () => undefined;
  return <Outline onAdd={nothing} onAddAfter={nothing} onConnect={nothing} />;
}

function RunData({ run }: { run: Run }) {
  const t = useT();
  const sources = useMemo(
    () => ({ "run.input": { of: "runInput", run: run.id }, "run.output": { of: "runOutput", run: run.id } }) as const,
    [run.id],
  );
  const part = (name: "run.input" | "run.output", value: Run["input"] | null | undefined) =>
    value ? (
      <div>
        <h2 className="mb-1 font-semibold">{t(name)}</h2>
        <ValueView head={value} source={sources[name]} label={t(name)} />
      </div>
    ) : null;
  return (
    <div className="flex flex-col gap-4 p-4">
      {part("run.input", run.input)}
      {part("run.output", run.output)}
      {run.output ? null : <p className="text-soft">{t("run.noOutput")}</p>}
    </div>
  );
}
