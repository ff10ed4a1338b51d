import { X } from "lucide-react";
import { useEffect, useMemo } from "react";
import { useQuery } from "urql";
import { useSettings } from "@/app/settings";
import { nodeRunId } from "@/canvas/overlay/ids";
import { useOverlay } from "@/canvas/overlay/overlay";
import { useCanvas } from "@/canvas/store";
import { ValueView } from "@/data/ValueView";
import { useT } from "@/i18n";
import { IconButton } from "@/ui/Button";
import { Failure } from "@/ui/Empty";
import { StatusBadge } from "@/ui/StatusBadge";
import { Told } from "@/ui/Told";
import { Duration, Time } from "@/ui/time";
import { NodeRunQuery } from "./queries";
import { ResolveForm } from "./ResolveForm";
import { SignalForm } from "./SignalForm";

interface Props {
  runId: string;
  /** `node` or `node[scope]`. */
  nodeKey: string;
  mayOperate: boolean;
  onClose: () => void;
}

/** How often a result is asked for that must be there, and how soon again. */
const MOST_TRIES = 10;
const TRY_EVERY_MS = 400;

/** One node run: its attempts, result and error, and what a person can do about it. */
export function NodeRunPanel({ runId, nodeKey, mayOperate, onClose }: Props) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  const state = useOverlay((run) => run.nodes.get(nodeKey));
  const disabled = useCanvas((canvas) => canvas.document.definition.nodes[nodeKey]?.disabled ?? false);
  const [{ data, error }, again] = useQuery({
    query: NodeRunQuery,
    variables: { id: nodeRunId(runId, nodeKey) },
    pause: state === undefined,
  });
  const details = data?.node?.__typename === "NodeRun" ? data.node : undefined;
  const status = state?.status;
  const source = useMemo(() => ({ of: "output", nodeRun: nodeRunId(runId, nodeKey) }) as const, [runId, nodeKey]);
  // The events say that something changed; results are asked for by name.
  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of the status asks anew
  useEffect(() => again({ requestPolicy: "network-only" }), [status, again]);
  // Events may be told a moment before their result can be read.
  const missing = status === "SUCCEEDED" && details !== undefined && !details.output;
  useEffect(() => {
    if (!missing) return;
    let tries = 0;
    const timer = window.setInterval(() => {
      tries += 1;
      if (tries >= MOST_TRIES) window.clearInterval(timer);
      again({ requestPolicy: "network-only" });
    }, TRY_EVERY_MS);
    return () => window.clearInterval(timer);
  }, [missing, again]);
  return (
    <section
      aria-label={t("nodeRun.title", { key: nodeKey })}
      className="flex h-full flex-col overflow-auto bg-surface"
    >
      <header className="flex items-center justify-between gap-2 p-3">
        <h2 className="truncate font-mono font-semibold">{nodeKey}</h2>
        <IconButton label={t("action.closePanel")} onClick={onClose}>
          <X size={16} aria-hidden />
        </IconButton>
      </header>
      <div className="flex flex-col gap-4 px-3 pb-4">
        {!state ? <p className="text-soft">{t("nodeRun.notBegun")}</p> : <StatusBadge status={state.status} />}
        {disabled ? <p className="text-soft">{t("node.disabled.help")}</p> : null}
        {state?.reused ? <p className="text-soft">{t("nodeRun.reused")}</p> : null}
        {error && !details ? <Failure error={error} onRetry={() => again({ requestPolicy: "network-only" })} /> : null}
        {details ? (
          <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
            <dt className="text-soft">{t("nodeRun.type")}</dt>
            <dd className="font-mono">{details.type}</dd>
            <dt className="text-soft">{t("nodeRun.effect")}</dt>
            <dd>{t(`effect.${details.effect}`)}</dd>
            {details.port ? (
              <>
                <dt className="text-soft">{t("nodeRun.port")}</dt>
                <dd className="font-mono">{details.port}</dd>
              </>
            ) : null}
            {details.items === null || details.items === undefined ? null : (
              <>
                <dt className="text-soft">{t("nodeRun.items")}</dt>
                <dd className="tabular-nums">
                  {details.itemsSettled ?? 0} / {details.items}
                </dd>
              </>
            )}
            {details.waitingFor?.until ? (
              <>
                <dt className="text-soft">{t("nodeRun.until")}</dt>
                <dd>{new Date(details.waitingFor.until).toLocaleString(language)}</dd>
              </>
            ) : null}
          </dl>
        ) : null}
        {state && state.attempts.length > 0 ? (
          <div>
            <h3 className="mb-1 font-semibold">{t("nodeRun.attempts")}</h3>
            <ol className="flex flex-col gap-0.5">
              {state.attempts.map((attempt) => (
                <li key={`${attempt.number} ${attempt.startedAt}`} className="flex gap-3">
                  <span className="w-6 text-right tabular-nums">{attempt.number}</span>
                  <span className="w-24">{t(`attempt.${attempt.outcome}`)}</span>
                  <span className="text-soft">
                    <Duration
                      from={attempt.startedAt}
                      to={attempt.outcome === "waits" ? state.endedAt : attempt.endedAt}
                    />
                  </span>
                  <span className="text-soft">
                    <Time at={attempt.startedAt} />
                  </span>
                </li>
              ))}
            </ol>
          </div>
        ) : null}
        {state?.error ? (
          <div className="rounded-md border border-failed p-2">
            <p className="font-mono text-failed text-small">
              {state.error.code} · {state.error.kind}
            </p>
            <Told code={state.error.code} message={state.error.message} />
          </div>
        ) : null}
        {mayOperate && details?.waitingFor?.signal ? (
          <SignalForm runId={runId} signal={details.waitingFor.signal} signalKey={details.waitingFor.key ?? null} />
        ) : null}
        {mayOperate && status === "UNCERTAIN" && details ? <ResolveForm id={details.id} /> : null}
        {details?.output ? (
          <div>
            <h3 className="mb-1 font-semibold">{t("nodeRun.output")}</h3>
            <ValueView head={details.output} source={source} label={t("nodeRun.output")} />
          </div>
        ) : null}
      </div>
    </section>
  );
}
