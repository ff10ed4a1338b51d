import { useState } from "react";
import { useMutation } from "urql";
import { refusalIn } from "@/api/refusal";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Row, Rows, Tag } from "@/ui/Rows";
import { Time, Until, useNow } from "@/ui/time";
import { useToasts } from "@/ui/toast";
import { LimitedTo } from "./ProjectChoice";
import { type Invitation, RevokeInvitationMutation } from "./queries";
import { stateOf } from "./state";

interface Props {
  invitations: readonly Invitation[];
  roleName: (key: string) => string;
  nameOf: (id: string) => string;
  onChanged: () => void;
}

/** Offers to become a member, and what became of them. */
export function InvitationList({ invitations, roleName, nameOf, onChanged }: Props) {
  const t = useT();
  const now = useNow();
  const toast = useToasts((toasts) => toasts.show);
  const [revoking, setRevoking] = useState<Invitation>();
  const [, revoke] = useMutation(RevokeInvitationMutation);
  const called = ({ email }: Invitation) => email ?? t("invite.anybody");
  return (
    <>
      <Rows label={t("invite.title")}>
        {invitations.map((invitation) => {
          const state = stateOf(invitation, now);
          const at = invitation.acceptedAt ?? invitation.revokedAt ?? invitation.expiresAt;
          return (
            <Row
              key={invitation.id}
              label={called(invitation)}
              faint={state !== "open"}
              actions={
                state === "open" ? (
                  <Button
                    look="danger"
                    aria-label={t("invite.revokeOne", { name: called(invitation) })}
                    onClick={() => setRevoking(invitation)}
                  >
                    {t("action.revoke")}
                  </Button>
                ) : null
              }
            >
              <p className="truncate font-medium">{called(invitation)}</p>
              <div className="min-w-0">
                <p>{roleName(invitation.role)}</p>
                <LimitedTo projects={invitation.projects} />
                <p className="truncate text-small text-soft">
                  {t("invite.by", { name: nameOf(invitation.createdBy) })} <Time at={invitation.createdAt} />
                </p>
              </div>
              <p className="text-small text-soft">
                {state === "open" ? (
                  <>
                    {t("invite.ends")} <Until at={at} />
                  </>
                ) : (
                  <>
                    <Tag>{t(`invite.state.${state}`)}</Tag> <Time at={at} />
                  </>
                )}
              </p>
            </Row>
          );
        })}
      </Rows>
      {revoking ? (
        <Confirm
          title={t("invite.revoke")}
          verb={t("action.revoke")}
          onClose={() => setRevoking(undefined)}
          onConfirm={async () => {
            const why = refusalIn(await revoke({ input: { invitationId: revoking.id } }));
            if (why) return why;
            toast(t("invite.revoked"));
            setRevoking(undefined);
            onChanged();
            return "";
          }}
        >
          <p>{t("invite.revoke.help", { name: called(revoking) })}</p>
        </Confirm>
      ) : null}
    </>
  );
}
