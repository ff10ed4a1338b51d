import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { useRefusal } from "@/api/refusal";
import { useT } from "@/i18n";
import { Alert } from "@/ui/Alert";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select, TextField } from "@/ui/Field";
import { ProjectChoice } from "./ProjectChoice";
import { CreateServiceAccountMutation } from "./queries";
import { useRoles } from "./roles";

/** Makes a service account; it opens nothing until it has a key. */
export function AccountDialog({ onDone, onClose }: { onDone: (name: string) => void; onClose: () => void }) {
  const t = useT();
  const { choices } = useRoles();
  const [name, setName] = useState("");
  const [role, setRole] = useState("viewer");
  const [projects, setProjects] = useState<string[] | null>(null);
  const [{ fetching }, create] = useMutation(CreateServiceAccountMutation);
  const refusal = useRefusal("name", "role", "projects");
  const go = async (event: FormEvent) => {
    event.preventDefault();
    if (refusal.settle(await create({ input: { name, role, projects } }))) onDone(name);
  };
  return (
    <Dialog title={t("accounts.new")} onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={(event) => void go(event)}>
        <TextField
          label={t("workflows.name")}
          help={t("accounts.name.help")}
          error={refusal.at("name")}
          required
          className="font-mono"
          value={name}
          onChange={setName}
        />
        <Select
          label={t("members.role")}
          value={role}
          error={refusal.at("role")}
          options={choices()}
          onChange={setRole}
        />
        <ProjectChoice value={projects} error={refusal.at("projects")} onChange={setProjects} />
        <Alert text={refusal.rest} />
        <Button type="submit" look="primary" disabled={fetching || name === "" || projects?.length === 0}>
          {t("accounts.create")}
        </Button>
      </form>
    </Dialog>
  );
}
