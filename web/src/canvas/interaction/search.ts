/** Something that can be chosen by typing. */
export interface Choice {
  id: string;
  title: string;
  detail?: string;
  /** Other words that people search for. */
  words?: readonly string[];
}

/**
 * The choices that fit what was typed, the best first: the title's beginning, a word's beginning, anywhere in the
 * title, the other words, then the description.
 */
export function found<T extends Choice>(choices: readonly T[], query: string): T[] {
  const typed = query.trim().toLowerCase();
  if (typed === "") return [...choices];
  const rank = ({ title, detail = "", words = [], id }: Choice): number => {
    const name = title.toLowerCase();
    if (name.startsWith(typed)) return 0;
    if (name.split(/\s+/).some((word) => word.startsWith(typed))) return 1;
    if (words.some((word) => word.toLowerCase().startsWith(typed))) return 2;
    if (name.includes(typed) || id.toLowerCase().includes(typed)) return 3;
    if (words.some((word) => word.toLowerCase().includes(typed))) return 4;
    const parts = typed.split(/\s+/);
    const all = `${name} ${detail} ${words.join(" ")}`.toLowerCase();
    return parts.every((part) => all.includes(part)) ? 5 : Number.POSITIVE_INFINITY;
  };
  return choices
    .map((choice, index) => ({ choice, rank: rank(choice), index }))
    .filter(({ rank }) => Number.isFinite(rank))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ choice }) => choice);
}
