import { useCallback, useEffect, useState } from "react";
import { useClient, useMutation, useQuery } from "urql";
import { messageOf, refusalOf } from "@/api/errors";
import type { Part } from "@/canvas/inspector/lastRun";
import type { FlowDocument } from "@/canvas/model/document";
import type { Json } from "@/canvas/model/json";
import { pinsToSend } from "@/canvas/model/pins";
import { type Problem, placed } from "@/canvas/model/problems";
import { type Connection, followRun } from "@/canvas/overlay/follow";
import type { RunStore } from "@/canvas/overlay/overlay";
import { NOTHING_YET } from "@/canvas/overlay/runState";
import type { CanvasStore } from "@/canvas/store";
import type { TestRunInput } from "@/gql/graphql";
import { useT } from "@/i18n";
import { CancelMutation } from "@/run/queries";
import { LatestRunQuery, TestRunMutation } from "./queries";

/** What somebody wants to try. What is absent is as it was in the test before, or as its pin says. */
export interface Wish {
  part: Part;
  trigger?: string;
  input?: Json;
  /** Files that become members of it. */
  files?: { field: string; artifactId: string }[];
  /** With one node alone: its input instead of what leads to it. */
  nodeInput?: Json;
  reuse: boolean;
}

/** A test that was started, and the document that it tries. */
export interface StartedTest {
  id: string;
  document: FlowDocument;
  wish: Wish;
}

/** A wish as the server takes it, with the document as it is now and its pins. */
export function asInput(workflowId: string, document: FlowDocument, wish: Wish): TestRunInput {
  const { part, trigger, input, files = [], nodeInput, reuse } = wish;
  // Who runs one node alone wants it to run, pinned or not.
  const pins = pinsToSend(document).filter(({ node }) => part.what !== "only" || node !== part.node);
  return {
    workflowId,
    definition: document.definition,
    environment: "default",
    pins,
    reuse,
    ...(trigger ? { trigger } : {}),
    ...(input === undefined ? {} : { input }),
    ...(files.length > 0 ? { files } : {}),
    ...(part.what === "to" ? { toNode: part.node } : {}),
    ...(part.what === "only" ? { onlyNode: part.node } : {}),
    ...(part.what === "only" && nodeInput !== undefined ? { nodeInput } : {}),
  };
}

/** Starts tests of the document as it is, and follows the latest one over the canvas. */
export function useTest(store: CanvasStore, overlay: RunStore, workflowId: string) {
  const t = useT();
  const client = useClient();
  const [started, setStarted] = useState<StartedTest | null>(null);
  const [connection, setConnection] = useState<Connection>("connecting");
  const [, start] = useMutation(TestRunMutation);
  const [latest] = useQuery({
    query: LatestRunQuery,
    variables: { workflowId },
    requestPolicy: "cache-and-network",
  });

  useEffect(() => {
    overlay.setState(NOTHING_YET, true);
    if (!started) return;
    return followRun(started.id, overlay, { onEvents: () => undefined, onConnection: setConnection });
  }, [started, overlay]);

  /** Starts a test; says why it cannot be started. */
  const go = useCallback(
    async (wish: Wish): Promise<string | undefined> => {
      const { document } = store.getState();
      const answer = await start({ input: asInput(workflowId, document, wish) });
      if (answer.error) return messageOf(answer.error);
      const payload = answer.data?.testRun;
      if (payload?.run) {
        setStarted({ id: payload.run.id, document, wish });
        return undefined;
      }
      if (payload) store.getState().setServerProblems(document, placed(payload.problems as Problem[], document));
      return refusalOf(payload?.userErrors) || t("error.failed");
    },
    [store, start, workflowId, t],
  );

  const cancel = useCallback(async (): Promise<string | undefined> => {
    if (!started) return undefined;
    const answer = await client.mutation(CancelMutation, { input: { runId: started.id } }).toPromise();
    if (answer.error) return messageOf(answer.error);
    return refusalOf(answer.data?.cancelRun.userErrors) || undefined;
  }, [client, started]);

  return {
    started,
    connection,
    /** The run whose data is shown. */
    runId: started?.id ?? latest.data?.runs.nodes[0]?.id ?? null,
    go,
    cancel,
    clear: useCallback(() => setStarted(null), []),
  };
}

/** Testing, for whoever offers it. */
export type Testing = ReturnType<typeof useTest>;
