/** What keys do while the canvas has the focus. */
export type Action =
  | "add"
  | "palette"
  | "connect"
  | "open"
  | "delete"
  | "duplicate"
  | "note"
  | "tidy"
  | "fit"
  | "zoom100"
  | "undo"
  | "redo"
  | "selectAll"
  | "save"
  | "test"
  | "pin"
  | "disable"
  | "copy"
  | "toHere"
  | "alone"
  | "settings"
  | "outline"
  | "help"
  | "leave"
  | "next"
  | "previous"
  | "above"
  | "below"
  | "moveLeft"
  | "moveRight"
  | "moveUp"
  | "moveDown";

interface Binding {
  action: Action;
  key: string;
  ctrl?: boolean;
  shift?: boolean;
  alt?: boolean;
  /** A single letter: works only while letters are switched on. */
  letter?: boolean;
}

/** The key map. `ctrl` is Command on a Mac. */
export const BINDINGS: readonly Binding[] = [
  { action: "palette", key: "k", ctrl: true },
  { action: "add", key: "n", letter: true },
  { action: "add", key: "/", letter: true },
  { action: "connect", key: "c", letter: true },
  { action: "open", key: "Enter" },
  { action: "delete", key: "Delete" },
  { action: "delete", key: "Backspace" },
  { action: "duplicate", key: "d", ctrl: true },
  { action: "note", key: "s", shift: true, letter: true },
  { action: "tidy", key: "t", shift: true, alt: true },
  { action: "fit", key: "1", letter: true },
  { action: "zoom100", key: "0", letter: true },
  { action: "undo", key: "z", ctrl: true },
  { action: "redo", key: "z", ctrl: true, shift: true },
  { action: "redo", key: "y", ctrl: true },
  { action: "selectAll", key: "a", ctrl: true },
  { action: "save", key: "s", ctrl: true },
  { action: "test", key: "Enter", ctrl: true },
  { action: "pin", key: "p", letter: true },
  { action: "disable", key: "d", letter: true },
  { action: "outline", key: "o", letter: true },
  { action: "settings", key: ",", ctrl: true },
  { action: "help", key: "?", letter: true },
  { action: "leave", key: "Escape" },
  { action: "next", key: "ArrowRight" },
  { action: "previous", key: "ArrowLeft" },
  { action: "above", key: "ArrowUp" },
  { action: "below", key: "ArrowDown" },
  { action: "moveRight", key: "ArrowRight", alt: true },
  { action: "moveLeft", key: "ArrowLeft", alt: true },
  { action: "moveUp", key: "ArrowUp", alt: true },
  { action: "moveDown", key: "ArrowDown", alt: true },
];

/** What was pressed, as the browser says it. */
export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/** What a pressed key does, if anything. */
export function actionFor(pressed: Pressed, letters: boolean): Action | undefined {
  const ctrl = pressed.ctrlKey || pressed.metaKey;
  // With Alt a Mac types other letters; the key map has only one letter with it.
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  return BINDINGS.find(
    (binding) =>
      (binding.key === key || (binding.action === "tidy" && key === "ˇ")) &&
      Boolean(binding.ctrl) === ctrl &&
      Boolean(binding.alt) === pressed.altKey &&
      // What is typed with Shift anyway, such as `?` and `/` on many keyboards, is taken as it comes.
      (Boolean(binding.shift) === pressed.shiftKey || binding.key === "?" || binding.key === "/") &&
      (!binding.letter || letters),
  )?.action;
}

/** How a binding is written for people. */
export function written(binding: Binding): string {
  const named: Record<string, string> = {
    ArrowRight: "→",
    ArrowLeft: "←",
    ArrowUp: "↑",
    ArrowDown: "↓",
    Escape: "Esc",
    Delete: "Del",
  };
  const key = named[binding.key] ?? (binding.key.length === 1 ? binding.key.toUpperCase() : binding.key);
  return [binding.ctrl ? "Ctrl" : "", binding.shift ? "Shift" : "", binding.alt ? "Alt" : "", key]
    .filter(Boolean)
    .join(" + ");
}
