/** Words that an expression could not use as a member name. */
export const RESERVED: ReadonlySet<string> = new Set(
  "as break const continue else false for function if import in let loop namespace null package return true var void while".split(
    " ",
  ),
);

/** Longest node key. */
export const KEY_LENGTH = 63;

/** Whether the server takes this as a node's key. */
export function keyFits(key: string): boolean {
  return /^[a-z][a-z0-9_]{0,62}$/.test(key) && !RESERVED.has(key);
}

/** A key made of any text: `HTTP request` becomes `http_request`. */
export function keyFrom(text: string): string {
  const plain = text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[_0-9]+|_+$/g, "")
    .slice(0, KEY_LENGTH);
  return keyFits(plain) ? plain : plain === "" ? "node" : `${plain.slice(0, KEY_LENGTH - 5)}_node`;
}

/** The wanted key, or the first of `wanted_2`, `wanted_3`, … that is free. */
export function freeKey(wanted: string, taken: (key: string) => boolean): string {
  if (!taken(wanted)) return wanted;
  const stem = wanted.replace(/_\d+$/, "");
  for (let number = 2; ; number += 1) {
    const tail = `_${number}`;
    const key = stem.slice(0, KEY_LENGTH - tail.length) + tail;
    if (!taken(key)) return key;
  }
}
