import type { ResultOf } from "@graphql-typed-document-node/core";
import { CalendarClock, CircleCheck, CirclePause, Flag, Hourglass, Play, Radio, Siren, Webhook } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useSettings } from "@/app/settings";
import { useT } from "@/i18n";
import { type Status, StatusBadge } from "@/ui/StatusBadge";
import { Time } from "@/ui/time";
import type { TriggersQuery } from "./queries";

const ICONS = {
  ERROR: Siren,
  EVENT: Radio,
  MANUAL: Play,
  SCHEDULE: CalendarClock,
  WEBHOOK: Webhook,
  WORKFLOW: Flag,
} as const;

type Binding = NonNullable<ResultOf<typeof TriggersQuery>["workflow"]>["triggerBindings"][number];

/** A trigger in one environment: whether it fires, when next, and what it started last. */
export function BindingCard({ binding, children }: { binding: Binding; children: ReactNode }) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  const { node, kind, environment, version, pausedAt, lastFiredAt, lastRun, nextFirings, waitingSince } = binding;
  const Icon = ICONS[kind];
  const [next, ...later] = nextFirings;
  const exact = (at: string) => new Date(at).toLocaleString(language, { dateStyle: "medium", timeStyle: "medium" });
  return (
    <li aria-label={node} className="flex flex-col gap-3 rounded-lg border border-line bg-surface p-3">
      <div className="flex items-start gap-3">
        <span className="flex size-8 shrink-0 items-center justify-center rounded-md bg-raised text-soft">
          <Icon size={18} aria-hidden />
        </span>
        <div className="min-w-0 flex-1">
          <p className="font-medium font-mono">{node}</p>
          <p className="text-small text-soft">
            {t(`triggers.kind.${kind}`)} · {environment} · {version ? `v${version.number}` : t("triggers.notDeployed")}
          </p>
        </div>
        {children}
      </div>
      <p className="flex items-center gap-1.5">
        {pausedAt ? (
          <>
            <CirclePause size={16} aria-hidden className="text-waiting" />
            {t("triggers.paused")} <Time at={pausedAt} />
          </>
        ) : version ? (
          <>
            <CircleCheck size={16} aria-hidden className="text-succeeded" />
            {t("triggers.active")}
          </>
        ) : (
          <span className="text-soft">{t("triggers.idle")}</span>
        )}
      </p>
      {waitingSince ? (
        <p className="flex items-center gap-1.5 text-soft">
          <Hourglass size={16} aria-hidden className="text-waiting" />
          {t("triggers.waiting")} <Time at={waitingSince} />
        </p>
      ) : null}
      {next ? (
        <div>
          <h3 className="text-small text-soft">{t("triggers.next")}</h3>
          <p className="tabular-nums">
            <time dateTime={next}>{exact(next)}</time>
          </p>
          {later.length > 0 ? (
            <details className="text-small">
              <summary className="cursor-pointer text-soft">{t("triggers.later", { count: later.length })}</summary>
              <ol className="mt-1 tabular-nums">
                {later.map((at) => (
                  <li key={at}>
                    <time dateTime={at}>{exact(at)}</time>
                  </li>
                ))}
              </ol>
            </details>
          ) : null}
        </div>
      ) : null}
      {lastFiredAt ? (
        <div>
          <h3 className="text-small text-soft">{t("triggers.last")}</h3>
          <p className="flex flex-wrap items-center gap-x-3">
            <Time at={lastFiredAt} />
            {lastRun ? (
              <Link to={`/runs/${lastRun.id}`} className="hover:underline">
                <StatusBadge status={lastRun.status as Status} />
              </Link>
            ) : null}
          </p>
        </div>
      ) : null}
    </li>
  );
}
