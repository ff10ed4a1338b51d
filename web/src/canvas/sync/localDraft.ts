import { type Definition, type FlowDocument, openDocument } from "../model/document";

/** Work that is not published yet, kept in this browser, with the version that it began from. */
export interface LocalDraft {
  document: FlowDocument;
  /** The definition that the work began from, to tell what changed; nothing for a workflow that was never published. */
  base: Definition | null;
  baseHash: string | null;
  savedAt: string;
}

const DATABASE = "flowforge";
const DRAFTS = "drafts";

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(DRAFTS);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function ask<T>(mode: IDBTransactionMode, question: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opened = await database();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = opened.transaction(DRAFTS, mode);
      const request = question(transaction.objectStore(DRAFTS));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    opened.close();
  }
}

/** Under which name a workflow's work is kept: nobody finds another workspace's. */
export function draftName(workspace: string, project: string, workflow: string): string {
  return `${workspace}/${project}/${workflow}`;
}

/** The work kept under a name. */
export async function loadDraft(name: string): Promise<LocalDraft | undefined> {
  const found = (await ask("readonly", (store) => store.get(name))) as LocalDraft | undefined;
  return found && { ...found, document: openDocument(found.document.definition, found.document.sidecar) };
}

/** Keeps work under a name. */
export async function saveDraft(name: string, draft: LocalDraft): Promise<void> {
  await ask("readwrite", (store) => store.put(draft, name));
}

/** Throws the work kept under a name away. */
export async function dropDraft(name: string): Promise<void> {
  await ask("readwrite", (store) => store.delete(name));
}
