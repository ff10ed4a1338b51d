import { X } from "lucide-react";
import { useEffect, useState } from "react";
import { useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import type { Connection } from "@/canvas/overlay/follow";
import { useOverlay } from "@/canvas/overlay/overlay";
import { isFinal, statusOf } from "@/canvas/overlay/status";
import { type MessageKey, useT } from "@/i18n";
import { Button, IconButton } from "@/ui/Button";
import { inline } from "@/ui/inline";
import { useToasts } from "@/ui/toast";
import { SignalMutation } from "./queries";

type Step = "kill" | "restart" | "late" | "back" | "pay" | "done";

interface Props {
  runId: string;
  connection: Connection;
  onLeave: () => void;
}

/** Guides through a kill of the server in the middle of a run. What it says is read from the run's own events. */
export function Tour({ runId, connection, onLeave }: Props) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const status = useOverlay(statusOf);
  const recovered = useOverlay((run) => run.recovered);
  const repeated = useOverlay((run) => run.repeated);
  const unpaid = useOverlay((run) => run.nodes.get("payment")?.status === "WAITING");
  const [gone, setGone] = useState(false);
  useEffect(() => {
    if (connection === "reconnecting") setGone(true);
  }, [connection]);
  const [result, signal] = useMutation(SignalMutation);
  const survived = gone || recovered > 0;
  const step: Step = isFinal(status)
    ? "done"
    : connection === "reconnecting"
      ? "restart"
      : unpaid
        ? survived
          ? "pay"
          : "late"
        : survived
          ? "back"
          : "kill";
  const counted = step === "back" || step === "pay" || step === "done";
  const pay = async () => {
    const input = { runId, name: "payment", payload: { by: "tour" } };
    const answer = await signal({ input });
    const errors = answer.data?.signalRun.userErrors ?? [];
    if (answer.error) toast(messageOf(answer.error));
    else if (errors.length > 0) toast(refusalOf(errors));
  };
  return (
    <section
      aria-label={t("tour.title")}
      className="flex flex-wrap items-center gap-x-4 gap-y-2 border-accent border-b bg-accent-soft px-3 py-2"
    >
      <div className="min-w-64 flex-1" aria-live="polite">
        <p className="font-semibold">{t(`tour.${step}` as MessageKey)}</p>
        <p>
          {inline(t(`tour.${step}.help` as MessageKey))}
          {counted ? ` ${t(recovered > 0 ? "tour.recovered" : "tour.dormant", { recovered, repeated })}` : ""}
        </p>
      </div>
      {unpaid && connection === "live" ? (
        <Button look="primary" disabled={result.fetching} onClick={() => void pay()}>
          {t("tour.payNow")}
        </Button>
      ) : null}
      <IconButton label={t("tour.leave")} onClick={onLeave}>
        <X size={16} aria-hidden />
      </IconButton>
    </section>
  );
}
