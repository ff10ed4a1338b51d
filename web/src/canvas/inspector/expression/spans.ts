import { expressions } from "../../model/expression";

/** An expression inside the text of a field, as the server takes it. */
export interface Written {
  expression: string;
  /** Where the cursor stands in it, in characters. */
  cursor: number;
  /** Where the word that is being written begins, in the text of the field. */
  from: number;
}

/** A text in JSON: where it stands between its quotes. */
interface Quoted {
  start: number;
  end: number;
}

/** The texts of a JSON document that may not be one yet. */
function quoted(text: string): Quoted[] {
  const found: Quoted[] = [];
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) {
    const start = at + 1;
    at = start;
    while (at < text.length && text[at] !== '"' && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
    found.push({ start, end: Math.min(at, text.length) });
  }
  return found;
}

function meant(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}

/** Whether a place in JSON stands inside a text. */
export function isInText(text: string, place: number): boolean {
  return quoted(text).some(({ start, end }) => place >= start && place <= end);
}

/** The expression that stands at `place`, or else the first one of the text. */
export function writtenAt(text: string, place: number, isJson: boolean): Written | undefined {
  if (isJson) {
    const strings = quoted(text).filter(({ start, end }) => text.slice(start, end).includes("{{"));
    const here = strings.find(({ start, end }) => place >= start && place <= end) ?? strings[0];
    if (!here) return undefined;
    const cursor = Math.min(Math.max(place, here.start), here.end);
    const before = meant(text.slice(here.start, cursor));
    const written = writtenAt(meant(text.slice(here.start, here.end)), before.length, false);
    return written && { ...written, from: cursor - (before.length - written.from) };
  }
  const spans = expressions(text);
  const span = spans.find(({ start, end }) => place >= start && place <= end) ?? spans[0];
  if (!span) return undefined;
  const at = Math.min(Math.max(place, span.start), span.end);
  const before = text.slice(span.start, at);
  return {
    expression: text.slice(span.start, span.end),
    cursor: [...before].length,
    from: at - (/[A-Za-z0-9_]*$/.exec(before)?.[0].length ?? 0),
  };
}
