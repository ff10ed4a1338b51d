import { Plus } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useMutation } from "urql";
import { refusalIn } from "@/api/refusal";
import { Allowed } from "@/app/Allowed";
import { useT } from "@/i18n";
import { KeyDialog } from "@/people/KeyDialog";
import { KeyList } from "@/people/KeyList";
import { useActors, useNames } from "@/people/names";
import { type ApiKey, RevokeApiKeyMutation } from "@/people/queries";
import { RotateDialog } from "@/people/RotateDialog";
import { keyState } from "@/people/rights";
import { useRoles } from "@/people/roles";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Dialog } from "@/ui/Dialog";
import { Select } from "@/ui/Field";
import { ListOf, Nothing } from "@/ui/ListOf";
import { Once } from "@/ui/Once";
import { useNow } from "@/ui/time";
import { useToasts } from "@/ui/toast";

/** The keys of programs: what they may do, when they were used, and their end. */
export default function KeysPage() {
  return (
    <Allowed to="key:manage">
      <Keys />
    </Allowed>
  );
}

const SHOWN = ["live", "sessions", "all"] as const;
type Shown = (typeof SHOWN)[number];

function Keys() {
  const t = useT();
  const now = useNow();
  const toast = useToasts((toasts) => toasts.show);
  const actors = useActors();
  const nameOf = useNames(actors);
  const { nameOf: roleName } = useRoles();
  const [params, setParams] = useSearchParams();
  const [making, setMaking] = useState(false);
  const [rotating, setRotating] = useState<ApiKey>();
  const [revoking, setRevoking] = useState<ApiKey>();
  const [secret, setSecret] = useState<string>();
  const [, revoke] = useMutation(RevokeApiKeyMutation);
  const shown = SHOWN.find((one) => one === params.get("show")) ?? "live";
  const account = params.get("account");
  const accounts = actors.accounts.nodes ?? [];
  const put = (changes: Record<string, string>) => {
    const next = new URLSearchParams(params);
    for (const [name, value] of Object.entries(changes)) value ? next.set(name, value) : next.delete(name);
    setParams(next, { replace: true });
  };
  const fits = (key: ApiKey) => {
    if (account && key.serviceAccountId !== account) return false;
    const isLive = ["works", "rotated"].includes(keyState(key, now));
    return shown === "all" || (isLive && Boolean(key.userId) === (shown === "sessions"));
  };
  const made = (text: string) => {
    setMaking(false);
    setRotating(undefined);
    setSecret(text);
    actors.keys.again();
  };
  return (
    <div className="mx-auto max-w-5xl p-4">
      <header className="mb-3 flex flex-wrap items-end gap-3">
        <div className="min-w-0 flex-1 basis-60">
          <h1 className="font-semibold text-title">{t("settings.page.keys")}</h1>
          <p className="text-soft">{t("keys.about")}</p>
        </div>
        {accounts.length > 0 ? (
          <div className="w-44 max-sm:w-full">
            <Select
              label={t("keys.filter.account")}
              value={account ?? ""}
              options={[["", t("runs.all")], ...accounts.map(({ id, name }) => [id, name] as const)]}
              onChange={(value) => put({ account: value })}
            />
          </div>
        ) : null}
        <div className="w-44 max-sm:w-full">
          <Select
            label={t("keys.filter.shown")}
            value={shown}
            options={SHOWN.map((one) => [one, t(`keys.filter.${one}`)] as const)}
            onChange={(value) => put({ show: value === ("live" satisfies Shown) ? "" : value })}
          />
        </div>
        <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setMaking(true)}>
          {t("keys.new")}
        </Button>
      </header>
      <ListOf list={actors.keys}>
        {(nodes) =>
          nodes.some(fits) ? (
            <KeyList
              keys={nodes.filter(fits).reverse()}
              accounts={accounts}
              roleName={roleName}
              nameOf={nameOf}
              onRotate={setRotating}
              onRevoke={setRevoking}
            />
          ) : (
            <Nothing>{t("keys.none")}</Nothing>
          )
        }
      </ListOf>
      {making ? (
        <KeyDialog accounts={accounts} account={account} onMade={made} onClose={() => setMaking(false)} />
      ) : null}
      {rotating ? <RotateDialog apiKey={rotating} onMade={made} onClose={() => setRotating(undefined)} /> : null}
      {secret ? (
        <Dialog
          title={t("keys.made")}
          onClose={() => setSecret(undefined)}
          footer={
            <Button look="primary" onClick={() => setSecret(undefined)}>
              {t("once.done")}
            </Button>
          }
        >
          <Once label={t("signIn.key")} help={t("keys.made.help")} value={secret} />
        </Dialog>
      ) : null}
      {revoking ? (
        <Confirm
          title={t("keys.revokeOne", { name: revoking.name })}
          verb={t("action.revoke")}
          onClose={() => setRevoking(undefined)}
          onConfirm={async () => {
            const why = refusalIn(await revoke({ input: { keyId: revoking.id } }));
            if (why) return why;
            toast(t("keys.isRevoked", { name: revoking.name }));
            setRevoking(undefined);
            actors.keys.again();
            return "";
          }}
        >
          <p>{t("keys.revoke.help")}</p>
        </Confirm>
      ) : null}
    </div>
  );
}
