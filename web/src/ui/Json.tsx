/** A value as JSON text, to read and to copy. */
export function Json({ text, label }: { text: string; label: string }) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      className="max-h-80 overflow-auto rounded-md border border-line bg-page p-2 font-mono text-[12.5px] leading-[18px]"
    >
      <pre className="whitespace-pre-wrap break-words">{text}</pre>
    </section>
  );
}

/** JSON text with line breaks; text that is cut off, and so is no JSON, stays as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
