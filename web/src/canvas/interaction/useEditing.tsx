import { type ReactNode, useCallback, useMemo, useState } from "react";
import { useT } from "@/i18n";
import { useToasts } from "@/ui/toast";
import { type Catalog, inputsOf, outputsOf } from "../model/catalog";
import { copy, paste, read } from "../model/clipboard";
import {
  addAfter,
  addNode,
  addNote,
  connect,
  connectByMerge,
  connectRefusal,
  disconnect,
  freePlace,
  insertIntoEdge,
  mayBeDisabled,
  removeNodes,
  removeNotes,
  setDisabled,
} from "../model/commands";
import { type End, type FlowDocument, type Point, titleOf } from "../model/document";
import { useCanvas, useCanvasStore } from "../store";
import { iconOf } from "../view/icons";
import { type Choice, Palette } from "./Palette";

/** What is being chosen. */
type Asking =
  | { what: "add"; place: Point }
  | { what: "addAfter"; from: End; place?: Point }
  | { what: "insert"; edge: string }
  | { what: "connect"; key: string };

function typeChoices(catalog: Catalog, words: (category: string) => string, fits: (type: string) => boolean) {
  const order = ["TRIGGER", "FLOW", "DATA", "INTEGRATION"];
  return [...catalog.values()]
    .filter(({ type, deprecated }) => !deprecated && fits(type))
    .sort((a, b) => order.indexOf(a.category) - order.indexOf(b.category) || a.title.localeCompare(b.title))
    .map((type): Choice & { icon: ReactNode; hint: string } => {
      const Icon = iconOf(type.icon);
      return {
        id: type.type,
        title: type.title,
        detail: type.summary,
        words: type.aliases,
        hint: words(type.category),
        icon: <Icon size={16} aria-hidden className="shrink-0 text-soft" />,
      };
    });
}

/** The ports that a node could be joined to, as choices. */
function targetChoices(document: FlowDocument, catalog: Catalog, key: string) {
  const node = document.definition.nodes[key];
  if (!node) return [];
  return outputsOf(node, catalog).flatMap((output) =>
    Object.entries(document.definition.nodes).flatMap(([other, target]) =>
      inputsOf(target, catalog).flatMap((input) => {
        const [from, to] = [
          { node: key, port: output.name },
          { node: other, port: input.name },
        ];
        const refusal = connectRefusal(document, from, to, catalog);
        if (refusal !== undefined && refusal !== "PORT_TAKEN") return [];
        const port = output.name === "out" ? "" : `${output.name} → `;
        return [
          { id: `${output.name}>${other}.${input.name}`, title: `${port}${titleOf(other, target)}`, detail: other },
        ];
      }),
    ),
  );
}

/** The next key goes on from this node. A card that is new is mounted with the next frame, after the dialog has gone. */
function focusNode(key: string): void {
  const found = `.react-flow__node[data-id="${key}"], [data-outline="${key}"]`;
  const focus = () => window.document.querySelector<HTMLElement>(found)?.focus({ preventScroll: true });
  requestAnimationFrame(() => requestAnimationFrame(focus));
}

/** Everything that changes the workflow, for canvas, outline and keys alike, with the questions that it asks. */
export function useEditing() {
  const store = useCanvasStore();
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const [asking, setAsking] = useState<Asking | null>(null);
  const catalog = useCanvas((state) => state.catalog);
  const document = useCanvas((state) => state.document);

  const chosen = useCallback(
    (key: string) => {
      store.getState().select([key]);
      store.getState().inspect(key);
    },
    [store],
  );

  const join = useCallback(
    (from: End, to: End) => {
      const { document: now, apply } = store.getState();
      const joined = connect(now, from, to, catalog);
      if (joined.ok) return apply(t("did.connect"), () => joined.document);
      const merge = () => {
        const made = connectByMerge(store.getState().document, from, to, catalog);
        if (made) apply(t("did.connect"), () => made.document);
      };
      const action = joined.because === "PORT_TAKEN" ? { label: t("connect.merge"), run: merge } : undefined;
      toast(t(`connect.${joined.because}`), action);
    },
    [store, catalog, t, toast],
  );

  const remove = useCallback(() => {
    const { selection, inspected, apply } = store.getState();
    const ids = selection.size > 0 ? [...selection] : inspected ? [inspected] : [];
    apply(t("did.delete"), (before) => disconnect(removeNotes(removeNodes(before, ids), ids), ids));
  }, [store, t]);

  const pasteText = useCallback(
    (text: string, place: Point) => {
      const part = read(text);
      if (!part) return false;
      const { document: now, apply, select } = store.getState();
      const pasted = paste(now, part, freePlace(now, place));
      apply(t("did.paste"), () => pasted.document);
      select([...pasted.keys, ...pasted.notes]);
      if (pasted.missing.length > 0) toast(t("paste.missing", { keys: pasted.missing.join(", ") }));
      return true;
    },
    [store, t, toast],
  );

  const copied = useCallback(() => {
    const { document: now, selection, inspected } = store.getState();
    const ids = selection.size > 0 ? selection : new Set(inspected ? [inspected] : []);
    return copy(now, ids, ids);
  }, [store]);

  /** Copies without the browser's own event, as from a menu. */
  const copyText = useCallback(() => {
    void navigator.clipboard?.writeText(copied()).then(() => toast(t("hook.copied")));
  }, [copied, toast, t]);

  /** Disables what is chosen; when all of it is disabled, enables it. */
  const toggleDisabled = useCallback(() => {
    const { document: now, selection, inspected, apply, announce } = store.getState();
    const chosenKeys = selection.size > 0 ? [...selection] : inspected ? [inspected] : [];
    const keys = chosenKeys.filter((key) => mayBeDisabled(now, key, catalog));
    if (keys.length === 0) return;
    const disabled = keys.some((key) => !now.definition.nodes[key]?.disabled);
    apply(t(disabled ? "did.disable" : "did.enable"), (before) => setDisabled(before, keys, disabled));
    announce(t(disabled ? "did.disable" : "did.enable"));
  }, [store, catalog, t]);

  const duplicate = useCallback(() => {
    const { document: now, selection } = store.getState();
    const places = [...selection].flatMap((id) => now.sidecar.layout[id] ?? now.sidecar.notes[id] ?? []);
    if (places.length === 0) return;
    const corner = { x: Math.min(...places.map(({ x }) => x)), y: Math.max(...places.map(({ y }) => y)) };
    pasteText(copied(), { x: corner.x, y: corner.y + 104 });
  }, [store, copied, pasteText]);

  const note = useCallback(
    (place: Point) => {
      const made = addNote(store.getState().document, place);
      store.getState().apply(t("did.note"), () => made.document);
      store.getState().select([made.id]);
    },
    [store, t],
  );

  const choose = useCallback(
    (id: string) => {
      const { document: now, apply } = store.getState();
      if (!asking) return;
      if (asking.what === "connect") {
        const [port = "out", end = ""] = id.split(">");
        const dot = end.lastIndexOf(".");
        focusNode(asking.key);
        return join({ node: asking.key, port }, { node: end.slice(0, dot), port: end.slice(dot + 1) });
      }
      const made =
        asking.what === "add"
          ? addNode(now, id, asking.place)
          : asking.what === "addAfter"
            ? addAfter(now, asking.from, id, catalog, asking.place)
            : insertIntoEdge(now, asking.edge, id, catalog);
      if (!made) return;
      apply(t("did.add"), () => made.document);
      chosen(made.key);
      focusNode(made.key);
      store.getState().announce(t("said.added", { title: catalog.get(id)?.title ?? id }));
    },
    [asking, store, catalog, join, chosen, t],
  );

  const choices = useMemo(() => {
    if (!asking) return [];
    if (asking.what === "connect") return targetChoices(document, catalog, asking.key);
    const words = (category: string) => t(`category.${category}` as "category.FLOW");
    const fits = (type: string) => asking.what === "add" || (catalog.get(type)?.inputs.length ?? 0) > 0;
    return typeChoices(catalog, words, fits);
  }, [asking, document, catalog, t]);

  const dialog = asking ? (
    <Palette
      title={asking.what === "connect" ? t("connect.title") : t("palette.title")}
      choices={choices}
      onChoose={choose}
      onClose={() => setAsking(null)}
    />
  ) : null;

  return { ask: setAsking, join, remove, pasteText, copied, copyText, toggleDisabled, duplicate, note, dialog };
}

/** What can be done to the workflow. */
export type Editing = ReturnType<typeof useEditing>;
