import { useQuery } from "urql";
import { useRoleWord } from "@/app/viewer";
import { type Role, RolesQuery } from "./queries";

/** The roles that there are here, and what they and their permissions are called. */
export function useRoles(pause = false) {
  const word = useRoleWord();
  const [{ data, error }, ask] = useQuery({ query: RolesQuery, requestPolicy: "cache-and-network", pause });
  const roles: readonly Role[] = data?.roles ?? [];
  const nameOf = (key: string) => word(roles.find((role) => role.key === key)?.name ?? key);
  return {
    roles,
    permissions: data?.permissions ?? [],
    isKnown: data !== undefined,
    error,
    again: () => ask({ requestPolicy: "network-only" }),
    /** What the role of this key is called. */
    nameOf,
    /** The roles that the viewer can give to somebody who has `current` now. */
    choices: (current?: string) =>
      roles
        .filter((role) => role.viewerCanGrant || role.key === current)
        .map((role) => [role.key, word(role.name)] as const),
  };
}
