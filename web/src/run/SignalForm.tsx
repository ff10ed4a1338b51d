import { useState } from "react";
import { useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { parse } from "@/canvas/inspector/schemaForm/kind";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { TextArea } from "@/ui/Field";
import { SignalMutation } from "./queries";

interface Props {
  runId: string;
  signal: string;
  signalKey: string | null;
}

/** Sends the message that a node waits for. */
export function SignalForm({ runId, signal, signalKey }: Props) {
  const t = useT();
  const [payload, setPayload] = useState("{}");
  const [refused, setRefused] = useState<string>();
  const [result, send] = useMutation(SignalMutation);
  const read = parse(payload);
  const go = async () => {
    if (!read.ok) return;
    const answer = await send({ input: { runId, name: signal, key: signalKey, payload: read.value ?? null } });
    const errors = answer.data?.signalRun.userErrors ?? [];
    setRefused(answer.error ? messageOf(answer.error) : refusalOf(errors) || undefined);
  };
  return (
    <div className="flex flex-col gap-2 rounded-md border border-waiting p-3">
      <h3 className="font-semibold">
        {t("signal.title", { signal: signalKey ? `${signal} (${signalKey})` : signal })}
      </h3>
      <TextArea
        label={t("signal.payload")}
        rows={4}
        value={payload}
        onChange={setPayload}
        error={read.ok ? refused : t("form.notJson", { message: read.message })}
      />
      <Button look="primary" disabled={!read.ok || result.fetching} onClick={() => void go()}>
        {t("signal.send")}
      </Button>
    </div>
  );
}
