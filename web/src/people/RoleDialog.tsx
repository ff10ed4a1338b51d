import { type FormEvent, useState } from "react";
import { refusalIn } from "@/api/refusal";
import { useT } from "@/i18n";
import { Alert } from "@/ui/Alert";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select } from "@/ui/Field";
import { Permissions } from "./Permissions";
import { useRoles } from "./roles";

interface Props {
  title: string;
  /** The role that they have now. */
  current: string;
  help?: string | undefined;
  onChoose: (role: string) => Promise<Parameters<typeof refusalIn>[0]>;
  onDone: () => void;
  onClose: () => void;
}

/** Gives somebody, or a program, another role, and shows what that one allows. */
export function RoleDialog({ title, current, help, onChoose, onDone, onClose }: Props) {
  const t = useT();
  const { roles, choices } = useRoles();
  const [role, setRole] = useState(current);
  const [refused, setRefused] = useState("");
  const [busy, setBusy] = useState(false);
  const go = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const why = refusalIn(await onChoose(role));
    setBusy(false);
    if (why) setRefused(why);
    else onDone();
  };
  const chosen = roles.find(({ key }) => key === role);
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={(event) => void go(event)}>
        <Select label={t("members.role")} help={help} value={role} options={choices(current)} onChange={setRole} />
        {chosen ? <Permissions words={chosen.permissions} /> : null}
        <Alert text={refused} />
        <Button type="submit" look="primary" disabled={busy || role === current}>
          {t("members.role.save")}
        </Button>
      </form>
    </Dialog>
  );
}
