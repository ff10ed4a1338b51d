/**
 * Reads FlowForge CEL far enough to color it, to complete it, and to find and rename the nodes it reads. Whether an
 * expression is right is for the server to say. The rules for where an expression ends are the server's own.
 */

/** What a piece of an expression is. */
export type TokenKind = "name" | "word" | "number" | "text" | "symbol" | "comment" | "unreadable";

/** A piece of a text, by the places of its first character and of the one after its last. */
export interface Token {
  kind: TokenKind;
  start: number;
  end: number;
}

/** An expression inside a text: what stands between `{{` and `}}`. */
export interface Span {
  /** Place of the first character after `{{`. */
  start: number;
  /** Place of `}}`, or the text's end when it is not closed. */
  end: number;
  closed: boolean;
  tokens: Token[];
}

const WORDS = new Set(["in", "true", "false", "null"]);
const BLANK = /[ \t\r\n\f]+/y;
const COMMENT = /\/\/[^\n]*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0x[0-9a-fA-F]+|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const QUOTED = /`[^`\n]*`/y;
const SYMBOL = /\?\.\[|\?\.|==|!=|<=|>=|&&|\|\||[()[\]{}.,?:+\-*/%<>!]/y;

function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** Where the quoted text that begins at `at` ends; the line's end when its quote is missing. */
function textEnd(text: string, at: number, raw: boolean): number {
  const quote = text.charAt(at);
  const triple = text.startsWith(quote.repeat(3), at);
  const close = triple ? quote.repeat(3) : quote;
  let here = at + close.length;
  while (here < text.length) {
    if (text.startsWith(close, here)) return here + close.length;
    if (!triple && text.charAt(here) === "\n") return here;
    here += text.charAt(here) === "\\" && !raw ? 2 : 1;
  }
  return text.length;
}

function nextToken(text: string, at: number): Token {
  const token = (kind: TokenKind, end: number): Token => ({ kind, start: at, end });
  const name = match(NAME, text, at);
  if (name !== undefined) {
    const word = text.slice(at, name);
    if (/^[rR]$/.test(word) && /["']/.test(text.charAt(name))) return token("text", textEnd(text, name, true));
    return token(WORDS.has(word) ? "word" : "name", name);
  }
  if (/["']/.test(text.charAt(at))) return token("text", textEnd(text, at, false));
  const comment = match(COMMENT, text, at);
  if (comment !== undefined) {
    // A comment ends before the braces that close the expression.
    const close = text.indexOf("}}", at);
    return token("comment", close >= 0 && close < comment ? close : comment);
  }
  const end = match(NUMBER, text, at);
  if (end !== undefined) return token("number", end);
  const quoted = match(QUOTED, text, at);
  if (quoted !== undefined) return token("name", quoted);
  const symbol = match(SYMBOL, text, at);
  return symbol === undefined ? token("unreadable", at + 1) : token("symbol", symbol);
}

function expressionAt(text: string, start: number): Span {
  const tokens: Token[] = [];
  let open = 0;
  let at = start;
  for (;;) {
    at = match(BLANK, text, at) ?? at;
    if (open === 0 && text.startsWith("}}", at)) return { start, end: at, closed: true, tokens };
    if (at >= text.length) return { start, end: text.length, closed: false, tokens };
    const token = nextToken(text, at);
    tokens.push(token);
    const symbol = token.kind === "symbol" ? text.slice(token.start, token.end) : "";
    if (symbol === "{") open += 1;
    if (symbol === "}") open = Math.max(0, open - 1);
    at = token.end;
  }
}

/** The expressions in a text, in order. `\{{` begins none. */
export function expressions(text: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf("{{", at);
    if (open < 0) return spans;
    let backslashes = 0;
    while (text.charAt(open - 1 - backslashes) === "\\" && open - 1 - backslashes >= at) backslashes += 1;
    if (backslashes % 2 === 1) {
      at = open + 2;
      continue;
    }
    const span = expressionAt(text, open + 2);
    spans.push(span);
    at = span.closed ? span.end + 2 : text.length;
  }
}

/** Whether a text holds an expression. */
export function hasExpression(text: string): boolean {
  return expressions(text).length > 0;
}

/** A place where an expression names a node. */
interface Mention {
  key: string;
  start: number;
  end: number;
  /** Whether the key stands in quotes: `nodes["key"]`. */
  quoted: boolean;
}

function mentions(text: string, { tokens }: Span): Mention[] {
  const found: Mention[] = [];
  const word = (token: Token | undefined) => (token ? text.slice(token.start, token.end) : "");
  tokens.forEach((token, index) => {
    if (token.kind !== "name" || word(token) !== "nodes" || isMember(tokens, index, text)) return;
    const [dot, key] = [word(tokens[index + 1]), tokens[index + 2]];
    if (!key) return;
    if ((dot === "." || dot === "?.") && (key.kind === "name" || key.kind === "word")) {
      found.push({ key: word(key), start: key.start, end: key.end, quoted: false });
    } else if ((dot === "[" || dot === "?.[") && key.kind === "text" && word(tokens[index + 3]) === "]") {
      const plain = /^(["'])([a-z0-9_]+)\1$/.exec(word(key));
      if (plain?.[2]) found.push({ key: plain[2], start: key.start + 1, end: key.end - 1, quoted: true });
    }
  });
  return found;
}

/** Whether a name is a member of something, as in `input.nodes`, or an object's key, as in `{nodes: 1}`. */
function isMember(tokens: Token[], index: number, text: string): boolean {
  const before = tokens[index - 1];
  return before?.kind === "symbol" && [".", "?."].includes(text.slice(before.start, before.end));
}

/** The keys of the nodes that a text's expressions read. */
export function nodesRead(text: string): Set<string> {
  if (!text.includes("{{")) return new Set();
  return new Set(expressions(text).flatMap((span) => mentions(text, span).map((mention) => mention.key)));
}

/** The text with the node of one key called by another; all else stays to the letter. */
export function renameInText(text: string, rename: (key: string) => string | undefined): string {
  if (!text.includes("{{")) return text;
  const found = expressions(text).flatMap((span) => mentions(text, span));
  let renamed = text;
  for (const mention of found.reverse()) {
    const key = rename(mention.key);
    if (key !== undefined) renamed = renamed.slice(0, mention.start) + key + renamed.slice(mention.end);
  }
  return renamed;
}
