import { type ReactNode, useState } from "react";
import { useT } from "@/i18n";
import { Alert } from "./Alert";
import { Button } from "./Button";
import { Dialog } from "./Dialog";

interface Props {
  title: string;
  /** What the button says that does it. */
  verb: string;
  /** Does it, and says why it was refused; an empty text when it was done. */
  onConfirm: () => Promise<string>;
  onClose: () => void;
  disabled?: boolean;
  children: ReactNode;
}

/** Asks before something is done that cannot be taken back. */
export function Confirm({ title, verb, onConfirm, onClose, disabled = false, children }: Props) {
  const t = useT();
  const [refused, setRefused] = useState("");
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    setRefused(await onConfirm());
    setBusy(false);
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button look="danger" disabled={busy || disabled} onClick={() => void go()}>
            {verb}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {children}
        <Alert text={refused} />
      </div>
    </Dialog>
  );
}
