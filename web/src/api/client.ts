import { Client, type CombinedError, cacheExchange, fetchExchange, mapExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import { authorization, useSession } from "@/app/session";

/** Whether an error means that the key is not, or no longer, valid. */
function isUnauthenticated(error: CombinedError): boolean {
  const response = error.response as Response | undefined;
  return (
    response?.status === 401 || error.graphQLErrors.some(({ extensions }) => extensions.code === "UNAUTHENTICATED")
  );
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
        },
      }),
      cacheExchange,
      fetchExchange,
    ],
    fetchOptions: () => ({ headers: authorization(useSession.getState().key) }),
  });
}

/** Asks the server who a key belongs to. */
export async function checkKey(key: string): Promise<"ok" | "refused" | "unreachable"> {
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { ...authorization(key), "content-type": "application/json" },
      body: JSON.stringify({ query: "{ viewer { name } }" }),
    });
    if (response.ok) return "ok";
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
  connectionParams: () => authorization(useSession.getState().key),
  on: {
    // The server closes what is open when rights end: whether they all did, an ordinary question tells.
    closed: (event) => {
      const { key, expire } = useSession.getState();
      if (key === null || !isForbidden(event)) return;
      void checkKey(key).then((answer) => {
        if (answer === "refused" && useSession.getState().key === key) expire();
      });
    },
  },
  retryAttempts: 0,
  lazy: true,
  lazyCloseTimeout: 2_000,
});
