import type { FlowDocument } from "./document";
import { merge } from "./merge";

/** Most steps that can be taken back. */
export const DEPTH = 200;
/** Changes of one kind within this time are one step. */
export const TOGETHER_MS = 800;

/** One step: what it was called, and the document on both its sides. Unchanged parts are shared, so it costs little. */
export interface Step {
  label: string;
  before: FlowDocument;
  after: FlowDocument;
  /** Steps of one kind that follow each other closely are put together, such as letters typed into one field. */
  kind?: string | undefined;
  at: number;
}

/** What was done and what was taken back, the latest last. */
export interface History {
  done: readonly Step[];
  undone: readonly Step[];
}

/** Nothing was done yet. */
export const NOTHING: History = { done: [], undone: [] };

/** The history with one more step; what was taken back before is forgotten. */
export function record(history: History, step: Step): History {
  const last = history.done.at(-1);
  const together =
    last !== undefined &&
    step.kind !== undefined &&
    last.kind === step.kind &&
    last.after === step.before &&
    step.at - last.at <= TOGETHER_MS;
  const done = together
    ? [...history.done.slice(0, -1), { ...step, before: last.before }]
    : [...history.done, step].slice(-DEPTH);
  return { done, undone: [] };
}

/** A document and the history that belongs to it. */
export interface Moved {
  document: FlowDocument;
  history: History;
  label: string;
}

/**
 * Takes the last step back. Where the document has changed since by somebody else's hand, only the step itself is taken
 * back and the rest stays.
 */
export function undo(history: History, document: FlowDocument): Moved | undefined {
  const step = history.done.at(-1);
  if (!step) return undefined;
  const back = document === step.after ? step.before : merge(step.after, step.before, document).document;
  // What comes back later must lead to what is there now, so the step remembers both.
  const taken = { ...step, before: back, after: document };
  return {
    document: back,
    history: { done: history.done.slice(0, -1), undone: [...history.undone, taken] },
    label: step.label,
  };
}

/** Does again what was taken back last. */
export function redo(history: History, document: FlowDocument): Moved | undefined {
  const step = history.undone.at(-1);
  if (!step) return undefined;
  const again = document === step.before ? step.after : merge(step.before, step.after, document).document;
  const done = { ...step, before: document, after: again };
  return {
    document: again,
    history: { done: [...history.done, done], undone: history.undone.slice(0, -1) },
    label: step.label,
  };
}
