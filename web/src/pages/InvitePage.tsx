import { useState } from "react";
import { Link } from "react-router";
import { useMutation, useQuery } from "urql";
import { refusalIn } from "@/api/refusal";
import { BY_COOKIE, chooseWorkspace, useSession } from "@/app/session";
import { useViewer } from "@/app/viewer";
import { useT } from "@/i18n";
import { AcceptInvitationMutation, InvitedQuery } from "@/people/queries";
import { Alert } from "@/ui/Alert";
import { Button } from "@/ui/Button";
import { Empty } from "@/ui/Empty";

/** Where the link of an invitation leads: whoever is signed in becomes a member when they say so. */
export default function InvitePage() {
  const t = useT();
  const { viewer, isGuest } = useViewer();
  const [{ data }] = useQuery({ query: InvitedQuery });
  const name = data?.viewer.name ?? "";
  const { invitation, key, keepInvitation, signOut } = useSession();
  const [{ fetching }, accept] = useMutation(AcceptInvitationMutation);
  const [refused, setRefused] = useState("");
  if (invitation === null) {
    return (
      <Empty
        title={t("invite.noToken")}
        action={
          isGuest ? (
            <Button onClick={() => void signOut()}>{t("signOut")}</Button>
          ) : (
            <Link to="/workflows" className="text-accent underline">
              {t("nav.workflows")}
            </Link>
          )
        }
      >
        {t("invite.noToken.help")}
      </Empty>
    );
  }
  const isPerson = key === BY_COOKIE;
  const go = async () => {
    const answer = await accept({ input: { token: invitation } });
    const workspace = answer.data?.acceptInvitation.workspaceId;
    if (!workspace) return setRefused(refusalIn(answer));
    keepInvitation(null);
    chooseWorkspace(workspace, "/workflows");
  };
  return (
    <Empty
      title={t("invite.come")}
      action={
        <div className="flex flex-wrap justify-center gap-2">
          {isPerson ? (
            <Button look="primary" disabled={fetching} onClick={() => void go()}>
              {t("invite.accept")}
            </Button>
          ) : null}
          <Button onClick={() => void signOut()}>{t("invite.somebodyElse")}</Button>
          <Button look="quiet" onClick={() => keepInvitation(null)}>
            {t("invite.notNow")}
          </Button>
        </div>
      }
    >
      <p>{t(isPerson ? "invite.as" : "invite.byKey", { name })}</p>
      {viewer && isPerson ? <p className="mt-2">{t("invite.also", { name: viewer.workspace.name })}</p> : null}
      <div className="mt-2">
        <Alert text={refused} />
      </div>
      {refused ? <p className="mt-2">{t("invite.refused")}</p> : null}
    </Empty>
  );
}
