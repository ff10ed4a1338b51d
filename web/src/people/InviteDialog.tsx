import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { useRefusal } from "@/api/refusal";
import { useT } from "@/i18n";
import { Alert } from "@/ui/Alert";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select, TextField } from "@/ui/Field";
import { Once } from "@/ui/Once";
import { underLimit } from "./limits";
import { Permissions } from "./Permissions";
import { ProjectChoice } from "./ProjectChoice";
import { InviteMemberMutation } from "./queries";
import { useRoles } from "./roles";

const LASTS = ["24h", "168h", "720h"] as const;

/** Invites somebody: the link that makes them a member is shown once. */
export function InviteDialog({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const t = useT();
  const { roles, choices } = useRoles();
  const [role, setRole] = useState("viewer");
  const [email, setEmail] = useState("");
  const [projects, setProjects] = useState<string[] | null>(null);
  const [expiresIn, setExpiresIn] = useState<string>("168h");
  const [token, setToken] = useState<string>();
  const [{ fetching }, invite] = useMutation(InviteMemberMutation);
  const refusal = useRefusal("email", "role", "projects");
  const go = async (event: FormEvent) => {
    event.preventDefault();
    const answer = await invite({ input: { role, email: email.trim() || null, expiresIn, projects } });
    if (!refusal.settle(answer)) return;
    setToken(answer.data?.inviteMember.token ?? undefined);
    onDone();
  };
  if (token) {
    return (
      <Dialog
        title={t("invite.made")}
        onClose={onClose}
        footer={
          <Button look="primary" onClick={onClose}>
            {t("once.done")}
          </Button>
        }
      >
        <Once
          label={t("invite.link")}
          help={t(email.trim() ? "invite.link.email" : "invite.link.help", { email: email.trim() })}
          value={`${location.origin}/invitation#${token}`}
        />
      </Dialog>
    );
  }
  const chosen = roles.find(({ key }) => key === role);
  return (
    <Dialog title={t("members.invite")} onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={(event) => void go(event)}>
        <Select
          label={t("members.role")}
          value={role}
          error={refusal.at("role")}
          options={choices()}
          onChange={setRole}
        />
        {chosen ? <Permissions words={underLimit(chosen.permissions, projects)} /> : null}
        <ProjectChoice value={projects} error={refusal.at("projects")} onChange={setProjects} />
        <TextField
          label={t("invite.email")}
          help={t("invite.email.help")}
          error={refusal.at("email")}
          type="email"
          autoComplete="off"
          value={email}
          onChange={setEmail}
        />
        <Select
          label={t("invite.lasts")}
          value={expiresIn}
          options={LASTS.map((one) => [one, t(`invite.lasts.${one}`)] as const)}
          onChange={setExpiresIn}
        />
        <Alert text={refusal.rest} />
        <Button type="submit" look="primary" disabled={fetching || projects?.length === 0}>
          {t("invite.go")}
        </Button>
      </form>
    </Dialog>
  );
}
