import type { PortType } from "../../model/catalog";
import { expressions, type Token } from "../../model/expression";
import { FUNCTIONS } from "./functions";
import type { Scope } from "./types";

/** Something that can be written at the cursor. */
export interface Suggestion {
  label: string;
  kind: "name" | "member" | "function";
  detail: string;
  info?: string;
}

/** What can be written at a place, and where the word that is being written begins. */
export interface Suggestions {
  from: number;
  list: Suggestion[];
}

/**
 * What can be written at `place` of a text. Outside of an expression there is nothing to complete; behind a dot there
 * are the members that schemas tell of, and every function that can be called so.
 */
export function complete(text: string, place: number, scope: Scope): Suggestions | undefined {
  const span = expressions(text).find(({ start, end }) => place >= start && place <= end);
  if (!span) return undefined;
  const before = span.tokens.filter(({ start }) => start < place);
  const last = before.at(-1);
  if (last && (last.kind === "text" || last.kind === "comment" || last.kind === "number") && last.end >= place) {
    return undefined;
  }
  const writing =
    last && (last.kind === "name" || last.kind === "word") && last.end >= place ? before.pop() : undefined;
  const from = writing?.start ?? place;
  const dot = before.at(-1);
  if (!dot || !isDot(text, dot)) return { from, list: [...names(scope), ...functions(false)] };
  const type = typeBefore(text, before.slice(0, -1), scope);
  return { from, list: [...members(type), ...functions(true)] };
}

function isDot(text: string, token: Token): boolean {
  return token.kind === "symbol" && [".", "?."].includes(text.slice(token.start, token.end));
}

/** The type of the chain of members that ends where these tokens end; nothing when it is no such chain. */
function typeBefore(text: string, tokens: Token[], scope: Scope): PortType | undefined {
  const word = (token: Token) => text.slice(token.start, token.end);
  const path: string[] = [];
  let at = tokens.length - 1;
  for (; at >= 0; at -= 2) {
    const token = tokens[at];
    if (token?.kind !== "name") return undefined;
    path.unshift(word(token));
    const link = tokens[at - 1];
    if (!link || !isDot(text, link)) break;
  }
  const [root = "", ...rest] = path;
  return rest.reduce<PortType | undefined>((type, name) => type?.fields?.[name], scope.names[root]);
}

function shown(type: PortType): string {
  return type.type === "list" ? `list<${shown(type.items ?? { type: "any" })}>` : type.type;
}

function names(scope: Scope): Suggestion[] {
  return Object.entries(scope.names).map(([label, type]) => ({ label, kind: "name", detail: shown(type) }));
}

function members(type: PortType | undefined): Suggestion[] {
  return Object.entries(type?.fields ?? {})
    .filter(([label]) => /^[A-Za-z_]\w*$/.test(label))
    .map(([label, one]) => ({ label, kind: "member", detail: shown(one) }));
}

function functions(called: boolean): Suggestion[] {
  return FUNCTIONS.filter(({ name, takes }) => !called || (name !== "has" && takes !== "")).map(
    ({ name, takes, gives }) => ({
      label: name,
      kind: "function",
      detail: `(${called ? takes.split(", ").slice(1).join(", ") : takes})`,
      info: gives,
    }),
  );
}
