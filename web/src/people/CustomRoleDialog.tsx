import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { useRefusal } from "@/api/refusal";
import { useViewer } from "@/app/viewer";
import { useT } from "@/i18n";
import { Alert } from "@/ui/Alert";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { TextField } from "@/ui/Field";
import { PermissionChecks } from "./PermissionChecks";
import { CreateRoleMutation, type Role, UpdateRoleMutation } from "./queries";
import type { Subject } from "./rights";
import { useRoles } from "./roles";

interface Props {
  /** The role that is changed; a new one without. */
  known?: Role | undefined;
  /** Who has it. */
  holders: readonly Subject[];
  onDone: (name: string) => void;
  onClose: () => void;
}

/** Makes a role, or changes what one allows. */
export function CustomRoleDialog({ known, holders, onDone, onClose }: Props) {
  const t = useT();
  const { may } = useViewer();
  const { permissions } = useRoles();
  const [name, setName] = useState(known?.name ?? "");
  // Without `read` nothing can be named, so every role has it.
  const [words, setWords] = useState<readonly string[]>(known?.permissions ?? ["read"]);
  const [creating, create] = useMutation(CreateRoleMutation);
  const [updating, update] = useMutation(UpdateRoleMutation);
  const refusal = useRefusal("name");
  const go = async (event: FormEvent) => {
    event.preventDefault();
    const input = { name, permissions: [...words] };
    const answer = known ? await update({ input: { roleId: known.key, ...input } }) : await create({ input });
    if (refusal.settle(answer)) onDone(name);
  };
  return (
    <Dialog wide title={known ? t("connections.change", { name: known.name }) : t("roles.new")} onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={(event) => void go(event)}>
        <TextField label={t("workflows.name")} error={refusal.at("name")} required value={name} onChange={setName} />
        <PermissionChecks
          legend={t("roles.allows")}
          permissions={permissions}
          chosen={words}
          isOffered={(permission) => may(permission)}
          onChange={setWords}
        />
        {known && holders.length > 0 ? (
          <p className="rounded-md border border-waiting p-2">
            {t("roles.change.held", { names: holders.map((holder) => holder.name).join(", ") })}
          </p>
        ) : null}
        <Alert text={refusal.rest} />
        <Button type="submit" look="primary" disabled={name === "" || creating.fetching || updating.fetching}>
          {t(known ? "connections.save" : "roles.create")}
        </Button>
      </form>
    </Dialog>
  );
}
