import { Check, Plus } from "lucide-react";
import { useState } from "react";
import { useMutation } from "urql";
import { refusalIn } from "@/api/refusal";
import { Allowed } from "@/app/Allowed";
import { useSettings } from "@/app/settings";
import { useRoleWord, useViewer } from "@/app/viewer";
import { useT } from "@/i18n";
import { permissionMeaning } from "@/i18n/permissions";
import { CustomRoleDialog } from "@/people/CustomRoleDialog";
import { useActors } from "@/people/names";
import { DeleteRoleMutation, type Role } from "@/people/queries";
import { holdersOf, type Subject, subjectsOf } from "@/people/rights";
import { useRoles } from "@/people/roles";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Failure } from "@/ui/Empty";
import { useNow } from "@/ui/time";
import { useToasts } from "@/ui/toast";

/** What each role allows, as one table, and making roles of the workspace's own. */
export default function RolesPage() {
  return (
    <Allowed to="member:read">
      <Roles />
    </Allowed>
  );
}

function Roles() {
  const t = useT();
  const { may, again: askViewer } = useViewer();
  const toast = useToasts((toasts) => toasts.show);
  const now = useNow();
  const { roles, permissions, error, again, isKnown } = useRoles();
  const { members, accounts, keys } = useActors();
  const subjects = subjectsOf(members.nodes ?? [], accounts.nodes ?? [], keys.nodes ?? [], now).filter(
    ({ ended }) => !ended,
  );
  const [changing, setChanging] = useState<Role | "new">();
  const [deleting, setDeleting] = useState<Role>();
  const [, remove] = useMutation(DeleteRoleMutation);
  const mayMake = may("member:manage");
  const holders = (role: Role | "new") => (role === "new" ? [] : holdersOf(role.key, subjects));
  return (
    <div className="mx-auto max-w-6xl p-4">
      <header className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <div className="min-w-0 flex-1 basis-60">
          <h1 className="font-semibold text-title">{t("settings.page.roles")}</h1>
          <p className="text-soft">{t("roles.about")}</p>
        </div>
        {mayMake ? (
          <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setChanging("new")}>
            {t("roles.new")}
          </Button>
        ) : null}
      </header>
      {error && !isKnown ? <Failure error={error} onRetry={again} /> : null}
      {isKnown ? (
        <Matrix
          roles={roles}
          permissions={permissions}
          holders={may("key:manage") ? holders : undefined}
          onChange={mayMake ? setChanging : undefined}
          onDelete={mayMake ? setDeleting : undefined}
        />
      ) : null}
      {changing ? (
        <CustomRoleDialog
          known={changing === "new" ? undefined : changing}
          holders={holders(changing)}
          onClose={() => setChanging(undefined)}
          onDone={(name) => {
            toast(t("roles.saved", { name }));
            setChanging(undefined);
            again();
            askViewer();
          }}
        />
      ) : null}
      {deleting ? (
        <Confirm
          title={t("connections.delete", { name: deleting.name })}
          verb={t("action.delete")}
          disabled={holders(deleting).length > 0}
          onClose={() => setDeleting(undefined)}
          onConfirm={async () => {
            const why = refusalIn(await remove({ input: { roleId: deleting.key } }));
            if (why) return why;
            toast(t("variables.deleted", { name: deleting.name }));
            setDeleting(undefined);
            again();
            return "";
          }}
        >
          {holders(deleting).length > 0 ? (
            <>
              <p>{t("roles.delete.held")}</p>
              <ul className="list-disc pl-5">
                {holders(deleting).map(({ id, name, kind }) => (
                  <li key={id}>
                    {name} <span className="text-small text-soft">({t(`subject.${kind}`)})</span>
                  </li>
                ))}
              </ul>
            </>
          ) : (
            <p>{t("roles.delete.help")}</p>
          )}
        </Confirm>
      ) : null}
    </div>
  );
}

interface MatrixProps {
  roles: readonly Role[];
  permissions: readonly { key: string; description: string }[];
  /** Who has a role; absent for those who do not see all of them. */
  holders: ((role: Role) => readonly Subject[]) | undefined;
  onChange: ((role: Role) => void) | undefined;
  onDelete: ((role: Role) => void) | undefined;
}

function Matrix({ roles, permissions, holders, onChange, onDelete }: MatrixProps) {
  const t = useT();
  const word = useRoleWord();
  const language = useSettings((settings) => settings.language);
  return (
    <section
      aria-label={t("roles.matrix")}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      className="max-h-[calc(100vh-9rem)] overflow-auto rounded-lg border border-line bg-surface"
    >
      <table className="w-full border-separate border-spacing-0 text-left">
        <thead>
          <tr>
            <th
              scope="col"
              className="sticky top-0 left-0 z-20 min-w-40 border-line border-b bg-surface px-3 py-2 font-medium text-small text-soft"
            >
              {t("roles.permission")}
            </th>
            {roles.map((role) => (
              <th
                key={role.key}
                scope="col"
                className="sticky top-0 z-10 border-line border-b border-l bg-surface px-3 py-2 text-center align-bottom font-medium"
              >
                {word(role.name)}
                {holders ? (
                  <span className="block whitespace-nowrap font-normal text-badge text-soft">
                    {t("roles.holders", { count: holders(role).length })}
                  </span>
                ) : null}
                {role.isBuiltIn || !onChange || !role.viewerCanGrant ? null : (
                  <span className="mt-1 flex justify-center gap-1">
                    <Button
                      className="h-7 px-2 text-small"
                      aria-label={t("connections.change", { name: role.name })}
                      onClick={() => onChange(role)}
                    >
                      {t("action.change")}
                    </Button>
                    <Button
                      look="danger"
                      className="h-7 px-2 text-small"
                      aria-label={t("connections.delete", { name: role.name })}
                      onClick={() => onDelete?.(role)}
                    >
                      {t("action.delete")}
                    </Button>
                  </span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {permissions.map((permission) => (
            <tr key={permission.key} className="group">
              <th
                scope="row"
                className="sticky left-0 z-10 max-w-96 border-line border-b bg-surface px-3 py-1.5 font-normal group-last:border-b-0 max-sm:max-w-40"
              >
                <span className="block font-mono text-small">{permission.key}</span>
                <span className="block text-small text-soft max-sm:hidden">
                  {permissionMeaning(language, permission)}
                </span>
              </th>
              {roles.map((role) => (
                <td
                  key={role.key}
                  className="border-line border-b border-l px-3 py-1.5 text-center group-last:border-b-0"
                >
                  {role.permissions.includes(permission.key) ? (
                    <Check size={16} role="img" aria-label={t("roles.yes")} className="inline text-succeeded" />
                  ) : (
                    <span className="sr-only">{t("roles.no")}</span>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
