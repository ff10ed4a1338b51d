import { create } from "zustand";

const PLACE = "flowforge.key";
/** The session is a cookie that this page cannot read; requests carry it by themselves. */
export const BY_COOKIE = "";

/** Why the provider's answer signed nobody in. */
export const refusals = ["busy", "denied", "expired", "stranger", "unavailable", "unbelieved"] as const;
export type Refusal = (typeof refusals)[number];

interface Session {
  /** The API key, kept for this tab only; `BY_COOKIE` for a session of the browser; null for nobody. */
  key: string | null;
  /** Whether it is not known yet if the browser has a session. */
  arriving: boolean;
  /** The link that led here was used before, or is over. */
  linkOver: boolean;
  /** What the OpenID provider that people sign in at is called; null where there is none. */
  provider: string | null;
  /** Why the provider's answer signed nobody in, when it did not. */
  refusal: Refusal | null;
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
  provider: null,
  refusal: null,
  expired: false,
  signIn: (key) => {
    if (key === BY_COOKIE) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, key);
    set({ key, expired: false, linkOver: false, refusal: null, arriving: false });
  },
  signOut: async () => {
    let elsewhere: string | null = null;
    if (get().key === BY_COOKIE) {
      const answer = await fetch("/session", { method: "DELETE" }).catch(() => null);
      // Whoever signed in at a provider signs out there too: the next person at this screen must not be let in.
      if (answer?.status === 200) elsewhere = ((await answer.json()) as { signOutUrl: string | null }).signOutUrl;
    }
    sessionStorage.removeItem(PLACE);
    if (elsewhere) return location.assign(elsewhere);
    set({ key: null, expired: false });
    void findProvider();
  },
  expire: () => {
    set({ expired: true });
    void findProvider();
  },
}));

/** Asks how people sign in here. */
async function findProvider(): Promise<void> {
  const answer = await fetch("/auth").catch(() => null);
  if (!answer?.ok) return;
  const ways = (await answer.json()) as { provider: { name: string } | null };
  useSession.setState({ provider: ways.provider?.name ?? null });
}

/** The address at which the provider asks who somebody is; they come back to `page`. */
export function signInAddress(page: { pathname: string; search: string; hash: string }): string {
  const back = page.pathname === "/sign-in" ? "/" : `${page.pathname}${page.search}${page.hash}`;
  return `/auth/sign-in?${new URLSearchParams({ return_to: back }).toString()}`;
}

/** Why somebody was sent back to the sign-in page, if they were. */
export function refusalOf(place: { pathname: string; search: string }): Refusal | null {
  const why = new URLSearchParams(place.search).get("refused");
  if (place.pathname !== "/sign-in" || why === null) return null;
  return refusals.find((known) => known === why) ?? "unbelieved";
}

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
  const refusal = refusalOf(location);
  if (refusal !== null) history.replaceState(null, "", "/");
  const known = await check(BY_COOKIE);
  if (known === "ok") return useSession.getState().signIn(BY_COOKIE);
  await findProvider();
  useSession.setState({ refusal });
  useSession.setState({ arriving: false });
}
