import { RangeSetBuilder } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { expressions, type TokenKind } from "../../model/expression";

const colors: Record<TokenKind, string> = {
  name: "expr-name",
  word: "expr-word",
  number: "expr-number",
  text: "expr-text",
  symbol: "expr-symbol",
  comment: "expr-comment",
  unreadable: "expr-unreadable",
};
const marks = Object.fromEntries(
  Object.entries(colors).map(([kind, name]) => [kind, Decoration.mark({ class: name })]),
) as Record<TokenKind, Decoration>;
const inside = Decoration.mark({ class: "expr" });

function decorate(text: string): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const span of expressions(text)) {
    const end = span.closed ? span.end + 2 : span.end;
    builder.add(span.start - 2, end, inside);
    for (const token of span.tokens) builder.add(token.start, token.end, marks[token.kind]);
  }
  return builder.finish();
}

/** Colors what stands between `{{` and `}}`. */
export const highlightExpressions = [
  ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = decorate(view.state.doc.toString());
      }
      update(update: ViewUpdate) {
        if (update.docChanged) this.decorations = decorate(update.state.doc.toString());
      }
    },
    { decorations: (plugin) => plugin.decorations },
  ),
  EditorView.theme({
    ".expr": { background: "var(--accent-soft)", borderRadius: "3px" },
    ".expr-name": { color: "var(--accent)" },
    ".expr-word": { color: "var(--accent)", fontWeight: "600" },
    ".expr-number": { color: "var(--running)" },
    ".expr-text": { color: "var(--quoted)" },
    ".expr-comment": { color: "var(--soft)", fontStyle: "italic" },
    ".expr-unreadable": { color: "var(--failed)", textDecoration: "underline wavy" },
  }),
];
