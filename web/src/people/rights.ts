import { OVER_THE_WHOLE, type ProjectLimit, within } from "./limits";
import type { ApiKey, Member, Role, ServiceAccount } from "./queries";

/** Why somebody may, or may not, do something. */
export type Reason =
  /** Their role allows it. */
  | "role"
  /** Their role does not allow it. */
  | "not"
  /** Their role would allow it, and the key was made without it. */
  | "narrowed"
  /** Their role would allow it, but it is about all of the workspace and they are limited to some projects. */
  | "limited";

/** One permission of somebody. */
export interface Right {
  permission: string;
  isGiven: boolean;
  reason: Reason;
}

/** Somebody, or a program, whose rights are looked at. */
export interface Subject {
  id: string;
  name: string;
  kind: "member" | "account" | "key";
  /** The key of the role that says what they may do. */
  role: string;
  /** Who says which role that is. */
  source: "LOCAL" | "PROVIDER" | "ACCOUNT";
  /** The only permissions of those of the role, when a key was narrowed. */
  only: readonly string[] | null;
  /** The only projects that they see. */
  projects: ProjectLimit;
  /** From when nothing opens for them, when that has come. */
  ended: boolean;
}

/** Every permission, whether somebody has it, and why. */
export function rightsOf(
  subject: Pick<Subject, "only" | "projects">,
  role: readonly string[],
  permissions: readonly string[],
): Right[] {
  return permissions.map((permission) => {
    const inRole = role.includes(permission);
    if (!inRole) return { permission, isGiven: false, reason: "not" };
    if (subject.projects && OVER_THE_WHOLE.includes(permission))
      return { permission, isGiven: false, reason: "limited" };
    const isGiven = subject.only === null || subject.only.includes(permission);
    return { permission, isGiven, reason: isGiven ? "role" : "narrowed" };
  });
}

/** Everybody whose rights can be looked at. Sessions of browsers are what their people are. */
export function subjectsOf(
  members: readonly Member[],
  accounts: readonly ServiceAccount[],
  keys: readonly ApiKey[],
  now: number,
): Subject[] {
  return [
    ...members.map(({ id, user, role, source, projects }) => ({
      id,
      name: user.name,
      kind: "member" as const,
      role,
      source,
      only: null,
      projects,
      ended: Boolean(user.disabledAt),
    })),
    ...accounts.map(({ id, name, role, disabledAt, projects }) => ({
      id,
      name,
      kind: "account" as const,
      role,
      source: "LOCAL" as const,
      only: null,
      projects,
      ended: Boolean(disabledAt),
    })),
    ...keys
      .filter(({ userId }) => userId === null || userId === undefined)
      .map((key) => {
        const account = accounts.find(({ id }) => id === key.serviceAccountId);
        return {
          id: key.id,
          name: key.name,
          kind: "key" as const,
          role: account?.role ?? key.role,
          source: account ? ("ACCOUNT" as const) : ("LOCAL" as const),
          only: key.permissions ?? null,
          projects: within(key.projects, account?.projects),
          ended: keyState(key, now) === "revoked" || keyState(key, now) === "over" || Boolean(account?.disabledAt),
        };
      }),
  ];
}

/** What became of a key. A key that was rotated works beside its successor until its end. */
export function keyState(
  { revokedAt, expiresAt, successorId }: Pick<ApiKey, "revokedAt" | "expiresAt" | "successorId">,
  now: number,
): "works" | "rotated" | "revoked" | "over" {
  if (revokedAt) return "revoked";
  if (expiresAt && Date.parse(expiresAt) <= now) return "over";
  return successorId ? "rotated" : "works";
}

/** Who has a role, and would have to get another one before it can be deleted. */
export function holdersOf(role: Role["key"], subjects: readonly Subject[]): Subject[] {
  return subjects.filter((subject) => subject.role === role && subject.source !== "ACCOUNT");
}
