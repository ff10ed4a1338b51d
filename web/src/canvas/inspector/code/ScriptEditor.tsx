import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { javascript, localCompletionSource } from "@codemirror/lang-javascript";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useMemo, useRef } from "react";
import { editorLook, nonce, scriptLook } from "../expression/look";
import type { Scope } from "../expression/types";
import { propose } from "./complete";

interface Props {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  scope: () => Scope;
  /** What the script can use, in the form of a `.d.ts`. */
  types: string;
  readOnly?: boolean;
  invalid?: boolean;
  describedBy?: string | undefined;
}

/** Proposals from schemas and declared types. */
function known(latest: () => Props): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const { scope, types } = latest();
    const found = propose(context.state.doc.toString(), context.pos, scope().names.input ?? { type: "any" }, types);
    if (!found) return null;
    const options = found.list.map(({ label, detail, kind }): Completion => ({ label, detail, type: kind, boost: 1 }));
    return { from: found.from, options, validFor: /^[\w$]*$/ };
  };
}

const taller = EditorView.theme({
  ".cm-scroller": { minHeight: "180px", maxHeight: "60vh" },
  ".cm-gutters": { background: "var(--surface)", color: "var(--soft)", border: "none" },
  ".cm-matchingBracket": { background: "var(--accent-soft)", outline: "none" },
});

/** An editor for JavaScript: colors, line numbers, indents, and completion from what is known of the input. */
export default function ScriptEditor(props: Props) {
  const element = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;
  const { value, label, id, readOnly = false, invalid = false, describedBy } = props;
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
    if (!element.current) return;
    const editor = new EditorView({
      parent: element.current,
      state: EditorState.create({
        doc: initial.current,
        extensions: [
          nonce() ? EditorView.cspNonce.of(nonce()) : [],
          history(),
          lineNumbers(),
          indentUnit.of("  "),
          indentOnInput(),
          closeBrackets(),
          bracketMatching(),
          autocompletion({ override: [known(() => latest.current), localCompletionSource], icons: false }),
          javascript(),
          syntaxHighlighting(scriptLook),
          // Tab leaves the field: nobody must be caught in it. Enter indents.
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap]),
          described.current.of(latestAttributes.current),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
          editorLook,
          taller,
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, []);

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
  return <div ref={element} onKeyDown={(event) => event.stopPropagation()} />;
}
