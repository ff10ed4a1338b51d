import { Bot, UserPlus } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { type List, useList } from "@/api/useList";
import { Allowed } from "@/app/Allowed";
import { useViewer } from "@/app/viewer";
import { useT } from "@/i18n";
import { AccountDialog } from "@/people/AccountDialog";
import { InvitationList } from "@/people/InvitationList";
import { InviteDialog } from "@/people/InviteDialog";
import { MemberList } from "@/people/MemberList";
import { useActors, useNames } from "@/people/names";
import { type Invitation, InvitationsQuery } from "@/people/queries";
import { useRoles } from "@/people/roles";
import { ServiceAccountList } from "@/people/ServiceAccountList";
import { stateOf } from "@/people/state";
import { Button } from "@/ui/Button";
import { Failure } from "@/ui/Empty";
import { ListOf, More, Nothing } from "@/ui/ListOf";
import { useNow } from "@/ui/time";
import { useToasts } from "@/ui/toast";

/** Who is in the workspace, as what, and who is asked to come. */
export default function MembersPage() {
  return (
    <Allowed to="member:read">
      <Members />
    </Allowed>
  );
}

function Members() {
  const t = useT();
  const { viewer, may, again: askViewer } = useViewer();
  const toast = useToasts((toasts) => toasts.show);
  const actors = useActors();
  const nameOf = useNames(actors);
  const { nameOf: roleName } = useRoles();
  const [inviting, setInviting] = useState(false);
  const [making, setMaking] = useState(false);
  const mayInvite = may("member:manage");
  const invitations = useList(InvitationsQuery, {}, (data) => data.invitations, { pause: !mayInvite });
  const { members, accounts } = actors;
  const changed = () => {
    members.again();
    // Whoever changes themselves may do something else now.
    askViewer();
  };
  return (
    <div className="mx-auto max-w-5xl p-4">
      <header className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <div className="min-w-0 flex-1 basis-60">
          <h1 className="font-semibold text-title">{t("members.title")}</h1>
          <p className="text-soft">{t("members.about")}</p>
        </div>
        {mayInvite ? (
          <Button look="primary" icon={<UserPlus size={14} aria-hidden />} onClick={() => setInviting(true)}>
            {t("members.invite")}
          </Button>
        ) : null}
      </header>
      <ListOf list={members} none={t("members.none")}>
        {(nodes) => <MemberList members={nodes} viewer={viewer?.id} onChanged={changed} />}
      </ListOf>
      {mayInvite ? <Invitations list={invitations} roleName={roleName} nameOf={nameOf} /> : null}
      {may("key:manage") ? (
        <section aria-labelledby="accounts" className="mt-6">
          <div className="mb-2 flex flex-wrap items-center justify-between gap-3">
            <div className="min-w-0 flex-1 basis-60">
              <h2 id="accounts" className="font-semibold text-section">
                {t("accounts.title")}
              </h2>
              <p className="text-soft">{t("accounts.about")}</p>
            </div>
            <Button icon={<Bot size={14} aria-hidden />} onClick={() => setMaking(true)}>
              {t("accounts.new")}
            </Button>
          </div>
          <ListOf list={accounts} none={t("accounts.none")}>
            {(nodes) => (
              <ServiceAccountList accounts={nodes} roleName={roleName} nameOf={nameOf} onChanged={accounts.again} />
            )}
          </ListOf>
        </section>
      ) : null}
      {inviting ? <InviteDialog onClose={() => setInviting(false)} onDone={invitations.again} /> : null}
      {making ? (
        <AccountDialog
          onClose={() => setMaking(false)}
          onDone={(name) => {
            toast(t("accounts.made", { name }));
            setMaking(false);
            accounts.again();
          }}
        />
      ) : null}
    </div>
  );
}

interface InvitationsProps {
  list: List<Invitation>;
  roleName: (key: string) => string;
  nameOf: (id: string) => string;
}

/** Those that wait for somebody; what became of the others is shown when it is asked for. */
function Invitations({ list, roleName, nameOf }: InvitationsProps) {
  const t = useT();
  const now = useNow();
  const [params, setParams] = useSearchParams();
  const all = params.get("invitations") === "all";
  const shown = list.nodes?.filter((one) => all || stateOf(one, now) === "open") ?? [];
  const hidden = (list.nodes?.length ?? 0) - shown.length;
  return (
    <section aria-labelledby="invitations" className="mt-6">
      <div className="mb-2 flex items-center justify-between gap-3">
        <h2 id="invitations" className="font-semibold text-section">
          {t("invite.title")}
        </h2>
        {all || hidden > 0 ? (
          <Button look="quiet" aria-pressed={all} onClick={() => setParams(all ? {} : { invitations: "all" })}>
            {all ? t("invite.showOpen") : t("invite.showAll", { count: hidden })}
          </Button>
        ) : null}
      </div>
      {list.error && !list.nodes ? <Failure error={list.error} onRetry={list.again} /> : null}
      {list.nodes && shown.length === 0 ? <Nothing>{t("invite.none")}</Nothing> : null}
      {shown.length > 0 ? (
        <InvitationList invitations={shown} roleName={roleName} nameOf={nameOf} onChanged={list.again} />
      ) : null}
      <More list={list} />
    </section>
  );
}
