import { Check, X } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { Allowed } from "@/app/Allowed";
import { useSettings } from "@/app/settings";
import { type Translate, useT } from "@/i18n";
import { permissionMeaning } from "@/i18n/permissions";
import { useActors } from "@/people/names";
import { type Right, rightsOf, type Subject, subjectsOf } from "@/people/rights";
import { useRoles } from "@/people/roles";
import { Failure } from "@/ui/Empty";
import { Field, inputLook } from "@/ui/Field";
import { ListOf, Nothing } from "@/ui/ListOf";
import { Tag } from "@/ui/Rows";
import { useNow } from "@/ui/time";

/** Everything that somebody may do, and why. */
export default function AccessPage() {
  return (
    <Allowed to="member:read">
      <Access />
    </Allowed>
  );
}

const KINDS = ["member", "account", "key"] as const;

function Access() {
  const t = useT();
  const now = useNow();
  const { roles, permissions, nameOf, error, again, isKnown } = useRoles();
  const { members, accounts, keys } = useActors();
  const [params, setParams] = useSearchParams();
  const subjects = subjectsOf(members.nodes ?? [], accounts.nodes ?? [], keys.nodes ?? [], now);
  const chosen = subjects.find(({ id }) => id === params.get("of"));
  const role = roles.find(({ key }) => key === chosen?.role);
  return (
    <div className="mx-auto max-w-5xl p-4">
      <header className="mb-3 flex flex-wrap items-end gap-3">
        <div className="min-w-0 flex-1 basis-60">
          <h1 className="font-semibold text-title">{t("settings.page.access")}</h1>
          <p className="text-soft">{t("access.about")}</p>
        </div>
        <div className="w-72 max-sm:w-full">
          <Field label={t("access.who")}>
            {({ id }) => (
              <select
                id={id}
                value={chosen?.id ?? ""}
                onChange={({ target }) => setParams(target.value ? { of: target.value } : {}, { replace: true })}
                className={`${inputLook} h-8 max-sm:h-11`}
              >
                <option value="">{t("access.choose")}</option>
                {KINDS.map((kind) => {
                  const some = subjects.filter((subject) => subject.kind === kind);
                  return some.length > 0 ? (
                    <optgroup key={kind} label={t(`access.kind.${kind}`)}>
                      {some.map(({ id: one, name, ended }) => (
                        <option key={one} value={one}>
                          {ended ? `${name} (${t("access.ended")})` : name}
                        </option>
                      ))}
                    </optgroup>
                  ) : null;
                })}
              </select>
            )}
          </Field>
        </div>
      </header>
      {error && !isKnown ? <Failure error={error} onRetry={again} /> : null}
      <ListOf list={{ ...members, more: undefined }}>
        {() =>
          chosen && role ? (
            <>
              <Summary subject={chosen} role={nameOf(chosen.role)} />
              <Rights
                rights={rightsOf(
                  chosen,
                  role.permissions,
                  permissions.map(({ key }) => key),
                )}
                subject={chosen}
                role={nameOf(chosen.role)}
                permissions={permissions}
              />
            </>
          ) : (
            <Nothing>{t(params.get("of") && !keys.fetching ? "access.gone" : "access.nobody")}</Nothing>
          )
        }
      </ListOf>
    </div>
  );
}

function Summary({ subject, role }: { subject: Subject; role: string }) {
  const t = useT();
  return (
    <p className="mb-3 rounded-lg border border-line bg-surface p-3">
      <strong className="font-semibold">{subject.name}</strong> {t(`access.has.${subject.source}`, { role })}
      {subject.only ? ` ${t("access.narrowed")}` : ""}
      {subject.projects ? ` ${t("access.limited", { projects: namesOf(subject.projects) })}` : ""}{" "}
      <Link to="/settings/roles" className="text-accent underline">
        {t("access.toRoles")}
      </Link>
      {subject.ended ? (
        <span className="mt-1 block">
          <Tag tone="bad">{t("access.ended")}</Tag> {t("access.ended.help")}
        </span>
      ) : null}
    </p>
  );
}

function namesOf(projects: readonly { title: string }[]): string {
  return projects.length === 0 ? "–" : projects.map(({ title }) => title).join(", ");
}

/** Where it comes from that somebody may, or may not. */
function why(t: Translate, { reason }: Right, { kind, source }: Subject, role: string): string {
  if (reason === "narrowed") return t("access.because.narrowed");
  if (reason === "limited") return t("access.because.limited");
  if (reason === "not") return t("access.because.not", { role });
  if (source === "PROVIDER") return t("access.because.provider", { role });
  return t(kind === "key" && source === "ACCOUNT" ? "access.because.account" : "access.because.role", { role });
}

interface RightsProps {
  rights: readonly Right[];
  subject: Subject;
  role: string;
  permissions: readonly { key: string; description: string }[];
}

function Rights({ rights, subject, role, permissions }: RightsProps) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  return (
    <div className="overflow-x-auto rounded-lg border border-line bg-surface">
      <table aria-label={t("access.of", { name: subject.name })} className="w-full text-left">
        <thead className="text-small text-soft">
          <tr className="border-line border-b">
            <th className="px-3 py-2 font-medium">{t("roles.permission")}</th>
            <th className="px-3 py-2 font-medium">{t("access.may")}</th>
            <th className="px-3 py-2 font-medium">{t("access.because")}</th>
          </tr>
        </thead>
        <tbody>
          {rights.map((right) => {
            const given = right.isGiven && !subject.ended;
            const permission = permissions.find(({ key }) => key === right.permission);
            return (
              <tr key={right.permission} className="border-line border-b last:border-0">
                <th scope="row" className="px-3 py-1.5 font-normal">
                  <span className="block font-mono text-small">{right.permission}</span>
                  {permission ? (
                    <span className="block text-small text-soft max-sm:hidden">
                      {permissionMeaning(language, permission)}
                    </span>
                  ) : null}
                </th>
                <td className="px-3 py-1.5">
                  <span className={`flex items-center gap-1.5 ${given ? "text-succeeded" : "text-soft"}`}>
                    {given ? <Check size={16} aria-hidden /> : <X size={16} aria-hidden />}
                    {t(given ? "roles.yes" : "roles.no")}
                  </span>
                </td>
                <td className="px-3 py-1.5 text-small text-soft">
                  {subject.ended ? t("access.ended.help") : why(t, right, subject, role)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
