import type { ReactNode } from "react";

/** Text with `code` and **strong** in it, as descriptions write them. */
export function inline(text: string): ReactNode[] {
  let at = 0;
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    const place = at;
    at += part.length;
    if (part.startsWith("`") && part.length > 1) {
      return (
        <code key={place} className="rounded bg-raised px-1 font-mono text-[12px]">
          {part.slice(1, -1)}
        </code>
      );
    }
    if (part.startsWith("**")) return <strong key={place}>{part.slice(2, -2)}</strong>;
    return part;
  });
}
