import { useCallback, useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { codeOf, messageOf, refusalOf } from "@/api/errors";
import { followDraft } from "@/api/follow";
import { withPlaces } from "@/canvas/layout/places";
import type { Catalog } from "@/canvas/model/catalog";
import { type FlowDocument, openDocument } from "@/canvas/model/document";
import type { Conflict } from "@/canvas/model/merge";
import { type Problem, placed } from "@/canvas/model/problems";
import type { CanvasStore } from "@/canvas/store";
import {
  type Change,
  DraftSync,
  mergeOnto,
  type Saved,
  type SaveState,
  type ServerDraft,
} from "@/canvas/sync/draftSync";
import { keepUnsent, loadUnsent } from "@/canvas/sync/localDraft";
import { useT } from "@/i18n";
import { useToasts } from "@/ui/toast";
import { DiscardDraftMutation, DraftQuery, SaveDraftMutation } from "./queries";

/** Which draft is open. */
export interface OpenDraft extends ServerDraft {
  id: string;
}

interface Workflow {
  id: string;
  project: string;
  name: string;
  draft: OpenDraft;
}

/** Where the work is, and why not on the server. */
export interface Saving {
  state: SaveState | "opening";
  message?: string | undefined;
}

/** Opens a draft in a canvas, saves it after every change, and puts it together with what others do to it. */
export function useDraft(
  store: CanvasStore,
  { id: workflowId, project, name, draft }: Workflow,
  catalog: Catalog,
  readOnly: boolean,
) {
  const client = useClient();
  const t = useT();
  const [saving, setSaving] = useState<Saving>({ state: "opening" });
  const [conflicts, setConflicts] = useState<Conflict[]>([]);
  const sync = useRef<DraftSync>(null);
  const first = useRef({ draft, catalog });

  const save = useCallback(
    async (change: Change, document: FlowDocument): Promise<Saved> => {
      const input = { draftId: draft.id, ...change };
      const answer = await client.mutation(SaveDraftMutation, { input }).toPromise();
      if (answer.error) {
        const code = codeOf(answer.error);
        const passing = ["NETWORK", "UNAVAILABLE", "UNAUTHENTICATED", "INTERNAL", "RATE_LIMITED"].includes(code);
        return passing ? { outcome: "unreachable" } : { outcome: "refused", message: messageOf(answer.error) };
      }
      const payload = answer.data?.saveDraft;
      const now = payload?.draft;
      if (now && payload.userErrors.some(({ code }) => code === "REVISION_CONFLICT")) {
        return { outcome: "conflict", draft: now };
      }
      if (!now || payload.userErrors.length > 0) {
        return { outcome: "refused", message: refusalOf(payload?.userErrors) };
      }
      store.getState().setServerProblems(document, placed(now.problems as Problem[], document));
      return { outcome: "saved", revision: now.revision };
    },
    [client, store, draft.id],
  );

  useEffect(() => {
    const { draft: begun, catalog: known } = first.current;
    let gone = false;
    const made = new DraftSync(begun, {
      current: () => store.getState().document,
      receive: (document) => store.getState().receive(withPlaces(document, store.getState().catalog)),
      save: (change) => save(change, store.getState().document),
      keep: (unsent) => void keepUnsent(begun.id, unsent).catch(() => undefined),
      onState: (state, message) => setSaving({ state, message }),
      onConflicts: setConflicts,
      later: (run, milliseconds) => {
        const timer = window.setTimeout(run, milliseconds);
        return () => window.clearTimeout(timer);
      },
    });
    const open = async () => {
      const unsent = readOnly ? undefined : await loadUnsent(begun.id).catch(() => undefined);
      if (gone) return;
      const merged = unsent ? mergeOnto(unsent.document, unsent.base, begun) : undefined;
      const document = withPlaces(merged?.document ?? openDocument(begun.document, begun.sidecar), known);
      store.getState().open(document, known, readOnly);
      sync.current = made;
      setConflicts(merged?.conflicts ?? []);
      setSaving({ state: "saved" });
      if (merged) void made.flush();
    };
    void open();
    const unsubscribe = store.subscribe((state, before) => {
      if (sync.current === made && state.document !== before.document && !state.readOnly && before.catalog.size > 0) {
        made.changed();
      }
    });
    return () => {
      gone = true;
      unsubscribe();
      // Leaving for another page is no reason to wait.
      void made.flush().finally(() => made.close());
      sync.current = null;
    };
  }, [store, save, readOnly]);

  // Another language of the catalog is no reason to open anything anew.
  useEffect(() => {
    if (sync.current) store.setState({ catalog });
  }, [store, catalog]);

  // What others do to the draft is seen as it happens, and by whoever comes back to the page.
  const toast = useToasts((toasts) => toasts.show);
  useEffect(() => {
    const read = async () => {
      const answer = await client.query(DraftQuery, { name, project }, { requestPolicy: "network-only" }).toPromise();
      const now = answer.data?.workflow?.draft;
      return now && now.id === draft.id ? now : undefined;
    };
    const look = async () => {
      if (document.visibilityState !== "visible") return;
      if (await sync.current?.hear(read)) toast(t("draft.byOther"));
    };
    const onLook = () => void look();
    const stop = followDraft(workflowId, (update) => {
      // One's own saves are told as well; those are known already.
      if (!update || (update.draftId === draft.id && update.revision > (sync.current?.revision ?? 0))) onLook();
    });
    document.addEventListener("visibilitychange", onLook);
    window.addEventListener("focus", onLook);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", onLook);
      window.removeEventListener("focus", onLook);
    };
  }, [client, workflowId, name, project, draft.id, t, toast]);

  // Closing the page in the moment before a save asks first. The work is on this device all the same.
  const unsaved = saving.state !== "saved" && saving.state !== "opening";
  useEffect(() => {
    if (!unsaved) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [unsaved]);

  return {
    saving,
    conflicts,
    /** Saves now; says the revision that the server has, or nothing when it does not have everything. */
    save: useCallback(async (): Promise<number | undefined> => {
      await sync.current?.flush();
      return sync.current?.isSaved ? sync.current.revision : undefined;
    }, []),
    /** Takes the draft back to its version, as one step that can be undone. */
    discard: async (label: string): Promise<string | undefined> => {
      await sync.current?.flush();
      const input = { draftId: draft.id, expectedRevision: sync.current?.revision ?? 0 };
      const answer = await client.mutation(DiscardDraftMutation, { input }).toPromise();
      const payload = answer.data?.discardDraft;
      if (answer.error) return messageOf(answer.error);
      if (!payload?.draft || payload.userErrors.length > 0) {
        return refusalOf(payload?.userErrors);
      }
      const back = withPlaces(openDocument(payload.draft.document, payload.draft.sidecar), store.getState().catalog);
      store.getState().apply(label, () => back);
      sync.current?.reset(payload.draft);
      setConflicts([]);
      return undefined;
    },
    /** A conflict was looked at. */
    settled: (conflict: Conflict) => setConflicts((all) => all.filter((one) => one !== conflict)),
  };
}
