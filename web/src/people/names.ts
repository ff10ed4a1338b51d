import { useMemo } from "react";
import { useList } from "@/api/useList";
import { useViewer } from "@/app/viewer";
import { useT } from "@/i18n";
import { ApiKeysQuery, MembersQuery, ServiceAccountsQuery } from "./queries";

/** Pages that are read of each list; somebody beyond them is called by their id. */
const MOST = 10;

/** Everybody who may do something here: people, service accounts and keys, as far as the viewer may see them. */
export function useActors() {
  const { may } = useViewer();
  const people = !may("member:read");
  const programs = !may("key:manage");
  const members = useList(MembersQuery, {}, ({ members }) => members, { most: MOST, pause: people });
  const accounts = useList(ServiceAccountsQuery, {}, (data) => data.serviceAccounts, { most: MOST, pause: programs });
  const keys = useList(ApiKeysQuery, {}, ({ apiKeys }) => apiKeys, { most: MOST, pause: programs });
  return { members, accounts, keys };
}

/** What actors are called, by the ids that rows name them by; also members, by the id of their membership. */
export function useNames({ members, accounts, keys }: ReturnType<typeof useActors>): (id: string) => string {
  const t = useT();
  const names = useMemo(() => {
    const known = new Map<string, string>();
    for (const { id, user } of members.nodes ?? []) {
      known.set(id, user.name);
      known.set(user.id, user.name);
    }
    for (const { id, name } of accounts.nodes ?? []) known.set(id, name);
    for (const { id, name } of keys.nodes ?? []) known.set(id, name);
    return known;
  }, [members.nodes, accounts.nodes, keys.nodes]);
  return (id) => (id === "command" ? t("actor.command") : (names.get(id) ?? shortId(id)));
}

/** The end of an id, which tells it from others. */
export function shortId(id: string): string {
  const [kind, rest = ""] = id.split("_");
  return rest.length > 8 ? `${kind}_…${rest.slice(-6)}` : id;
}
