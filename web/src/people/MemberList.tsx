import { useState } from "react";
import { Link } from "react-router";
import { useMutation } from "urql";
import { refusalIn } from "@/api/refusal";
import { useRoleWord } from "@/app/viewer";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Row, Rows, Tag } from "@/ui/Rows";
import { Time } from "@/ui/time";
import { useToasts } from "@/ui/toast";
import { GrantDialog } from "./GrantDialog";
import { LimitedTo } from "./ProjectChoice";
import { type Member, RemoveMemberMutation, UpdateMemberMutation } from "./queries";

interface Props {
  members: readonly Member[];
  /** The id of the person who looks. */
  viewer: string | undefined;
  onChanged: () => void;
}

/** The people of the workspace: what they may do, who says so, and changing it. */
export function MemberList({ members, viewer, onChanged }: Props) {
  const t = useT();
  const word = useRoleWord();
  const toast = useToasts((toasts) => toasts.show);
  const [changing, setChanging] = useState<Member>();
  const [removing, setRemoving] = useState<Member>();
  const [, update] = useMutation(UpdateMemberMutation);
  const [, remove] = useMutation(RemoveMemberMutation);
  return (
    <>
      <Rows label={t("members.title")}>
        {members.map((member) => (
          <Row
            key={member.id}
            label={member.user.name}
            faint={Boolean(member.user.disabledAt)}
            actions={
              member.viewerCanChange ? (
                <>
                  <Button
                    aria-label={t("members.change", { name: member.user.name })}
                    onClick={() => setChanging(member)}
                  >
                    {t("members.role.change")}
                  </Button>
                  <Button
                    look="danger"
                    aria-label={t("members.remove", { name: member.user.name })}
                    onClick={() => setRemoving(member)}
                  >
                    {t("action.remove")}
                  </Button>
                </>
              ) : null
            }
          >
            <div className="min-w-0">
              <p className="flex flex-wrap items-center gap-x-2 font-medium">
                {member.user.name}
                {member.user.id === viewer ? <Tag>{t("members.you")}</Tag> : null}
                {member.user.disabledAt ? <Tag tone="bad">{t("members.disabled")}</Tag> : null}
              </p>
              {member.user.email ? <p className="truncate text-small text-soft">{member.user.email}</p> : null}
            </div>
            <div className="min-w-0">
              <Link
                to={`/settings/access?of=${member.id}`}
                aria-label={t("members.access", { name: member.user.name, role: word(member.roleName) })}
                className="text-accent hover:underline"
              >
                {word(member.roleName)}
              </Link>
              <p className="text-small text-soft">{t(`members.source.${member.source}`)}</p>
              <LimitedTo projects={member.projects} />
            </div>
            <div className="text-small text-soft">
              <p>
                {member.user.lastSeenAt ? (
                  <>
                    {t("members.seen")} <Time at={member.user.lastSeenAt} />
                  </>
                ) : (
                  t("members.neverSeen")
                )}
              </p>
              <p>
                {t("members.since")} <Time at={member.createdAt} />
              </p>
            </div>
          </Row>
        ))}
      </Rows>
      {changing ? (
        <GrantDialog
          title={t("members.change", { name: changing.user.name })}
          current={changing}
          help={changing.source === "PROVIDER" ? t("members.change.provider") : undefined}
          onChoose={(change) => update({ input: { memberId: changing.id, ...change } })}
          onClose={() => setChanging(undefined)}
          onDone={() => {
            toast(t("members.changed", { name: changing.user.name }));
            setChanging(undefined);
            onChanged();
          }}
        />
      ) : null}
      {removing ? (
        <Confirm
          title={t("members.remove", { name: removing.user.name })}
          verb={t("action.remove")}
          onClose={() => setRemoving(undefined)}
          onConfirm={async () => {
            const why = refusalIn(await remove({ input: { memberId: removing.id } }));
            if (why) return why;
            toast(t("members.removed", { name: removing.user.name }));
            setRemoving(undefined);
            onChanged();
            return "";
          }}
        >
          <p>{t("members.remove.help")}</p>
          {removing.source === "PROVIDER" ? <p>{t("members.remove.provider")}</p> : null}
        </Confirm>
      ) : null}
    </>
  );
}
