import { Link } from "react-router";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Row, Rows, Tag } from "@/ui/Rows";
import { Time, Until, useNow } from "@/ui/time";
import { within } from "./limits";
import { LimitedTo } from "./ProjectChoice";
import type { ApiKey, ServiceAccount } from "./queries";
import { keyState } from "./rights";

interface Props {
  keys: readonly ApiKey[];
  accounts: readonly ServiceAccount[];
  roleName: (key: string) => string;
  nameOf: (id: string) => string;
  onRotate: (key: ApiKey) => void;
  onRevoke: (key: ApiKey) => void;
}

/** Keys: whose they are, what they may do, when they were last used and when they end. */
export function KeyList({ keys, accounts, roleName, nameOf, onRotate, onRevoke }: Props) {
  const t = useT();
  const now = useNow();
  return (
    <Rows label={t("settings.page.keys")}>
      {keys.map((key) => {
        const state = keyState(key, now);
        const account = accounts.find(({ id }) => id === key.serviceAccountId);
        const over = state === "revoked" || state === "over";
        const name = key.userId ? t("keys.session", { name: nameOf(key.userId) }) : key.name;
        return (
          <Row
            key={key.id}
            label={name}
            faint={over}
            actions={
              over ? null : (
                <>
                  {state === "works" && !key.userId ? (
                    <Button aria-label={t("keys.rotateOne", { name })} onClick={() => onRotate(key)}>
                      {t("keys.rotate")}
                    </Button>
                  ) : null}
                  <Button look="danger" aria-label={t("keys.revokeOne", { name })} onClick={() => onRevoke(key)}>
                    {t("action.revoke")}
                  </Button>
                </>
              )
            }
          >
            <div className="min-w-0">
              <p className="flex flex-wrap items-center gap-x-2 font-medium">
                {name}
                {state === "rotated" ? <Tag tone="warn">{t("keys.rotated")}</Tag> : null}
                {over ? <Tag tone="bad">{t(`keys.${state}`)}</Tag> : null}
              </p>
              <p className="truncate font-mono text-small text-soft">{key.shown}…</p>
            </div>
            <div className="min-w-0">
              {key.userId ? (
                <p>{roleName(key.role)}</p>
              ) : (
                <Link
                  to={`/settings/access?of=${key.id}`}
                  aria-label={t("members.access", { name, role: roleName(account?.role ?? key.role) })}
                  className="text-accent hover:underline"
                >
                  {roleName(account?.role ?? key.role)}
                </Link>
              )}
              <p className="truncate text-small text-soft">
                {account ? t("keys.ofAccount", { name: account.name }) : null}
                {account && key.permissions ? " · " : null}
                {key.permissions ? (
                  <span title={key.permissions.join(", ")}>
                    {t("keys.narrowed", { count: key.permissions.length })}
                  </span>
                ) : null}
              </p>
              <LimitedTo projects={within(key.projects, account?.projects)} />
            </div>
            <div className="text-small text-soft">
              <p>
                {key.lastUsedAt ? (
                  <>
                    {t("keys.used")} <Time at={key.lastUsedAt} />
                  </>
                ) : (
                  t("keys.unused")
                )}
              </p>
              <p>
                {key.revokedAt ? (
                  <>
                    {t("keys.ended")} <Time at={key.revokedAt} />
                  </>
                ) : key.expiresAt ? (
                  <>
                    {t(over ? "keys.ended" : "invite.ends")} <Until at={key.expiresAt} />
                  </>
                ) : (
                  t("keys.endless")
                )}
              </p>
              {key.createdBy ? (
                <p>
                  {t("invite.by", { name: nameOf(key.createdBy) })} <Time at={key.createdAt} />
                </p>
              ) : null}
            </div>
          </Row>
        );
      })}
    </Rows>
  );
}
