import { autocompletion, type CompletionContext, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, placeholder as placeholderOf } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useMemo, useRef } from "react";
import { complete } from "./complete";
import { highlightExpressions } from "./highlight";
import type { Scope } from "./types";

interface Props {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  scope: () => Scope;
  language: "template" | "json";
  readOnly?: boolean;
  invalid?: boolean;
  describedBy?: string | undefined;
  placeholder?: string;
}

function completions(scope: () => Scope): Extension {
  const source = (context: CompletionContext) => {
    const suggestions = complete(context.state.doc.toString(), context.pos, scope());
    if (!suggestions || (!context.explicit && suggestions.from === context.pos && !/[.{ ]/.test(charBefore(context)))) {
      return null;
    }
    return {
      from: suggestions.from,
      options: suggestions.list.map(({ label, kind, detail, info }) => ({
        label,
        detail,
        type: kind === "function" ? "function" : kind === "member" ? "property" : "variable",
        boost: kind === "function" ? -1 : 1,
        ...(info ? { info } : {}),
      })),
      validFor: /^\w*$/,
    };
  };
  return autocompletion({ override: [source], icons: false });
}

function charBefore(context: CompletionContext): string {
  return context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos);
}

/** Where the server allows inline styles of this page, it hands out a word for it. */
function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
}

const look = EditorView.theme({
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

const jsonLook = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--text)", fontWeight: "600" },
  { tag: tags.string, color: "var(--quoted)" },
  { tag: tags.number, color: "var(--running)" },
  { tag: [tags.bool, tags.null], color: "var(--accent)" },
]);

/** An editor for text with expressions or for JSON with them: colors, completion, undo of its own. */
export default function Editor(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;
  const { value, language, label, id, readOnly = false, invalid = false, describedBy, placeholder = "" } = props;
  const initial = useRef(value);
  initial.current = value;

  const described = useRef(new Compartment());
  const attributes = useMemo(
    (): Extension => [
      EditorView.contentAttributes.of({
        "aria-label": label,
        id,
        "aria-invalid": String(invalid),
        ...(describedBy ? { "aria-describedby": describedBy } : {}),
      }),
      EditorState.readOnly.of(readOnly),
    ],
    [label, id, invalid, describedBy, readOnly],
  );
  const latestAttributes = useRef(attributes);
  latestAttributes.current = attributes;

  useEffect(() => {
    if (!place.current) return;
    const editor = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: initial.current,
        extensions: [
          nonce() ? EditorView.cspNonce.of(nonce()) : [],
          history(),
          closeBrackets(),
          completions(() => latest.current.scope()),
          highlightExpressions,
          language === "json" ? [json(), syntaxHighlighting(jsonLook)] : [],
          // Tab leaves the field: nobody must be caught in it.
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]),
          EditorView.lineWrapping,
          described.current.of(latestAttributes.current),
          placeholder ? placeholderOf(placeholder) : [],
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
          look,
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [language, placeholder]);

  // What is said about the field changes while somebody types into it, which must not disturb them.
  useEffect(() => {
    view.current?.dispatch({ effects: described.current.reconfigure(attributes) });
  }, [attributes]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  // The canvas listens for keys as well; what is typed here is none of its business.
  // biome-ignore lint/a11y/noStaticElementInteractions: the editor inside takes the keys
  return <div ref={place} onKeyDown={(event) => event.stopPropagation()} />;
}
