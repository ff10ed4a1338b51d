import { expect, test } from "vitest";
import { addNode, move, removeNodes, setNode } from "../model/commands";
import type { FlowDocument } from "../model/document";
import { openDocument } from "../model/document";
import { same } from "../model/json";
import type { Conflict } from "../model/merge";
import { applyPatch } from "../model/patch";
import { drawn, seeded } from "../model/testing";
import { type Change, DraftSync, type Saved, type ServerDraft, type Unsent } from "./draftSync";

/** A server with one draft, that compares and sets as the real one does. */
class Server {
  draft: ServerDraft;
  reachable = true;
  saves = 0;

  constructor(document: FlowDocument) {
    this.draft = { revision: 1, document: document.definition, sidecar: document.sidecar };
  }

  save({ expectedRevision, patch, sidecarPatch }: Change): Saved {
    this.saves += 1;
    if (!this.reachable) return { outcome: "unreachable" };
    if (expectedRevision !== this.draft.revision) return { outcome: "conflict", draft: this.draft };
    this.draft = {
      revision: this.draft.revision + 1,
      document: applyPatch(this.draft.document, patch),
      sidecar: applyPatch(this.draft.sidecar, sidecarPatch),
    };
    return { outcome: "saved", revision: this.draft.revision };
  }

  get document(): FlowDocument {
    return openDocument(this.draft.document, this.draft.sidecar);
  }
}

/** Somebody at an editor; time passes only when it is told to. */
class Editor {
  document: FlowDocument;
  states: string[] = [];
  conflicts: Conflict[] = [];
  unsent: Unsent | null = null;
  timers: (() => void)[] = [];
  sync: DraftSync;
  /** What a save waits for before it reaches the server. */
  road: Promise<void> = Promise.resolve();

  constructor(server: Server) {
    this.document = server.document;
    this.sync = new DraftSync(server.draft, {
      current: () => this.document,
      receive: (document) => {
        this.document = document;
      },
      save: (change) => this.road.then(() => server.save(change)),
      keep: (unsent) => {
        this.unsent = unsent;
      },
      onState: (state) => this.states.push(state),
      onConflicts: (conflicts) => {
        this.conflicts = conflicts;
      },
      later: (run) => {
        this.timers = [run];
        return () => {
          this.timers = [];
        };
      },
    });
  }

  edit(change: (document: FlowDocument) => FlowDocument): void {
    this.document = change(this.document);
    this.sync.changed();
  }
}

const start = drawn({ a: "trigger.manual@1", b: "data.set@1", c: "data.set@1" }, "a > b", "b > c");

test("changes are saved as one patch, and only what the server does not have", async () => {
  const server = new Server(start);
  const editor = new Editor(server);
  editor.edit((document) => setNode(document, "b", { name: "One" }));
  editor.edit((document) => move(document, { c: { x: 80, y: 80 } }));
  expect(editor.unsent?.document).toBe(editor.document);
  await editor.sync.flush();
  expect(server.saves).toBe(1);
  expect(server.document).toEqual(editor.document);
  expect(editor.unsent).toBeNull();
  await editor.sync.flush();
  expect(server.saves).toBe(1);
  expect(editor.states.at(-1)).toBe("saved");
});

test("two editors on one draft lose nothing, and the slower one sees what the faster one did", async () => {
  const server = new Server(start);
  const [ana, ben] = [new Editor(server), new Editor(server)];
  ana.edit((document) => setNode(document, "b", { name: "Ana" }));
  ben.edit((document) => setNode(document, "c", { name: "Ben" }));
  await ana.sync.flush();
  await ben.sync.flush();
  expect(server.document.definition.nodes).toMatchObject({ b: { name: "Ana" }, c: { name: "Ben" } });
  expect(ben.document.definition.nodes.b?.name).toBe("Ana");
  expect(ben.conflicts).toEqual([]);
  expect(ben.sync.isSaved).toBe(true);
});

test("two values for one field are reported to the slower editor", async () => {
  const server = new Server(start);
  const [ana, ben] = [new Editor(server), new Editor(server)];
  ana.edit((document) => setNode(document, "b", { name: "Ana" }));
  ben.edit((document) => setNode(document, "b", { name: "Ben" }));
  await ana.sync.flush();
  await ben.sync.flush();
  expect(ben.conflicts).toMatchObject([{ node: "b", mine: "Ben", theirs: "Ana" }]);
  expect(server.document.definition.nodes.b?.name).toBe("Ben");
});

test("without a network work stays on the device and is saved when there is one again", async () => {
  const server = new Server(start);
  const editor = new Editor(server);
  server.reachable = false;
  editor.edit((document) => setNode(document, "b", { name: "Offline" }));
  await editor.sync.flush();
  expect(editor.states.at(-1)).toBe("offline");
  expect(editor.unsent?.document.definition.nodes.b?.name).toBe("Offline");
  expect(editor.timers).toHaveLength(1);
  server.reachable = true;
  await editor.sync.flush();
  expect(server.document.definition.nodes.b?.name).toBe("Offline");
  expect(editor.unsent).toBeNull();
});

test("a change made while a save is under way is saved after it", async () => {
  const server = new Server(start);
  const editor = new Editor(server);
  editor.edit((document) => setNode(document, "b", { name: "First" }));
  let open: () => void = () => undefined;
  editor.road = new Promise((resolve) => {
    open = resolve;
  });
  const saving = editor.sync.flush();
  await Promise.resolve();
  await Promise.resolve();
  editor.edit((document) => setNode(document, "b", { name: "Second" }));
  open();
  await saving;
  expect(editor.sync.isSaved).toBe(false);
  expect(editor.unsent?.document.definition.nodes.b?.name).toBe("Second");
  await editor.sync.flush();
  expect(server.document.definition.nodes.b?.name).toBe("Second");
});

test("a closed editor saves nothing more and keeps what it has", async () => {
  const server = new Server(start);
  const editor = new Editor(server);
  editor.edit((document) => setNode(document, "b", { name: "Late" }));
  editor.sync.close();
  await editor.sync.flush();
  expect(server.saves).toBe(0);
  expect(editor.unsent?.document.definition.nodes.b?.name).toBe("Late");
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "seed %i: three editors who work and save at random end with one document",
  async (seed) => {
    const random = seeded(seed);
    const server = new Server(start);
    const editors = [new Editor(server), new Editor(server), new Editor(server)];
    const made = new Set<string>();
    for (let step = 0; step < 120; step += 1) {
      const who = Math.floor(random() * 3);
      const editor = editors[who];
      if (!editor) continue;
      server.reachable = random() > 0.2;
      const own = Object.keys(editor.document.definition.nodes).filter((key) => key.startsWith(`e${who}_`));
      const pick = own[Math.floor(random() * own.length)];
      const what = random();
      if (what < 0.3) {
        const key = `e${who}_${step}`;
        made.add(key);
        editor.edit((document) => {
          const added = addNode(document, "data.set@1", { x: step * 8, y: 0 });
          const node = added.document.definition.nodes[added.key];
          const nodes = { ...document.definition.nodes, ...(node ? { [key]: node } : {}) };
          return { ...document, definition: { ...document.definition, nodes } };
        });
      } else if (what < 0.5 && pick) editor.edit((document) => setNode(document, pick, { name: `${step}` }));
      else if (what < 0.6 && pick) {
        made.delete(pick);
        editor.edit((document) => removeNodes(document, [pick]));
      } else await editor.sync.flush();
    }
    server.reachable = true;
    for (let round = 0; round < 2; round += 1) for (const editor of editors) await editor.sync.flush();
    for (const editor of editors) editor.sync.adopt(server.draft);
    for (const editor of editors) expect(same(editor.document, server.document)).toBe(true);
    const keys = Object.keys(server.document.definition.nodes).filter((key) => key.startsWith("e"));
    expect(new Set(keys)).toEqual(made);
  },
);

test("what somebody else saved is taken over while a save is under way, and one's own save is no news", async () => {
  const server = new Server(start);
  const [ann, ben] = [new Editor(server), new Editor(server)];
  let arrive: () => void = () => undefined;
  ann.road = new Promise((resolve) => {
    arrive = resolve;
  });
  ann.edit((document) => setNode(document, "b", { name: "by Ann" }));
  const saving = ann.sync.flush();
  const heard = ann.sync.hear(async () => server.draft);
  arrive();
  await saving;
  expect(await heard).toBe(false);
  await ben.sync.hear(async () => server.draft);
  expect(ben.document.definition.nodes.b?.name).toBe("by Ann");
  ben.edit((document) => setNode(document, "c", { name: "by Ben" }));
  await ben.sync.flush();
  ann.edit((document) => setNode(document, "b", { timeout: "5s" }));
  expect(await ann.sync.hear(async () => server.draft)).toBe(true);
  expect(ann.document.definition.nodes).toMatchObject({ b: { name: "by Ann", timeout: "5s" }, c: { name: "by Ben" } });
  await ann.sync.flush();
  expect(server.document.definition.nodes.b?.timeout).toBe("5s");
});
