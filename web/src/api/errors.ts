import type { CombinedError } from "@urql/core";
import { type Language, useSettings } from "@/app/settings";
import { meanings } from "@/i18n/codes";

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

/** What a code means in a language other than the server's; nothing where the server's own words will do. */
export function meaningOf(code: string, language: Language): string | undefined {
  return language === "de" ? meanings[code] : undefined;
}

/** What the server says, on one line. The server speaks English; in German its code is explained first. */
export function inWords({ code, message }: UserError, language: Language = useSettings.getState().language): string {
  const meaning = meaningOf(code, language);
  return meaning === undefined ? message : `${meaning} (${message})`;
}

/** What an error says to people. */
export function messageOf(error: CombinedError): string {
  const message = error.graphQLErrors[0]?.message ?? error.networkError?.message ?? error.message;
  return inWords({ code: codeOf(error), message });
}

/** What is wrong with what was asked, as one text; empty when nothing is. */
export function refusalOf(errors: readonly UserError[] | undefined): string {
  return (errors ?? []).map((error) => inWords(error)).join(" ");
}

/** The id under which the server's log says more about an error. */
export function errorIdOf(error: CombinedError): string | undefined {
  const id = error.graphQLErrors[0]?.extensions.errorId;
  return typeof id === "string" ? id : undefined;
}
