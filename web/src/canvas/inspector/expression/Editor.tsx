import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, placeholder as placeholderOf } from "@codemirror/view";
import { useEffect, useMemo, useRef, useState } from "react";
import { EXPRESSION } from "@/data/drag";
import type { Checked } from "./check";
import { complete } from "./complete";
import { highlightExpressions } from "./highlight";
import { editorLook, jsonLook, nonce } from "./look";
import { Preview } from "./Preview";
import { isInText, writtenAt } from "./spans";
import { becomeTarget, leaveTarget } from "./target";
import type { Scope } from "./types";

interface Props {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  scope: () => Scope;
  check?: ((expression: string, cursor?: number) => Promise<Checked | undefined>) | undefined;
  language: "template" | "json";
  readOnly?: boolean;
  invalid?: boolean;
  describedBy?: string | undefined;
  placeholder?: string;
}

const KINDS: Record<string, string> = { FUNCTION: "function", MEMBER: "property", NODE: "property", NAME: "variable" };

/** Proposals of the server; where it cannot be asked, those that follow from the schemas known here. */
function completions(latest: () => Props): Extension {
  const source = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const text = context.state.doc.toString();
    const { scope, check, language } = latest();
    const local = complete(text, context.pos, scope());
    if (!local || (!context.explicit && local.from === context.pos && !/[.{ ]/.test(charBefore(context)))) {
      return null;
    }
    const written = writtenAt(text, context.pos, language === "json");
    const checked = written && (await check?.(written.expression, written.cursor).catch(() => undefined));
    if (context.aborted) return null;
    if (written && checked && checked.completions.length > 0) {
      const options = checked.completions.map(
        ({ label, insert, kind, detail, summary }): Completion => ({
          label,
          apply: insert,
          detail,
          type: KINDS[kind] ?? "variable",
          boost: kind === "FUNCTION" ? -1 : 1,
          ...(summary ? { info: summary } : {}),
        }),
      );
      return { from: written.from, options, validFor: /^\w*$/ };
    }
    const options = local.list.map(
      ({ label, kind, detail, info }): Completion => ({
        label,
        detail,
        type: kind === "function" ? "function" : kind === "member" ? "property" : "variable",
        boost: kind === "function" ? -1 : 1,
        ...(info ? { info } : {}),
      }),
    );
    return { from: local.from, options, validFor: /^\w*$/ };
  };
  return autocompletion({ override: [source], icons: false });
}

function charBefore(context: CompletionContext): string {
  return context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos);
}

/** Takes what is dragged from data: as it is into text and into an empty field, in quotes between other JSON. */
function dropping(latest: () => Props): Extension {
  return EditorView.domEventHandlers({
    drop: (event, view) => {
      const written = event.dataTransfer?.getData(EXPRESSION);
      const { readOnly, language } = latest();
      if (!written || readOnly) return false;
      event.preventDefault();
      const text = view.state.doc.toString();
      const at = view.posAtCoords({ x: event.clientX, y: event.clientY }) ?? text.length;
      const bare = language === "json" && text.trim() !== "" && !isInText(text, at);
      const insert = bare ? JSON.stringify(written) : written;
      view.dispatch({ changes: { from: at, insert }, selection: { anchor: at + insert.length } });
      view.focus();
      return true;
    },
  });
}

/** An editor for text with expressions or for JSON with them: colors, completion, undo of its own. */
export default function Editor(props: Props) {
  const element = useRef<HTMLDivElement>(null);
  // Where the cursor stands while the field has the focus.
  const [place, setPlace] = useState<number | null>(null);
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
    if (!element.current) return;
    const take = (text: string) => {
      const { main } = editor.state.selection;
      const bare = language === "json" && !isInText(editor.state.doc.toString(), main.from);
      editor.dispatch(editor.state.replaceSelection(bare ? JSON.stringify(text) : text));
      editor.focus();
    };
    const editor = new EditorView({
      parent: element.current,
      state: EditorState.create({
        doc: initial.current,
        extensions: [
          nonce() ? EditorView.cspNonce.of(nonce()) : [],
          history(),
          closeBrackets(),
          completions(() => latest.current),
          highlightExpressions,
          language === "json" ? [json(), syntaxHighlighting(jsonLook)] : [],
          // Tab leaves the field: nobody must be caught in it.
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]),
          EditorView.lineWrapping,
          dropping(() => latest.current),
          described.current.of(latestAttributes.current),
          placeholder ? placeholderOf(placeholder) : [],
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
            if (update.docChanged || update.selectionSet || update.focusChanged) {
              setPlace(update.view.hasFocus ? update.state.selection.main.head : null);
            }
            if (update.focusChanged && update.view.hasFocus && !latest.current.readOnly) becomeTarget(take);
          }),
          editorLook,
        ],
      }),
    });
    view.current = editor;
    return () => {
      leaveTarget(take);
      editor.destroy();
    };
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

  const written = place === null ? undefined : writtenAt(value, place, language === "json");
  return (
    <>
      {/* The canvas listens for keys as well; what is typed here is none of its business. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the editor inside takes the keys */}
      <div ref={element} onKeyDown={(event) => event.stopPropagation()} />
      {written && props.check ? <Preview expression={written.expression} check={props.check} /> : null}
    </>
  );
}
