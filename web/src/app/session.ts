import { create } from "zustand";

const PLACE = "flowforge.key";
/** Which of their workspaces somebody has chosen: in this tab, and for tabs to come. */
const WORKSPACE = "flowforge.workspace";
/** An invitation that led here, until it is accepted: signing in leads away from the page and back. */
const INVITATION = "flowforge.invitation";
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
  /** Counts how often the server said that rights have changed. */
  changes: number;
  /** The server did not say who is here. */
  unreachable: boolean;
  /** Somebody has just signed out here. */
  signedOut: boolean;
  /** The token of an invitation that led here. */
  invitation: string | null;
  /** Whoever is here is in the chosen workspace no more. */
  left: boolean;
  signIn: (key: string) => void;
  signOut: () => Promise<void>;
  expire: () => void;
  changed: () => void;
  keepInvitation: (token: string | null) => void;
}

/** Who is at this page. */
export const useSession = create<Session>()((set, get) => ({
  key: sessionStorage.getItem(PLACE),
  arriving: sessionStorage.getItem(PLACE) === null,
  linkOver: false,
  provider: null,
  refusal: null,
  expired: false,
  changes: 0,
  unreachable: false,
  signedOut: false,
  invitation: sessionStorage.getItem(INVITATION),
  left: false,
  signIn: (key) => {
    if (key === BY_COOKIE) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, key);
    set({ key, expired: false, linkOver: false, refusal: null, arriving: false, signedOut: false });
  },
  signOut: async () => {
    let elsewhere: string | null = null;
    if (get().key === BY_COOKIE) {
      const answer = await fetch("/session", { method: "DELETE" }).catch(() => null);
      // Whoever signed in at a provider signs out there too: the next person at this screen must not be let in.
      if (answer?.status === 200) elsewhere = ((await answer.json()) as { signOutUrl: string | null }).signOutUrl;
    }
    sessionStorage.removeItem(PLACE);
    forgetWorkspace();
    if (elsewhere) return location.assign(elsewhere);
    set({ key: null, expired: false, signedOut: true });
    void findProvider();
  },
  expire: () => {
    set({ expired: true });
    void findProvider();
  },
  changed: () => set({ changes: get().changes + 1 }),
  keepInvitation: (token) => {
    if (token === null) sessionStorage.removeItem(INVITATION);
    else sessionStorage.setItem(INVITATION, token);
    set({ invitation: token });
  },
}));

/** The workspace that a browser's session is about; without one it is the server's choice. */
export function chosenWorkspace(): string | null {
  return sessionStorage.getItem(WORKSPACE) ?? localStorage.getItem(WORKSPACE);
}

/** Goes to another workspace. Everything is read anew: nothing of the one stays on a page of the other. */
export function chooseWorkspace(id: string, page = "/"): void {
  sessionStorage.setItem(WORKSPACE, id);
  localStorage.setItem(WORKSPACE, id);
  location.assign(page);
}

/** Whether the server chooses the workspace of this tab by itself, because there is no other. */
let isOnly = false;

/** Keeps a tab in the workspace that it shows, wherever another tab goes meanwhile. */
export function stayIn(id: string, workspaces: number): void {
  sessionStorage.setItem(WORKSPACE, id);
  isOnly = workspaces === 1;
}

/** Whether a mere link is answered as the page is: it carries neither a key nor the name of a workspace. */
export function isLinkEnough(): boolean {
  return useSession.getState().key === BY_COOKIE && (isOnly || chosenWorkspace() === null);
}

/** Leaves the choice to the server again. */
export function forgetWorkspace(): void {
  sessionStorage.removeItem(WORKSPACE);
  localStorage.removeItem(WORKSPACE);
}

/** Asks how people sign in here. */
async function findProvider(): Promise<void> {
  const answer = await fetch("/auth").catch(() => null);
  if (!answer?.ok) return;
  const ways = (await answer.json()) as { provider: { name: string } | null };
  useSession.setState({ provider: ways.provider?.name ?? null });
}

/** The address at which the provider asks who somebody is; they come back to `page`, or to what they are invited to. */
export function signInAddress(page: { pathname: string; search: string; hash: string }): string {
  const { invitation } = useSession.getState();
  // Somebody who is in no workspace yet is let in there and nowhere else.
  if (invitation !== null) return "/auth/sign-in?return_to=%2Finvitation";
  const back = page.pathname === "/sign-in" ? "/" : `${page.pathname}${page.search}${page.hash}`;
  return `/auth/sign-in?${new URLSearchParams({ return_to: back }).toString()}`;
}

/** Why somebody was sent back to the sign-in page, if they were. */
export function refusalOf(place: { pathname: string; search: string }): Refusal | null {
  const why = new URLSearchParams(place.search).get("refused");
  if (place.pathname !== "/sign-in" || why === null) return null;
  return refusals.find((known) => known === why) ?? "unbelieved";
}

/** What to send beside a request; a cookie needs nothing but the workspace that somebody chose. */
export function authorization(key: string | null): Record<string, string> {
  if (key) return { authorization: `Bearer ${key}` };
  const workspace = chosenWorkspace();
  return workspace ? { "x-flowforge-workspace": workspace } : {};
}

/** What to say first on a socket, which has no headers. */
export function greeting(key: string | null): Record<string, string> {
  if (key) return { authorization: `Bearer ${key}` };
  const workspace = chosenWorkspace();
  return workspace ? { workspace } : {};
}

/** The token of an invitation. Like a sign-in link's it stands behind `#`. */
export function invitationOf(place: { pathname: string; hash: string }): string | null {
  return place.pathname === "/invitation" && place.hash.length > 1 ? place.hash.slice(1) : null;
}

/** The secret of a sign-in link. It stands behind `#`, so that no server and no proxy has it in a log. */
export function linkOf(place: { pathname: string; hash: string }): string | null {
  return place.pathname === "/sign-in" && place.hash.length > 1 ? place.hash.slice(1) : null;
}

/** Keeps an invitation that led here, and takes it out of the address. */
export function takeInvitation(): void {
  const invitation = invitationOf(location);
  if (invitation === null) return;
  useSession.getState().keepInvitation(invitation);
  history.replaceState(history.state, "", "/invitation");
}

/** Uses the link that led here, or the session that the browser has. */
export async function arrive(
  check: (key: string) => Promise<"ok" | "refused" | "unreachable" | "elsewhere">,
): Promise<void> {
  takeInvitation();
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
  let known = await check(BY_COOKIE);
  if (known === "elsewhere") {
    // A choice of another day, or of somebody else at this browser.
    forgetWorkspace();
    known = await check(BY_COOKIE);
  }
  if (known === "ok") return useSession.getState().signIn(BY_COOKIE);
  await findProvider();
  useSession.setState({ refusal, unreachable: known === "unreachable", arriving: false });
}
