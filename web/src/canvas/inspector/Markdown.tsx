import type { ReactNode } from "react";
import { inline } from "@/ui/inline";

/** The part of Markdown that node guides use: paragraphs, headings, lists, fenced code, `code` and **strong**. */
export function Markdown({ text }: { text: string }) {
  return <div className="flex flex-col gap-2">{blocks(text).map(shown)}</div>;
}

type Block = { kind: "text" | "heading" | "code"; text: string } | { kind: "list"; items: string[] };

function blocks(text: string): Block[] {
  const found: Block[] = [];
  let code: string[] | undefined;
  let open = false;
  for (const line of text.split("\n")) {
    if (line.trimStart().startsWith("```")) {
      if (code) found.push({ kind: "code", text: code.join("\n") });
      code = code ? undefined : [];
      open = false;
    } else if (code) code.push(line);
    else if (line.trim() === "") open = false;
    else if (line.startsWith("#")) {
      found.push({ kind: "heading", text: line.replace(/^#+\s*/, "") });
      open = false;
    } else {
      const last = found.at(-1);
      const item = /^\s*[-*]\s+(.*)$/.exec(line);
      if (item) {
        if (open && last?.kind === "list") last.items.push(item[1] ?? "");
        else found.push({ kind: "list", items: [item[1] ?? ""] });
      } else if (open && last?.kind === "text") last.text += ` ${line.trim()}`;
      else if (open && last?.kind === "list") last.items[last.items.length - 1] += ` ${line.trim()}`;
      else found.push({ kind: "text", text: line.trim() });
      open = true;
    }
  }
  return found;
}

function shown(block: Block, index: number): ReactNode {
  if (block.kind === "heading") {
    return (
      <h3 key={index} className="mt-1 font-semibold">
        {inline(block.text)}
      </h3>
    );
  }
  if (block.kind === "code") {
    return (
      <section
        key={index}
        aria-label={block.text.slice(0, 40)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        className="overflow-auto rounded-md border border-line bg-page p-2 font-mono text-[12.5px]"
      >
        <pre>{block.text}</pre>
      </section>
    );
  }
  if (block.kind === "list") {
    return (
      <ul key={index} className="list-disc pl-5">
        {block.items.map((item) => (
          <li key={item}>{inline(item)}</li>
        ))}
      </ul>
    );
  }
  return <p key={index}>{inline(block.text)}</p>;
}
