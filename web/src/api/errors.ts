import type { CombinedError } from "@urql/core";

/** A mistake that the server found in what was asked. */
export interface UserError {
  code: string;
  message: string;
}

/** The published code of an error, or `NETWORK` when the server was not reached. */
export function codeOf(error: CombinedError): string {
  if (error.networkError) return "NETWORK";
  return String(error.graphQLErrors[0]?.extensions.code ?? "INTERNAL");
}

/** What an error says to people. */
export function messageOf(error: CombinedError): string {
  return error.graphQLErrors[0]?.message ?? error.networkError?.message ?? error.message;
}

/** The id under which the server's log says more about an error. */
export function errorIdOf(error: CombinedError): string | undefined {
  const id = error.graphQLErrors[0]?.extensions.errorId;
  return typeof id === "string" ? id : undefined;
}
