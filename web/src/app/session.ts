import { create } from "zustand";

const PLACE = "flowforge.key";

interface Session {
  /** The API key; kept for this tab only. */
  key: string | null;
  /** The server refused the key while a page was open; the page stays as it is until a new one is given. */
  expired: boolean;
  signIn: (key: string) => void;
  signOut: () => void;
  expire: () => void;
}

/** Who is at this page. */
export const useSession = create<Session>()((set) => ({
  key: sessionStorage.getItem(PLACE),
  expired: false,
  signIn: (key) => {
    sessionStorage.setItem(PLACE, key);
    set({ key, expired: false });
  },
  signOut: () => {
    sessionStorage.removeItem(PLACE);
    set({ key: null, expired: false });
  },
  expire: () => set({ expired: true }),
}));
