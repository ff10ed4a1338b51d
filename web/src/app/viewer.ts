import type { ResultOf } from "@graphql-typed-document-node/core";
import { useCallback, useEffect } from "react";
import { useQuery } from "urql";
import { graphql } from "@/gql";
import { type MessageKey, type Translate, useT } from "@/i18n";
import { en } from "@/i18n/en";
import { useSession } from "./session";

export const ViewerQuery = graphql(`
  query Viewer {
    viewer { id name role roleName permissions workspace { id name slug } }
    workspaces { id slug name }
  }
`);

type Asked = ResultOf<typeof ViewerQuery>["viewer"];

/** Who is at this page, and what they may do there: somebody who is in a workspace. */
export type Viewer = Asked & { workspace: NonNullable<Asked["workspace"]> };

function isInside(viewer: Asked): viewer is Viewer {
  return Boolean(viewer.workspace);
}

/** Who is at this page. Everything that asks shares one answer, which is read anew when rights change. */
export function useViewer() {
  const [{ data, error }, ask] = useQuery({ query: ViewerQuery });
  const again = useCallback(() => ask({ requestPolicy: "network-only" }), [ask]);
  const viewer = data && isInside(data.viewer) ? data.viewer : undefined;
  const may = (permission: string) => viewer?.permissions.includes(permission) ?? false;
  const isGuest = data !== undefined && viewer === undefined;
  return { viewer, workspaces: data?.workspaces ?? [], may, isGuest, error, again };
}

/** Reads anew who is here when the server closed what was open, and when somebody comes back to the page. */
export function useFreshViewer(again: () => void): void {
  const changes = useSession((session) => session.changes);
  useEffect(() => {
    if (changes > 0) again();
  }, [changes, again]);
  useEffect(() => {
    const back = () => {
      if (document.visibilityState === "visible") again();
    };
    document.addEventListener("visibilitychange", back);
    return () => document.removeEventListener("visibilitychange", back);
  }, [again]);
}

/** What a role is called: built-in ones in the language of the page, others as the workspace calls them. */
export function roleWord(t: Translate, name: string): string {
  const key = `role.${name.toUpperCase()}`;
  return key in en ? t(key as MessageKey) : name;
}

/** The same for the language of the page. */
export function useRoleWord(): (name: string) => string {
  const t = useT();
  return (name) => roleWord(t, name);
}
