import { useState } from "react";
import { useMutation } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Check } from "@/ui/Field";
import { DeleteConnectionMutation } from "./queries";

interface Props {
  connection: { id: string; name: string; usedBy: readonly { title: string }[] };
  onDone: () => void;
  onClose: () => void;
}

/** Asks before a credential is gone for good, and says who would miss it. */
export function DeleteConnection({ connection, onDone, onClose }: Props) {
  const t = useT();
  const [force, setForce] = useState(false);
  const [refused, setRefused] = useState<string>();
  const [result, remove] = useMutation(DeleteConnectionMutation);
  const used = connection.usedBy.length > 0;
  const go = async () => {
    const answer = await remove({ input: { id: connection.id, force } });
    if (answer.error) return setRefused(messageOf(answer.error));
    if (answer.data?.deleteConnection.deletedId) return onDone();
    setRefused(refusalOf(answer.data?.deleteConnection.userErrors));
  };
  return (
    <Dialog
      title={t("connections.delete", { name: connection.name })}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button look="danger" disabled={result.fetching || (used && !force)} onClick={() => void go()}>
            {t("action.delete")}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <p>{t("connections.delete.help")}</p>
        {used ? (
          <>
            <p className="rounded-md border border-waiting p-2">
              {t("connections.delete.used", { workflows: connection.usedBy.map(({ title }) => title).join(", ") })}
            </p>
            <Check label={t("connections.delete.force")} checked={force} onChange={setForce} />
          </>
        ) : null}
        {refused ? (
          <p role="alert" className="text-failed">
            {refused}
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}
