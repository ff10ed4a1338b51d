import { type KeyboardEvent, useEffect, useRef } from "react";
import { type MessageKey, useT } from "@/i18n";
import { type Action, BINDINGS, written } from "./keymap";

/** What a menu on the canvas is about, and where it stands. */
export interface MenuPlace {
  x: number;
  y: number;
  about: "nodes" | "canvas";
}

const OFFERED: Record<MenuPlace["about"], readonly (Action | null)[]> = {
  nodes: ["open", "add", "connect", null, "toHere", "alone", "pin", "disable", null, "duplicate", "copy", "delete"],
  canvas: ["add", "note", null, "tidy", "selectAll", "fit", null, "undo", "redo", "test"],
};

interface Props {
  place: MenuPlace;
  title: string;
  onChoose: (action: Action) => void;
  onClose: () => void;
}

/** What can be done here, by pointer or by arrows; each with its key, so that it need not be opened again. */
export function ActionMenu({ place, title, onChoose, onClose }: Props) {
  const t = useT();
  const menu = useRef<HTMLDivElement>(null);
  const before = useRef(document.activeElement);
  // Whoever closes the menu is where they were before.
  const leave = () => {
    if (before.current instanceof HTMLElement) before.current.focus({ preventScroll: true });
    onClose();
  };
  useEffect(() => {
    const element = menu.current;
    if (!element) return;
    const box = element.getBoundingClientRect();
    element.style.left = `${Math.max(4, Math.min(place.x, window.innerWidth - box.width - 4))}px`;
    element.style.top = `${Math.max(4, Math.min(place.y, window.innerHeight - box.height - 4))}px`;
    element.querySelector<HTMLElement>("[role=menuitem]")?.focus();
  }, [place]);
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const items = [...(menu.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items.at(to % items.length)?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      leave();
    }
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape does the same by keyboard */}
      <div
        className="fixed inset-0 z-30"
        onPointerDown={leave}
        onContextMenu={(event) => {
          event.preventDefault();
          leave();
        }}
      />
      <div
        ref={menu}
        role="menu"
        tabIndex={-1}
        aria-label={title}
        onKeyDown={onKeyDown}
        className="fixed z-40 min-w-56 rounded-lg border border-line bg-surface p-1 shadow-lg"
      >
        {OFFERED[place.about].map((action, index) => {
          if (action === null) {
            // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
            return <hr key={index} className="my-1 border-line" />;
          }
          const binding = BINDINGS.find((one) => one.action === action);
          return (
            <button
              key={action}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                leave();
                onChoose(action);
              }}
              className="flex min-h-8 w-full items-center gap-6 rounded-md px-2 text-left hover:bg-raised focus:bg-raised max-sm:min-h-11"
            >
              <span className="flex-1">{t(`key.${action}` as MessageKey)}</span>
              {binding ? <kbd className="font-sans text-badge text-soft">{written(binding)}</kbd> : null}
            </button>
          );
        })}
      </div>
    </>
  );
}
