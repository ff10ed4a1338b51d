import { useState } from "react";
import { Link } from "react-router";
import { useMutation } from "urql";
import { refusalIn } from "@/api/refusal";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Row, Rows, Tag } from "@/ui/Rows";
import { Time } from "@/ui/time";
import { useToasts } from "@/ui/toast";
import { GrantDialog } from "./GrantDialog";
import { LimitedTo } from "./ProjectChoice";
import { DisableServiceAccountMutation, type ServiceAccount, UpdateServiceAccountMutation } from "./queries";

interface Props {
  accounts: readonly ServiceAccount[];
  roleName: (key: string) => string;
  nameOf: (id: string) => string;
  onChanged: () => void;
}

/** Programs that are members. */
export function ServiceAccountList({ accounts, roleName, nameOf, onChanged }: Props) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const [changing, setChanging] = useState<ServiceAccount>();
  const [disabling, setDisabling] = useState<ServiceAccount>();
  const [, update] = useMutation(UpdateServiceAccountMutation);
  const [, disable] = useMutation(DisableServiceAccountMutation);
  return (
    <>
      <Rows label={t("accounts.title")}>
        {accounts.map((account) => (
          <Row
            key={account.id}
            label={account.name}
            faint={Boolean(account.disabledAt)}
            actions={
              account.disabledAt ? null : (
                <>
                  <Button aria-label={t("members.change", { name: account.name })} onClick={() => setChanging(account)}>
                    {t("members.role.change")}
                  </Button>
                  <Button
                    look="danger"
                    aria-label={t("accounts.disableOne", { name: account.name })}
                    onClick={() => setDisabling(account)}
                  >
                    {t("accounts.disable")}
                  </Button>
                </>
              )
            }
          >
            <div className="min-w-0">
              <p className="truncate font-medium font-mono">{account.name}</p>
              <Link to={`/settings/keys?account=${account.id}`} className="text-accent text-small hover:underline">
                {t("accounts.keys")}
              </Link>
            </div>
            <div className="min-w-0">
              <Link
                to={`/settings/access?of=${account.id}`}
                aria-label={t("members.access", { name: account.name, role: roleName(account.role) })}
                className="text-accent hover:underline"
              >
                {roleName(account.role)}
              </Link>
              <LimitedTo projects={account.projects} />
            </div>
            <div className="text-small text-soft">
              {account.disabledAt ? (
                <p>
                  <Tag tone="bad">{t("accounts.disabled")}</Tag> <Time at={account.disabledAt} />
                </p>
              ) : null}
              <p className="truncate">
                {t("invite.by", { name: nameOf(account.createdBy) })} <Time at={account.createdAt} />
              </p>
            </div>
          </Row>
        ))}
      </Rows>
      {changing ? (
        <GrantDialog
          title={t("members.change", { name: changing.name })}
          current={changing}
          onChoose={(change) => update({ input: { serviceAccountId: changing.id, ...change } })}
          onClose={() => setChanging(undefined)}
          onDone={() => {
            toast(t("members.changed", { name: changing.name }));
            setChanging(undefined);
            onChanged();
          }}
        />
      ) : null}
      {disabling ? (
        <Confirm
          title={t("accounts.disableOne", { name: disabling.name })}
          verb={t("accounts.disable")}
          onClose={() => setDisabling(undefined)}
          onConfirm={async () => {
            const why = refusalIn(await disable({ input: { serviceAccountId: disabling.id } }));
            if (why) return why;
            toast(t("accounts.isDisabled", { name: disabling.name }));
            setDisabling(undefined);
            onChanged();
            return "";
          }}
        >
          <p>{t("accounts.disable.help")}</p>
        </Confirm>
      ) : null}
    </>
  );
}
