/** What arrives at the node, or what `config.input` gives. */
declare const input: any;

/** Writes to the node's log. */
declare const console: {
  debug(...values: unknown[]): void;
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  trace(...values: unknown[]): void;
};

/** Drawn from a seed that belongs to the node run: good for ids that a repeat gives again, no good for secrets. */
declare const crypto: {
  randomUUID(): string;
  getRandomValues<T extends Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array>(list: T): T;
};

/** The clock stands still while code runs. */
declare const performance: { readonly timeOrigin: number; now(): 0 };

declare function queueMicrotask(task: () => void): void;
