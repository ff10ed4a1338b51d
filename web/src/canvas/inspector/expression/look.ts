import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** Where the server allows inline styles of this page, it hands out a word for it. */
export function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
}

/** How every editor looks. */
export const editorLook = EditorView.theme({
  "&": { fontSize: "12.5px", borderRadius: "6px", border: "1px solid var(--field)", background: "var(--surface)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "2px" },
  ".cm-content": {
    fontFamily: "var(--font-mono, monospace)",
    padding: "6px 0",
    caretColor: "var(--text)",
    color: "var(--text)",
  },
  ".cm-line": { padding: "0 8px" },
  ".cm-scroller": { maxHeight: "220px", lineHeight: "18px", fontFamily: "inherit" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-placeholder": { color: "var(--soft)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { background: "var(--accent-soft) !important" },
  ".cm-tooltip": {
    background: "var(--surface)",
    border: "1px solid var(--line)",
    color: "var(--text)",
    borderRadius: "6px",
  },
  ".cm-tooltip.cm-completionInfo": { padding: "6px 8px", maxWidth: "280px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent-soft)", color: "var(--text)" },
  ".cm-completionDetail": { color: "var(--soft)", fontStyle: "normal" },
});

/** Colors of JSON. */
export const jsonLook = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--text)", fontWeight: "600" },
  { tag: tags.string, color: "var(--quoted)" },
  { tag: tags.number, color: "var(--running)" },
  { tag: [tags.bool, tags.null], color: "var(--accent)" },
]);

/** Colors of scripts. */
export const scriptLook = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.bool, tags.null], color: "var(--accent)" },
  { tag: [tags.string, tags.regexp, tags.special(tags.string)], color: "var(--quoted)" },
  { tag: tags.number, color: "var(--running)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: [tags.definition(tags.variableName), tags.function(tags.variableName)], fontWeight: "600" },
]);
