import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { withPlaces } from "@/canvas/layout/layered";
import type { Catalog } from "@/canvas/model/catalog";
import { type Definition, type FlowDocument, openDocument } from "@/canvas/model/document";
import { same } from "@/canvas/model/json";
import { type Conflict, merge } from "@/canvas/model/merge";
import type { CanvasStore } from "@/canvas/store";
import { dropDraft, loadDraft, saveDraft } from "@/canvas/sync/localDraft";

/** A published version, as far as a draft needs it. */
export interface Published {
  hash: string;
  definition: unknown;
}

/** Where the work is. */
export type Saving = "opening" | "published" | "saving" | "kept" | "failed";

const KEEP_AFTER_MS = 500;

/**
 * Opens a workflow's work in a canvas and keeps it in this browser after every change. When another version was
 * published since the work began, both are put together.
 */
export function useDraft(
  store: CanvasStore,
  name: string | undefined,
  catalog: Catalog | undefined,
  latest: Published | null | undefined,
  discardLabel: string,
) {
  const [saving, setSaving] = useState<Saving>("opening");
  const [conflicts, setConflicts] = useState<Conflict[]>([]);
  const [merged, setMerged] = useState(false);
  const base = useRef<Published | null>(null);
  const opened = useRef<string>(undefined);
  const document = useStore(store, (state) => state.document);

  useEffect(() => {
    if (name === undefined || catalog === undefined || latest === undefined || opened.current === name) return;
    let gone = false;
    const open = async () => {
      const kept = await loadDraft(name).catch(() => undefined);
      if (gone) return;
      const published = openDocument(latest?.definition ?? null);
      const start = startOf(kept?.document, kept?.base ?? null, kept?.baseHash ?? null, published, latest);
      base.current = latest;
      opened.current = name;
      setConflicts(start.conflicts);
      setMerged(start.merged);
      store.getState().open(withPlaces(start.document), catalog);
      setSaving(same(start.document.definition, published.definition) ? "published" : "kept");
    };
    void open();
    return () => {
      gone = true;
    };
  }, [store, name, catalog, latest]);

  // Another language of the catalog is no reason to open anything anew.
  useEffect(() => {
    if (catalog && opened.current !== undefined) store.setState({ catalog });
  }, [store, catalog]);

  const keep = useRef<() => Promise<void>>(async () => undefined);
  keep.current = async () => {
    const draft = store.getState().document;
    if (name === undefined || opened.current !== name) return;
    const published = base.current;
    setSaving("saving");
    try {
      await saveDraft(name, {
        document: draft,
        base: (published?.definition as Definition | undefined) ?? null,
        baseHash: published?.hash ?? null,
        savedAt: new Date().toISOString(),
      });
      const unchanged = same(draft.definition, openDocument(published?.definition ?? null).definition);
      setSaving(unchanged && published ? "published" : "kept");
    } catch {
      setSaving("failed");
    }
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of the document is kept
  useEffect(() => {
    // The first document is the one that was just opened.
    if (opened.current !== name || store.getState().history.done.length + store.getState().history.undone.length === 0)
      return;
    setSaving("saving");
    const timer = window.setTimeout(() => void keep.current(), KEEP_AFTER_MS);
    return () => window.clearTimeout(timer);
  }, [store, name, document]);

  return {
    saving,
    conflicts,
    merged,
    /** Keeps the work now. */
    save: () => void keep.current(),
    /** What was just published is what further work begins from. */
    published: (version: Published) => {
      base.current = version;
      void keep.current();
    },
    /** Gives the work up and shows what is published. */
    discard: async () => {
      if (name === undefined) return;
      await dropDraft(name);
      const document = withPlaces(openDocument(base.current?.definition ?? null));
      store.getState().apply(discardLabel, () => document);
      setConflicts([]);
      setMerged(false);
      setSaving("published");
    },
    /** Takes the published value where both changed one thing. */
    settle: () => setConflicts([]),
  };
}

interface Start {
  document: FlowDocument;
  conflicts: Conflict[];
  merged: boolean;
}

/** The document to begin with: what was kept, what is published, or both put together. */
export function startOf(
  kept: FlowDocument | undefined,
  base: Definition | null,
  baseHash: string | null,
  published: FlowDocument,
  latest: Published | null,
): Start {
  if (!kept) return { document: published, conflicts: [], merged: false };
  if (latest === null || baseHash === latest.hash) return { document: kept, conflicts: [], merged: false };
  const from = { definition: openDocument(base).definition, sidecar: kept.sidecar };
  const theirs = { definition: published.definition, sidecar: kept.sidecar };
  return { ...merge(from, kept, theirs), merged: true };
}
