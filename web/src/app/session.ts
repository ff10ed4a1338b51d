import { create } from "zustand";

const PLACE = "flowforge.key";

/** How somebody is signed in: by a session that the browser keeps a cookie of, or by an API key typed into this tab. */
export type Credential = { by: "session" } | { by: "key"; key: string };

interface Session {
  credential: Credential | null;
  /** The server refused the credential while a page was open; the page stays as it is until there is a new one. */
  expired: boolean;
  signIn: (credential: Credential) => void;
  signOut: () => Promise<void>;
  expire: () => void;
}

function remembered(): Credential {
  const key = sessionStorage.getItem(PLACE);
  // Scripts cannot see the cookie of a session. Whether there is one shows when the server is asked.
  return key === null ? { by: "session" } : { by: "key", key };
}

/** Who is at this page. */
export const useSession = create<Session>()((set, get) => ({
  credential: remembered(),
  expired: false,
  signIn: (credential) => {
    if (credential.by === "key") sessionStorage.setItem(PLACE, credential.key);
    else sessionStorage.removeItem(PLACE);
    set({ credential, expired: false });
  },
  signOut: async () => {
    const { credential } = get();
    sessionStorage.removeItem(PLACE);
    if (credential?.by === "session") await fetch("/session", { method: "DELETE" });
    set({ credential: null, expired: false });
  },
  expire: () => set({ expired: true }),
}));

/** The headers that say who asks; none for a session, whose cookie the browser adds by itself. */
export function authorization(credential = useSession.getState().credential): Record<string, string> {
  return credential?.by === "key" ? { authorization: `Bearer ${credential.key}` } : {};
}

/** What the server says to a credential. */
export type Answer = "ok" | "refused" | "unreachable";

async function asked(request: Promise<Response>): Promise<Answer> {
  try {
    const response = await request;
    return response.ok ? "ok" : response.status === 401 ? "refused" : "unreachable";
  } catch {
    return "unreachable";
  }
}

const json = { "content-type": "application/json" };

/** Asks the server whether it knows a credential. */
export function check(credential: Credential): Promise<Answer> {
  const body = JSON.stringify({ query: "{ viewer { name } }" });
  return asked(fetch("/graphql", { method: "POST", headers: { ...authorization(credential), ...json }, body }));
}

/** Opens a session with the secret part of a login link. It works once. */
export function redeem(token: string): Promise<Answer> {
  return asked(fetch("/session", { method: "POST", headers: json, body: JSON.stringify({ token }) }));
}
