// F5: the globals of a browser: fetch, XMLHttpRequest, WebSocket, Worker, storage.
const names = ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'Worker', 'importScripts', 'localStorage', 'indexedDB',
  'navigator', 'window', 'self', 'document', 'postMessage', 'MessageChannel', 'BroadcastChannel'];
return names.find((name) => name in globalThis) ?? null;
