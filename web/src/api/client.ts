import { Client, type CombinedError, cacheExchange, fetchExchange, mapExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import { authorization, chosenWorkspace, greeting, useSession } from "@/app/session";

/** Whether an error means that the key is not, or no longer, valid. */
function isUnauthenticated(error: CombinedError): boolean {
  const response = error.response as Response | undefined;
  return (
    response?.status === 401 || error.graphQLErrors.some(({ extensions }) => extensions.code === "UNAUTHENTICATED")
  );
}

/** Whether the server knows nothing of the workspace that was chosen: nothing else is refused as a whole like that. */
function isElsewhere(response: Response | undefined): boolean {
  return response?.status === 404 && !useSession.getState().key && chosenWorkspace() !== null;
}

/** A client for one key; a new key gets a new one, so that nobody sees what another's key fetched. */
export function newClient(): Client {
  return new Client({
    url: "/graphql",
    preferGetMethod: false,
    exchanges: [
      mapExchange({
        onError: (error) => {
          if (isUnauthenticated(error)) useSession.getState().expire();
          if (isElsewhere(error.response as Response | undefined)) useSession.setState({ left: true });
        },
      }),
      cacheExchange,
      fetchExchange,
    ],
    fetchOptions: () => ({ headers: authorization(useSession.getState().key) }),
  });
}

/** What became of asking who a key belongs to; `elsewhere` when they are not in the workspace that was chosen. */
export type KeyAnswer = "ok" | "refused" | "unreachable" | "elsewhere";

/** Asks the server who a key belongs to. */
export async function checkKey(key: string): Promise<KeyAnswer> {
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { ...authorization(key), "content-type": "application/json" },
      body: JSON.stringify({ query: "{ viewer { name } }" }),
    });
    if (response.ok) return "ok";
    if (isElsewhere(response)) return "elsewhere";
    return response.status === 401 ? "refused" : "unreachable";
  } catch {
    return "unreachable";
  }
}

/** Whether the server closed a socket because the credential opens nothing, or something else now. */
function isForbidden(event: unknown): boolean {
  return event instanceof CloseEvent && (event.code === 4401 || event.code === 4403);
}

/**
 * The socket for what is followed live. It does not try again by itself: whoever follows something knows the cursor to
 * go on after.
 */
export const socket = createClient({
  url: () => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
  connectionParams: () => greeting(useSession.getState().key),
  on: {
    // The server closes what is open when rights end: whether they all did, an ordinary question tells.
    closed: (event) => {
      const { key, expire, changed } = useSession.getState();
      if (key === null || !isForbidden(event)) return;
      void checkKey(key).then((answer) => {
        if (useSession.getState().key !== key) return;
        if (answer === "refused") expire();
        if (answer === "elsewhere") useSession.setState({ left: true });
        if (answer === "ok") changed();
      });
    },
  },
  retryAttempts: 0,
  lazy: true,
  lazyCloseTimeout: 2_000,
});
