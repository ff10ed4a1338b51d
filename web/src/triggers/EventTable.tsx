import type { ResultOf } from "@graphql-typed-document-node/core";
import { Link } from "react-router";
import { useSettings } from "@/app/settings";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { type Status, StatusBadge } from "@/ui/StatusBadge";
import { Told } from "@/ui/Told";
import { Time } from "@/ui/time";
import type { TriggerEventsQuery } from "./queries";

type Event = ResultOf<typeof TriggerEventsQuery>["triggerEvents"]["nodes"][number];

interface Props {
  events: readonly Event[];
  /** Delivers an event again; absent for those who may not. */
  onRedeliver?: ((id: string) => void) | undefined;
}

/** What came to triggers, the latest first: the run that it started, or why it started none. */
export function EventTable({ events, onRedeliver }: Props) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  return (
    <div className="overflow-x-auto rounded-lg border border-line bg-surface">
      <table className="w-full text-left">
        <thead className="text-small">
          <tr>
            <th className="px-3 py-2 font-medium">{t("triggers.came")}</th>
            <th className="px-3 py-2 font-medium">{t("run.trigger")}</th>
            <th className="px-3 py-2 font-medium">{t("triggers.due")}</th>
            <th className="px-3 py-2 font-medium">{t("triggers.became")}</th>
            <th className="sr-only">{t("variables.actions")}</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id} className="border-line border-t align-top">
              <td className="whitespace-nowrap px-3 py-2">
                <Time at={event.receivedAt} />
              </td>
              <td className="px-3 py-2">
                <span className="font-mono">{event.node}</span>
                <span className="block whitespace-nowrap text-small text-soft">
                  {t(`triggers.kind.${event.kind}`)} · {event.environment}
                </span>
              </td>
              <td className="whitespace-nowrap px-3 py-2 text-soft tabular-nums">
                {event.scheduledAt ? (
                  <time dateTime={event.scheduledAt}>{new Date(event.scheduledAt).toLocaleString(language)}</time>
                ) : null}
              </td>
              <td className="px-3 py-2">
                {event.outcome === "REFUSED" ? (
                  <>
                    <Told code={event.reason ?? ""} message={event.explanation ?? t("triggers.REFUSED")} />
                    <span className="font-mono text-badge text-soft">{event.reason}</span>
                  </>
                ) : event.outcome === "WAITING" ? (
                  t("triggers.WAITING")
                ) : event.run ? (
                  <Link to={`/runs/${event.run.id}`} className="hover:underline">
                    <StatusBadge status={event.run.status as Status} />
                  </Link>
                ) : (
                  <span className="text-soft">{t("triggers.runGone")}</span>
                )}
                {event.sourceRun ? (
                  <Link to={`/runs/${event.sourceRun.id}`} className="block text-small text-soft hover:underline">
                    {t("triggers.source")}
                  </Link>
                ) : null}
                {event.redeliveryOf ? <span className="block text-small text-soft">{t("triggers.again")}</span> : null}
              </td>
              <td className="px-3 py-2 text-right">
                {onRedeliver ? (
                  <Button look="quiet" className="h-7 px-2 text-small" onClick={() => onRedeliver(event.id)}>
                    {t("triggers.redeliver")}
                  </Button>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
