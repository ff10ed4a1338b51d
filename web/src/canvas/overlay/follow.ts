import { socket } from "@/api/client";
import type { RunStore } from "./overlay";
import { GapError, NOTHING_YET, type RunEvent, reduce } from "./runState";

/** How the connection to a followed run is. */
export type Connection = "connecting" | "live" | "reconnecting" | "ended";

const QUERY = `subscription FollowRun($runId: ID!, $after: String) {
  runEvents(runId: $runId, after: $after) {
    seq at cursor
    payload {
      __typename
      ... on RunEvent {
        kind node scope attempt port status message signal dueAt lines
        error { code kind message }
      }
    }
  }
}`;

interface Envelope {
  seq: number | null;
  at: string;
  cursor: string;
  payload: { __typename: string } & Omit<RunEvent, "seq" | "at" | "cursor">;
}

interface Listener {
  onEvents: (events: readonly RunEvent[]) => void;
  onConnection: (connection: Connection) => void;
}

/** Most often that a run's picture is drawn anew. */
const DRAW_EVERY_MS = 100;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Follows a run into `store`. After a lost connection it goes on behind the last event that it has, so nothing is
 * missed and nothing counted twice. Returns how to stop.
 */
export function followRun(runId: string, store: RunStore, listener: Listener): () => void {
  let stopped = false;
  let failures = 0;
  let pending: RunEvent[] = [];
  let drawing: number | undefined;
  let retry: number | undefined;
  let dispose: () => void = () => undefined;

  const draw = () => {
    window.clearTimeout(drawing);
    drawing = undefined;
    if (stopped || pending.length === 0) return;
    const events = pending;
    pending = [];
    try {
      const before = store.getState().seq;
      store.setState(reduce(store.getState(), events), true);
      listener.onEvents(events.filter(({ seq }) => seq > before));
    } catch (error) {
      if (!(error instanceof GapError)) throw error;
      // Something is missing: what is known is thrown away and read again from the beginning.
      store.setState(NOTHING_YET, true);
      dispose();
      again();
    }
  };

  const again = () => {
    if (stopped) return;
    listener.onConnection("reconnecting");
    const pause = Math.min(LONGEST_PAUSE_MS, 250 * 2 ** failures) * (0.75 + Math.random() / 2);
    failures += 1;
    retry = window.setTimeout(start, pause);
  };

  const start = () => {
    draw();
    dispose = socket.subscribe<{ runEvents: Envelope }>(
      { query: QUERY, variables: { runId, after: store.getState().cursor } },
      {
        next: ({ data }) => {
          if (!data) return;
          failures = 0;
          const { seq, at, cursor, payload } = data.runEvents;
          if (payload.__typename === "CaughtUp") {
            draw();
            listener.onConnection("live");
          }
          if (payload.__typename !== "RunEvent" || seq === null) return;
          pending.push({ ...payload, seq, at, cursor });
          drawing ??= window.setTimeout(draw, DRAW_EVERY_MS);
        },
        error: () => {
          draw();
          again();
        },
        complete: () => {
          draw();
          if (stopped) return;
          if (store.getState().endedAt === null) again();
          else listener.onConnection("ended");
        },
      },
    );
  };

  listener.onConnection("connecting");
  start();
  return () => {
    stopped = true;
    window.clearTimeout(retry);
    window.clearTimeout(drawing);
    dispose();
  };
}
