import { type FlowDocument, openDocument } from "../model/document";
import { type Conflict, merge } from "../model/merge";
import { diff, type Operation } from "../model/patch";

/** A draft as the server has it: whatever was saved, broken or not. */
export interface ServerDraft {
  revision: number;
  document: unknown;
  sidecar: unknown;
}

/** What came of a save. */
export type Saved =
  | { outcome: "saved"; revision: number }
  /** Somebody was faster; the draft as they left it. */
  | { outcome: "conflict"; draft: ServerDraft }
  /** The server was not reached, or was not able to: worth another try. */
  | { outcome: "unreachable" }
  /** The server will not take it, however often it is asked. */
  | { outcome: "refused"; message: string };

/** A change as the server takes it. */
export interface Change {
  expectedRevision: number;
  patch: Operation[];
  sidecarPatch: Operation[];
}

/** Where the work is. */
export type SaveState = "saved" | "saving" | "offline" | "refused";

/** What a draft is kept with. Everything outside is handed in, so that time and network can be played. */
export interface Surroundings {
  /** The document as it is now. */
  current: () => FlowDocument;
  /** Puts a merged document in its place. */
  receive: (document: FlowDocument) => void;
  save: (change: Change) => Promise<Saved>;
  /** Keeps what is not saved yet on this device; nothing when all is saved. */
  keep: (unsent: Unsent | null) => void;
  onState: (state: SaveState, message?: string) => void;
  onConflicts: (conflicts: Conflict[]) => void;
  later: (run: () => void, milliseconds: number) => () => void;
}

/** Work that the server does not have, and the draft that it was made on. */
export interface Unsent {
  document: FlowDocument;
  base: ServerDraft;
}

/** How long after the last change a draft is saved. */
export const SAVE_AFTER_MS = 1_500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Saves a draft after changes, one save at a time, each against the revision that it was made on. When somebody else
 * was faster, both changes are put together and saved again; nothing is ever written over.
 */
export class DraftSync {
  private base: ServerDraft;
  private cancel: () => void = () => undefined;
  private busy: Promise<void> = Promise.resolve();
  private failures = 0;
  private closed = false;

  constructor(
    draft: ServerDraft,
    private readonly around: Surroundings,
  ) {
    this.base = draft;
  }

  /** The revision that the server is known to have. */
  get revision(): number {
    return this.base.revision;
  }

  /** Whether the server has everything. */
  get isSaved(): boolean {
    const { patch, sidecarPatch } = this.change(this.around.current());
    return patch.length === 0 && sidecarPatch.length === 0;
  }

  private change(document: FlowDocument): Change {
    return {
      expectedRevision: this.base.revision,
      patch: diff(this.base.document, document.definition),
      sidecarPatch: diff(this.base.sidecar, document.sidecar),
    };
  }

  /** The document has changed. */
  changed(): void {
    if (this.closed) return;
    this.around.keep({ document: this.around.current(), base: this.base });
    if (this.failures === 0) this.around.onState("saving");
    this.schedule(this.failures > 0 ? this.pause() : SAVE_AFTER_MS);
  }

  /** Saves what is not saved, now. Afterwards `isSaved` says whether that worked. */
  async flush(): Promise<void> {
    this.cancel();
    // One after the other: a save under way does not have what came after it.
    this.busy = this.busy.then(() => (this.closed ? undefined : this.saveOnce()));
    await this.busy;
  }

  /** Somebody changed the draft, perhaps oneself: what is new in it is taken over, after a save that is under way. */
  async hear(read: () => Promise<ServerDraft | undefined>): Promise<boolean> {
    let adopted = false;
    const listen = async () => {
      const draft = this.closed ? undefined : await read();
      if (!draft || this.closed || draft.revision <= this.base.revision) return;
      adopted = true;
      this.adopt(draft);
    };
    this.busy = this.busy.then(listen);
    await this.busy;
    return adopted;
  }

  /** Takes over the draft as somebody else left it, and puts one's own unsaved work on top. */
  adopt(draft: ServerDraft): void {
    if (draft.revision <= this.base.revision) return;
    const { document, conflicts } = mergeOnto(this.around.current(), this.base, draft);
    this.base = draft;
    this.around.receive(document);
    if (conflicts.length > 0) this.around.onConflicts(conflicts);
  }

  /** The server has this draft now, and the document is its content. */
  reset(draft: ServerDraft): void {
    this.base = draft;
    this.around.keep(null);
    this.around.onState("saved");
  }

  /** Stops saving; what is not saved stays on this device. */
  close(): void {
    this.closed = true;
    this.cancel();
  }

  private schedule(milliseconds: number): void {
    this.cancel();
    this.cancel = this.around.later(() => void this.flush(), milliseconds);
  }

  private pause(): number {
    return Math.min(LONGEST_PAUSE_MS, SAVE_AFTER_MS * 2 ** this.failures);
  }

  private async saveOnce(): Promise<void> {
    const document = this.around.current();
    const change = this.change(document);
    if (change.patch.length === 0 && change.sidecarPatch.length === 0) {
      this.around.keep(null);
      this.around.onState("saved");
      return;
    }
    this.around.onState("saving");
    const saved = await this.around.save(change);
    if (this.closed) return;
    switch (saved.outcome) {
      case "saved":
        this.failures = 0;
        this.base = { revision: saved.revision, document: document.definition, sidecar: document.sidecar };
        if (this.around.current() === document) {
          this.around.keep(null);
          this.around.onState("saved");
        } else this.changed();
        return;
      case "conflict":
        this.failures = 0;
        this.adopt(saved.draft);
        return this.saveOnce();
      case "unreachable":
        this.failures += 1;
        this.around.onState("offline");
        return this.schedule(this.pause());
      case "refused":
        return this.around.onState("refused", saved.message);
    }
  }
}

/** Work made on one state of a draft, put onto a later one. */
export function mergeOnto(mine: FlowDocument, base: ServerDraft, theirs: ServerDraft) {
  return merge(openDocument(base.document, base.sidecar), mine, openDocument(theirs.document, theirs.sidecar));
}
