import { createContext, useContext } from "react";
import { createStore, type StoreApi, useStore } from "zustand";
import type { Catalog } from "./model/catalog";
import { emptyDocument, type FlowDocument } from "./model/document";
import { type History, NOTHING, record, redo, undo } from "./model/history";
import { type PlacedProblem, placed } from "./model/problems";
import { validate } from "./model/validate";

/** The canvas: its document, what was done to it, and what is chosen. Selection is never part of undo. */
export interface CanvasState {
  catalog: Catalog;
  document: FlowDocument;
  history: History;
  readOnly: boolean;
  /** Keys of nodes, names of notes and ids of edges. */
  selection: ReadonlySet<string>;
  /** The node that the inspector shows. */
  inspected: string | null;
  /** What the browser can tell. */
  problems: readonly PlacedProblem[];
  /** What the server said, and of which document. */
  serverProblems: { document: FlowDocument; problems: readonly PlacedProblem[] } | null;
  /** Said to screen readers. */
  announcement: string;

  open: (document: FlowDocument, catalog: Catalog, readOnly?: boolean) => void;
  /** Does something as one step that can be taken back; steps of one kind soon after each other are put together. */
  apply: (label: string, change: (document: FlowDocument) => FlowDocument, kind?: string) => void;
  /** Takes over what somebody else made of the document; that is no step of one's own. */
  receive: (document: FlowDocument) => void;
  undo: () => string | undefined;
  redo: () => string | undefined;
  select: (ids: Iterable<string>) => void;
  inspect: (key: string | null) => void;
  setServerProblems: (document: FlowDocument, problems: readonly PlacedProblem[]) => void;
  announce: (text: string) => void;
}

/** A canvas of its own, for one page. */
export type CanvasStore = StoreApi<CanvasState>;

export function createCanvasStore(): CanvasStore {
  return createStore<CanvasState>()((set, get) => {
    const checked = (document: FlowDocument, catalog: Catalog) => placed(validate(document, catalog), document);
    const become = (document: FlowDocument, history: History) => {
      const { catalog, inspected, selection } = get();
      const exists = (id: string) =>
        Object.hasOwn(document.definition.nodes, id) || Object.hasOwn(document.sidecar.notes, id) || id.includes(">");
      set({
        document,
        history,
        problems: checked(document, catalog),
        inspected: inspected !== null && Object.hasOwn(document.definition.nodes, inspected) ? inspected : null,
        ...([...selection].every(exists) ? {} : { selection: new Set([...selection].filter(exists)) }),
      });
    };
    return {
      catalog: new Map(),
      document: emptyDocument(),
      history: NOTHING,
      readOnly: false,
      selection: new Set(),
      inspected: null,
      problems: [],
      serverProblems: null,
      announcement: "",

      open: (document, catalog, readOnly = false) =>
        set({
          document,
          catalog,
          readOnly,
          history: NOTHING,
          selection: new Set(),
          inspected: null,
          serverProblems: null,
          problems: readOnly ? [] : checked(document, catalog),
        }),
      apply: (label, change, kind) => {
        const { document, history, readOnly } = get();
        if (readOnly) return;
        const after = change(document);
        if (after === document) return;
        become(after, record(history, { label, before: document, after, kind, at: Date.now() }));
      },
      receive: (document) => become(document, get().history),
      undo: () => {
        const moved = undo(get().history, get().document);
        if (moved) become(moved.document, moved.history);
        return moved?.label;
      },
      redo: () => {
        const moved = redo(get().history, get().document);
        if (moved) become(moved.document, moved.history);
        return moved?.label;
      },
      select: (ids) => set({ selection: new Set(ids) }),
      inspect: (inspected) => set({ inspected }),
      setServerProblems: (document, problems) => set({ serverProblems: { document, problems } }),
      announce: (announcement) => set({ announcement }),
    };
  });
}

const Context = createContext<CanvasStore | null>(null);

/** Hands a canvas to everything inside. */
export const CanvasProvider = Context.Provider;

/** The canvas around, to read at one moment and to act on. */
export function useCanvasStore(): CanvasStore {
  const store = useContext(Context);
  if (!store) throw new Error("there is no canvas around this component");
  return store;
}

/** Something of the canvas around, kept up to date. */
export function useCanvas<T>(select: (state: CanvasState) => T): T {
  return useStore(useCanvasStore(), select);
}

/** All problems: the server's as long as the document is the one that it saw, else what the browser can tell. */
export function problemsOf(state: CanvasState): readonly PlacedProblem[] {
  const { serverProblems, problems, document } = state;
  return serverProblems?.document.definition === document.definition ? serverProblems.problems : problems;
}
