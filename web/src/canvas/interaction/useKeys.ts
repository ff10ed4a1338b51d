import { useReactFlow } from "@xyflow/react";
import { useCallback, useEffect, useRef } from "react";
import { useSettings } from "@/app/settings";
import { useT } from "@/i18n";
import { tidy } from "../layout/tidy";
import { move } from "../model/commands";
import { CARD, GRID, type Point } from "../model/document";
import { adjacency, topological } from "../model/graph";
import { useCanvasStore } from "../store";
import { type Action, actionFor } from "./keymap";
import type { Editing } from "./useEditing";

/** Frames that a card out of sight may take until it is mounted. */
const MOST_FRAMES = 30;

interface Outside {
  save: () => void;
  toggleOutline: () => void;
  showKeys: () => void;
  showCommands: () => void;
  test: () => void;
  /** Tries the workflow up to a node, or the node alone. */
  testNode: (what: "to" | "only", key: string) => void;
  /** Pins what a node gave, or takes its pin away. */
  pin: (key: string) => void;
  /** Shows what holds for the whole workflow. */
  settings: () => void;
}

/** The node under the keyboard's focus. */
function focused(): string | undefined {
  const card = document.activeElement?.closest<HTMLElement>(".react-flow__node");
  return card?.dataset.id ?? document.activeElement?.closest<HTMLElement>("[data-outline]")?.dataset.outline;
}

/** Does what the key map says. Returns what does an action by its name. */
export function useKeys(editing: Editing, outside: Outside) {
  const store = useCanvasStore();
  const flow = useReactFlow();
  const t = useT();
  const letters = useSettings((settings) => settings.letterKeys);

  const center = useCallback((): Point => {
    const box = document.querySelector(".react-flow")?.getBoundingClientRect();
    if (!box) return { x: 0, y: 0 };
    const { x, y } = flow.screenToFlowPosition({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
    return { x: x - CARD.width / 2, y: y - CARD.height / 2 };
  }, [flow]);

  /** Where the focus is on its way to: the next key goes on from there, however fast it follows. */
  const heading = useRef<string | undefined>(undefined);

  /** Goes to a node: chosen, in sight, and under the focus. */
  const goTo = useCallback(
    (key: string) => {
      heading.current = key;
      store.getState().select([key]);
      const place = store.getState().document.sidecar.layout[key];
      const element = () =>
        document.querySelector<HTMLElement>(`.react-flow__node[data-id="${key}"], [data-outline="${key}"]`);
      const visible = element()?.getBoundingClientRect();
      const box = document.querySelector(".react-flow")?.getBoundingClientRect();
      const inside =
        visible &&
        box &&
        visible.left >= box.left &&
        visible.right <= box.right &&
        visible.top >= box.top &&
        visible.bottom <= box.bottom;
      if (place && !inside) {
        flow.setCenter(place.x + CARD.width / 2, place.y + CARD.height / 2, { zoom: flow.getZoom() });
      }
      // A card that was out of sight is mounted with one of the next frames.
      const arrive = (frames: number) => {
        if (heading.current !== key) return;
        const card = element();
        if (!card && frames > 0) {
          requestAnimationFrame(() => arrive(frames - 1));
          return;
        }
        heading.current = undefined;
        card?.focus();
      };
      requestAnimationFrame(() => arrive(MOST_FRAMES));
    },
    [store, flow],
  );

  const walk = useCallback(
    (action: Action) => {
      const { document: now, selection } = store.getState();
      const here = heading.current ?? focused() ?? [...selection].find((id) => Object.hasOwn(now.definition.nodes, id));
      const { order } = topological(now.definition);
      if (here === undefined) return order[0] === undefined ? undefined : goTo(order[0]);
      const { before, after } = adjacency(now.definition);
      if (action === "next" || action === "previous") {
        const next = (action === "next" ? after : before).get(here)?.[0];
        return next === undefined ? undefined : goTo(next);
      }
      // Up and down: the nearest card that stands above or below.
      const place = now.sidecar.layout[here];
      if (!place) return;
      const sign = action === "below" ? 1 : -1;
      const near = Object.entries(now.sidecar.layout)
        .filter(([key, { y }]) => key !== here && (y - place.y) * sign > 0)
        .map(([key, { x, y }]) => ({ key, distance: Math.abs(x - place.x) * 2 + Math.abs(y - place.y) }))
        .sort((a, b) => a.distance - b.distance)[0];
      if (near) goTo(near.key);
    },
    [store, goTo],
  );

  const nudge = useCallback(
    (x: number, y: number) => {
      const { document: now, selection, apply } = store.getState();
      const here = heading.current ?? focused();
      const ids = selection.size > 0 ? [...selection] : here ? [here] : [];
      const places = ids.flatMap((id) => {
        const place = now.sidecar.layout[id] ?? now.sidecar.notes[id];
        return place ? [[id, { x: place.x + x * GRID, y: place.y + y * GRID }] as const] : [];
      });
      apply(t("did.move"), (before) => move(before, Object.fromEntries(places)), `nudge ${ids.join()}`);
    },
    [store, t],
  );

  const tidyUp = useCallback(() => {
    const { document: now, selection, catalog, apply, announce } = store.getState();
    const chosen = [...selection].filter((id) => Object.hasOwn(now.definition.nodes, id));
    const keys = new Set(chosen.length > 1 ? chosen : Object.keys(now.definition.nodes));
    const places = tidy(now, keys, catalog);
    const stage = document.querySelector(".react-flow");
    stage?.classList.add("settling");
    apply(t("did.tidy"), (before) => move(before, places));
    announce(t("said.tidied"));
    window.setTimeout(() => stage?.classList.remove("settling"), 400);
    if (chosen.length <= 1) requestAnimationFrame(() => flow.fitView({ padding: 0.1, maxZoom: 1 }));
  }, [store, flow, t]);

  const act = useCallback(
    (action: Action) => {
      const state = store.getState();
      const here = heading.current ?? focused();
      const nodes = state.document.definition.nodes;
      const one = here ?? [...state.selection].find((id) => Object.hasOwn(nodes, id)) ?? state.inspected ?? undefined;
      const said = (label: string | undefined, key: "said.undone" | "said.redone") =>
        label !== undefined && state.announce(t(key, { label }));
      switch (action) {
        case "palette":
          return outside.showCommands();
        case "add":
          return one
            ? editing.ask({ what: "addAfter", from: { node: one, port: firstOutput(one) } })
            : editing.ask({ what: "add", place: center() });
        case "connect":
          return one ? editing.ask({ what: "connect", key: one }) : undefined;
        case "open":
          if (one === undefined) return;
          state.select([one]);
          state.inspect(one);
          // Whoever opens a node by key wants to go on in its fields.
          requestAnimationFrame(() =>
            requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-inspector] input")?.focus()),
          );
          return;
        case "delete":
          if (here && state.selection.size === 0) state.select([here]);
          return editing.remove();
        case "duplicate":
          if (here && state.selection.size === 0) state.select([here]);
          return editing.duplicate();
        case "note":
          return editing.note(center());
        case "tidy":
          return tidyUp();
        case "fit":
          return void flow.fitView({ padding: 0.1, maxZoom: 1 });
        case "zoom100":
          return void flow.zoomTo(1);
        case "undo":
          return said(state.undo(), "said.undone");
        case "redo":
          return said(state.redo(), "said.redone");
        case "selectAll":
          return state.select([...Object.keys(nodes), ...Object.keys(state.document.sidecar.notes)]);
        case "save":
          return outside.save();
        case "test":
          return outside.test();
        case "pin":
          return one ? outside.pin(one) : undefined;
        case "toHere":
          return one ? outside.testNode("to", one) : undefined;
        case "alone":
          return one ? outside.testNode("only", one) : undefined;
        case "disable":
          if (here && !state.selection.has(here)) state.select([here]);
          return editing.toggleDisabled();
        case "copy":
          if (here && state.selection.size === 0) state.select([here]);
          return editing.copyText();
        case "settings":
          return outside.settings();
        case "outline":
          return outside.toggleOutline();
        case "help":
          return outside.showKeys();
        case "leave":
          state.select([]);
          return state.inspect(null);
        case "next":
        case "previous":
        case "above":
        case "below":
          return walk(action);
        case "moveLeft":
          return nudge(-1, 0);
        case "moveRight":
          return nudge(1, 0);
        case "moveUp":
          return nudge(0, -1);
        case "moveDown":
          return nudge(0, 1);
      }
      function firstOutput(key: string): string {
        return state.catalog.get(nodes[key]?.type ?? "")?.outputs[0]?.name ?? "out";
      }
    },
    [store, flow, t, editing, outside, center, walk, nudge, tidyUp],
  );

  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      // A dialog has the keys to itself. What was just closed leaves the focus to the page, where keys work too.
      const elsewhere = target !== document.body && !target.closest("[data-canvas-keys]");
      const combined = event.ctrlKey || event.metaKey;
      if ((elsewhere && !combined) || event.defaultPrevented || document.querySelector("dialog[open]")) return;
      // Where text is typed, keys belong to the text; so does undo.
      if (target.closest("input, textarea, select, [contenteditable=true]")) return;
      const action = actionFor(event, letters);
      // Enter on a button presses the button.
      if (!action || (action === "open" && target.closest("button, a"))) return;
      event.preventDefault();
      act(action);
    },
    [letters, act],
  );

  useEffect(() => {
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [onKeyDown]);

  return { act, center };
}
