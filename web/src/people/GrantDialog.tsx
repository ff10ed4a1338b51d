import { type FormEvent, useState } from "react";
import { refusalIn } from "@/api/refusal";
import { useT } from "@/i18n";
import { Alert } from "@/ui/Alert";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select } from "@/ui/Field";
import { type ProjectLimit, sameLimit, slugsOf, underLimit } from "./limits";
import { Permissions } from "./Permissions";
import { ProjectChoice } from "./ProjectChoice";
import { useRoles } from "./roles";

/** What somebody is to have from now on; what is absent stays. */
export interface Grant {
  role?: string;
  /** The slugs of the only projects; null for all. */
  projects?: string[] | null;
}

interface Props {
  title: string;
  /** What they have now. */
  current: { role: string; projects: ProjectLimit };
  help?: string | undefined;
  onChoose: (change: Grant) => Promise<Parameters<typeof refusalIn>[0]>;
  onDone: () => void;
  onClose: () => void;
}

/** Gives somebody, or a program, another role or other projects, and shows what the role allows. */
export function GrantDialog({ title, current, help, onChoose, onDone, onClose }: Props) {
  const t = useT();
  const { roles, choices } = useRoles();
  const before = slugsOf(current.projects);
  const [role, setRole] = useState(current.role);
  const [projects, setProjects] = useState(before);
  const [refused, setRefused] = useState("");
  const [busy, setBusy] = useState(false);
  const change: Grant = {
    ...(role === current.role ? {} : { role }),
    ...(sameLimit(projects, before) ? {} : { projects }),
  };
  const go = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const why = refusalIn(await onChoose(change));
    setBusy(false);
    if (why) setRefused(why);
    else onDone();
  };
  const chosen = roles.find(({ key }) => key === role);
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={(event) => void go(event)}>
        <Select label={t("members.role")} help={help} value={role} options={choices(current.role)} onChange={setRole} />
        {chosen ? <Permissions words={underLimit(chosen.permissions, projects)} /> : null}
        <ProjectChoice value={projects} onChange={setProjects} />
        <Alert text={refused} />
        <Button
          type="submit"
          look="primary"
          disabled={busy || projects?.length === 0 || Object.keys(change).length === 0}
        >
          {t("action.save")}
        </Button>
      </form>
    </Dialog>
  );
}
