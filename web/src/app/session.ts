import { create } from "zustand";

const PLACE = "flowforge.key";
/** The session is a cookie that this page cannot read; requests carry it by themselves. */
export const BY_COOKIE = "";

interface Session {
  /** The API key, kept for this tab only; `BY_COOKIE` for a session of the browser; null for nobody. */
  key: string | null;
  /** Whether it is not known yet if the browser has a session. */
  arriving: boolean;
  /** The link that led here was used before, or is over. */
  linkOver: boolean;
  /** The server refused the key while a page was open; the page stays as it is until a new one is given. */
  expired: boolean;
  signIn: (key: string) => void;
  signOut: () => Promise<void>;
  expire: () => void;
}

/** Who is at this page. */
export const useSession = create<Session>()((set, get) => ({
  key: sessionStorage.getItem(PLACE),
  arriving: sessionStorage.getItem(PLACE) === null,
  linkOver: false,
  expired: false,
  signIn: (key) => {
    if (key === BY_COOKIE) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, key);
    set({ key, expired: false, linkOver: false, arriving: false });
  },
  signOut: async () => {
    if (get().key === BY_COOKIE) await fetch("/session", { method: "DELETE" }).catch(() => undefined);
    sessionStorage.removeItem(PLACE);
    set({ key: null, expired: false });
  },
  expire: () => set({ expired: true }),
}));

/** What to send beside a request; a cookie needs nothing. */
export function authorization(key: string | null): Record<string, string> {
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** The secret of a sign-in link. It stands behind `#`, so that no server and no proxy has it in a log. */
export function linkOf(place: { pathname: string; hash: string }): string | null {
  return place.pathname === "/sign-in" && place.hash.length > 1 ? place.hash.slice(1) : null;
}

/** Uses the link that led here, or the session that the browser has. */
export async function arrive(check: (key: string) => Promise<"ok" | "refused" | "unreachable">): Promise<void> {
  const token = linkOf(location);
  if (token !== null) {
    // The link works once: it must not stay in the address to be tried again, copied or kept in the history.
    history.replaceState(null, "", "/");
    const answer = await fetch("/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    }).catch(() => null);
    if (answer?.ok) return useSession.getState().signIn(BY_COOKIE);
    // A session from before serves as well.
    useSession.setState({ linkOver: answer?.status === 401 });
  } else if (useSession.getState().key !== null) {
    return;
  }
  const known = await check(BY_COOKIE);
  if (known === "ok") return useSession.getState().signIn(BY_COOKIE);
  useSession.setState({ arriving: false });
}
