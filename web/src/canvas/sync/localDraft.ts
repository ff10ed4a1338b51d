import type { Unsent } from "./draftSync";

const DATABASE = "flowforge";
const UNSENT = "unsent";

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(UNSENT);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function ask<T>(mode: IDBTransactionMode, question: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opened = await database();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = opened.transaction(UNSENT, mode);
      const request = question(transaction.objectStore(UNSENT));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    opened.close();
  }
}

/** Work on a draft that the server did not get, because there was no network or the page was closed too soon. */
export async function loadUnsent(draft: string): Promise<Unsent | undefined> {
  return (await ask("readonly", (store) => store.get(draft))) as Unsent | undefined;
}

/** Keeps such work on this device, or forgets it. */
export async function keepUnsent(draft: string, unsent: Unsent | null): Promise<void> {
  if (unsent) await ask("readwrite", (store) => store.put(unsent, draft));
  else await ask("readwrite", (store) => store.delete(draft));
}
