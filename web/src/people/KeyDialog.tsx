import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { useRefusal } from "@/api/refusal";
import { useViewer } from "@/app/viewer";
import type { ApiKeyForm } from "@/gql/graphql";
import { useT } from "@/i18n";
import { Alert } from "@/ui/Alert";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Check, Select, TextField } from "@/ui/Field";
import { PermissionChecks } from "./PermissionChecks";
import { ProjectChoice } from "./ProjectChoice";
import { CreateApiKeyMutation, type ServiceAccount } from "./queries";
import { useRoles } from "./roles";

const DAY_MS = 86_400_000;
/** How long a key works, in days; a key that never ends is a choice, not an accident. */
const LASTS = ["30", "90", "365", "never"] as const;

interface Props {
  accounts: readonly ServiceAccount[];
  /** The service account that is looked at. */
  account: string | null;
  onMade: (secret: string) => void;
  onClose: () => void;
}

/** Makes a key: for whom, with what, until when. */
export function KeyDialog({ accounts, account, onMade, onClose }: Props) {
  const t = useT();
  const { may } = useViewer();
  const { roles, permissions, choices } = useRoles();
  const [name, setName] = useState("");
  const [of, setOf] = useState(account ?? "");
  const [role, setRole] = useState("viewer");
  const [narrow, setNarrow] = useState(false);
  const [only, setOnly] = useState<readonly string[]>([]);
  const [projects, setProjects] = useState<string[] | null>(null);
  const [lasts, setLasts] = useState<string>("90");
  const [environment, setEnvironment] = useState("default");
  const [form, setForm] = useState<ApiKeyForm>("FLOWFORGE");
  const [{ fetching }, create] = useMutation(CreateApiKeyMutation);
  const refusal = useRefusal("name", "role", "environment", "expiresAt", "projects");
  const allowed =
    roles.find(({ key }) => key === (accounts.find(({ id }) => id === of)?.role ?? role))?.permissions ?? [];
  const go = async (event: FormEvent) => {
    event.preventDefault();
    const answer = await create({
      input: {
        name,
        environment,
        form,
        projects,
        ...(of ? { serviceAccountId: of } : { role }),
        ...(narrow ? { permissions: allowed.filter((word) => word === "read" || only.includes(word)) } : {}),
        ...(lasts === "never" ? {} : { expiresAt: new Date(Date.now() + Number(lasts) * DAY_MS).toISOString() }),
      },
    });
    if (refusal.settle(answer)) onMade(answer.data?.createApiKey.secret ?? "");
  };
  return (
    <Dialog wide title={t("keys.new")} onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={(event) => void go(event)}>
        <TextField
          label={t("workflows.name")}
          help={t("keys.name.help")}
          error={refusal.at("name")}
          required
          value={name}
          onChange={setName}
        />
        <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">
          <Select
            label={t("keys.of")}
            help={t(of ? "keys.of.account" : "keys.of.itself")}
            value={of}
            options={[
              ["", t("keys.of.nobody")],
              ...accounts.filter(({ disabledAt }) => !disabledAt).map((one) => [one.id, one.name] as const),
            ]}
            onChange={setOf}
          />
          {of ? null : (
            <Select
              label={t("members.role")}
              value={role}
              error={refusal.at("role")}
              options={choices()}
              onChange={setRole}
            />
          )}
          <Select
            label={t("keys.lasts")}
            value={lasts}
            error={refusal.at("expiresAt")}
            options={LASTS.map((days) => [
              days,
              days === "never" ? t("keys.lasts.never") : t("keys.lasts.days", { count: Number(days) }),
            ])}
            onChange={setLasts}
          />
          <TextField
            label={t("environment")}
            help={t("keys.environment.help")}
            error={refusal.at("environment")}
            className="font-mono"
            value={environment}
            onChange={setEnvironment}
          />
          <Select
            label={t("keys.form")}
            value={form}
            options={[
              ["FLOWFORGE", "ff_…"],
              ["FOREMAN", "fmn_…"],
            ]}
            onChange={(chosen) => setForm(chosen === "FOREMAN" ? "FOREMAN" : "FLOWFORGE")}
          />
        </div>
        <Check label={t("keys.narrow")} checked={narrow} onChange={setNarrow} />
        {narrow ? (
          <PermissionChecks
            legend={t("keys.only")}
            permissions={permissions.filter(({ key }) => allowed.includes(key))}
            chosen={["read", ...only]}
            isOffered={may}
            onChange={setOnly}
          />
        ) : null}
        <ProjectChoice
          value={projects}
          error={refusal.at("projects")}
          help={of ? t("limit.account.help") : undefined}
          onChange={setProjects}
        />
        <Alert text={refusal.rest} />
        <Button type="submit" look="primary" disabled={fetching || name === "" || projects?.length === 0}>
          {t("keys.create")}
        </Button>
      </form>
    </Dialog>
  );
}
