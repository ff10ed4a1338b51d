import { useEffect, useRef } from "react";
import { socket } from "./client";

/** One delivery of a stream, with the cursor to go on after. */
export interface Envelope<Payload> {
  seq: number | null;
  at: string;
  cursor: string;
  payload: { __typename: string } & Payload;
}

interface Listener<Payload> {
  next: (envelope: Envelope<Payload>) => void;
  /** Everything stored was delivered; `again` says that the connection was lost before. */
  caughtUp?: (again: boolean) => void;
}

const LONGEST_PAUSE_MS = 15_000;

/**
 * Follows a stream of events from now on. After a lost connection it goes on behind the last delivery, so nothing is
 * missed; a cursor that is too old begins anew from now on, which `caughtUp` tells as well. Returns how to stop.
 */
export function follow<Payload>(
  query: string,
  variables: Record<string, unknown>,
  { next, caughtUp }: Listener<Payload>,
): () => void {
  let stopped = false;
  let failures = 0;
  let lost = false;
  let cursor: string | null = null;
  let retry: number | undefined;
  let dispose: () => void = () => undefined;
  const again = () => {
    if (stopped) return;
    lost = true;
    const pause = Math.min(LONGEST_PAUSE_MS, 250 * 2 ** failures) * (0.75 + Math.random() / 2);
    failures += 1;
    retry = window.setTimeout(start, pause);
  };
  const start = () => {
    dispose = socket.subscribe<Record<string, Envelope<Payload>>>(
      { query, variables: { ...variables, after: cursor } },
      {
        next: ({ data, errors }) => {
          // A cursor that nobody knows any more: what was missed is read as a whole.
          if (errors?.some(({ extensions }) => extensions?.code === "CURSOR_EXPIRED")) cursor = null;
          const envelope = data && Object.values(data)[0];
          if (!envelope) return;
          failures = 0;
          cursor = envelope.cursor;
          if (envelope.payload.__typename === "CaughtUp") {
            caughtUp?.(lost);
            lost = false;
          } else if (envelope.payload.__typename !== "Heartbeat") next(envelope);
        },
        error: again,
        complete: again,
      },
    );
  };
  start();
  return () => {
    stopped = true;
    window.clearTimeout(retry);
    dispose();
  };
}

const WORKSPACE = `subscription FollowWorkspace($filter: WorkspaceEventFilter, $after: String) {
  workspaceEvents(filter: $filter, after: $after) { seq at cursor payload { __typename } }
}`;

/** Most often that a list is read anew while much happens. */
const CALM_MS = 500;

/** Calls back soon after something of these kinds happened, such as `run.*`, and after a lost connection. */
export function useWorkspaceEvents(kinds: readonly string[], onChange: () => void, workflowId?: string): void {
  const latest = useRef(onChange);
  latest.current = onChange;
  const wanted = kinds.join(" ");
  useEffect(() => {
    let waiting: number | undefined;
    const soon = () => {
      waiting ??= window.setTimeout(() => {
        waiting = undefined;
        latest.current();
      }, CALM_MS);
    };
    const filter = { kinds: wanted.split(" "), ...(workflowId ? { workflowId } : {}) };
    const stop = follow(WORKSPACE, { filter }, { next: soon, caughtUp: (again) => again && soon() });
    return () => {
      window.clearTimeout(waiting);
      stop();
    };
  }, [wanted, workflowId]);
}

const DRAFT = `subscription FollowDraft($workflowId: ID!, $after: String) {
  draftEvents(workflowId: $workflowId, after: $after) {
    seq at cursor
    payload { __typename ... on DraftUpdate { draftId revision actor } }
  }
}`;

/** A draft was edited, by whomever. */
export interface DraftUpdate {
  draftId: string;
  revision: number;
  actor: string | null;
}

/** Calls back when a draft of the workflow was edited, and after a lost connection. Returns how to stop. */
export function followDraft(workflowId: string, onUpdate: (update: DraftUpdate | null) => void): () => void {
  return follow<DraftUpdate>(
    DRAFT,
    { workflowId },
    {
      next: ({ payload }) => onUpdate(payload.__typename === "DraftUpdate" ? payload : null),
      caughtUp: (again) => again && onUpdate(null),
    },
  );
}
